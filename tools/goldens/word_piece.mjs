// Goldens for the WordPiece tokenizer, from an independent implementation: the Rust library of
// Hugging Face, through its Node addon. A developer tool; nothing here runs in the tests.
//
//   npm install --prefix DIR tokenizers@0.23.2
//   NODE_PATH=DIR/node_modules node word_piece.mjs TOKENIZER_JSON cases INPUTS.jsonl > GOLDEN.jsonl
//   NODE_PATH=DIR/node_modules node word_piece.mjs TOKENIZER_JSON random COUNT SEED > GOLDEN.jsonl
//   NODE_PATH=DIR/node_modules node word_piece.mjs TOKENIZER_JSON blocks > BLOCKS.jsonl
//
// INPUTS has a JSON string a line, or {"text": ..., "normalizer": {...}} to change settings.
// A golden line is {"text", "ids", "spans"}: spans are byte offsets, begin and end by turns.
// A block line is {"first", "hash"}: FNV-1a over ids and spans of "aXb" for 4096 code points X.
// Special tokens are taken out of the tokenizer, so that text which spells them is ordinary text.
import {createRequire} from 'node:module';
import fs from 'node:fs';

const {Tokenizer} = createRequire(import.meta.url)('tokenizers');
const [, , file, mode, ...rest] = process.argv;
const document = JSON.parse(fs.readFileSync(file, 'utf8'));
Object.assign(document, {added_tokens: [], post_processor: null, truncation: null, padding: null});

const made = new Map();
function tokenizer(normalizer) {
  const key = JSON.stringify(normalizer ?? {});
  if (!made.has(key)) {
    const changed = {...document, normalizer: {...document.normalizer, ...normalizer}};
    made.set(key, Tokenizer.fromString(JSON.stringify(changed)));
  }
  return made.get(key);
}

async function encode(text, normalizer) {
  const encoding = await tokenizer(normalizer).encode(text, null, {addSpecialTokens: false});
  const bytes = [0];
  for (const character of text) {
    bytes.push(bytes.at(-1) + Buffer.byteLength(character));
  }
  return {ids: encoding.getIds(), spans: encoding.getOffsets().flat().map((i) => bytes[i])};
}

async function cases(inputs) {
  for (const line of fs.readFileSync(inputs, 'utf8').split('\n').filter((l) => l !== '')) {
    const input = JSON.parse(line);
    const {text, normalizer} = typeof input === 'string' ? {text: input} : input;
    console.log(JSON.stringify({text, normalizer, ...await encode(text, normalizer)}));
  }
}

// mulberry32: small, seeded, good enough to choose characters.
function generator(seed) {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ranges = [  // drawn evenly, so that small and tricky ranges come often
  [0x20, 0x7E], [0x20, 0x7E], [0x61, 0x7A], [0x61, 0x7A], [0, 0x1F], [0x80, 0xFF], [0x100, 0x24F],
  [0x250, 0x2FF], [0x300, 0x36F], [0x300, 0x36F], [0x370, 0x52F], [0x590, 0x6FF], [0x700, 0x97F],
  [0x980, 0xDFF], [0xE00, 0xFFF], [0x1000, 0x1FFF], [0x1AB0, 0x1AFF], [0x1DC0, 0x1DFF],
  [0x1E00, 0x1FFF], [0x2000, 0x206F], [0x20D0, 0x20FF], [0x2070, 0x2BFF], [0x3000, 0x30FF],
  [0x4E00, 0x9FFF], [0xA640, 0xABFF], [0xAC00, 0xD7FB], [0xE000, 0xFFFF], [0x10000, 0x1FFFF],
  [0x1D100, 0x1D1FF], [0x1F300, 0x1FAFF], [0x20000, 0x3FFFF], [0xE0000, 0xE01EF], [0, 0x10FFFF],
];

async function random(count, seed) {
  const next = generator(seed);
  const below = (n) => Math.floor(next() * n);
  for (let i = 0; i < count; ++i) {
    const pool = Array.from({length: 1 + below(4)}, () => ranges[below(ranges.length)]);
    let text = '';
    for (let n = below(i % 50 === 0 ? 400 : 40); n > 0; --n) {
      const [low, high] = pool[below(pool.length)];
      const c = low + below(high - low + 1);
      text += String.fromCodePoint(c >= 0xD800 && c < 0xE000 ? 0x20 : c);
    }
    const flag = () => below(2) === 1;
    const normalizer = i % 3 !== 0 ? undefined : {
      clean_text: flag(), handle_chinese_chars: flag(), lowercase: flag(),
      strip_accents: [true, false, null][below(3)]};
    console.log(JSON.stringify({text, normalizer, ...await encode(text, normalizer)}));
  }
}

async function blocks() {
  for (let first = 0; first < 0x110000; first += 4096) {
    let hash = 0xcbf29ce484222325n;
    const add = (value) => {
      for (let shift = 0; shift < 32; shift += 8) {
        hash = BigInt.asUintN(64, (hash ^ BigInt((value >>> shift) & 255)) * 0x100000001b3n);
      }
    };
    for (let c = first; c < first + 4096; ++c) {
      if (c < 0xD800 || c > 0xDFFF) {
        const {ids, spans} = await encode(`a${String.fromCodePoint(c)}b`);
        ids.forEach((id, i) => [id, spans[2 * i], spans[2 * i + 1]].forEach(add));
        add(0xFFFFFFFF);
      }
    }
    console.log(JSON.stringify({first, hash: hash.toString(16).padStart(16, '0')}));
  }
}

await {cases: () => cases(rest[0]), random: () => random(Number(rest[0]), Number(rest[1])), blocks}[mode]();
