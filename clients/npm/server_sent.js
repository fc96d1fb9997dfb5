// Server-sent events, and what is made of them: a guarded completion, a judgement that is heard.
import {ConnectionFailed, problemOf, StreamFailed} from './errors.js';

const EVENT_CHARACTERS_MAX = 1 << 20;

// The data of each event, as serverSentEvents.
export async function* serverSentData(chunks) {
  for await (const {data} of serverSentEvents(chunks)) {
    yield data;
  }
}

// Each event's name and data, however the bytes are cut. An event that the end cuts off is not given.
export async function* serverSentEvents(chunks) {
  const decoder = new TextDecoder();
  let rest = '';
  let lines = [];
  let event = '';
  let endedWithCr = false;
  for await (const chunk of chunks) {
    let text = decoder.decode(chunk, {stream: true});
    if (text === '') {
      continue;  // a part of a character
    }
    if (endedWithCr && text.startsWith('\n')) {
      text = text.slice(1);  // the second half of \r\n
    }
    endedWithCr = text.endsWith('\r');
    const complete = (rest + text).split(/\r\n|\r|\n/);
    rest = complete.pop();
    for (const line of complete) {
      if (line.startsWith('data:')) {
        lines.push(line.slice(line[5] === ' ' ? 6 : 5));
      } else if (line.startsWith('event:')) {
        event = line.slice(6).trim();
      } else if (line === '') {
        if (lines.length > 0) {
          yield {event, data: lines.join('\n')};
        }
        lines = [];
        event = '';
      }
    }
    if (lines.reduce((sum, line) => sum + line.length, rest.length) > EVENT_CHARACTERS_MAX) {
      throw new StreamFailed('too-long', `an event of more than ${EVENT_CHARACTERS_MAX} characters`);
    }
  }
}

async function* unbroken(chunks) {
  try {
    yield* chunks;
  } catch (error) {
    throw new StreamFailed('stream-cut', `it broke off: ${new ConnectionFailed('', error).message}`);
  }
}

export class JudgeStream {
  #chunks;
  #abort;
  result = null;

  constructor(chunks, abort) {
    this.#chunks = chunks;
    this.#abort = abort;
  }

  close() {
    this.#abort();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for await (const {event, data} of serverSentEvents(unbroken(this.#chunks))) {
        if (event === 'reasoning') {
          yield JSON.parse(data);
        } else if (event === 'verdict') {
          this.result = JSON.parse(data);
        } else if (event === 'error') {
          throw problemOf(JSON.parse(data).status, data, null);
        }
      }
      if (this.result === null) {
        throw new StreamFailed('stream-cut', 'it ended without a verdict');
      }
    } finally {
      this.close();
    }
  }
}

export class GuardedStream {
  #chunks;
  #abort;
  #begun = false;
  finish = new Map();
  moderation = null;
  usage = null;

  constructor(chunks, abort) {
    this.#chunks = chunks;
    this.#abort = abort;
  }

  get stopped() {
    return [...this.finish.values()].includes('content_filter');
  }

  close() {
    this.#abort();
  }

  async *[Symbol.asyncIterator]() {
    if (this.#begun) {
      throw new TypeError('a stream can be read once');
    }
    this.#begun = true;
    try {
      for await (const data of serverSentData(unbroken(this.#chunks))) {
        if (data === '[DONE]') {
          if (this.finish.size === 0) {
            throw new StreamFailed('stream-cut', 'it ended without saying how');
          }
          return;
        }
        yield* this.#pieces(data);
      }
      throw new StreamFailed('stream-cut', 'it ended before its end');
    } finally {
      this.close();
    }
  }

  *#pieces(data) {
    let event = null;
    try {
      event = JSON.parse(data);
    } catch {
      // said below
    }
    if (typeof event !== 'object' || event === null || !Array.isArray(event.choices ?? [])) {
      throw new StreamFailed('not-understood', `no chunk: ${data.slice(0, 80)}`);
    }
    if (event.error) {
      throw new StreamFailed(event.error.code ?? event.error.type ?? 'error', event.error.message);
    }
    this.moderation = event.moderation ?? this.moderation;
    this.usage = event.usage ?? this.usage;
    for (const choice of event.choices ?? []) {
      const {index = 0, delta, finish_reason: finish} = choice ?? {};
      const reasoning = delta?.reasoning ?? delta?.reasoning_content;
      if (reasoning) {
        yield {kind: 'reasoning', text: reasoning, choice: index};
      }
      if (delta?.content) {
        yield {kind: 'content', text: delta.content, choice: index};
      }
      if (finish) {
        this.finish.set(index, finish);
      }
    }
  }
}
