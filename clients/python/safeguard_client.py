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

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NotRequired, Required, TypedDict, cast
from urllib.parse import quote, urlencode, urlsplit

__version__ = "1.0.0"

Outcome = Literal["violation", "safe", "undetermined"]
Channel = Literal["direct", "active", "canary", "shadow"]
State = Literal["draft", "shadow", "canary", "active", "retired", "shipped"]
JobState = Literal["waiting", "leased", "done", "dead"]


class Message(TypedDict):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str


class ContentFields(TypedDict, total=False):
    """Either text (with its role) or messages."""

    text: str
    role: Literal["user", "assistant"]
    messages: Sequence[Message]
    id: str
    surface: str
    language: str


# A string is a user's message, a sequence of messages a conversation.
Content = str | Sequence[Message] | ContentFields


class Evidence(TypedDict):
    """Byte offsets, half open, into the text's UTF-8."""

    start: int
    end: int
    text: str
    message: NotRequired[int]


class Verdict(TypedDict, total=False):
    policy: Required[str]
    policy_version: Required[str]
    policy_hash: Required[str]
    outcome: Required[Outcome]
    reason: Required[str | None]  # why it is undetermined
    score: Required[float | None]  # 0..1
    category: Required[str]
    rule_ids: Required[list[str]]
    rationale: Required[str]
    evidence: Required[list[Evidence]]
    decided_by: Required[str]
    timings_ms: Required[dict[str, float]]
    detail: str
    notes: list[str]
    reasoning: str  # for practitioners, never for authors of content
    provisional: bool
    view: str
    confidence: str
    tokens: dict[str, int]
    path: list[dict[str, Any]]
    settings: dict[str, str]
    model: str
    model_hash: str
    channel: Channel


class JudgeResult(TypedDict):
    id: NotRequired[str]
    verdicts: list[Verdict]


class PolicySummary(TypedDict):
    id: str
    source: Literal["store", "shipped"]
    active: int | None
    canary: int | None
    shadows: list[int]
    versions: int
    shipped: NotRequired[dict[str, str]]


class Version(TypedDict, total=False):
    policy: Required[str]
    version: Required[int | str]
    state: Required[State]
    policy_hash: Required[str]
    state_since: str
    canary_percent: float
    golden_hash: str
    author: str
    created: str
    note: str
    approved_by: str
    approved: str
    text: str


class Published(Version):
    is_new: bool
    golden_cases: int
    findings: list[dict[str, Any]]


class FinalVerdict(TypedDict, total=False):
    """A recorded verdict, without its place in the log."""

    when: Required[str]
    id: str
    text: str
    messages: list[Message]
    surface: str
    language: str
    content_hash: Required[str]
    policy: Required[str]
    policy_version: Required[str]
    policy_hash: Required[str]
    channel: Required[Channel]
    outcome: Required[Outcome]
    reason: Required[str | None]
    score: Required[float | None]
    category: Required[str]
    rule_ids: Required[list[str]]
    decided_by: Required[str]
    model: Required[str]
    model_hash: Required[str]
    provisional: dict[str, Any]
    changed: dict[str, Any]


class Record(FinalVerdict, total=False):
    sequence: Required[int]


class JobTicket(TypedDict):
    job: str
    new: bool  # False: the Idempotency-Key was there already
    id: NotRequired[str]


class JobSummary(TypedDict):
    id: str
    kind: Literal["judge"]
    state: JobState
    attempts: int
    attempts_max: int
    priority: float
    created: str
    changed: str
    due: NotRequired[str]
    deadline: NotRequired[str]
    parent: NotRequired[str]
    worker: NotRequired[str]
    problem: NotRequired[str]  # of the last attempt, or why it is dead


class Job(JobSummary):
    verdicts: list[FinalVerdict] | None


class ReviewTicket(TypedDict):
    review: str
    new: bool


class Review(TypedDict, total=False):
    review: Required[str]
    state: Required[JobState]
    priority: Required[float]
    created: Required[str]
    changed: Required[str]
    reviewer: str
    lease_ends: str
    lease: int  # of the case that next_review has given: decide and release ask for it
    policy: str
    policy_version: str
    policy_hash: str
    why: str
    id: str
    surface: str
    language: str
    messages: list[Message]
    decision: dict[str, Any]


