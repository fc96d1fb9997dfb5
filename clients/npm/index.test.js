// The client against a running service (tests/e2e/clients_test.sh starts it and says where), and
// against a server that misbehaves on purpose.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {after, afterEach, beforeEach, describe, test} from 'node:test';

import * as safeguard from './index.js';
import {serverSentData} from './server_sent.js';

const {Client, OPERATIONS, worst} = safeguard;
const URL_OPEN = process.env.SAFEGUARD_URL;  // with a store, without keys
const URL_TALKING = process.env.SAFEGUARD_TALKING_URL;  // with a reasoner and a key
const KEY = process.env.SAFEGUARD_KEY;  // may judge and write policies
const SECOND_KEY = process.env.SAFEGUARD_SECOND_KEY;  // may write policies
const EXCEPTIONS = JSON.parse(readFileSync(new URL('../exceptions.json', import.meta.url)));
const TEAPOTS = '# Teapots\n\n## Violates\n- T1.a Offers or seeks teapots.\n\n## Allowed\n- T0.a Everything else.\n';
const SPAM = 'Buy 10,000 followers today at www.follow-fast.example';

// Notes which operations the real service has answered.
const answered = new Set();
const unreachable = new Set();  // what this build of the service keeps no store for
const patterns = Object.entries(OPERATIONS).map(
    ([name, {method, path}]) => [name, method, new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)]);
async function watched(address, request) {
  const response = await fetch(address, request);
  const path = new URL(address).pathname;
  const found = patterns.find(([, method, pattern]) => method === request.method && pattern.test(path));
  if (response.ok && found) {
    answered.add(found[0]);
  }
  return response;
}

const client = new Client(URL_OPEN, {fetch: watched});
const locked = new Client(URL_TALKING, {apiKey: KEY, fetch: watched});
const talking = (await locked.models()).find((model) => !model.id.startsWith('safeguard-'))?.id;

async function all(iterable) {
  const list = [];
  for await (const item of iterable) {
    list.push(item);
  }
  return list;
}

// Whether the service keeps anything behind its paths; a test that needs it is skipped, loudly.
async function keeps(kept, listed, context) {
  try {
    await all(listed());
    return true;
  } catch (problem) {
    if (problem.code !== 'no-store') {
      throw problem;
    }
    Object.keys(OPERATIONS).filter((name) => name.includes(kept)).forEach((name) => unreachable.add(name));
    context.skip(`SKIPPED: ${problem.detail}, though it has a data folder`);
    return false;
  }
}

after(() => {
  const missing = Object.keys(OPERATIONS).filter((name) => !answered.has(name) && !unreachable.has(name));
  assert.deepEqual(missing, talking ? [] : ['createChatCompletion'], 'no test has had an answer to these');
});

describe('the document', async () => {
  const document = await (await fetch(`${URL_OPEN}/openapi.json`)).json();

  test('every operation is here or a named exception', () => {
    const theirs = {};
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const keyed = (operation.parameters ?? []).some((parameter) => parameter.$ref?.includes('IdempotencyKey'));
        theirs[operation.operationId] = {method: method.toUpperCase(), path, keyed};
      }
    }
    for (const name of Object.keys(EXCEPTIONS)) {
      assert.ok(theirs[name], `an exception that is gone: ${name}`);
      delete theirs[name];
    }
    const hint = 'add it to both clients, or to clients/exceptions.json with the reason';
    assert.deepEqual(Object.keys(OPERATIONS).sort(), Object.keys(theirs).sort(), hint);
    assert.deepEqual(OPERATIONS, theirs);
  });

  const types = {
    Message: 'Message', ContentFields: 'Content', Evidence: 'Evidence', Verdict: 'Verdict', JudgeResult: 'JudgeResult',
    ModerationResponse: 'ModerationResponse', PolicySummary: 'PolicySummary', Version: 'Version', RecordedVerdict: 'Record', FinalVerdict: 'FinalVerdict', JobTicket: 'JobTicket', JobSummary: 'JobSummary', Job: 'Job',
    ReviewTicket: 'ReviewTicket', Review: 'Review', Model: 'Model', ReasoningDelta: 'ReasoningDelta', Dataset: 'Dataset', DatasetMapping: 'DatasetMapping', EvalRun: 'EvalRun', RouteSummary: 'RouteSummary', RoutePolicy: 'RoutePolicy', RouteLayer: 'RouteLayer', ScreenRecall: 'ScreenRecall', ServedRoute: 'ServedRoute', Share: 'Share', ShadowResults: 'ShadowResults',
  };
  const source = ['index.d.ts', 'types.d.ts'].map((name) => readFileSync(new URL(name, import.meta.url), 'utf8')).join('');
  const fieldsOf = (name) => {
    const [, base, body] = source.match(new RegExp(`export interface ${name}(?: extends (\\w+))? \\{\n([^]*?)\n\\}`));
    return [...(base ? fieldsOf(base) : []), ...body.matchAll(/^  (\w+)(\??):/gm)];
  };
  for (const [name, schema] of Object.entries(types)) {
    test(`the type ${name} has the fields of its schema`, () => {
      const fields = fieldsOf(name);
      const {properties, required = []} = document.components.schemas[schema];
      assert.deepEqual(fields.map((field) => field[1]).sort(), Object.keys(properties).sort());
      assert.deepEqual(fields.filter((field) => !field[2]).map((field) => field[1]).sort(), [...required].sort());
    });
  }
});

