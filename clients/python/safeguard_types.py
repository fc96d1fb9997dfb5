"""What safeguard_client's calls take and give, what they raise, and the operations behind them.

Held against the OpenAPI document by the client's tests. Part of the client: copy both files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

__all__ = [
    "Outcome", "Channel", "State", "JobState", "Role", "Json", "Message", "ContentFields",
    "Content", "Evidence", "Verdict", "JudgeResult", "ReasoningDelta", "PolicySummary", "Version", "FinalVerdict",
    "JobTicket", "JobSummary", "ReviewTicket", "Review", "Page", "Published", "Record", "Job",
    "Keyed", "Change", "Judging", "Later", "SafeguardError", "ConnectionFailed", "StreamFailed", "JobFailed",
    "JobUnfinished", "Problem", "InvalidRequest", "NotAllowed", "NotFound", "Conflict", "Unavailable", "Operation",
    "OPERATIONS", "Piece", "worst",
]

Outcome = Literal["violation", "safe", "undetermined"]
Channel = Literal["direct", "active", "canary", "shadow"]
State = Literal["draft", "shadow", "canary", "active", "retired", "shipped"]
JobState = Literal["waiting", "leased", "done", "dead"]
Role = Literal["system", "developer", "user", "assistant", "tool"]
Json = dict[str, Any]

Message = TypedDict("Message", {"role": Role, "content": str})
# Either text (with its role) or messages.
ContentFields = TypedDict("ContentFields", {
    "text": str, "role": Literal["user", "assistant"], "messages": Sequence[Message],
    "id": str, "surface": str, "language": str}, total=False)
Content = str | Sequence[Message] | ContentFields  # a string is a user's message
# Byte offsets, half open, into the text's UTF-8.
Evidence = TypedDict("Evidence", {"start": int, "end": int, "text": str, "message": NotRequired[int]})
# `reason`: why it is undetermined; `score`: 0..1; `reasoning`: never for authors of content.
Verdict = TypedDict("Verdict", {
    "policy": str, "policy_version": str, "policy_hash": str, "outcome": Outcome, "reason": str | None,
    "score": float | None, "category": str, "rule_ids": list[str], "rationale": str,
    "evidence": list[Evidence], "decided_by": str, "timings_ms": dict[str, float],
    "detail": NotRequired[str], "notes": NotRequired[list[str]], "reasoning": NotRequired[str],
    "provisional": NotRequired[bool], "view": NotRequired[str], "confidence": NotRequired[str],
    "tokens": NotRequired[dict[str, int]], "path": NotRequired[list[Json]],
    "settings": NotRequired[dict[str, str]], "model": NotRequired[str], "model_hash": NotRequired[str],
    "channel": NotRequired[Channel]})
JudgeResult = TypedDict("JudgeResult", {"id": NotRequired[str], "verdicts": list[Verdict]})
# What was thought since the one before; without a policy under all of them together.
ReasoningDelta = TypedDict("ReasoningDelta", {"policy": str | None, "policy_version": str | None, "delta": str})
PolicySummary = TypedDict("PolicySummary", {
    "id": str, "source": Literal["store", "shipped"], "active": int | None, "canary": int | None,
    "shadows": list[int], "versions": int, "shipped": NotRequired[dict[str, str]]})
Version = TypedDict("Version", {
    "policy": str, "version": int | str, "state": State, "policy_hash": str, "state_since": NotRequired[str],
    "canary_percent": NotRequired[float], "golden_hash": NotRequired[str], "author": NotRequired[str],
    "created": NotRequired[str], "note": NotRequired[str], "approved_by": NotRequired[str],
    "approved": NotRequired[str], "text": NotRequired[str]})
# A recorded verdict, without its place in the log.
FinalVerdict = TypedDict("FinalVerdict", {
    "when": str, "id": NotRequired[str], "text": NotRequired[str], "messages": NotRequired[list[Message]],
    "surface": NotRequired[str], "language": NotRequired[str], "content_hash": str, "policy": str,
    "policy_version": str, "policy_hash": str, "channel": Channel, "outcome": Outcome, "reason": str | None,
    "score": float | None, "category": str, "rule_ids": list[str], "decided_by": str, "model": str,
    "model_hash": str, "provisional": NotRequired[Json], "changed": NotRequired[Json]})
# `new`: False: the Idempotency-Key was there already.
JobTicket = TypedDict("JobTicket", {"job": str, "new": bool, "id": NotRequired[str]})
# `problem`: of the last attempt, or why it is dead.
JobSummary = TypedDict("JobSummary", {
    "id": str, "kind": Literal["judge"], "state": JobState, "attempts": int, "attempts_max": int,
    "priority": float, "created": str, "changed": str, "due": NotRequired[str], "deadline": NotRequired[str],
    "parent": NotRequired[str], "worker": NotRequired[str], "problem": NotRequired[str]})
ReviewTicket = TypedDict("ReviewTicket", {"review": str, "new": bool})
# `lease`: of the case that next_review has given: decide and release ask for it.
Review = TypedDict("Review", {
    "review": str, "state": JobState, "priority": float, "created": str, "changed": str,
    "reviewer": NotRequired[str], "lease_ends": NotRequired[str], "lease": NotRequired[int],
    "route": NotRequired[str], "policy": NotRequired[str], "policy_version": NotRequired[str],
    "policy_hash": NotRequired[str], "why": NotRequired[str], "id": NotRequired[str],
    "surface": NotRequired[str], "language": NotRequired[str], "messages": NotRequired[list[Message]],
    "decision": NotRequired[Json]})
Page = TypedDict("Page", {"data": list[Any], "next_cursor": str | None})


class Published(Version):
    is_new: bool
    golden_cases: int
    findings: list[Json]


class Record(FinalVerdict):
    sequence: int


class Job(JobSummary):
    verdicts: list[FinalVerdict] | None


# What calls may say beside their arguments; None is as good as nothing. An Idempotency-Key is made
# for each call that needs one. `if_match`: an ETag; only while the policy is still as it was then.
# `account`: whom a canary's percentage follows. `timeout_ms`: after it the answer is undetermined.
# `webhook`: is told, signed. `priority`: higher goes first. `deadline_ms`: then it is given up.
Keyed = TypedDict("Keyed", {"idempotency_key": str | None}, total=False)
Change = TypedDict("Change", {"idempotency_key": str | None, "note": str | None, "if_match": str | None}, total=False)
Judging = TypedDict("Judging", {
    "idempotency_key": str | None, "account": str | None, "timeout_ms": float | None,
    "include_reasoning": bool | None}, total=False)
Later = TypedDict("Later", {
    "idempotency_key": str | None, "account": str | None, "webhook": str | None, "priority": float | None,
    "deadline_ms": float | None}, total=False)


class Piece(NamedTuple):
    """What a stream adds. Reasoning is for practitioners."""

    kind: Literal["content", "reasoning"]
    text: str
    choice: int


def worst(verdicts: Iterable[Verdict]) -> Outcome:
    """violation before undetermined before safe. Of no verdicts: undetermined."""
    outcomes = {verdict["outcome"] for verdict in verdicts}
    if "violation" in outcomes:
        return "violation"
    return "safe" if outcomes == {"safe"} else "undetermined"


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

    def __init__(self, job: Any) -> None:
        super().__init__(f"job {job.get('id', job.get('run'))} is dead: {job.get('problem', '')}")
        self.job = job


class JobUnfinished(SafeguardError):
    """A job is not done yet. It goes on: wait for it again."""


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


class Operation(NamedTuple):
    method: str
    path: str
    keyed: bool = False  # takes an Idempotency-Key


# By the operation ids of the OpenAPI document; a test compares the two. "*": takes an Idempotency-Key.
OPERATIONS: dict[str, Operation] = {name: Operation(method.rstrip("*"), path, method.endswith("*"))
                                    for name, method, path in (line.split() for line in """
