"""A client of `safeguard serve` in one file: copy it into your project. Python 3.11, no packages.

    from safeguard_client import Client, worst

    client = Client("http://127.0.0.1:8080", api_key=None)
    result = client.judge("Buy 10,000 followers today", policies=["spam"])
    if worst(result["verdicts"]) != "safe":  # "undetermined" is not "safe"
        hold(result)

Answers are the service's JSON, typed as TypedDicts; fields may be added to them within v1. What the
service refuses is raised as a Problem. Calls are retried where that cannot do a thing twice: reads,
and changes that carry an Idempotency-Key (made for each call unless you give one). A Client may be
used by several threads at once. docs/clients.md says more.
"""
# mypy: no-warn-return-any
# What is JSON is Any until a method says what it is; the tests hold types and operations to the document.
from __future__ import annotations

import http.client, json, random, ssl, time, uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired as Maybe, TypedDict, Unpack
from urllib.parse import quote, urlencode, urlsplit

__version__ = "1.2.0"
Outcome = Literal["violation", "safe", "undetermined"]
Channel = Literal["direct", "active", "canary", "shadow"]
State = Literal["draft", "shadow", "canary", "active", "retired", "shipped"]
JobState = Literal["waiting", "leased", "done", "dead"]
Role = Literal["system", "developer", "user", "assistant", "tool"]
Json = dict[str, Any]
Names = Sequence[str] | None

Message = TypedDict("Message", {"role": Role, "content": str})
# Either text (with its role) or messages.
ContentFields = TypedDict("ContentFields", {
    "text": str, "role": Literal["user", "assistant"], "messages": Sequence[Message], "id": str, "surface": str,
    "language": str}, total=False)
Content = str | Sequence[Message] | ContentFields  # a string is a user's message
# Byte offsets, half open, into the text's UTF-8.
Evidence = TypedDict("Evidence", {"start": int, "end": int, "text": str, "message": Maybe[int]})
# `reason`: why it is undetermined; `score`: 0..1; `reasoning`: never for authors of content.
Verdict = TypedDict("Verdict", {
    "policy": str, "policy_version": str, "policy_hash": str, "outcome": Outcome, "reason": str | None,
    "score": float | None, "category": str, "rule_ids": list[str], "rationale": str, "evidence": list[Evidence],
    "decided_by": str, "timings_ms": dict[str, float], "detail": Maybe[str], "notes": Maybe[list[str]],
    "reasoning": Maybe[str], "provisional": Maybe[bool], "view": Maybe[str], "confidence": Maybe[str],
    "tokens": Maybe[dict[str, int]], "path": Maybe[list[Json]], "settings": Maybe[dict[str, str]], "model": Maybe[str],
    "model_hash": Maybe[str], "channel": Maybe[Channel]})
JudgeResult = TypedDict("JudgeResult", {"id": Maybe[str], "verdicts": list[Verdict], "route": Maybe[str]})
# What was thought since the one before; without a policy under all of them together.
ReasoningDelta = TypedDict("ReasoningDelta", {"policy": str | None, "policy_version": str | None, "delta": str})
PolicySummary = TypedDict("PolicySummary", {
    "id": str, "source": Literal["store", "shipped"], "active": int | None, "canary": int | None, "shadows": list[int],
    "versions": int, "shipped": Maybe[dict[str, str]]})
Version = TypedDict("Version", {
    "policy": str, "version": int | str, "state": State, "policy_hash": str, "state_since": Maybe[str],
    "canary_percent": Maybe[float], "golden_hash": Maybe[str], "author": Maybe[str], "created": Maybe[str],
    "note": Maybe[str], "approved_by": Maybe[str], "approved": Maybe[str], "text": Maybe[str]})
# A recorded verdict, without its place in the log.
FinalVerdict = TypedDict("FinalVerdict", {
    "when": str, "id": Maybe[str], "text": Maybe[str], "messages": Maybe[list[Message]], "surface": Maybe[str],
    "language": Maybe[str], "content_hash": str, "policy": str, "policy_version": str, "policy_hash": str,
    "channel": Channel, "outcome": Outcome, "reason": str | None, "score": float | None, "category": str,
    "rule_ids": list[str], "decided_by": str, "model": str, "model_hash": str, "provisional": Maybe[Json],
    "changed": Maybe[Json]})
