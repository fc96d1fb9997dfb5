"""The client against a running service (tests/e2e/clients_test.sh starts it and says where)."""

from __future__ import annotations

import json
import os
import pathlib
import typing
import unittest
from concurrent.futures import ThreadPoolExecutor

import safeguard_client
from safeguard_client import Client, Conflict, InvalidRequest, NotAllowed, NotFound
from safeguard_client import JobFailed, OPERATIONS, worst

URL = os.environ["SAFEGUARD_URL"]  # with a store, without keys
TALKING_URL = os.environ["SAFEGUARD_TALKING_URL"]  # with a reasoner and a key
KEY = os.environ["SAFEGUARD_KEY"]  # may judge and write policies
SECOND_KEY = os.environ["SAFEGUARD_SECOND_KEY"]  # may write policies
EXCEPTIONS = json.loads((pathlib.Path(__file__).parents[1] / "exceptions.json").read_text())
TEAPOTS = "# Teapots\n\n## Violates\n- T1.a Offers or seeks teapots.\n\n## Allowed\n- T0.a Everything else.\n"
SPAM = "Buy 10,000 followers today at www.follow-fast.example"
answered: set[str] = set()
unreachable: set[str] = set()  # what this build of the service keeps no store for


class Watched(Client):
    """Notes which operations the real service has answered."""

    def _answer(self, name, *args, **kwargs):  # type: ignore[no-untyped-def]
        answer = super()._answer(name, *args, **kwargs)
        answered.add(name)
        return answer


def talking_model(client: Client) -> str | None:
    with client:
        return next((m["id"] for m in client.models() if not m["id"].startswith("safeguard-")), None)


def tearDownModule() -> None:
    missing = set(OPERATIONS) - answered - unreachable - {"ready"}  # ready asks without _answer
    if talking_model(Client(TALKING_URL, KEY)) is None:
        print("SKIPPED: this service does not talk; streams are tested against a made-up one alone")
        missing -= {"createChatCompletion"}
    if missing:
        raise AssertionError(f"no test has had an answer to: {sorted(missing)}")


def fields_of(kind: typing.Any) -> dict[str, bool]:
    """A TypedDict's fields, and whether each is required."""
    fields: dict[str, bool] = {}
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        origin = typing.get_origin(hint)
        fields[name] = origin is typing.Required or (
            kind.__total__ and origin is not typing.NotRequired
        )
    return fields


class DocumentTest(unittest.TestCase):
    """The client's tables against the document that the service serves."""

    document: dict[str, typing.Any]

    @classmethod
    def setUpClass(cls) -> None:
        with Client(URL) as client:
            answer = client._send(safeguard_client.Operation("GET", "", False), "/openapi.json", None, {})
        cls.document = json.loads(answer.body)

    def test_every_operation_is_here_or_a_named_exception(self) -> None:
        theirs = {}
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                keyed = any("IdempotencyKey" in p.get("$ref", "") for p in operation.get("parameters", []))
                theirs[operation["operationId"]] = (method.upper(), path, keyed)
        ours = {name: tuple(operation) for name, operation in OPERATIONS.items()}
        wanted = {name: theirs[name] for name in theirs if name not in EXCEPTIONS}
        hint = "add it to both clients, or to clients/exceptions.json with the reason"
        self.assertEqual(ours, wanted, hint)
        self.assertLessEqual(set(EXCEPTIONS), set(theirs), "an exception that is gone")

    def test_types_have_the_fields_of_the_schemas(self) -> None:
        schemas = self.document["components"]["schemas"]
        for kind, schema in TYPES.items():
            with self.subTest(schema):
                fields = fields_of(kind)
                self.assertEqual(set(fields), set(schemas[schema]["properties"]))
                required = {name for name, needed in fields.items() if needed}
                self.assertEqual(required, set(schemas[schema].get("required", [])))