judge POST* /v1/judge
judgeBatch POST* /v1/judge/batch
createModeration POST* /v1/moderations
createChatCompletion POST /v1/chat/completions
listModels GET /v1/models
listPolicies GET /v1/policies
publishPolicy POST* /v1/policies
showPolicy GET /v1/policies/{id}
listVersions GET /v1/policies/{id}/versions
publishVersion POST* /v1/policies/{id}/versions
showVersion GET /v1/policies/{id}/versions/{version}
approveVersion POST* /v1/policies/{id}/versions/{version}/approve
promoteVersion POST* /v1/policies/{id}/versions/{version}/promote
rollbackPolicy POST* /v1/policies/{id}/rollback
policyHistory GET /v1/policies/{id}/history
submitJob POST* /v1/jobs
submitJobs POST* /v1/jobs/batch
listJobs GET /v1/jobs
getJob GET /v1/jobs/{id}
retryJob POST* /v1/jobs/{id}/retry
fileReview POST* /v1/reviews
listReviews GET /v1/reviews
nextReview POST /v1/reviews/next
getReview GET /v1/reviews/{id}
decideReview POST /v1/reviews/{id}/decision
releaseReview POST /v1/reviews/{id}/release
uploadDataset POST* /v1/datasets
listDatasets GET /v1/datasets
getDataset GET /v1/datasets/{id}
deleteDataset DELETE /v1/datasets/{id}
startEval POST* /v1/eval/runs
listEvals GET /v1/eval/runs
getEval GET /v1/eval/runs/{id}
evalReport GET /v1/eval/runs/{id}/report
shadowResults GET /v1/policies/{id}/versions/{version}/shadow
listVerdicts GET /v1/verdicts
exportVerdicts GET /v1/verdicts/export
getReceipt GET /v1/verdicts/{id}/receipt
ready GET /readyz
metrics GET /metrics
""".strip().splitlines())}