# `new`: False: the Idempotency-Key was there already.
JobTicket = TypedDict("JobTicket", {"job": str, "new": bool, "id": Maybe[str]})
# `problem`: of the last attempt, or why it is dead.
JobSummary = TypedDict("JobSummary", {
    "id": str, "kind": Literal["judge"], "state": JobState, "attempts": int, "attempts_max": int, "priority": float,
    "created": str, "changed": str, "due": Maybe[str], "deadline": Maybe[str], "parent": Maybe[str],
    "worker": Maybe[str], "problem": Maybe[str]})
ReviewTicket = TypedDict("ReviewTicket", {"review": str, "new": bool})
# `lease`: of the case that next_review has given: decide and release ask for it.
Review = TypedDict("Review", {
    "review": str, "state": JobState, "priority": float, "created": str, "changed": str, "reviewer": Maybe[str],
    "lease_ends": Maybe[str], "lease": Maybe[int], "route": Maybe[str], "policy": Maybe[str],
    "policy_version": Maybe[str], "policy_hash": Maybe[str], "why": Maybe[str], "id": Maybe[str], "surface": Maybe[str],
    "language": Maybe[str], "messages": Maybe[list[Message]], "decision": Maybe[Json]})
Page = TypedDict("Page", {"data": list[Any], "next_cursor": str | None})

class Published(Version): is_new: bool; golden_cases: int; findings: list[Json]
class Record(FinalVerdict): sequence: int
class Job(JobSummary): verdicts: list[FinalVerdict] | None

# What calls may say beside their arguments; None is as good as nothing. An Idempotency-Key is made
# for each call that needs one. `if_match`: an ETag; only while the policy is still as it was then.
# `route`: one of the service's, instead of policies. `account`: whom a canary's percentage follows.
# `timeout_ms`: after it the answer is undetermined.
# `webhook`: is told, signed. `priority`: higher goes first. `deadline_ms`: then it is given up.
Keyed = TypedDict("Keyed", {"idempotency_key": str | None}, total=False)
class Change(Keyed, total=False): note: str | None; if_match: str | None
class Judging(Keyed, total=False):
    route: str | None; account: str | None; timeout_ms: float | None; include_reasoning: bool | None
class Later(Keyed, total=False):
    route: str | None; account: str | None; webhook: str | None; priority: float | None; deadline_ms: float | None

# What a stream adds. Reasoning is for practitioners.
Piece = NamedTuple("Piece", [("kind", Literal["content", "reasoning"]), ("text", str), ("choice", int)])

def worst(verdicts: Iterable[Verdict]) -> Outcome:
    """violation before undetermined before safe. Of no verdicts: undetermined."""
    outcomes = {verdict["outcome"] for verdict in verdicts}
    return "violation" if "violation" in outcomes else "safe" if outcomes == {"safe"} else "undetermined"

class SafeguardError(Exception): """All that this module raises, but for wrong arguments."""
# No answer, or none to its end. Whether a change was made is known only to the service.
class ConnectionFailed(SafeguardError): pass

class StreamFailed(SafeguardError):
    """A stream ended with an error, or before its end: what came of it is not an answer."""
    def __init__(self, message: str, code: str = "stream-cut") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code

class JobFailed(SafeguardError):
    """A job is dead: nothing was judged, which is not "safe". `job` says why."""
    def __init__(self, job: Any) -> None:
        super().__init__(f"job {job.get('id', job.get('run'))} is dead: {job.get('problem', '')}")
        self.job = job
class JobUnfinished(SafeguardError): """A job is not done yet. It goes on: wait for it again."""

class Problem(SafeguardError):
    """Problem details (RFC 9457): what is wrong, and what to do about it."""
    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float | None) -> None:
        self.status, self.retry_after = status, retry_after  # seconds
        self.code = str(body.get("type", "")).rpartition(":")[2] or f"http-{status}"
        # `pointer`: RFC 6901: which field it is.
        self.detail, self.hint, self.pointer, self.request_id = (
            str(body.get(name, "")) for name in ("detail", "hint", "pointer", "request_id"))
        parts = [f"{status} {self.code}: {self.detail}", self.pointer and f"at {self.pointer}"]
        super().__init__("; ".join(p for p in [*parts, self.hint, self.request_id] if p))