describe('the service', () => {
  test('judges by a route', async () => {
    const result = await client.judge({text: SPAM}, {route: 'comments'});
    assert.deepEqual([result.route, result.verdicts[0].policy], ['comments', 'spam']);
    assert.equal((await client.judgeBatch([SPAM], {route: 'comments'})).length, 1);
    assert.deepEqual((await client.routes()).map((route) => route.name), ['comments']);
    assert.equal((await client.route('comments')).counters.decided_by_screen, 2);
    await assert.rejects(client.judge(SPAM, {route: 'nosuch'}), safeguard.NotFound);
    await assert.rejects(client.judge(SPAM, {route: 'comments', policies: ['spam']}), safeguard.InvalidRequest);
  });

  test('judges text, conversations and batches', async () => {
    const result = await client.judge({text: SPAM, id: 'post-1', surface: 'comment'}, {policies: ['spam']});
    assert.deepEqual([result.id, worst(result.verdicts)], ['post-1', 'violation']);
    assert.equal(result.verdicts[0].evidence[0].text, SPAM);
    const talk = [{role: 'user', content: 'Where is the station?'}, {role: 'assistant', content: 'Left.'}];
    assert.equal(worst((await client.judge(talk, {policies: ['spam']})).verdicts), 'safe');
    const results = await client.judgeBatch([SPAM, {text: 'Bake it.', id: 'b'}], {policies: ['spam', 'scams']});
    assert.deepEqual(results.map((one) => one.verdicts.length), [2, 2]);
    assert.deepEqual(results.map((one) => one.id), [undefined, 'b']);
  });

  test('a judge that does not think aloud gives its verdict alone', async () => {
    const stream = await client.judgeStream(SPAM, {policies: ['spam']});
    for await (const piece of stream) {
      assert.fail(`a screen that thinks: ${JSON.stringify(piece)}`);
    }
    assert.equal(worst(stream.result.verdicts), 'violation');
    await assert.rejects(client.judgeStream(SPAM, {policies: ['spma']}), {name: 'NotFound', status: 404});
  });

  test('measures a policy', async () => {
    const data = await client.uploadDataset(`text,label\n"${SPAM}",1\nBake it for an hour,0\n`, 'two.csv');
    assert.deepEqual([data.records, data.violations, data.name], [2, 1, 'two.csv']);
    const listed = [];
    for await (const one of client.datasets(1)) {
      listed.push(one.dataset);
    }
    assert.ok(listed.includes(data.dataset));
    assert.equal((await client.dataset(data.dataset)).safe, 1);
    const {run} = await client.startEval(data.dataset, ['spam']);
    const done = await client.waitEval(run);
    assert.deepEqual([done.reports[0].cases, done.reports[0].recall], [2, 1]);
    const runs = [];
    for await (const one of client.evalRuns({state: 'done'})) {
      runs.push(one.run);
    }
    assert.ok(runs.includes(run));
    assert.equal(JSON.parse(await client.evalReport(run)).counts.cases, 2);
    assert.match(await client.evalReport(run, {format: 'html'}), /<html/);
    const mapping = {text: 'said', label: 'ruling', positive: ['out']};
    const foreign = await client.uploadDataset('said,ruling\nHi,kept\nBuy now,out\n', 'foreign.csv', {mapping});
    assert.deepEqual([foreign.violations, foreign.mapping], [1, mapping]);
    const many = Array.from({length: 5000}, (_, i) => `comment ${i} on a long match,${i % 2}\n`).join('');
    const long = await client.startEval((await client.uploadDataset(`text,label\n${many}`, 'many.csv')).dataset, ['spam']);
    assert.equal((await client.cancelEval(long.run)).state, 'cancelled');
    await assert.rejects(client.waitEval(long.run), {name: 'JobFailed'});
    await assert.rejects(client.cancelEval(run), {name: 'Conflict', status: 409});
    await client.deleteDataset(data.dataset);
    await assert.rejects(client.startEval(data.dataset, ['spam']), {name: 'NotFound'});
  });

  test('a shadow stands beside what was answered', async () => {
    await client.publish(TEAPOTS, {id: 'shadowed-js'});
    await client.promote('shadowed-js', 1, 'active');
    await client.publish(TEAPOTS.replace('seeks', 'wants'), {id: 'shadowed-js'});
    await client.promote('shadowed-js', 2, 'shadow');
    await client.judge('a blue teapot', {policies: ['shadowed-js']});
    const results = await client.shadowResults('shadowed-js', 2, {from: '2020-01-01T00:00:00Z'});
    assert.deepEqual([results.state, results.complete], ['shadow', true]);
  });

  test('what was not judged is not safe', async () => {
    const {verdicts} = await client.judge('', {policies: ['spam']});
    assert.deepEqual([worst(verdicts), verdicts[0].reason], ['undetermined', 'empty_content']);
    assert.equal(worst([]), 'undetermined');
  });

  test("moderates in OpenAI's shape", async () => {
    const answer = await client.moderate([SPAM, 'Bake it for an hour.'], {policies: ['spam']});
    assert.deepEqual(answer.results.map((one) => one.categories.spam), [true, false]);
    assert.equal(Object.keys((await client.moderate('Hello')).results[0].categories).length, 13);
  });

  test("a policy's life", async () => {
    const first = await client.publish(TEAPOTS, {id: 'teapots-js', note: 'first'});
    assert.deepEqual([first.version, first.state, first.is_new], [1, 'draft', true]);
    const ifMatch = await client.policyEtag('teapots-js');
    assert.equal((await client.promote('teapots-js', 1, 'active', {ifMatch})).state, 'active');
    await assert.rejects(client.promote('teapots-js', 1, 'retired', {ifMatch}), {name: 'Conflict', status: 412});
    assert.equal(worst((await client.judge('Lovely blue teapots for sale', {policies: ['teapots-js']})).verdicts), 'violation');
    const second = await client.publish(`---\nid: teapots-js\n---\n${TEAPOTS.replace('seeks', 'wants')}`);
    assert.deepEqual([second.policy, second.version], ['teapots-js', 2]);
    assert.equal((await client.promote('teapots-js', 2, 'canary', {percent: 10})).canary_percent, 10);
    await client.promote('teapots-js', 2, 'active');
    assert.equal((await client.rollback('teapots-js', {note: 'too strict'})).version, 1);
    assert.equal((await client.policy('teapots-js')).active, 1);
    assert.deepEqual((await client.versions('teapots-js')).map((one) => one.version), [2, 1]);
    assert.match((await client.version('teapots-js', 1)).text, /teapots/);
    assert.equal((await client.history('teapots-js'))[0].why, 'first');
    await assert.rejects(client.approve('teapots-js', 1), {name: 'Conflict'});  // one's own
    assert.ok((await all(client.policies(3))).some((policy) => policy.id === 'teapots-js'));
  });

  test('searches recorded verdicts by cursor', async () => {
    await client.publish(TEAPOTS, {id: 'logged-js'});
    await client.promote('logged-js', 1, 'active');
    for (const text of ['a teapot', 'a blue teapot', 'bread', 'more bread', 'a red teapot']) {
      await client.judge(text, {policies: ['logged-js']});
    }
    const page = await client.verdictPage({policy: 'logged-js', limit: 2});
    assert.equal(page.data.length, 2);
    const rest = await all(client.verdicts({policy: 'logged-js', cursor: page.next_cursor, pageSize: 2}));
    const sequences = [...page.data, ...rest].map((record) => record.sequence);
    assert.equal(new Set(sequences).size, 5);
    const found = await all(client.verdicts({policy: 'logged-js', outcome: 'violation', from: '2020-01-01T00:00:00Z'}));
    assert.ok(found.length > 0 && found.every((record) => record.outcome === 'violation'));
    assert.deepEqual(await all(client.verdicts({policy: 'logged-js', until: '2020-01-01T00:00:00Z'})), []);
    const exported = await all(client.exportVerdicts({policy: 'logged-js', from: '2020-01-01T00:00:00Z', pageSize: 2}));
    assert.deepEqual(exported.map((record) => record.sequence), sequences);
    assert.equal((await client.receipt(sequences[0])).content.hash, exported[0].content_hash);
  });

  test('judges later', async (context) => {
    if (!await keeps('Job', () => client.jobs(), context)) {
      return;
    }
    const ticket = await client.submit({text: SPAM, id: 'post-2'}, {policies: ['spam'], priority: 1});
    assert.deepEqual([ticket.new, ticket.id], [true, 'post-2']);
    const job = await client.wait(ticket.job);
    assert.deepEqual(job.verdicts.map((verdict) => verdict.outcome), ['violation']);
    const tickets = await client.submitBatch([SPAM, 'Bake it.'], {policies: ['spam']});
    const done = await Promise.all(tickets.map(({job: id}) => client.wait(id)));
    assert.deepEqual(done.map(({verdicts}) => verdicts[0].outcome), ['violation', 'safe']);
    const listed = (await all(client.jobs({state: 'done', pageSize: 1}))).map(({id}) => id);
    assert.ok(tickets.every(({job: id}) => listed.includes(id)));
    await assert.rejects(client.wait('j00000000000000000000'), safeguard.NotFound);
    const late = await client.submit('hello', {policies: ['spam'], deadline_ms: 1});
    await client.wait(late.job).catch(async (error) => {
      assert.ok(error instanceof safeguard.JobFailed, error.message);
      await client.retryJob(late.job);
    });
    await assert.rejects(client.retryJob(ticket.job), safeguard.Conflict);  // it is done
  });

  test('people decide', async (context) => {
    if (!await keeps('Review', () => client.reviews(), context)) {
      return;
    }
    const filed = await client.fileReview(SPAM, 'spam', {why: 'reported twice', priority: 5});
    assert.ok((await all(client.reviews({state: 'waiting', pageSize: 1}))).some(({review}) => review === filed.review));
    const first = await client.nextReview({lease_ms: 60_000});
    assert.deepEqual([first.review, first.messages[0].content], [filed.review, SPAM]);
    await client.release(first.review, first.lease);
    await assert.rejects(client.decide(first.review, first.lease, 'safe'), safeguard.Conflict);
    const again = await client.nextReview();
    await client.decide(again.review, again.lease, 'violation', {rule_ids: ['SP3.d'], note: 'sells followers'});
    assert.equal((await client.review(filed.review)).decision.outcome, 'violation');
    assert.equal(await client.nextReview(), null);
  });

  test('the same key is answered once', async () => {
    const publish = (text) => client.publish(text, {id: 'once-js', idempotencyKey: 'k1'});
    assert.deepEqual([(await publish(TEAPOTS)).is_new, (await publish(TEAPOTS)).is_new], [true, true]);
    await assert.rejects(publish(`${TEAPOTS}\n`), {status: 422, code: 'idempotency-key-reused'});
  });

  test('names a tenant', async () => {
    const ours = new safeguard.Client(URL_OPEN, {tenant: 'default'});
    assert.equal((await ours.judge('hello', {policies: ['spam']})).verdicts.length, 1);
    const theirs = new safeguard.Client(URL_OPEN, {tenant: 'nobody'});
    await assert.rejects(theirs.judge('hello', {policies: ['spam']}), {code: 'unknown-tenant'});
  });

  test('problems say what and where', async () => {
    await assert.rejects(client.judge('hello', {policies: ['spma']}), (problem) => {
      assert.ok(problem instanceof safeguard.NotFound && problem instanceof safeguard.Problem);
      assert.deepEqual([problem.code, problem.pointer], ['unknown-policy', '/policies']);
      return problem.hint !== '' && problem.message.includes(problem.requestId);
    });
    await assert.rejects(client.judge('hello', {policies: ['spam'], timeout_ms: -1}), safeguard.InvalidRequest);
    await assert.rejects(client.policy('a/b?c#d e'), safeguard.NotFound);  // a name, not a path
    await assert.rejects(client.policy(''), TypeError);
  });

  test('watches the service', async () => {
    assert.equal(await client.ready(), true);
    assert.match(await client.metrics(), /safety_unscanned_total/);
    assert.ok((await client.models()).some((model) => model.id === 'safeguard-screen'));
    assert.equal(await new Client('http://127.0.0.1:9').ready(), false);
  });

  test('keys', async () => {
    await assert.rejects(locked.verdictPage(), {name: 'NotAllowed', status: 403, code: 'scope-missing'});
    await assert.rejects(new Client(URL_TALKING, {apiKey: 'sg_wrong'}).judge('hello'), {name: 'NotAllowed', status: 401});
    await locked.publish(TEAPOTS, {id: 'teapots-js'});
    const second = new Client(URL_TALKING, {apiKey: SECOND_KEY, fetch: watched});
    assert.equal((await second.approve('teapots-js', 1, {note: 'read twice'})).approved_by, 'second');
  });

  test('talks whole and streamed', {skip: talking ? false : 'this service does not talk'}, async () => {
    const messages = [{role: 'user', content: 'hello'}];
    const answer = await locked.chat(talking, messages, {max_completion_tokens: 6, temperature: 0});
    const stream = await locked.chatStream(talking, messages, {max_completion_tokens: 6, temperature: 0});
    const pieces = await all(stream);
    const [{message, finish_reason: finish}] = answer.choices;
    const textOf = (kind) => pieces.filter((piece) => piece.kind === kind).map((piece) => piece.text).join('');
    assert.deepEqual([textOf('content'), textOf('reasoning')], [message.content, message.reasoning]);
    assert.deepEqual([...stream.finish], [[0, finish]]);
    assert.equal(stream.stopped, false);
  });

  test('a refused stream is a problem', async () => {
    await assert.rejects(locked.chatStream('no-such-model', []), safeguard.NotFound);
  });
});

