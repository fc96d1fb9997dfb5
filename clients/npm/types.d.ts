/** What the calls of the client give and take: the service's JSON. */

export type Outcome = 'violation' | 'safe' | 'undetermined';
export type Channel = 'direct' | 'active' | 'canary' | 'shadow';
export type State = 'draft' | 'shadow' | 'canary' | 'active' | 'retired' | 'shipped';

export interface Message {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content: string;
}

/** Either `text` (with its role) or `messages`. */
export interface ContentFields {
  text?: string;
  role?: 'user' | 'assistant';
  messages?: readonly Message[];
  id?: string;
  surface?: string;
  language?: string;
}

/** A string is a user's message, an array of messages a conversation. */
export type Content = string | readonly Message[] | ContentFields;

/** Byte offsets, half open, into the text's UTF-8. */
export interface Evidence {
  start: number;
  end: number;
  text: string;
  message?: number;
}

export interface Verdict {
  policy: string;
  policy_version: string;
  policy_hash: string;
  outcome: Outcome;
  /** Why it is undetermined. */
  reason: string | null;
  /** 0..1 */
  score: number | null;
  category: string;
  rule_ids: string[];
  rationale: string;
  evidence: Evidence[];
  decided_by: string;
  timings_ms: Record<string, number>;
  provisional?: boolean;
  view?: string;
  detail?: string;
  notes?: string[];
  confidence?: string;
  /** For practitioners, never for authors of content. */
  reasoning?: string;
  tokens?: Record<string, number>;
  path?: Array<{layer: string; outcome: Outcome; ms: number; name?: string; reason?: string; score?: number; why?: string}>;
  settings?: Record<string, string>;
  model?: string;
  model_hash?: string;
  channel?: Channel;
}

export interface JudgeResult {
  id?: string;
  verdicts: Verdict[];
  /** That judged, where the request names one. */
  route?: string;
}

export interface ModerationResult {
  flagged: boolean;
  categories: Record<string, boolean>;
  category_scores: Record<string, number>;
  category_applied_input_types: Record<string, string[]>;
  safety: {on_undetermined: 'flag' | 'error' | 'pass'; undetermined: string[]; verdicts: Record<string, Partial<Verdict>>};
}

export interface ModerationResponse {
  id: string;
  model: string;
  results: ModerationResult[];
}

/** A route: its policies, layers and what they do when they fail, as its file says. */
export interface RouteSummary {
  name: string;
  policies: RoutePolicy[];
  layers: RouteLayer[];
  on_failure: Record<'lists' | 'screen' | 'reasoner', 'next' | 'undetermined'>;
  unanswered: 'provisional' | 'undetermined';
  time: {budget_ms: number; p99_ms: number | null; finish_ms: number};
  budget: Record<'tokens_per_second' | 'share' | 'money_per_day', number | null>;
  degrade: ('effort' | 'audit' | 'band' | 'defer' | 'shed')[];
  audit: {safe: number; violation: number; later: boolean};
  review: {undetermined: boolean; violations: boolean};
}

export interface RoutePolicy {
  policy: string;
  /** That answers now; null: none does. */
  policy_version: string | null;
  policy_hash: string | null;
  canary?: {policy_version: string; percent: number};
  severity: number;
  false_alarm: number;
  band: [number, number] | null;
  languages: string[];
  recall_bound: number | null;
}

export interface RouteLayer {
  layer: 'list' | 'screen' | 'reasoner';
  files?: number;
  name?: string;
  effort?: string;
  samples?: number;
  unsure?: [number, number] | null;
}

export interface ScreenRecall {
  policy: string;
  screened: number;
  /** Of what it called safe. */
  audited: number;
  misses: number;
  recall: number | null;
  low: number | null;
  high: number | null;
  alarm: boolean;
}

export interface ServedRoute extends RouteSummary {
  /** Contents that wait to be judged by it. */
  waiting: number;
  screen_recall: ScreenRecall[];
  /** Since the server began. */
  counters: Record<string, number | null>;
}

export interface PolicySummary {
  id: string;
  source: 'store' | 'shipped';
  active: number | null;
  canary: number | null;
  shadows: number[];
  versions: number;
  shipped?: {version: string; policy_hash: string; pack: string};
}

export interface Version {
  policy: string;
  version: number | string;
  state: State;
  policy_hash: string;
  state_since?: string;
  canary_percent?: number;
  golden_hash?: string;
  author?: string;
  created?: string;
  note?: string;
  approved_by?: string;
  approved?: string;
  text?: string;
}