class InvalidRequest(Problem): """400, 413, 415, 421, 422 and other statuses of a request that will never be taken."""
class NotAllowed(Problem): """401 and 403: the key is missing, unknown, or has not the scope."""
class NotFound(Problem): """404."""
class Conflict(Problem): """409 and 412: it is not as you last saw it."""
class Unavailable(Problem): """429 and 5xx, after all retries: nothing was judged, which is not "safe"."""

Operation = NamedTuple("Operation", [("method", str), ("path", str), ("keyed", bool)])
# By the operation ids of the OpenAPI document; a test compares the two. "*": takes an Idempotency-Key.
OPERATIONS: dict[str, Operation] = {
    name: Operation(method.rstrip("*"), path, method.endswith("*")) for name, method, path in map(str.split, """
judge POST* /v1/judge | judgeBatch POST* /v1/judge/batch | createModeration POST* /v1/moderations |
createChatCompletion POST /v1/chat/completions | listModels GET /v1/models | listPolicies GET /v1/policies |
listRoutes GET /v1/routes | showRoute GET /v1/routes/{name} |
publishPolicy POST* /v1/policies | showPolicy GET /v1/policies/{id} |
listVersions GET /v1/policies/{id}/versions | publishVersion POST* /v1/policies/{id}/versions |
showVersion GET /v1/policies/{id}/versions/{version} |
approveVersion POST* /v1/policies/{id}/versions/{version}/approve |
promoteVersion POST* /v1/policies/{id}/versions/{version}/promote |
rollbackPolicy POST* /v1/policies/{id}/rollback | policyHistory GET /v1/policies/{id}/history |
submitJob POST* /v1/jobs | submitJobs POST* /v1/jobs/batch | listJobs GET /v1/jobs | getJob GET /v1/jobs/{id} |
retryJob POST* /v1/jobs/{id}/retry | fileReview POST* /v1/reviews | listReviews GET /v1/reviews |
nextReview POST /v1/reviews/next | getReview GET /v1/reviews/{id} | decideReview POST /v1/reviews/{id}/decision |
releaseReview POST /v1/reviews/{id}/release | uploadDataset POST* /v1/datasets | listDatasets GET /v1/datasets |
getDataset GET /v1/datasets/{id} | deleteDataset DELETE /v1/datasets/{id} | startEval POST* /v1/eval/runs |
listEvals GET /v1/eval/runs | getEval GET /v1/eval/runs/{id} | evalReport GET /v1/eval/runs/{id}/report |
cancelEval POST* /v1/eval/runs/{id}/cancel |
shadowResults GET /v1/policies/{id}/versions/{version}/shadow | listVerdicts GET /v1/verdicts |
exportVerdicts GET /v1/verdicts/export | getReceipt GET /v1/verdicts/{id}/receipt | ready GET /readyz |
metrics GET /metrics
""".split("|"))}

_ANSWER_BYTES_MAX, _EVENT_BYTES_MAX = 64 << 20, 1 << 20
def _fields(content: Content) -> Json:
    if isinstance(content, str):
        return {"text": content}
    return dict(content) if isinstance(content, Mapping) else {"messages": list(content)}
def _asked(content: Content | None, contents: Sequence[Content], policies: Names, options: Mapping[str, Any]) -> Json:
    what = {"contents": [_fields(each) for each in contents]} if content is None else _fields(content)
    return {**what, "policies": policies, **options}
def _given(fields: Mapping[str, Any]) -> Json:
    return {"from" if name == "since" else name: value for name, value in fields.items() if value is not None}