const STOPPED = `: a comment
event: x
data: {"choices": [{"index": 0, "delta": {"content": "Ä "}}]}

data: {"choices": [{"index": 0, "delta": {"content": "b"}}],
data: "usage": null}

data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}], "moderation": {"output": {"type": "moderation_results"}}}

data: [DONE]

`;

describe('a server that misbehaves', () => {
  let answers = [];
  let came = [];
  let waits = [];
  let misled;
  let server;
  beforeEach(async () => {
    [came, waits] = [[], []];
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        came.push(request.headers);
        const [status, headers, body] = answers.shift();
        if (status === 0) {
          request.socket.destroy();
          return;
        }
        response.writeHead(status, headers).end(body);
      });
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    const sleep = async (ms) => waits.push(ms);
    misled = new Client(`http://127.0.0.1:${server.address().port}`, {retries: 2, waitMaxMs: 5000, sleep});
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const good = [200, {}, '{"verdicts": []}'];
  const busy = [429, {'retry-after': '3'}, '{"type": "urn:safeguard:problem:overloaded", "status": 429, "detail": "full"}'];
  const keysThatCame = () => new Set(came.map((headers) => headers['idempotency-key'])).size;

  test('is tried again with the same key, after the wait it asks for', async () => {
    answers = [busy, [0], good];
    await misled.judge('hello');
    assert.deepEqual([came.length, keysThatCame(), waits[0]], [3, 1, 3000]);
    assert.ok(waits[1] < 1000);
    answers = [good];
    await misled.judge('hello');
    assert.equal(keysThatCame(), 2);
  });

  test('is given up in the end, or at once', async () => {
    answers = [busy, busy, busy, good];
    await assert.rejects(misled.judge('hello'), {name: 'Unavailable', code: 'overloaded', retryAfter: 3});
    assert.equal(came.length, 3);
    answers = [[503, {'retry-after': '60'}, '{}']];
    await assert.rejects(misled.judge('hello'), safeguard.Unavailable);
    answers = [[0], [0], [0]];
    await assert.rejects(misled.judge('hello'), safeguard.ConnectionFailed);
  });

  test('does nothing twice that has no key', async () => {
    answers = [[0], good];
    await assert.rejects(misled.chat('m', []), safeguard.ConnectionFailed);
    answers = [[503, {}, 'no JSON'], good];
    await assert.rejects(misled.chat('m', []), {name: 'Unavailable', code: 'http-503', detail: 'no JSON'});
  });

  test('is not followed elsewhere, nor believed', async () => {
    answers = Array(3).fill([302, {location: 'http://127.0.0.1:9/'}, '']);
    await assert.rejects(misled.judge('hello'), safeguard.SafeguardError);
    answers = [[200, {}, '<html>']];
    await assert.rejects(misled.judge('hello'), safeguard.SafeguardError);
  });

  test('is asked for a job as long as it may take', async () => {
    const waiting = [200, {}, '{"id": "j1", "state": "waiting"}'];
    answers = [waiting, waiting, [200, {}, '{"id": "j1", "state": "done", "verdicts": []}']];
    assert.equal((await misled.wait('j1')).state, 'done');
    assert.deepEqual(waits, [100, 200]);
    answers = [waiting];
    await assert.rejects(misled.wait('j1', {timeoutMs: 0}), safeguard.JobUnfinished);
    answers = [[200, {}, '{"id": "j1", "state": "dead", "problem": "the deadline has passed"}']];
    await assert.rejects(misled.wait('j1'), {name: 'JobFailed', message: /deadline/});
  });

  async function streamOf(body, headers = {}) {
    answers = [[200, {'content-type': 'text/event-stream', ...headers}, body]];
    return misled.chatStream('m', []);
  }

  test('a stopped stream says so', async () => {
    const stream = await streamOf(STOPPED);
    assert.deepEqual((await all(stream)).map((piece) => piece.text), ['Ä ', 'b']);
    assert.equal(stream.stopped, true);
    assert.deepEqual(stream.moderation, {output: {type: 'moderation_results'}});
    await assert.rejects(all(stream), TypeError);
  });

  test('a stream that ends early is no answer', async () => {
    const ends = [
      STOPPED.replace('data: [DONE]\n\n', ''),
      'data: [DONE]\n\n',
      'data: {"error": {"message": "not judged", "code": "undetermined"}}\n\ndata: [DONE]\n\n',
      'data: 5\n\n',
      'data: {"choices": 5}\n\n',
      'data: {\n\n',
    ];
    for (const body of ends) {
      await assert.rejects(all(await streamOf(body)), safeguard.StreamFailed, body);
    }
    const cut = await streamOf(STOPPED.slice(0, 90), {'content-length': '9999'});
    setTimeout(() => server.closeAllConnections(), 100);
    await assert.rejects(all(cut), safeguard.StreamFailed);
  });

  test('events are the same however they are cut', async () => {
    async function* chunks(...list) {
      yield* list;
    }
    for (const newline of ['\n', '\r\n', '\r']) {
      const body = Buffer.from(STOPPED.replaceAll('\n', newline));
      const whole = await all(serverSentData(chunks(body)));
      assert.equal(whole.length, 4);
      for (let cut = 1; cut < body.length; ++cut) {
        assert.deepEqual(await all(serverSentData(chunks(body.subarray(0, cut), body.subarray(cut)))), whole);
      }
      const bytes = [...body].map((byte) => Uint8Array.of(byte));
      assert.deepEqual(await all(serverSentData(chunks(...bytes))), whole);
    }
    const endless = chunks(...Array(20).fill(Buffer.from(`data: ${'x'.repeat(100_000)}`)));
    await assert.rejects(all(serverSentData(endless)), {code: 'too-long'});
  });
});
