// All that the client throws, but for wrong arguments (TypeError).
export class SafeguardError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

// No answer, or none to its end. Whether a change was made is known only to the service.
export class ConnectionFailed extends SafeguardError {
  constructor(what, cause) {
    const why = cause?.cause?.message ?? cause?.message ?? String(cause);
    super([what, why].filter(Boolean).join(': '), {cause});
  }
}

// A stream ended with an error, or before its end: what came of it is not an answer.
export class StreamFailed extends SafeguardError {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

// A job is dead: nothing was judged, which is not "safe". `job` says why.
export class JobFailed extends SafeguardError {
  constructor(job) {
    super(`job ${job.id ?? job.run} is dead: ${job.problem ?? ''}`);
    this.job = job;
  }
}

// A job is not done yet. It goes on: wait for it again.
export class JobUnfinished extends SafeguardError {}

// Problem details (RFC 9457): what is wrong, and what to do about it.
export class Problem extends SafeguardError {
  constructor(status, body, retryAfter) {
    const code = String(body.type ?? '').split(':').pop() || `http-${status}`;
    const {detail = '', hint = '', pointer = '', request_id: requestId = ''} = body;
    super([`${status} ${code}: ${detail}`, pointer && `at ${pointer}`, hint, requestId].filter(Boolean).join('; '));
    Object.assign(this, {status, code, detail, hint, pointer, requestId, retryAfter});
  }
}

// 400, 413, 415, 421, 422 and other statuses of a request that will never be taken.
export class InvalidRequest extends Problem {}
// 401 and 403.
export class NotAllowed extends Problem {}
// 404.
export class NotFound extends Problem {}
// 409 and 412: it is not as you last saw it.
export class Conflict extends Problem {}
// 429 and 5xx, after all retries: nothing was judged, which is not "safe".
export class Unavailable extends Problem {}

const KINDS = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 412: Conflict};

export function problemOf(status, text, retryAfter) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // a proxy in between, maybe: its words are the detail
  }
  if (body === null || typeof body !== 'object') {
    body = {detail: text.slice(0, 200)};
  }
  const Kind = status === 429 || status >= 500 ? Unavailable : KINDS[status] ?? InvalidRequest;
  return new Kind(status, body, retryAfter);
}