def _form(fields: Mapping[str, Any], file: bytes) -> tuple[bytes, str]:
    mark = uuid.uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="'
    parts = [f'{head}{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    parts += [f'{head}file"; filename="data"\r\n\r\n'.encode(), file, f"\r\n--{mark}--".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={mark}"
def _retry_after(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdecimal() else None
_Answer = NamedTuple("_Answer", [("status", int), ("headers", http.client.HTTPMessage), ("body", bytes)])

class Client:
    """Thread-safe. `timeout` is that of one attempt, in seconds; `retries` come on top of the first
    attempt, with random waits of at most `wait_max` seconds or what Retry-After says; a Retry-After
    beyond `wait_max` is not waited for but raised. `tenant`: with a key of all tenants, the one that
    is meant."""
    def __init__(self, base_url: str = "http://127.0.0.1:8080", api_key: str | None = None, *,
                 tenant: str | None = None, timeout: float = 30.0, retries: int = 3, wait_max: float = 10.0,
                 tls: ssl.SSLContext | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError(f"not the address of a service: {base_url!r}")
        self._host, self._port, self._path = url.hostname, url.port, url.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if url.scheme == "https" else None
        self._headers = {"User-Agent": f"safeguard-python/{__version__}"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        if tenant is not None:
            self._headers["X-Safeguard-Tenant"] = tenant
        self._timeout, self._retries, self._wait_max, self._sleep = timeout, retries, wait_max, sleep
        self._idle: list[http.client.HTTPConnection] = []  # append and pop are atomic
    def __enter__(self) -> Client: return self
    def __exit__(self, *_: object) -> None: self.close()
    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    # -- judging: one verdict a policy; without `policies` of every policy that ships or is active --
    def judge(self, content: Content, policies: Names = None, **options: Unpack[Judging]) -> JudgeResult:
        return self._call("judge", body=_asked(content, (), policies, options))
    # The same, its reasoning as it is thought: for practitioners. Never retried.
    def judge_stream(self, content: Content, policies: Names = None, **options: Unpack[Judging]) -> JudgeStream:
        return JudgeStream(*self._stream("judge", {**_asked(content, (), policies, options), "stream": True}))
    # One result a content, in order; at most 256 contents.
    def judge_batch(self, contents: Sequence[Content], policies: Names = None,
                    **options: Unpack[Judging]) -> list[JudgeResult]:
        return self._call("judgeBatch", body=_asked(None, contents, policies, options))["results"]
    def moderate(self, texts: str | Sequence[str], *, policies: Names = None,
                 on_undetermined: Literal["flag", "error", "pass"] | None = None, **options: Unpack[Keyed]) -> Json:
        """OpenAI's moderation shape; `policies` are own ones beside its 13 categories."""
        safety = _given({"policies": policies, "on_undetermined": on_undetermined}) or None
        body: Json = {"input": texts if isinstance(texts, str) else list(texts), "safety": safety, **options}
        return self._call("createModeration", body=body)

    # -- judging later: what is answered is on the service's disk and is seen through --
    def submit(self, content: Content, policies: Names = None, **options: Unpack[Later]) -> JobTicket:
        return self._call("submitJob", body=_asked(content, (), policies, options))
    # One job a content, at most 256; all are kept or none.
    def submit_batch(self, contents: Sequence[Content], policies: Names = None,
                     **options: Unpack[Later]) -> list[JobTicket]:
        return self._call("submitJobs", body=_asked(None, contents, policies, options))["data"]
    def job(self, id: str) -> Job: return self._call("getJob", {"id": id})
    def jobs(self, state: JobState | None = None, page_size: int = 50) -> Iterator[JobSummary]:
        return self._pages("listJobs", page_size, state=state)
    def wait(self, id: str, timeout: float = 60.0) -> Job:
        """Asks for a job until it is done, 0.1 to 2 seconds apart. Raises JobFailed when it is dead
        and JobUnfinished after `timeout` seconds."""
        return self._wait(self.job, id, timeout)
    def retry_job(self, id: str, **options: Unpack[Keyed]) -> Job:
        """Begins a dead job again."""
        return self._call("retryJob", {"id": id}, body=options)

    # -- people --
    def file_review(self, content: Content, policy: str, *, why: str | None = None,
                    priority: float | None = None, **options: Unpack[Keyed]) -> ReviewTicket:
        body: Json = {**_fields(content), "policy": policy, "why": why, "priority": priority, **options}
        return self._call("fileReview", body=body)
    def reviews(self, state: JobState | None = None, page_size: int = 50) -> Iterator[Review]:
        """In the order they were filed, without content."""
        return self._pages("listReviews", page_size, state=state)
    def review(self, id: str) -> Review: return self._call("getReview", {"id": id})
    def next_review(self, lease_ms: float | None = None) -> Review | None:
        """Takes the most urgent case for a while; None when there is none."""
        answer = self._answer("nextReview", body={"lease_ms": lease_ms})
        return None if answer.status == 204 else json.loads(answer.body)
    def decide(self, review: str, lease: int, outcome: Literal["violation", "safe"], *,
               rule_ids: Names = None, note: str | None = None) -> Review:
        body: Json = {"lease": lease, "outcome": outcome, "rule_ids": rule_ids, "note": note}
        return self._call("decideReview", {"id": review}, body=body)
    def release(self, review: str, lease: int) -> Review:
        """Gives a case back, for somebody else."""
        return self._call("releaseReview", {"id": review}, body={"lease": lease})

    # -- chat: the reasoner, or a guarded upstream; `fields` are those of POST /v1/chat/completions --
    def models(self) -> list[Json]: return self._call("listModels")["data"]
    def chat(self, model: str, messages: Sequence[Message], **fields: Any) -> Json:
        body: Json = {"model": model, "messages": list(messages), **fields, "stream": False}
        return self._call("createChatCompletion", body=body)
    def chat_stream(self, model: str, messages: Sequence[Message], **fields: Any) -> GuardedStream:
        """The same as it is written; through a guarding proxy, as it is judged. Never retried."""
        body: Json = {"model": model, "messages": list(messages), **fields, "stream": True}
        return GuardedStream(*self._stream("createChatCompletion", body))

    # -- routes, which requests may name instead of policies --
    def routes(self) -> list[Json]: return self._call("listRoutes")["data"]
    def route(self, name: str) -> Json: return self._call("showRoute", {"name": name})

    # -- policies --
    def policies(self, page_size: int = 50) -> Iterator[PolicySummary]: return self._pages("listPolicies", page_size)
    def policy(self, id: str) -> PolicySummary: return self._call("showPolicy", {"id": id})
    # For `if_match`: the change is made only while the policy is as it was now.
    def policy_etag(self, id: str) -> str: return str(self._answer("showPolicy", {"id": id}).headers["ETag"])
    def versions(self, id: str) -> list[Version]:
        """All of them, newest first."""
        return self._all("listVersions", id)
    def version(self, id: str, version: int | str) -> Version:
        """With its text; `version` may be "shipped"."""
        return self._call("showVersion", {"id": id, "version": str(version)})
    def publish(self, text: str, *, id: str | None = None, golden: str | None = None,
                **options: Unpack[Change]) -> Published:
        """A new draft; without `id` of the policy that the text names."""
        name, values = ("publishPolicy", {}) if id is None else ("publishVersion", {"id": id})
        return self._call(name, values, body={"text": text, "golden": golden, **options})
    def approve(self, id: str, version: int, **options: Unpack[Change]) -> Version:
        return self._call("approveVersion", {"id": id, "version": str(version)}, body=options)
    def promote(self, id: str, version: int, to: State, *, percent: float | None = None,
                force: bool | None = None, **options: Unpack[Change]) -> Version:
        """`force`: even where the check of the policy finds errors."""
        values = {"id": id, "version": str(version)}
        return self._call("promoteVersion", values, body={"to": to, "percent": percent, "force": force, **options})
    def rollback(self, id: str, **options: Unpack[Change]) -> Version:
        """Makes active again what was active before."""
        return self._call("rollbackPolicy", {"id": id}, body=options)
    def history(self, id: str) -> list[Json]:
        """All of it, oldest first."""
        return self._all("policyHistory", id)
    def shadow_results(self, id: str, version: int, since: str | None = None, until: str | None = None) -> Json:
        """A version in the shadow beside what was answered."""
        values = {"id": id, "version": str(version)}
        return self._call("shadowResults", values, query={"since": since, "until": until})

    # -- measuring policies on labelled data (JSONL or CSV) --
    def upload_dataset(self, data: bytes, name: str, mapping: Json | None = None, **options: Unpack[Keyed]) -> Json:
        """`mapping`: which field is what, as {"text": "body", "label": "ruling", "positive": ["removed"]}."""
        body: Json = {"name": name, **({"mapping": json.dumps(mapping)} if mapping else {}), **options}
        return self._call("uploadDataset", body=body, file=data)
    def datasets(self, page_size: int = 50) -> Iterator[Json]: return self._pages("listDatasets", page_size)
    def dataset(self, id: str) -> Json: return self._call("getDataset", {"id": id})
    def delete_dataset(self, id: str) -> Json: return self._call("deleteDataset", {"id": id})
    def start_eval(self, dataset: str, policies: Sequence[str], **options: Any) -> Json:
        """`options`: sample, seed, judge, idempotency_key."""
        return self._call("startEval", body={"dataset": dataset, "policies": policies, **options})
    def eval_run(self, id: str) -> Json: return self._call("getEval", {"id": id})
    def cancel_eval(self, id: str, **options: Unpack[Keyed]) -> Json:
        """For good; whoever waits for it gets JobFailed."""
        return self._call("cancelEval", {"id": id}, body=options)
    def eval_runs(self, state: JobState | Literal["cancelled"] | None = None, page_size: int = 50) -> Iterator[Json]:
        return self._pages("listEvals", page_size, state=state)
    def wait_eval(self, id: str, timeout: float = 600.0) -> Json: return self._wait(self.eval_run, id, timeout)
    def eval_report(self, id: str, format: Literal["json", "html"] = "json", policy: str | None = None) -> str:
        return self._answer("evalReport", {"id": id}, query={"format": format, "policy": policy}).body.decode()

    # -- the verdict log: `search` is policy, version, channel, outcome, since, until (RFC 3339), cursor --
    def verdict_page(self, *, limit: int = 50, **search: str | None) -> Page:
        """Oldest first."""
        return self._call("listVerdicts", query={**search, "limit": limit})
    def verdicts(self, *, page_size: int = 200, **search: str | None) -> Iterator[Record]:
        return self._pages("listVerdicts", page_size, **search)
    def export_verdicts(self, *, page_size: int = 1000, **search: str | None) -> Iterator[Record]:
        """The same in large pieces, of JSON lines: for a warehouse. Its last record's `sequence` is
        the `cursor` to go on from another day."""
        query: Json = {**search, "limit": page_size}
        while True:
            answer = self._answer("exportVerdicts", query=query)
            yield from map(json.loads, answer.body.splitlines())
            if answer.headers["X-End"] == "true":
                return
            query["cursor"] = answer.headers["X-Next-Cursor"]
    # All that is needed to compute a recorded verdict again (`safeguard replay`), but for the content.
    def receipt(self, sequence: int) -> Json: return self._call("getReceipt", {"id": str(sequence)})

    # -- the service itself --
    def metrics(self) -> str: return self._answer("metrics").body.decode()  # Prometheus text
    def ready(self) -> bool:
        """Whether it takes work; False as well when nobody answers."""
        operation = OPERATIONS["ready"]
        try:
            return self._send(operation, self._path + operation.path, None, {}).status == 200
        except ConnectionFailed:
            return False

    # -- plumbing --
    def _wait(self, ask: Callable[[str], Any], id: str, timeout: float) -> Any:
        end, pause = time.monotonic() + timeout, 0.1
        while True:
            job = ask(id)
            if job["state"] == "done":
                return job
            if job["state"] in ("dead", "cancelled"):
                raise JobFailed(job)
            if time.monotonic() + pause > end:
                raise JobUnfinished(f"job {id} is {job['state']} after {timeout:g} s")
            self._sleep(pause)
            pause = min(2 * pause, 2.0)
    def _all(self, name: str, id: str) -> list[Any]:
        entries: list[Any] = []
        query: dict[str, Any] = {"limit": 200}
        while True:
            page = self._call(name, {"id": id}, query=query)
            entries += page["data"]
            if page["next_cursor"] is None:
                return entries
            query["cursor"] = page["next_cursor"]
    def _pages(self, name: str, page_size: int, **query: Any) -> Iterator[Any]:
        while True:
            page = self._call(name, query={**query, "limit": page_size})
            yield from page["data"]
            query["cursor"] = page["next_cursor"]
            if query["cursor"] is None:
                return
    def _call(self, name: str, values: Mapping[str, str] | None = None, **request: Any) -> Any:
        body = self._answer(name, values, **request).body
        try:
            return json.loads(body)
        except ValueError as error:
            raise SafeguardError(f"{name}: no answer of safeguard: {body[:80]!r}") from error
    def _answer(self, name: str, values: Mapping[str, str] | None = None, *, query: Mapping[str, Any] | None = None,
                body: Mapping[str, Any] | None = None, file: bytes | None = None) -> _Answer:
        operation = OPERATIONS[name]
        path = self._path + operation.path
        for part, value in (values or {}).items():
            if not value:
                raise ValueError(f"{name}: {part} is empty")
            path = path.replace("{" + part + "}", quote(value, safe=""))
        if given := _given(query or {}):
            path += "?" + urlencode(given)
        fields = _given(body or {})
        key, etag = fields.pop("idempotency_key", None), fields.pop("if_match", None)
        headers = {} if etag is None else {"If-Match": etag}
        payload = None
        if file is not None:
            payload, headers["Content-Type"] = _form(fields, file)
        elif body is not None:
            payload, headers["Content-Type"] = json.dumps(fields).encode(), "application/json"
        if operation.keyed:
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        answer = self._attempts(operation, path, payload, headers)
        if not 200 <= answer.status < 300:
            raise self._refused(answer)
        return answer
    def _stream(self, name: str, body: Json) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        operation, connection = OPERATIONS[name], self._connect()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        fields = _given(body)
        if key := fields.pop("idempotency_key", None):
            headers["Idempotency-Key"] = key
        try:
            path = self._path + operation.path
            connection.request(operation.method, path, json.dumps(fields).encode(), self._headers | headers)
            response = connection.getresponse()
            if response.status != 200:
                refusal = response.read(_ANSWER_BYTES_MAX)
                raise self._refused(_Answer(response.status, response.headers, refusal))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionFailed(f"no stream from the service: {error!r}") from error
        except BaseException:
            connection.close()
            raise
        return connection, response
    def _attempts(self, operation: Operation, path: str, payload: bytes | None, headers: Mapping[str, str]) -> _Answer:
        safe = operation.method == "GET" or operation.keyed
        for attempt in range(self._retries + 1):
            wait = random.uniform(0, min(self._wait_max, 0.1 * 2.0**attempt))
            try:
                fresh = not safe or attempt > 0
                answer = self._send(operation, path, payload, headers, fresh)
            except ConnectionFailed:
                if not safe or attempt == self._retries:
                    raise
                self._sleep(wait)
                continue
            # 409 "still-at-work" alone carries Retry-After: the first send of this key goes on.
            after = _retry_after(answer.headers.get("Retry-After"))
            again = answer.status == 429 or (safe and answer.status in (502, 503, 504))
            again = again or (answer.status == 409 and operation.keyed and after is not None)
            if not again or attempt == self._retries or (after or 0) > self._wait_max:
                return answer
            self._sleep(max(wait, after or 0))
        raise AssertionError("unreachable")
    def _send(self, operation: Operation, path: str, payload: bytes | None, headers: Mapping[str, str],
              fresh: bool = True) -> _Answer:
        # A kept connection may have been closed at the other end: only for what may be sent twice.
        try:
            connection = self._connect() if fresh else self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.request(operation.method, path, payload, self._headers | dict(headers))
            response = connection.getresponse()
            body = response.read(_ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionFailed(f"{operation.method} {path}: {error!r}") from error
        if len(body) > _ANSWER_BYTES_MAX:
            connection.close()
            raise SafeguardError(f"{path}: an answer of more than {_ANSWER_BYTES_MAX} bytes")
        if response.isclosed() and not response.will_close and len(self._idle) < 16:
            self._idle.append(connection)
        else:
            connection.close()
        return _Answer(response.status, response.headers, body)
    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
    @staticmethod
    def _refused(answer: _Answer) -> Problem:
        status, body = answer.status, None
        try:
            body = json.loads(answer.body)
        except ValueError:
            pass  # a proxy in between, maybe: its words are the detail
        if not isinstance(body, dict):
            body = {"detail": answer.body[:200].decode("utf-8", "replace")}
        kinds = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 412: Conflict}
        kind = Unavailable if status == 429 or status >= 500 else kinds.get(status, InvalidRequest)
        return kind(status, body, _retry_after(answer.headers.get("Retry-After")))

class _Stream:
    """What is read while it is written, once. Close it (or use `with`) when you leave early."""
    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response
    def __enter__(self) -> Any: return self
    def __exit__(self, *_: object) -> None: self.close()
    def close(self) -> None:
        self._response.close()
        self._connection.close()
    def _read(self) -> bytes:
        try:
            return self._response.read1(65536)
        except (OSError, http.client.HTTPException) as error:
            raise StreamFailed(f"it broke off: {error!r}") from error

class JudgeStream(_Stream):
    """A judgement that is heard: iterate over its reasoning; then `result` is what judge() would have
    answered. A stream that breaks off raises StreamFailed, and has judged nothing."""
    result: JudgeResult | None = None
    def __iter__(self) -> Iterator[ReasoningDelta]:
        try:
            for data in map(json.loads, server_sent_data(self._read)):
                if "delta" in data:
                    yield data
                elif "verdicts" in data:
                    self.result = data
                else:
                    raise StreamFailed(str(data.get("detail")), str(data.get("type")).rpartition(":")[2])
            if self.result is None:
                raise StreamFailed("it ended without a verdict")
        finally:
            self.close()

class GuardedStream(_Stream):
    """A streamed completion: iterate over its pieces, once. When the loop has ended without an
    exception the answer is whole: `finish` says how each choice ended, and `stopped` that the guard
    ended one ("content_filter"): what came before it is all there will be. A stream that breaks off
    raises StreamFailed instead."""
    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        super().__init__(connection, response)
        self.finish: dict[int, str] = {}
        self.moderation: Json | None = None  # {"input": ..., "output": ...}, if asked for
        self.usage: Json | None = None
    @property
    def stopped(self) -> bool: return "content_filter" in self.finish.values()
    def __iter__(self) -> Iterator[Piece]:
        try:
            for data in server_sent_data(self._read):
                if data == "[DONE]":
                    if not self.finish:
                        raise StreamFailed("it ended without saying how")
                    return
                try:
                    yield from self._pieces_of(json.loads(data))
                except (ValueError, TypeError, AttributeError) as error:
                    raise StreamFailed(f"no chunk: {data[:80]!r}", "not-understood") from error
            raise StreamFailed("it ended before its end")
        finally:
            self.close()
    def _pieces_of(self, event: Json) -> Iterator[Piece]:
        if event.get("error"):
            problem = event["error"]
            code = str(problem.get("code") or problem.get("type"))
            raise StreamFailed(str(problem.get("message")), code)
        self.moderation = event.get("moderation") or self.moderation
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices") or []:
            index, delta = choice.get("index", 0), choice.get("delta") or {}
            if reasoning := delta.get("reasoning") or delta.get("reasoning_content"):
                yield Piece("reasoning", reasoning, index)
            if delta.get("content"):
                yield Piece("content", delta["content"], index)
            if choice.get("finish_reason"):
                self.finish[index] = choice["finish_reason"]

def server_sent_data(read: Callable[[], bytes]) -> Iterator[str]:
    """The data of each server-sent event, however `read` cuts the bytes; `read` gives b"" at the
    end. An event that the end cuts off is not given."""
    rest = b""
    lines: list[str] = []
    ended_with_cr = False
    while chunk := read():
        if ended_with_cr and chunk.startswith(b"\n"):  # the second half of \r\n
            chunk = chunk[1:]
        ended_with_cr = chunk.endswith(b"\r")
        whole = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *complete, rest = whole.split(b"\n")
        for raw in complete:
            line = raw.decode("utf-8", "replace")
            if line.startswith("data:"):
                lines.append(line[5:].removeprefix(" "))
            elif not line and lines:
                yield "\n".join(lines)
                lines = []
        if len(rest) + sum(map(len, lines)) > _EVENT_BYTES_MAX:
            raise StreamFailed(f"an event of more than {_EVENT_BYTES_MAX} bytes", "too-long")