class Page(TypedDict):
    data: list[Any]
    next_cursor: str | None


class SafeguardError(Exception):
    """All that this module raises, but for wrong arguments."""


class ConnectionFailed(SafeguardError):
    """No answer, or none to its end. Whether a change was made is known only to the service."""


class StreamFailed(SafeguardError):
    """A stream ended with an error, or before its end: what came of it is not an answer."""

    def __init__(self, message: str, code: str = "stream-cut") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class JobFailed(SafeguardError):
    """A job is dead: nothing was judged, which is not "safe". `job` says why."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job['id']} is dead: {job.get('problem', '')}")
        self.job = job


class JobUnfinished(SafeguardError):
    """A job is not done yet. It goes on: wait for it again."""


class Problem(SafeguardError):
    """Problem details (RFC 9457): what is wrong, and what to do about it."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float | None) -> None:
        self.status = status
        self.code = str(body.get("type", "")).rpartition(":")[2] or f"http-{status}"
        self.detail = str(body.get("detail", ""))
        self.hint = str(body.get("hint", ""))
        self.pointer = str(body.get("pointer", ""))  # RFC 6901: which field it is
        self.request_id = str(body.get("request_id", ""))
        self.retry_after = retry_after  # seconds
        parts = [f"{status} {self.code}: {self.detail}", self.pointer and f"at {self.pointer}"]
        super().__init__("; ".join(p for p in [*parts, self.hint, self.request_id] if p))


class InvalidRequest(Problem):
    """400, 413, 415, 421, 422 and other statuses of a request that will never be taken."""


class NotAllowed(Problem):
    """401 and 403: the key is missing, unknown, or has not the scope."""


class NotFound(Problem):
    """404."""


class Conflict(Problem):
    """409 and 412: it is not as you last saw it."""


class Unavailable(Problem):
    """429 and 5xx, after all retries: nothing was judged, which is not "safe"."""


def _problem(status: int, body: Mapping[str, Any], retry_after: float | None) -> Problem:
    kinds = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 412: Conflict}
    kind = Unavailable if status == 429 or status >= 500 else kinds.get(status, InvalidRequest)
    return kind(status, body, retry_after)


class Operation(NamedTuple):
    method: str
    path: str
    keyed: bool = False  # takes an Idempotency-Key


# By the operation ids of the OpenAPI document; a test compares the two.
OPERATIONS: dict[str, Operation] = {
    "judge": Operation("POST", "/v1/judge", True),
    "judgeBatch": Operation("POST", "/v1/judge/batch", True),
    "createModeration": Operation("POST", "/v1/moderations", True),
    "createChatCompletion": Operation("POST", "/v1/chat/completions"),
    "listModels": Operation("GET", "/v1/models"),
    "listPolicies": Operation("GET", "/v1/policies"),
    "publishPolicy": Operation("POST", "/v1/policies", True),
    "showPolicy": Operation("GET", "/v1/policies/{id}"),
    "listVersions": Operation("GET", "/v1/policies/{id}/versions"),
    "publishVersion": Operation("POST", "/v1/policies/{id}/versions", True),
    "showVersion": Operation("GET", "/v1/policies/{id}/versions/{version}"),
    "approveVersion": Operation("POST", "/v1/policies/{id}/versions/{version}/approve", True),
    "promoteVersion": Operation("POST", "/v1/policies/{id}/versions/{version}/promote", True),
    "rollbackPolicy": Operation("POST", "/v1/policies/{id}/rollback", True),
    "policyHistory": Operation("GET", "/v1/policies/{id}/history"),
    "submitJob": Operation("POST", "/v1/jobs", True),
    "submitJobs": Operation("POST", "/v1/jobs/batch", True),
    "listJobs": Operation("GET", "/v1/jobs"),
    "getJob": Operation("GET", "/v1/jobs/{id}"),
    "retryJob": Operation("POST", "/v1/jobs/{id}/retry", True),
    "fileReview": Operation("POST", "/v1/reviews", True),
    "listReviews": Operation("GET", "/v1/reviews"),
    "nextReview": Operation("POST", "/v1/reviews/next"),
    "getReview": Operation("GET", "/v1/reviews/{id}"),
    "decideReview": Operation("POST", "/v1/reviews/{id}/decision"),
    "releaseReview": Operation("POST", "/v1/reviews/{id}/release"),
    "listVerdicts": Operation("GET", "/v1/verdicts"),
    "exportVerdicts": Operation("GET", "/v1/verdicts/export"),
    "ready": Operation("GET", "/readyz"),
    "metrics": Operation("GET", "/metrics"),
}

