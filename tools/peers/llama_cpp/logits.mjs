// What llama.cpp answers: the logits behind the last tokens of a prompt, every one of the
// vocabulary, before any sampling. Run in a folder where node-llama-cpp is installed; README.md.
//
//   node logits.mjs MODEL.gguf IDS_FILE OUT.safetensors [--last N] [--threads N] [--f32-cache]
//
// The ids stand in the file between commas or spaces. OUT gets the tensor `logits`, F32
// [N, vocabulary], as `safeguard model logits --out` writes it.
import {readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const {values: options, positionals} = parseArgs({
  allowPositionals: true,
  options: {
    last: {type: "string", default: "1"},
    threads: {type: "string", default: "2"},
    "f32-cache": {type: "boolean", default: false},
    verbose: {type: "boolean", default: false},
  },
});
if (positionals.length !== 3) {
  console.error("usage: node logits.mjs MODEL.gguf IDS_FILE OUT.safetensors [--last N] ...");
  process.exit(2);
}
const [modelPath, idsPath, outPath] = positionals;
const threads = Number(options.threads);

// From where the command runs, not from where this script lies.
const fromHere = createRequire(pathToFileURL(process.cwd() + "/"));
const {getLlama, LlamaLogLevel} =
    await import(pathToFileURL(fromHere.resolve("node-llama-cpp")));

function readIds(path) {
  const ids = readFileSync(path, "utf8").split(/[\s,]+/).filter((word) => word !== "").map(Number);
  if (ids.length === 0 || ids.some((id) => !Number.isInteger(id) || id < 0)) {
    throw new Error(path + " does not hold token ids");
  }
  return ids;
}

function writeSafetensors(path, rows, columns, values) {
  const bytes = values.byteLength;
  let header = JSON.stringify(
      {logits: {dtype: "F32", shape: [rows, columns], data_offsets: [0, bytes]}});
  header = header.padEnd(Math.ceil(header.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.from(values.buffer)]));
}

const seconds = (since) => (performance.now() - since) / 1000;
const ids = readIds(idsPath);
const last = Number(options.last);
if (!(last >= 1 && last <= ids.length)) {
  throw new Error("--last is from 1 to the number of ids");
}

const llama = await getLlama({
  gpu: false,
  build: "never",
  maxThreads: threads,
  logLevel: options.verbose ? LlamaLogLevel.debug : LlamaLogLevel.warn,
});
let begin = performance.now();
// Not mapped: llama.cpp repacks the experts, and a mapped file would stand beside the copy.
const model = await llama.loadModel(
    {modelPath, useMmap: false, gpuLayers: 0, ignoreMemorySafetyChecks: true});
console.error(`loaded in ${seconds(begin).toFixed(1)} s`);

// Flash attention off and a binary32 cache leave the products' Q8_0 activations as the only
// rounding; the default (F16, "auto") is what people run.
const precise = {
  flashAttention: false,
  experimentalKvCacheKeyType: "F32",
  experimentalKvCacheValueType: "F32",
};
const context = await model.createContext({
  contextSize: Math.max(256, Math.ceil((ids.length + 1) / 256) * 256),
  batchSize: 512,
  threads: {ideal: threads, min: threads},
  ignoreMemorySafetyChecks: true,
  ...(options["f32-cache"] ? precise : {}),
});
const sequence = context.getSequence();

const silent = ids.slice(0, ids.length - last);
begin = performance.now();
await sequence.controlledEvaluate(silent);
if (silent.length > 0) {
  const took = seconds(begin);
  console.error(`prefill of ${silent.length} tokens: ${took.toFixed(2)} s, ` +
                `${(silent.length / took).toFixed(2)} tokens/s`);
}

const asked = ids.slice(-last).map((id) => [
  id, {generateNext: {logits: true, token: true, options: {temperature: 0}}},
]);
let vocabulary = 0;
let values = null;
let row = 0;
await sequence.controlledEvaluate(asked, {
  onTokenResult(index, output) {
    const logits = output.next.logits;
    if (values === null) {
      vocabulary = logits.size;
      values = new Float32Array(last * vocabulary).fill(NaN);
    }
    for (const [token, logit] of logits) {
      values[index * vocabulary + token] = logit;
    }
    output.next.logits = undefined;  // a map of the whole vocabulary: do not keep one a token
    row += 1;
  },
});
if (row !== last || values.some(Number.isNaN)) {
  throw new Error(`llama.cpp gave ${row} of ${last} rows, or not the whole vocabulary`);
}
writeSafetensors(outPath, last, vocabulary, values);
console.error(`${last} rows of ${vocabulary} logits; ` +
              `peak memory ${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`);
await llama.dispose();