export interface Published extends Version {
  is_new: boolean;
  golden_cases: number;
  findings: Array<{severity: string; check: string; line: number; reason: string; mend: string}>;
}

export interface PolicyEvent {
  sequence: number;
  when: string;
  event: string;
  policy: string;
  who: string;
  why: string;
  [field: string]: unknown;
}

/** A recorded verdict, without its place in the log. */
export interface FinalVerdict {
  when: string;
  id?: string;
  text?: string;
  messages?: Message[];
  surface?: string;
  language?: string;
  content_hash: string;
  policy: string;
  policy_version: string;
  policy_hash: string;
  channel: Channel;
  outcome: Outcome;
  reason: string | null;
  score: number | null;
  category: string;
  rule_ids: string[];
  decided_by: string;
  model: string;
  model_hash: string;
  provisional?: Record<string, unknown>;
  changed?: Record<string, unknown>;
}

export interface RecordedVerdict extends FinalVerdict {
  sequence: number;
}

export type JobState = 'waiting' | 'leased' | 'done' | 'dead';

export interface JobTicket {
  job: string;
  /** false: the Idempotency-Key was there already. */
  new: boolean;
  id?: string;
}

export interface JobSummary {
  id: string;
  kind: 'judge';
  state: JobState;
  attempts: number;
  attempts_max: number;
  priority: number;
  created: string;
  changed: string;
  due?: string;
  deadline?: string;
  parent?: string;
  worker?: string;
  /** Of the last attempt, or why it is dead. */
  problem?: string;
}

export interface Job extends JobSummary {
  verdicts: FinalVerdict[] | null;
}

export interface ReviewTicket {
  review: string;
  new: boolean;
}

export interface Review {
  review: string;
  state: JobState;
  priority: number;
  created: string;
  changed: string;
  reviewer?: string;
  lease_ends?: string;
  /** That filed it; not there: it was filed over HTTP. */
  route?: string;
  /** Of the case that nextReview has given: decide and release ask for it. */
  lease?: number;
  policy?: string;
  policy_version?: string;
  policy_hash?: string;
  why?: string;
  id?: string;
  surface?: string;
  language?: string;
  messages?: Message[];
  decision?: {
    outcome: 'violation' | 'safe';
    rule_ids: string[];
    note: string;
    reviewer: string;
    policy: string;
    policy_version: string;
    content_hash: string;
    when: string;
  };
}

/** Which field holds what, and which labels mean a violation (positive) or safe (negative). */
export interface DatasetMapping {
  text?: string;
  messages?: string;
  prompt?: string;
  response?: string;
  label?: string;
  id?: string;
  rules?: string;
  surface?: string;
  language?: string;
  tags?: string;
  labels?: string[];
  slices?: string[];
  positive?: string[];
  negative?: string[];
}

export interface Dataset {
  dataset: string;
  name: string;
  bytes: number;
  created: string;
  mapping: DatasetMapping | null;
  records: number;
  violations: number;
  safe: number;
  unlabelled: number;
  /** Lines that could not be read and are left out. */
  line_errors: number;
  first_errors: string[];
}

export type EvalState = JobState | 'cancelled';

export interface EvalRun {
  run: string;
  state: EvalState;
  created: string;
  changed: string;
  problem?: string;
  dataset: string;
  dataset_name: string;
  asked_by: string;
  sample: number;
  seed: number;
  reports: Array<{policy: string; policy_version: string; policy_hash: string; cases: number; undetermined: number; precision: number | null; recall: number | null; f1: number | null; json_file: string; html_file: string}>;
  progress?: {done: number; total: number} | null;
}

/** A share with its 95 % interval. */
export interface Share {
  value: number;
  low: number;
  high: number;
}

export interface ShadowResults {
  policy: string;
  version: number;
  state: string;
  records_read: number;
  /** false: the log has more; ask again with `from`. */
  complete: boolean;
  shadow_verdicts: number;
  paired: number;
  agreed: number;
  agreement: Share | null;
  disagreements: Array<{from: Outcome; to: Outcome; count: number; share: Share | null; examples: Array<Record<string, unknown>>}>;
}

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Model {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: Array<{
    index: number;
    message: {role: 'assistant'; content: string | null; refusal?: string | null; reasoning?: string | null; reasoning_content?: string | null};
    logprobs: unknown;
    finish_reason: string;
  }>;
  usage: {prompt_tokens: number; completion_tokens: number; total_tokens: number; [field: string]: unknown};
  /** Of a guarding proxy that was asked for it. */
  moderation?: Record<string, unknown>;
}