TYPES = {
    safeguard_client.Message: "Message",
    safeguard_client.ContentFields: "Content",
    safeguard_client.Evidence: "Evidence",
    safeguard_client.Verdict: "Verdict",
    safeguard_client.JudgeResult: "JudgeResult",
    safeguard_client.PolicySummary: "PolicySummary",
    safeguard_client.Version: "Version",
    safeguard_client.Record: "Record",
    safeguard_client.FinalVerdict: "FinalVerdict",
    safeguard_client.JobTicket: "JobTicket",
    safeguard_client.JobSummary: "JobSummary",
    safeguard_client.Job: "Job",
    safeguard_client.ReviewTicket: "ReviewTicket",
    safeguard_client.Review: "Review",
    safeguard_client.ReasoningDelta: "ReasoningDelta",
}


class ServiceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Watched(URL)
        self.addCleanup(self.client.close)

    def test_judges_text_conversations_and_batches(self) -> None:
        result = self.client.judge({"text": SPAM, "id": "post-1", "surface": "comment"}, ["spam"])
        self.assertEqual((result["id"], worst(result["verdicts"])), ("post-1", "violation"))
        self.assertEqual(result["verdicts"][0]["evidence"][0]["text"], SPAM)
        talk = [{"role": "user", "content": "Where is the station?"}, {"role": "assistant", "content": "Left."}]
        self.assertEqual(worst(self.client.judge(talk, ["spam"])["verdicts"]), "safe")
        results = self.client.judge_batch([SPAM, {"text": "Bake it.", "id": "b"}], ["spam", "scams"])
        self.assertEqual([len(r["verdicts"]) for r in results], [2, 2])
        self.assertEqual([r.get("id") for r in results], [None, "b"])
        self.assertEqual(worst(results[0]["verdicts"]), "violation")

    def test_judges_by_a_route(self) -> None:
        result = self.client.judge(SPAM, route="comments")
        self.assertEqual((result["route"], result["verdicts"][0]["policy"]), ("comments", "spam"))
        self.assertEqual(len(self.client.judge_batch([SPAM], route="comments")), 1)
        self.assertEqual([route["name"] for route in self.client.routes()], ["comments"])
        self.assertEqual(self.client.route("comments")["counters"]["decided_by_screen"], 2)
        with self.assertRaises(NotFound):
            self.client.judge(SPAM, route="nosuch")
        with self.assertRaises(InvalidRequest):
            self.client.judge(SPAM, ["spam"], route="comments")

    def test_a_judge_that_does_not_think_gives_its_verdict_alone(self) -> None:
        with self.client.judge_stream(SPAM, ["spam"]) as stream:
            self.assertEqual(list(stream), [])
        self.assertEqual(worst(stream.result["verdicts"]), "violation")
        with self.assertRaises(NotFound):
            self.client.judge_stream(SPAM, ["spma"])

    def test_measures_a_policy(self) -> None:
        data = self.client.upload_dataset(f'text,label\n"{SPAM}",1\nBake it for an hour,0\n'.encode(), "two.csv")
        self.assertEqual((data["records"], data["violations"], data["name"]), (2, 1, "two.csv"))
        self.assertIn(data["dataset"], [d["dataset"] for d in self.client.datasets(page_size=1)])
        self.assertEqual(self.client.dataset(data["dataset"])["safe"], 1)
        run = self.client.start_eval(data["dataset"], ["spam"])
        done = self.client.wait_eval(run["run"])
        self.assertEqual((done["reports"][0]["cases"], done["reports"][0]["recall"]), (2, 1.0))
        self.assertIn(run["run"], [r["run"] for r in self.client.eval_runs("done")])
        self.assertEqual(json.loads(self.client.eval_report(run["run"]))["counts"]["cases"], 2)
        self.assertIn("<html", self.client.eval_report(run["run"], "html"))
        with self.assertRaises(Conflict):
            self.client.cancel_eval(run["run"])
        many = "text,label\n" + "".join(f"comment {i} on a long match,{i % 2}\n" for i in range(5000))
        long = self.client.start_eval(self.client.upload_dataset(many.encode(), "many.csv")["dataset"], ["spam"])
        self.assertEqual(self.client.cancel_eval(long["run"])["state"], "cancelled")
        with self.assertRaises(JobFailed):
            self.client.wait_eval(long["run"])
        self.assertIn(long["run"], [r["run"] for r in self.client.eval_runs("cancelled")])
        self.client.delete_dataset(data["dataset"])
        with self.assertRaises(NotFound):
            self.client.start_eval(data["dataset"], ["spam"])
        with self.assertRaises(InvalidRequest):
            self.client.upload_dataset(b"no labels here", "x.csv")
        foreign, mapping = b"said,ruling\nHi,kept\nBuy now,out\n", {"text": "said", "label": "ruling", "positive": ["out"]}
        data = self.client.upload_dataset(foreign, "foreign.csv", mapping)
        self.assertEqual((data["violations"], data["mapping"]), (1, mapping))
        with self.assertRaises(InvalidRequest):
            self.client.upload_dataset(foreign, "foreign.csv", {**mapping, "text": "says"})

    def test_a_shadow_stands_beside_what_was_answered(self) -> None:
        self.client.publish(TEAPOTS, id="shadowed-py")
        self.client.promote("shadowed-py", 1, "active")
        self.client.publish(TEAPOTS.replace("seeks", "wants"), id="shadowed-py")
        self.client.promote("shadowed-py", 2, "shadow")
        self.client.judge("a blue teapot", ["shadowed-py"])
        results = self.client.shadow_results("shadowed-py", 2, since="2020-01-01T00:00:00Z")
        self.assertEqual((results["state"], results["complete"]), ("shadow", True))

    def test_what_was_not_judged_is_not_safe(self) -> None:
        verdicts = self.client.judge("", ["spam"])["verdicts"]
        self.assertEqual((worst(verdicts), verdicts[0]["reason"]), ("undetermined", "empty_content"))
        self.assertEqual(worst([]), "undetermined")

    def test_moderates_in_openais_shape(self) -> None:
        answer = self.client.moderate([SPAM, "Bake it for an hour."], policies=["spam"])
        self.assertEqual([r["categories"]["spam"] for r in answer["results"]], [True, False])
        self.assertEqual(len(self.client.moderate("Hello")["results"][0]["categories"]), 13)

    def test_a_policys_life(self) -> None:
        first = self.client.publish(TEAPOTS, id="teapots-py", note="first")
        self.assertEqual((first["version"], first["state"], first["is_new"]), (1, "draft", True))
        tag = self.client.policy_etag("teapots-py")
        self.assertEqual(self.client.promote("teapots-py", 1, "active", if_match=tag)["state"], "active")
        with self.assertRaises(Conflict) as caught:
            self.client.promote("teapots-py", 1, "retired", if_match=tag)
        self.assertEqual(caught.exception.status, 412)
        self.assertEqual(worst(self.client.judge("Lovely blue teapots for sale", ["teapots-py"])["verdicts"]), "violation")
        second = self.client.publish("---\nid: teapots-py\n---\n" + TEAPOTS.replace("seeks", "wants"))
        self.assertEqual((second["policy"], second["version"]), ("teapots-py", 2))
        self.assertEqual(self.client.promote("teapots-py", 2, "canary", percent=10)["canary_percent"], 10)
        self.client.promote("teapots-py", 2, "active")
        self.assertEqual(self.client.rollback("teapots-py", note="too strict")["version"], 1)
        self.assertEqual(self.client.policy("teapots-py")["active"], 1)
        self.assertEqual([v["version"] for v in self.client.versions("teapots-py")], [2, 1])
        self.assertIn("teapots", self.client.version("teapots-py", 1).get("text", ""))
        self.assertEqual(self.client.history("teapots-py")[0]["why"], "first")
        with self.assertRaises(Conflict):  # one's own
            self.client.approve("teapots-py", 1)
        self.assertIn("teapots-py", [p["id"] for p in self.client.policies(page_size=3)])

    def test_searches_recorded_verdicts_by_cursor(self) -> None:
        self.client.publish(TEAPOTS, id="logged-py")
        self.client.promote("logged-py", 1, "active")
        for text in ("a teapot", "a blue teapot", "bread", "more bread", "a red teapot"):
            self.client.judge(text, ["logged-py"])
        page = self.client.verdict_page(policy="logged-py", limit=2)
        self.assertEqual(len(page["data"]), 2)
        rest = list(self.client.verdicts(policy="logged-py", cursor=page["next_cursor"], page_size=2))
        sequences = [record["sequence"] for record in page["data"] + rest]
        self.assertEqual((len(sequences), sequences), (5, sorted(set(sequences))))
        found = list(self.client.verdicts(policy="logged-py", outcome="violation", since="2020-01-01T00:00:00Z"))
        self.assertTrue(found and all(record["outcome"] == "violation" for record in found))
        self.assertEqual(list(self.client.verdicts(policy="logged-py", until="2020-01-01T00:00:00Z")), [])
        exported = list(self.client.export_verdicts(policy="logged-py", since="2020-01-01T00:00:00Z", page_size=2))
        self.assertEqual([record["sequence"] for record in exported], sequences)
        receipt = self.client.receipt(sequences[0])
        self.assertEqual(receipt["content"]["hash"], exported[0]["content_hash"])

    def needs(self, kept: str, listed: typing.Callable[[], typing.Iterable[object]]) -> None:
        """Skips, loudly, where the service has the paths but keeps nothing behind them."""
        try:
            list(listed())
        except Conflict as problem:
            if problem.code != "no-store":
                raise
            unreachable.update(name for name in OPERATIONS if kept in name)
            print(f"SKIPPED: {problem.detail}, though it has a data folder")
            self.skipTest(problem.detail)

    def test_judges_later(self) -> None:
        self.needs("Job", self.client.jobs)
        ticket = self.client.submit({"text": SPAM, "id": "post-2"}, ["spam"], priority=1, idempotency_key="later-py")
        self.assertEqual((ticket["new"], ticket["id"]), (True, "post-2"))
        job = self.client.wait(ticket["job"])
        self.assertEqual([v["outcome"] for v in job["verdicts"] or []], ["violation"])
        tickets = self.client.submit_batch([SPAM, "Bake it."], ["spam"])
        done = [self.client.wait(t["job"])["verdicts"] or [] for t in tickets]
        self.assertEqual([v[0]["outcome"] for v in done], ["violation", "safe"])
        self.assertLessEqual({t["job"] for t in tickets}, {j["id"] for j in self.client.jobs("done", page_size=1)})
        with self.assertRaises(NotFound):
            self.client.wait("j00000000000000000000")
        late = self.client.submit("hello", ["spam"], deadline_ms=1)
        try:
            self.client.wait(late["job"])
        except JobFailed as failed:
            self.assertEqual(failed.job["state"], "dead")
            self.client.retry_job(late["job"])
        with self.assertRaises(Conflict):  # done, or begun again a moment ago
            self.client.retry_job(ticket["job"])

    def test_people_decide(self) -> None:
        self.needs("Review", self.client.reviews)
        filed = self.client.file_review(SPAM, "spam", why="reported twice", priority=5)
        self.assertIn(filed["review"], [r["review"] for r in self.client.reviews("waiting", page_size=1)])
        case = self.client.next_review(lease_ms=60_000)
        assert case is not None
        self.assertEqual((case["review"], case["messages"][0]["content"]), (filed["review"], SPAM))
        self.client.release(case["review"], case["lease"])
        with self.assertRaises(Conflict):
            self.client.decide(case["review"], case["lease"], "safe")
        again = self.client.next_review()
        assert again is not None
        self.client.decide(again["review"], again["lease"], "violation", rule_ids=["SP3.d"], note="sells followers")
        self.assertEqual(self.client.review(filed["review"])["decision"]["outcome"], "violation")
        self.assertIsNone(self.client.next_review())

    def test_the_same_key_is_answered_once(self) -> None:
        made = [self.client.publish(TEAPOTS, id="once-py", idempotency_key="k1") for _ in range(2)]
        self.assertEqual([m["is_new"] for m in made], [True, True])  # the second is the first's answer
        with self.assertRaises(InvalidRequest) as caught:
            self.client.publish(TEAPOTS + "\n", id="once-py", idempotency_key="k1")
        self.assertEqual((caught.exception.status, caught.exception.code), (422, "idempotency-key-reused"))

    def test_problems_say_what_and_where(self) -> None:
        with self.assertRaises(NotFound) as caught:
            self.client.judge("hello", ["spma"])
        problem = caught.exception
        self.assertEqual((problem.code, problem.pointer), ("unknown-policy", "/policies"))
        self.assertTrue(problem.hint and problem.request_id in str(problem))
        with self.assertRaises(InvalidRequest):
            self.client.judge("hello", ["spam"], timeout_ms=-1)
        with self.assertRaises(NotFound):
            self.client.policy("a/b?c#d e")  # a name, not a path
        with self.assertRaises(ValueError):
            self.client.policy("")

    def test_names_a_tenant(self) -> None:
        with Client(URL, tenant="default") as ours:
            self.assertEqual(len(ours.judge("hello", ["spam"])["verdicts"]), 1)
        with self.assertRaises(NotFound) as caught, Client(URL, tenant="nobody") as theirs:
            theirs.judge("hello", ["spam"])
        self.assertEqual(caught.exception.code, "unknown-tenant")

    def test_is_used_by_several_threads(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda n: self.client.judge({"text": f"number {n}", "id": str(n)}, ["spam"]), range(64)))
        self.assertEqual([r["id"] for r in results], [str(n) for n in range(64)])

    def test_watches_the_service(self) -> None:
        self.assertTrue(self.client.ready())
        self.assertIn("safety_unscanned_total", self.client.metrics())
        self.assertTrue(any(m["id"] == "safeguard-screen" for m in self.client.models()))
        self.assertFalse(Client("http://127.0.0.1:9").ready())


