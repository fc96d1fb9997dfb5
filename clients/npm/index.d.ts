/** Types of the client of `safeguard serve`, kept by hand against its OpenAPI document. */

import type {
  Outcome, Channel, State, Message, Content, Verdict, JudgeResult, ModerationResponse,
  PolicySummary, Version, Published, PolicyEvent, RecordedVerdict, JobState, JobTicket, JobSummary,
  Job, ReviewTicket, Review, Dataset, DatasetMapping, EvalRun, EvalState, ShadowResults, Page, Model,
  ChatCompletion, RouteSummary, ServedRoute,
} from './types.js';

export * from './types.js';

export interface Call {
  signal?: AbortSignal;
}

export interface KeyedCall extends Call {
  /** Made for each call when left out. */
  idempotencyKey?: string;
}

export interface ChangeCall extends KeyedCall {
  /** An ETag: the change is made only while the policy is still as it was then. */
  ifMatch?: string;
}

export interface JudgeOptions extends KeyedCall {
  /** "spam": the version that answers now; "spam@3": this one. Left out: every policy that ships or is active. */
  policies?: readonly string[];
  /** One of the service's routes, instead of policies. */
  route?: string;
  /** Whom a canary's percentage follows; left out: the content. */
  account?: string;
  /** After it the answer is undetermined. */
  timeout_ms?: number;
  include_reasoning?: boolean;
}

export interface SubmitOptions extends KeyedCall {
  policies?: readonly string[];
  /** Instead of policies: all layers of that route judge it. */
  route?: string;
  account?: string;
  /** Is told, signed, once the verdicts are there. */
  webhook?: string;
  /** Higher goes first; 0. */
  priority?: number;
  /** From now; after it the job is given up. */
  deadline_ms?: number;
}

export interface VerdictSearch {
  policy?: string;
  version?: string;
  channel?: Channel;
  outcome?: Outcome;
  /** RFC 3339 */
  from?: string;
  until?: string;
  cursor?: string;
}

export interface ClientOptions {
  apiKey?: string;
  /** With a key of all tenants: the one that is meant. */
  tenant?: string;
  /** Of one attempt; 30,000. */
  timeoutMs?: number;
  /** On top of the first attempt; 3. */
  retries?: number;
  /** The longest wait between attempts; a Retry-After beyond it is thrown, not waited for. 10,000. */
  waitMaxMs?: number;
  fetch?: typeof globalThis.fetch;
  sleep?: (ms: number) => Promise<unknown>;
}

/** Retried are reads, and changes that carry an Idempotency-Key. */
export class Client {
  constructor(baseUrl?: string, options?: ClientOptions);

  /** One verdict a policy. */
  judge(content: Content, options?: JudgeOptions): Promise<JudgeResult>;
  /** The same, its reasoning as it is thought: for practitioners. Never retried. */
  judgeStream(content: Content, options?: Omit<JudgeOptions, 'idempotencyKey'>): Promise<JudgeStream>;
  /** One result a content, in order; at most 256 contents. */
  judgeBatch(contents: readonly Content[], options?: JudgeOptions): Promise<JudgeResult[]>;
  /** OpenAI's moderation shape; `policies` are own ones beside its 13 categories. */
  moderate(
    texts: string | readonly string[],
    options?: KeyedCall & {policies?: readonly string[]; on_undetermined?: 'flag' | 'error' | 'pass'},
  ): Promise<ModerationResponse>;

  /** What is answered is on the service's disk and is seen through. */
  submit(content: Content, options?: SubmitOptions): Promise<JobTicket>;
  /** One job a content, at most 256; all are kept or none. */
  submitBatch(contents: readonly Content[], options?: SubmitOptions): Promise<JobTicket[]>;
  job(id: string, call?: Call): Promise<Job>;
  jobs(options?: {state?: JobState; pageSize?: number}): AsyncGenerator<JobSummary>;
  /** Throws JobFailed when the job is dead, JobUnfinished when the time (60,000) is up. */
  wait(id: string, options?: Call & {timeoutMs?: number}): Promise<Job>;
  /** Begins a dead job again. */
  retryJob(id: string, call?: KeyedCall): Promise<Job>;

