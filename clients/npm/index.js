// A client of `safeguard serve`: see index.d.ts for what each method takes and gives.
import {setTimeout as wait} from 'node:timers/promises';
import {randomUUID} from 'node:crypto';

import {ConnectionFailed, JobFailed, JobUnfinished, problemOf, SafeguardError} from './errors.js';
import {OPERATIONS} from './operations.js';
import {GuardedStream, JudgeStream} from './server_sent.js';

export * from './errors.js';
export {OPERATIONS, GuardedStream, JudgeStream};

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

// violation before undetermined before safe. Of no verdicts: undetermined.
export function worst(verdicts) {
  const outcomes = new Set(verdicts.map((verdict) => verdict.outcome));
  if (outcomes.has('violation')) {
    return 'violation';
  }
  return outcomes.size === 1 && outcomes.has('safe') ? 'safe' : 'undetermined';
}

function fields(content) {
  if (typeof content === 'string') {
    return {text: content};
  }
  return Array.isArray(content) ? {messages: content} : {...content};
}

function retryAfterOf(response) {
  const header = response.headers.get('retry-after');
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}

async function textOf(response) {
  const parts = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > ANSWER_BYTES_MAX) {
      throw new SafeguardError(`${response.url}: an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

export class Client {
  #base;
  #headers = {};
  #options;

  constructor(baseUrl = 'http://127.0.0.1:8080', options = {}) {
    const url = new URL(baseUrl);
    if (!['http:', 'https:'].includes(url.protocol) || url.search || url.hash) {
      throw new TypeError(`not the address of a service: ${baseUrl}`);
    }
    this.#base = url.href.replace(/\/+$/, '');
    if (options.apiKey !== undefined) {
      this.#headers.authorization = `Bearer ${options.apiKey}`;
    }
    if (options.tenant !== undefined) {
      this.#headers['x-safeguard-tenant'] = options.tenant;
    }
    this.#options = {timeoutMs: 30_000, retries: 3, waitMaxMs: 10_000, fetch: globalThis.fetch, sleep: wait, ...options};
  }

  // -- judging --

  judge(content, {policies, route, account, timeout_ms, include_reasoning, ...call} = {}) {
    const body = {...fields(content), policies, route, account, timeout_ms, include_reasoning};
    return this.#json('judge', {body, ...call});
  }

  // Never retried. What follows is of one content, thought aloud; `signal` or close() ends it.
  judgeStream(content, {policies, route, account, timeout_ms, include_reasoning, signal} = {}) {
    const body = {...fields(content), policies, route, account, timeout_ms, include_reasoning, stream: true};
    return this.#stream('judge', body, signal, JudgeStream);
  }

  async judgeBatch(contents, {policies, route, account, timeout_ms, include_reasoning, ...call} = {}) {
    const body = {contents: contents.map(fields), policies, route, account, timeout_ms, include_reasoning};
    return (await this.#json('judgeBatch', {body, ...call})).results;
  }

  moderate(texts, {policies, on_undetermined, ...call} = {}) {
    const safety = policies || on_undetermined ? {policies, on_undetermined} : undefined;
    return this.#json('createModeration', {body: {input: texts, safety}, ...call});
  }

  // -- judging later --

  submit(content, {policies, route, account, webhook, priority, deadline_ms, ...call} = {}) {
    const body = {...fields(content), policies, route, account, webhook, priority, deadline_ms};
    return this.#json('submitJob', {body, ...call});
  }

  async submitBatch(contents, {policies, route, account, webhook, priority, deadline_ms, ...call} = {}) {
    const body = {contents: contents.map(fields), policies, route, account, webhook, priority, deadline_ms};
    return (await this.#json('submitJobs', {body, ...call})).data;
  }

  job(id, call = {}) {
    return this.#json('getJob', {values: {id}, ...call});
  }

  jobs({state, pageSize = 50} = {}) {
    return this.#pages((cursor) => this.#json('listJobs', {query: {state, cursor, limit: pageSize}}));
  }

  wait(id, {timeoutMs = 60_000, signal} = {}) {
    return this.#wait(id, timeoutMs, () => this.job(id, {signal}));
  }

  async #wait(id, timeoutMs, ask) {
    const end = performance.now() + timeoutMs;
    for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
      const job = await ask();
      if (job.state === 'done') {
        return job;
      }
      if (job.state === 'dead' || job.state === 'cancelled') {
        throw new JobFailed(job);
      }
      if (performance.now() + pause > end) {
        throw new JobUnfinished(`job ${id} is ${job.state} after ${timeoutMs} ms`);
      }
      await this.#options.sleep(pause);
    }
  }

  retryJob(id, call = {}) {
    return this.#json('retryJob', {values: {id}, ...call});
  }

  // -- people --

  fileReview(content, policy, {why, priority, ...call} = {}) {
    return this.#json('fileReview', {body: {...fields(content), policy, why, priority}, ...call});
  }

  reviews({state, pageSize = 50} = {}) {
    return this.#pages((cursor) => this.#json('listReviews', {query: {state, cursor, limit: pageSize}}));
  }

  review(id) {
    return this.#json('getReview', {values: {id}});
  }

  async nextReview({lease_ms, ...call} = {}) {
    const {response, text} = await this.#answer('nextReview', {body: {lease_ms}, ...call});
    return response.status === 204 ? null : JSON.parse(text);
  }

  decide(review, lease, outcome, {rule_ids, note, ...call} = {}) {
    return this.#json('decideReview', {values: {id: review}, body: {lease, outcome, rule_ids, note}, ...call});
  }

  release(review, lease) {
    return this.#json('releaseReview', {values: {id: review}, body: {lease}});
  }

  // -- chat: the reasoner, or a guarded upstream --

  async models() {
    return (await this.#json('listModels')).data;
  }

  chat(model, messages, fields = {}) {
    return this.#json('createChatCompletion', {body: {model, messages, ...fields, stream: false}});
  }

  // Never retried. The time-out is of the answer's beginning; `signal` ends the stream.
  chatStream(model, messages, {signal, ...fields} = {}) {
    const body = {model, messages, ...fields, stream: true};
    return this.#stream('createChatCompletion', body, signal, GuardedStream);
  }

  // -- routes: those of the operator, which requests may name instead of policies --

  async routes() {
    return (await this.#json('listRoutes')).data;
  }

  route(name) {
    return this.#json('showRoute', {values: {name}});
  }

  // -- policies --

  policies(pageSize = 50) {
    return this.#pages((cursor) => this.#json('listPolicies', {query: {cursor, limit: pageSize}}));
  }

  policy(id) {
    return this.#json('showPolicy', {values: {id}});
  }

  async policyEtag(id) {
    return (await this.#answer('showPolicy', {values: {id}})).response.headers.get('etag');
  }

  // All of them, newest first.
  versions(id) {
    return this.#all((cursor) => this.#json('listVersions', {values: {id}, query: {cursor, limit: 200}}));
  }

  version(id, version) {
    return this.#json('showVersion', {values: {id, version}});
  }

  publish(text, {id, golden, note, ...call} = {}) {
    const body = {text, golden, note};
    return id === undefined
      ? this.#json('publishPolicy', {body, ...call})
      : this.#json('publishVersion', {values: {id}, body, ...call});
  }

  approve(id, version, {note, ...call} = {}) {
    return this.#json('approveVersion', {values: {id, version}, body: {note}, ...call});
  }

  promote(id, version, to, {percent, note, force, ...call} = {}) {
    const body = {to, percent, note, force};
    return this.#json('promoteVersion', {values: {id, version}, body, ...call});
  }

  rollback(id, {note, ...call} = {}) {
    return this.#json('rollbackPolicy', {values: {id}, body: {note}, ...call});
  }

  // All of it, oldest first.
  history(id) {
    return this.#all((cursor) => this.#json('policyHistory', {values: {id}, query: {cursor, limit: 200}}));
  }

  shadowResults(id, version, {from, until} = {}) {
    return this.#json('shadowResults', {values: {id, version}, query: {from, until}});
  }

  // -- measuring policies on labelled data (JSONL or CSV) --

  uploadDataset(data, name, {mapping, ...call} = {}) {
    const form = new FormData();
    form.append('name', name);
    if (mapping) {
      form.append('mapping', JSON.stringify(mapping));
    }
    form.append('file', new Blob([data]), name);
    return this.#json('uploadDataset', {form, ...call});
  }

  datasets(pageSize = 50) {
    return this.#pages((cursor) => this.#json('listDatasets', {query: {cursor, limit: pageSize}}));
  }

  dataset(id) {
    return this.#json('getDataset', {values: {id}});
  }

  deleteDataset(id) {
    return this.#json('deleteDataset', {values: {id}});
  }

  startEval(dataset, policies, {sample, seed, judge, ...call} = {}) {
    return this.#json('startEval', {body: {dataset, policies, sample, seed, judge}, ...call});
  }

  evalRun(id, call = {}) {
    return this.#json('getEval', {values: {id}, ...call});
  }

  cancelEval(id, call = {}) {
    return this.#json('cancelEval', {values: {id}, ...call});
  }

  evalRuns({state, pageSize = 50} = {}) {
    return this.#pages((cursor) => this.#json('listEvals', {query: {state, cursor, limit: pageSize}}));
  }

  waitEval(id, {timeoutMs = 600_000, signal} = {}) {
    return this.#wait(id, timeoutMs, () => this.evalRun(id, {signal}));
  }

  async evalReport(id, {format = 'json', policy} = {}) {
    return (await this.#answer('evalReport', {values: {id}, query: {format, policy}})).text;
  }

  // -- the verdict log --

  verdictPage({limit = 50, ...search} = {}) {
    return this.#json('listVerdicts', {query: {...search, limit}});
  }

  verdicts({cursor: from, pageSize = 200, ...search} = {}) {
    return this.#pages((cursor) => this.verdictPage({...search, cursor: cursor ?? from, limit: pageSize}));
  }

  async *exportVerdicts({pageSize = 1000, ...search} = {}) {
    for (let {cursor} = search, end = false; !end;) {
      const query = {...search, cursor, limit: pageSize};
      const {response, text} = await this.#answer('exportVerdicts', {query});
      for (const line of text.split('\n')) {
        if (line !== '') {
          yield JSON.parse(line);
        }
      }
      end = response.headers.get('x-end') === 'true';
      cursor = response.headers.get('x-next-cursor');
    }
  }

  receipt(sequence, call = {}) {
    return this.#json('getReceipt', {values: {id: String(sequence)}, ...call});
  }

  // -- the service itself --

  async ready() {
    try {
      return (await this.#send(OPERATIONS.ready, OPERATIONS.ready.path, {})).response.status === 200;
    } catch (error) {
      if (error instanceof ConnectionFailed) {
        return false;
      }
      throw error;
    }
  }

  async metrics() {
    return (await this.#answer('metrics')).text;
  }

  // -- plumbing --

  async *#pages(page) {
    let cursor;
    do {
      const {data, next_cursor: next} = await page(cursor);
      yield* data;
      cursor = next;
    } while (cursor !== null);
  }

  async #all(page) {
    const all = [];
    for await (const one of this.#pages(page)) {
      all.push(one);
    }
    return all;
  }

  async #json(name, call) {
    const {text} = await this.#answer(name, call);
    try {
      return JSON.parse(text);
    } catch {
      throw new SafeguardError(`${name}: no answer of safeguard: ${text.slice(0, 80)}`);
    }
  }

  async #answer(name, {values = {}, query = {}, body, form, idempotencyKey, ifMatch, signal} = {}) {
    const operation = OPERATIONS[name];
    let path = operation.path;
    for (const [part, value] of Object.entries(values)) {
      if (value === undefined || value === null || value === '') {
        throw new TypeError(`${name}: ${part} is empty`);
      }
      path = path.replace(`{${part}}`, encodeURIComponent(value));
    }
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    path += given.length > 0 ? `?${new URLSearchParams(given)}` : '';
    const headers = {};
    if (ifMatch !== undefined) {
      headers['if-match'] = ifMatch;
    }
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
    }
    if (operation.keyed) {
      headers['idempotency-key'] = idempotencyKey ?? randomUUID();
    }
    const request = {headers, body: body === undefined ? form : JSON.stringify(body), signal};
    const answer = await this.#attempts(operation, path, request);
    if (!answer.response.ok) {
      throw problemOf(answer.response.status, answer.text, retryAfterOf(answer.response));
    }
    return answer;
  }

  async #stream(name, body, signal, Stream) {
    const {method, path} = OPERATIONS[name];
    const abort = new AbortController();
    const signals = [abort.signal, signal].filter(Boolean);
    const timer = setTimeout(() => abort.abort(new Error('the time is up')), this.#options.timeoutMs);
    try {
      const response = await this.#options.fetch(this.#base + path, {
        method,
        headers: {...this.#headers, accept: 'text/event-stream', 'content-type': 'application/json'},
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.any(signals),
      });
      if (response.status !== 200) {
        throw problemOf(response.status, await textOf(response), retryAfterOf(response));
      }
      return new Stream(response.body, () => abort.abort());
    } catch (error) {
      throw error instanceof SafeguardError ? error : new ConnectionFailed(`${method} ${path}`, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #attempts(operation, path, request) {
    const safe = operation.method === 'GET' || operation.keyed;
    const {retries, waitMaxMs, sleep} = this.#options;
    for (let attempt = 0; ; ++attempt) {
      const last = attempt >= retries;
      let pause = Math.random() * Math.min(waitMaxMs, 100 * 2 ** attempt);
      try {
        const answer = await this.#send(operation, path, request);
        // 409 "still-at-work" alone carries Retry-After: the first send of this key goes on.
        const {status} = answer.response;
        const after = retryAfterOf(answer.response);
        const again = status === 429 || (safe && [502, 503, 504].includes(status)) ||
            (status === 409 && operation.keyed && after !== null);
        if (!again || last || (after ?? 0) * 1000 > waitMaxMs) {
          return answer;
        }
        pause = Math.max(pause, (after ?? 0) * 1000);
      } catch (error) {
        if (!(error instanceof ConnectionFailed) || !safe || last || request.signal?.aborted) {
          throw error;
        }
      }
      await sleep(pause);
    }
  }

  async #send(operation, path, {headers, body, signal}) {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      const response = await this.#options.fetch(this.#base + path, {
        method: operation.method,
        headers: {...this.#headers, ...headers},
        body,
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return {response, text: await textOf(response)};
    } catch (error) {
      throw error instanceof SafeguardError ? error : new ConnectionFailed(`${operation.method} ${path}`, error);
    }
  }
}