class TalkingServiceTest(unittest.TestCase):
    """A reasoner of random weights, behind a key."""

    def setUp(self) -> None:
        self.client = Watched(TALKING_URL, KEY)
        self.addCleanup(self.client.close)
        self.ask: list[safeguard_client.Message] = [{"role": "user", "content": "hello"}]

    def test_talks_whole_and_streamed(self) -> None:
        model = talking_model(self.client)
        if model is None:
            self.skipTest("this service does not talk")
        answer = self.client.chat(model, self.ask, max_completion_tokens=6, temperature=0)
        with self.client.chat_stream(model, self.ask, max_completion_tokens=6, temperature=0) as stream:
            pieces = list(stream)
        choice = answer["choices"][0]
        for kind, text in (("content", choice["message"]["content"]), ("reasoning", choice["message"]["reasoning"])):
            self.assertEqual("".join(p.text for p in pieces if p.kind == kind), text)
        self.assertEqual(stream.finish, {0: choice["finish_reason"]})
        self.assertFalse(stream.stopped)

    def test_thinks_aloud(self) -> None:
        with self.client.judge_stream("hello", ["spam"], timeout_ms=20_000, include_reasoning=True) as stream:
            heard = "".join(piece["delta"] for piece in stream)
        verdict = stream.result["verdicts"][0]
        # Random weights need not think in words: what was heard is then nothing, as in the verdict.
        if verdict["reason"] != "timeout":
            self.assertEqual(verdict.get("reasoning", ""), heard)

    def test_a_refused_stream_is_a_problem(self) -> None:
        with self.assertRaises(NotFound):
            self.client.chat_stream("no-such-model", self.ask)

    def test_keys(self) -> None:
        with self.assertRaises(NotAllowed) as caught:
            self.client.verdict_page()
        self.assertEqual((caught.exception.status, caught.exception.code), (403, "scope-missing"))
        self.client.publish(TEAPOTS, id="teapots-py")
        with Watched(TALKING_URL, SECOND_KEY) as second:
            approved = second.approve("teapots-py", 1, note="read twice")
        self.assertEqual(approved["approved_by"], "second")
        with self.assertRaises(NotAllowed) as caught, Client(TALKING_URL, "sg_wrong") as stranger:
            stranger.judge("hello")
        self.assertEqual(caught.exception.status, 401)


if __name__ == "__main__":
    unittest.main()