  fileReview(content: Content, policy: string, options?: KeyedCall & {why?: string; priority?: number}): Promise<ReviewTicket>;
  /** In the order they were filed, without content. */
  reviews(options?: {state?: JobState; pageSize?: number}): AsyncGenerator<Review>;
  review(id: string): Promise<Review>;
  /** Takes the most urgent case for a while; null when there is none. */
  nextReview(options?: Call & {lease_ms?: number}): Promise<Review | null>;
  decide(
    review: string,
    lease: number,
    outcome: 'violation' | 'safe',
    options?: Call & {rule_ids?: readonly string[]; note?: string},
  ): Promise<Review>;
  /** Gives a case back, for somebody else. */
  release(review: string, lease: number): Promise<Review>;

  models(): Promise<Model[]>;
  /** `fields` are those of POST /v1/chat/completions. */
  chat(model: string, messages: readonly Message[], fields?: Record<string, unknown>): Promise<ChatCompletion>;
  /** The same as it is written; through a guarding proxy, as it is judged. Never retried. */
  chatStream(model: string, messages: readonly Message[], fields?: Record<string, unknown> & Call): Promise<GuardedStream>;

  /** What requests may name as `route`. */
  routes(): Promise<RouteSummary[]>;
  /** With what it has counted, and how good its screen is by its audits. */
  route(name: string): Promise<ServedRoute>;

  policies(pageSize?: number): AsyncGenerator<PolicySummary>;
  policy(id: string): Promise<PolicySummary>;
  policyEtag(id: string): Promise<string>;
  /** Newest first. */
  versions(id: string): Promise<Version[]>;
  /** With its text; `version` may be "shipped". */
  version(id: string, version: number | string): Promise<Version>;
  /** A new draft; without `id` of the policy that the text names. */
  publish(text: string, options?: ChangeCall & {id?: string; golden?: string; note?: string}): Promise<Published>;
  approve(id: string, version: number, options?: KeyedCall & {note?: string}): Promise<Version>;
  promote(
    id: string,
    version: number,
    to: Exclude<State, 'shipped'>,
    /** `force`: even where the check of the policy finds errors. */
    options?: ChangeCall & {percent?: number; note?: string; force?: boolean},
  ): Promise<Version>;
  /** Makes active again what was active before. */
  rollback(id: string, options?: ChangeCall & {note?: string}): Promise<Version>;
  history(id: string): Promise<PolicyEvent[]>;
  /** A version in the shadow beside what was answered; times are RFC 3339. */
  shadowResults(id: string, version: number, span?: {from?: string; until?: string}): Promise<ShadowResults>;

  /** Labelled data, JSONL or CSV, to measure policies on. `mapping`: which field is what. */
  uploadDataset(data: string | Uint8Array, name: string, options?: KeyedCall & {mapping?: DatasetMapping}): Promise<Dataset>;
  datasets(pageSize?: number): AsyncGenerator<Pick<Dataset, 'dataset' | 'name' | 'bytes' | 'created' | 'mapping'>>;
  dataset(id: string): Promise<Dataset>;
  deleteDataset(id: string): Promise<{dataset: string; deleted: true}>;
  /** By the judge that answers there; what is answered is seen through. */
  startEval(
    dataset: string,
    policies: readonly string[],
    options?: KeyedCall & {sample?: number; seed?: number; judge?: string},
  ): Promise<{run: string; new: boolean}>;
  evalRun(id: string, call?: Call): Promise<EvalRun>;
  /** For good; whoever waits for it gets JobFailed. */
  cancelEval(id: string, call?: KeyedCall): Promise<EvalRun>;
  evalRuns(options?: {state?: EvalState; pageSize?: number}): AsyncGenerator<Pick<EvalRun, 'run' | 'state' | 'created' | 'changed' | 'problem'>>;
  /** As wait; 600,000. */
  waitEval(id: string, options?: Call & {timeoutMs?: number}): Promise<EvalRun>;
  /** As `safeguard eval` writes it. `policy`: of a run under several. */
  evalReport(id: string, options?: {format?: 'json' | 'html'; policy?: string}): Promise<string>;