_ANSWER_BYTES_MAX = 64 << 20
_EVENT_BYTES_MAX = 1 << 20


def worst(verdicts: Iterable[Verdict]) -> Outcome:
    """violation before undetermined before safe. Of no verdicts: undetermined."""
    outcomes = {verdict["outcome"] for verdict in verdicts}
    if "violation" in outcomes:
        return "violation"
    return "safe" if outcomes == {"safe"} else "undetermined"


def _fields(content: Content) -> dict[str, Any]:
    if isinstance(content, str):
        return {"text": content}
    if isinstance(content, Mapping):
        return dict(content)
    return {"messages": list(content)}


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _retry_after(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdecimal() else None


class _Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """Thread-safe. `timeout` is that of one attempt, in seconds; `retries` come on top of the first
    attempt, with random waits of at most `wait_max` seconds or what Retry-After says; a Retry-After
    beyond `wait_max` is not waited for but raised."""

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8080",
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        wait_max: float = 10.0,
        tls: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError(f"not the address of a service: {base_url!r}")
        self._host, self._port = url.hostname, url.port
        self._path = url.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if url.scheme == "https" else None
        self._headers = {"User-Agent": f"safeguard-python/{__version__}"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout, self._retries, self._wait_max = timeout, retries, wait_max
        self._sleep = sleep
        self._idle: list[http.client.HTTPConnection] = []  # append and pop are atomic

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    # -- judging --

    def judge(
        self,
        content: Content,
        policies: Sequence[str] | None = None,
        *,
        account: str | None = None,
        timeout_ms: float | None = None,
        include_reasoning: bool | None = None,
        idempotency_key: str | None = None,
    ) -> JudgeResult:
        """One verdict a policy; without `policies` of every policy that ships or is active."""
        body = _fields(content) | _given(policies=policies, account=account, timeout_ms=timeout_ms)
        body |= _given(include_reasoning=include_reasoning)
        return cast(JudgeResult, self._call("judge", body=body, key=idempotency_key))

    def judge_batch(
        self,
        contents: Sequence[Content],
        policies: Sequence[str] | None = None,
        *,
        account: str | None = None,
        timeout_ms: float | None = None,
        include_reasoning: bool | None = None,
        idempotency_key: str | None = None,
    ) -> list[JudgeResult]:
        """One result a content, in order; at most 256 contents."""
        body: dict[str, Any] = {"contents": [_fields(content) for content in contents]}
        body |= _given(policies=policies, account=account, timeout_ms=timeout_ms)
        body |= _given(include_reasoning=include_reasoning)
        answer = self._call("judgeBatch", body=body, key=idempotency_key)
        return cast(list[JudgeResult], answer["results"])

    def moderate(
        self,
        texts: str | Sequence[str],
        *,
        policies: Sequence[str] | None = None,
        on_undetermined: Literal["flag", "error", "pass"] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """OpenAI's moderation shape; `policies` are own ones beside its 13 categories."""
        safety = _given(policies=policies, on_undetermined=on_undetermined)
        body: dict[str, Any] = {"input": texts if isinstance(texts, str) else list(texts)}
        body |= {"safety": safety} if safety else {}
        return self._call("createModeration", body=body, key=idempotency_key)

    # -- judging later --

    def submit(
        self,
        content: Content,
        policies: Sequence[str] | None = None,
        *,
        account: str | None = None,
        webhook: str | None = None,
        priority: float | None = None,
        deadline_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> JobTicket:
        """What is answered is on the service's disk and is seen through. Higher priorities first."""
        body = _fields(content) | _given(policies=policies, account=account, webhook=webhook)
        body |= _given(priority=priority, deadline_ms=deadline_ms)
        return cast(JobTicket, self._call("submitJob", body=body, key=idempotency_key))

    def submit_batch(
        self,
        contents: Sequence[Content],
        policies: Sequence[str] | None = None,
        *,
        account: str | None = None,
        webhook: str | None = None,
        priority: float | None = None,
        deadline_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> list[JobTicket]:
        """One job a content, at most 256; all are kept or none."""
        body: dict[str, Any] = {"contents": [_fields(content) for content in contents]}
        body |= _given(policies=policies, account=account, webhook=webhook)
        body |= _given(priority=priority, deadline_ms=deadline_ms)
        answer = self._call("submitJobs", body=body, key=idempotency_key)
        return cast(list[JobTicket], answer["data"])

    def job(self, id: str) -> Job:
        return cast(Job, self._call("getJob", {"id": id}))

    def jobs(self, state: JobState | None = None, page_size: int = 50) -> Iterator[JobSummary]:
        return self._pages("listJobs", _given(state=state), page_size)

    def wait(self, id: str, timeout: float = 60.0) -> Job:
        """Asks for a job until it is done, 0.1 to 2 seconds apart. Raises JobFailed when it is dead
        and JobUnfinished after `timeout` seconds."""
        end, pause = time.monotonic() + timeout, 0.1
        while True:
            job = self.job(id)
            if job["state"] == "done":
                return job
            if job["state"] == "dead":
                raise JobFailed(job)
            if time.monotonic() + pause > end:
                raise JobUnfinished(f"job {id} is {job['state']} after {timeout:g} s")
            self._sleep(pause)
            pause = min(2 * pause, 2.0)

    def retry_job(self, id: str, *, idempotency_key: str | None = None) -> Job:
        """Begins a dead job again."""
        return cast(Job, self._call("retryJob", {"id": id}, key=idempotency_key))

    # -- people --

    def file_review(
        self,
        content: Content,
        policy: str,
        *,
        why: str | None = None,
        priority: float | None = None,
        idempotency_key: str | None = None,
    ) -> ReviewTicket:
        body = _fields(content) | _given(policy=policy, why=why, priority=priority)
        return cast(ReviewTicket, self._call("fileReview", body=body, key=idempotency_key))

    def reviews(self, state: JobState | None = None, page_size: int = 50) -> Iterator[Review]:
        """In the order they were filed, without content."""
        return self._pages("listReviews", _given(state=state), page_size)

    def review(self, id: str) -> Review:
        return cast(Review, self._call("getReview", {"id": id}))

    def next_review(self, lease_ms: float | None = None) -> Review | None:
        """Takes the most urgent case for a while; None when there is none."""
        answer = self._answer("nextReview", body=_given(lease_ms=lease_ms))
        return None if answer.status == 204 else cast(Review, json.loads(answer.body))

    def decide(
        self,
        review: str,
        lease: int,
        outcome: Literal["violation", "safe"],
        *,
        rule_ids: Sequence[str] | None = None,
        note: str | None = None,
    ) -> Review:
        body = {"lease": lease, "outcome": outcome} | _given(rule_ids=rule_ids, note=note)
        return cast(Review, self._call("decideReview", {"id": review}, body=body))

    def release(self, review: str, lease: int) -> Review:
        """Gives a case back, for somebody else."""
        return cast(Review, self._call("releaseReview", {"id": review}, body={"lease": lease}))

    # -- chat: the reasoner, or a guarded upstream --

    def models(self) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._call("listModels")["data"])

    def chat(self, model: str, messages: Sequence[Message], **fields: Any) -> dict[str, Any]:
        """A whole completion. `fields` are those of POST /v1/chat/completions."""
        body = {"model": model, "messages": list(messages)} | fields | {"stream": False}
        return self._call("createChatCompletion", body=body)

    def chat_stream(self, model: str, messages: Sequence[Message], **fields: Any) -> GuardedStream:
        """The same as it is written; through a guarding proxy, as it is judged. Never retried once
        anything was sent."""
        body = {"model": model, "messages": list(messages)} | fields | {"stream": True}
        connection = self._connect()
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        operation = OPERATIONS["createChatCompletion"]
        try:
            payload, path = json.dumps(body).encode(), self._path + operation.path
            connection.request(operation.method, path, payload, self._headers | headers)
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
        return GuardedStream(connection, response)

    # -- policies --

    def policies(self, page_size: int = 50) -> Iterator[PolicySummary]:
        return self._pages("listPolicies", {}, page_size)

    def policy(self, id: str) -> PolicySummary:
        return cast(PolicySummary, self._call("showPolicy", {"id": id}))

    def policy_etag(self, id: str) -> str:
        """For `if_match`: the change is made only while the policy is as it was now."""
        return str(self._answer("showPolicy", {"id": id}).headers["ETag"])

    def versions(self, id: str) -> list[Version]:
        """Newest first."""
        return cast(list[Version], self._call("listVersions", {"id": id})["data"])

    def version(self, id: str, version: int | str) -> Version:
        """With its text; `version` may be "shipped"."""
        return cast(Version, self._call("showVersion", {"id": id, "version": str(version)}))

    def publish(
        self,
        text: str,
        *,
        id: str | None = None,
        golden: str | None = None,
        note: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """A new draft; without `id` of the policy that the text names."""
        body = {"text": text} | _given(golden=golden, note=note)
        name, values = ("publishPolicy", {}) if id is None else ("publishVersion", {"id": id})
        answer = self._call(name, values, body=body, if_match=if_match, key=idempotency_key)
        return cast(Published, answer)

    def approve(
        self, id: str, version: int, *, note: str | None = None, idempotency_key: str | None = None
    ) -> Version:
        values = {"id": id, "version": str(version)}
        answer = self._call("approveVersion", values, body=_given(note=note), key=idempotency_key)
        return cast(Version, answer)

    def promote(
        self,
        id: str,
        version: int,
        to: State,
        *,
        percent: float | None = None,
        note: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Version:
        values = {"id": id, "version": str(version)}
        body = {"to": to} | _given(percent=percent, note=note)
        answer = self._call(
            "promoteVersion", values, body=body, if_match=if_match, key=idempotency_key
        )
        return cast(Version, answer)

    def rollback(
        self,
        id: str,
        *,
        note: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Version:
        """Makes active again what was active before."""
        body = _given(note=note)
        answer = self._call(
            "rollbackPolicy", {"id": id}, body=body, if_match=if_match, key=idempotency_key
        )
        return cast(Version, answer)

    def history(self, id: str) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._call("policyHistory", {"id": id})["data"])

    # -- the verdict log --

    def verdict_page(
        self,
        *,
        policy: str | None = None,
        version: str | None = None,
        channel: Channel | None = None,
        outcome: Outcome | None = None,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Oldest first. `since` and `until` are RFC 3339 times."""
        query = _given(policy=policy, version=version, channel=channel, outcome=outcome)
        query |= _given(until=until, cursor=cursor, limit=limit, **{"from": since})
        return cast(Page, self._call("listVerdicts", query=query))

    def verdicts(self, *, page_size: int = 200, **search: Any) -> Iterator[Record]:
        """All that a search finds; it takes the arguments of verdict_page."""
        cursor: str | None = search.pop("cursor", None)
        while True:
            page = self.verdict_page(cursor=cursor, limit=page_size, **search)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def export_verdicts(self, *, page_size: int = 1000, **search: Any) -> Iterator[Record]:
        """The same in large pieces, of JSON lines: for a warehouse. Its last record's `sequence` is
        the `cursor` to go on from another day."""
        query = _given(**search, limit=page_size)
        if "since" in query:
            query["from"] = query.pop("since")
        while True:
            answer = self._answer("exportVerdicts", query=query)
            for line in answer.body.splitlines():
                yield cast(Record, json.loads(line))
            if answer.headers["X-End"] == "true":
                return
            query["cursor"] = answer.headers["X-Next-Cursor"]

    # -- the service itself --

    def ready(self) -> bool:
        """Whether it takes work; False as well when nobody answers."""
        operation = OPERATIONS["ready"]
        try:
            return self._send(operation, self._path + operation.path, None, {}).status == 200
        except ConnectionFailed:
            return False

    def metrics(self) -> str:
        """Prometheus text."""
        return self._answer("metrics").body.decode()

    # -- plumbing --

    def _pages(self, name: str, query: Mapping[str, Any], page_size: int) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self._call(name, query={**query, "limit": page_size} | _given(cursor=cursor))
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(
        self, name: str, values: Mapping[str, str] | None = None, **request: Any
    ) -> dict[str, Any]:
        body = self._answer(name, values, **request).body
        try:
            return cast(dict[str, Any], json.loads(body))
        except ValueError as error:
            raise SafeguardError(f"{name}: no answer of safeguard: {body[:80]!r}") from error

    def _answer(
        self,
        name: str,
        values: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> _Answer:
        operation = OPERATIONS[name]
        path = self._path + operation.path
        for part, value in (values or {}).items():
            if not value:
                raise ValueError(f"{name}: {part} is empty")
            path = path.replace("{" + part + "}", quote(value, safe=""))
        if query:
            path += "?" + urlencode(query)
        headers = {} if if_match is None else {"If-Match": if_match}
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode()
        if operation.keyed:
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        answer = self._attempts(operation, path, payload, headers)
        if not 200 <= answer.status < 300:
            raise self._refused(answer)
        return answer

    def _attempts(
        self, operation: Operation, path: str, payload: bytes | None, headers: Mapping[str, str]
    ) -> _Answer:
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

    def _send(
        self,
        operation: Operation,
        path: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        fresh: bool = True,
    ) -> _Answer:
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
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=self._tls
        )

    @staticmethod
    def _refused(answer: _Answer) -> Problem:
        try:
            body = json.loads(answer.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):  # a proxy in between, maybe
            body = {"detail": answer.body[:200].decode("utf-8", "replace")}
        return _problem(answer.status, body, _retry_after(answer.headers.get("Retry-After")))


@dataclass(frozen=True)
class Piece:
    """What a stream adds. Reasoning is for practitioners."""

    kind: Literal["content", "reasoning"]
    text: str
    choice: int


class GuardedStream:
    """A streamed completion: iterate over its pieces, once.

    When the loop has ended without an exception the answer is whole: `finish` says how each choice
    ended, and `stopped` that the guard ended one ("content_filter"): what came before it is all
    there will be. A stream that breaks off raises StreamFailed instead. Close it (or use `with`)
    when you leave early.
    """

    def __init__(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection, self._response = connection, response
        self.finish: dict[int, str] = {}
        self.moderation: dict[str, Any] | None = None  # {"input": ..., "output": ...}, if asked for
        self.usage: dict[str, Any] | None = None

    @property
    def stopped(self) -> bool:
        return "content_filter" in self.finish.values()

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def __enter__(self) -> GuardedStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Piece]:
        try:
            for data in server_sent_data(self._read):
                if data == "[DONE]":
                    if not self.finish:
                        raise StreamFailed("it ended without saying how")
                    return
                yield from self._pieces(data)
            raise StreamFailed("it ended before its end")
        finally:
            self.close()

    def _read(self) -> bytes:
        try:
            return self._response.read1(65536)
        except (OSError, http.client.HTTPException) as error:
            raise StreamFailed(f"it broke off: {error!r}") from error

    def _pieces(self, data: str) -> Iterator[Piece]:
        try:
            event = json.loads(data)
            yield from self._pieces_of(event)
        except (ValueError, TypeError, AttributeError) as error:
            raise StreamFailed(f"no chunk: {data[:80]!r}", "not-understood") from error

    def _pieces_of(self, event: dict[str, Any]) -> Iterator[Piece]:
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
