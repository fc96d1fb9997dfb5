// Compiled by the tests, never run: the types as a user meets them.
import {Client, GuardedStream, InvalidRequest, Problem, worst, type Outcome, type Verdict} from '@safeguard-cpp/client';

const client = new Client('http://127.0.0.1:8080', {apiKey: 'sg_x', retries: 1});

export async function use(): Promise<Outcome> {
  const {verdicts} = await client.judge('text', {policies: ['spam'], timeout_ms: 100});
  const first: Verdict | undefined = verdicts[0];
  const score: number | null | undefined = first?.score;
  for await (const record of client.verdicts({policy: 'spam', outcome: 'violation'})) {
    record.sequence.toFixed(score ?? 0);
  }
  const stream: GuardedStream = await client.chatStream('model', [{role: 'user', content: 'hello'}], {temperature: 0});
  for await (const piece of stream) {
    piece.text.trim();
  }
  await client.promote('spam', 1, 'canary', {percent: 10, ifMatch: await client.policyEtag('spam')});
  // @ts-expect-error: no such state
  await client.promote('spam', 1, 'actve');
  // @ts-expect-error: a field that the service refuses
  await client.judge('text', {policy: 'spam'});
  try {
    await client.moderate(['a', 'b'], {on_undetermined: 'error'});
  } catch (error) {
    if (error instanceof InvalidRequest) {
      const problem: Problem = error;
      problem.pointer.trim();
    }
  }
  return worst(verdicts);
}