  /** Oldest first. */
  verdictPage(search?: VerdictSearch & {limit?: number}): Promise<Page<RecordedVerdict>>;
  verdicts(search?: VerdictSearch & {pageSize?: number}): AsyncGenerator<RecordedVerdict>;

  /** The same in large pieces, for a warehouse; the last `sequence` is the cursor to go on from another day. */
  exportVerdicts(search?: VerdictSearch & {pageSize?: number}): AsyncGenerator<RecordedVerdict>;

  /** All that is needed to compute a recorded verdict again (`safeguard replay`), but for the content. */
  receipt(sequence: number, call?: Call): Promise<{receipt: 1; sequence: number; content: {hash: string}; [field: string]: unknown}>;

  /** Whether it takes work; false as well when nobody answers. */
  ready(): Promise<boolean>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

/** What a stream adds. Reasoning is for practitioners. */
export interface Piece {
  kind: 'content' | 'reasoning';
  text: string;
  choice: number;
}

/**
 * A streamed completion: read it once. When the loop ends without an error the answer is whole:
 * `finish` says how each choice ended, and `stopped` that the guard ended one ("content_filter").
 * A stream that breaks off throws StreamFailed.
 */
export class GuardedStream implements AsyncIterable<Piece> {
  readonly finish: Map<number, string>;
  readonly moderation: Record<string, unknown> | null;
  readonly usage: Record<string, unknown> | null;
  readonly stopped: boolean;
  close(): void;
  [Symbol.asyncIterator](): AsyncGenerator<Piece>;
}

/** What was thought since the one before. null: under all policies together. */
export interface ReasoningDelta {
  policy: string | null;
  policy_version: string | null;
  delta: string;
}

/**
 * A judgement that is heard: read its reasoning once; then `result` is what judge() would have
 * answered. A stream that breaks off throws StreamFailed, and has judged nothing.
 */
export class JudgeStream implements AsyncIterable<ReasoningDelta> {
  readonly result: JudgeResult | null;
  /** Ends the thinking. */
  close(): void;
  [Symbol.asyncIterator](): AsyncGenerator<ReasoningDelta>;
}

export class SafeguardError extends Error {}
/** No answer, or none to its end. Whether a change was made is known only to the service. */
export class ConnectionFailed extends SafeguardError {}
export class StreamFailed extends SafeguardError {
  readonly code: string;
}
/** A job is dead: nothing was judged, which is not "safe". */
export class JobFailed extends SafeguardError {
  readonly job: Job;
}
/** A job is not done yet. It goes on: wait for it again. */
export class JobUnfinished extends SafeguardError {}
/** Problem details (RFC 9457). */
export class Problem extends SafeguardError {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  /** RFC 6901: which field it is. */
  readonly pointer: string;
  readonly requestId: string;
  /** Seconds. */
  readonly retryAfter: number | null;
}
/** 400, 413, 415, 421, 422. */
export class InvalidRequest extends Problem {}
/** 401 and 403. */
export class NotAllowed extends Problem {}
export class NotFound extends Problem {}
/** 409 and 412: it is not as you last saw it. */
export class Conflict extends Problem {}
/** 429 and 5xx, after all retries: nothing was judged, which is not "safe". */
export class Unavailable extends Problem {}

export interface Operation {
  method: 'GET' | 'POST';
  path: string;
  keyed: boolean;
}
/** By the operation ids of the OpenAPI document. */
export const OPERATIONS: Readonly<Record<string, Operation>>;

/** violation before undetermined before safe. Of no verdicts: undetermined. */
export function worst(verdicts: readonly Pick<Verdict, 'outcome'>[]): Outcome;
