"""The client against a server that misbehaves on purpose."""

from __future__ import annotations

import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import safeguard_client
from safeguard_client import Client, ConnectionFailed, JobFailed, JobUnfinished, Problem, SafeguardError, StreamFailed, Unavailable


class Script(BaseHTTPRequestHandler):
    """Answers with what `answers` says, in turn; notes what came."""

    protocol_version = "HTTP/1.1"
    answers: list[tuple[int, dict[str, str], bytes]] = []
    came: list[dict[str, str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.came.append({name.lower(): value for name, value in self.headers.items()})
        status, headers, body = self.answers.pop(0)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


class MisbehavingServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.waits: list[float] = []
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.client = Client(url, retries=2, wait_max=5, sleep=self.waits.append)
        self.addCleanup(self.client.close)
        Script.came = []

    def answer(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        Script.answers = list(answers)

    good = (200, {}, b'{"verdicts": []}')
    busy = (429, {"Retry-After": "3"}, b'{"type": "urn:safeguard:problem:overloaded", "status": 429, "detail": "full"}')

    def test_tries_again_with_the_same_key_and_waits_as_told(self) -> None:
        self.answer(self.busy, (0, {}, b""), self.good)
        self.client.judge("hello")
        self.assertEqual(len({came["idempotency-key"] for came in Script.came}), 1)
        self.assertEqual((len(Script.came), self.waits[0]), (3, 3))
        self.assertLess(self.waits[1], 1)
        self.answer(self.good)
        self.client.judge("hello")
        self.assertEqual(len({came["idempotency-key"] for came in Script.came}), 2)

    def test_gives_up_in_the_end_or_at_once(self) -> None:
        self.answer(self.busy, self.busy, self.busy, self.good)
        with self.assertRaises(Unavailable) as caught:
            self.client.judge("hello")
        self.assertEqual((caught.exception.code, caught.exception.retry_after, len(Script.came)), ("overloaded", 3, 3))
        self.answer((503, {"Retry-After": "60"}, b"{}"))
        with self.assertRaises(Unavailable):
            self.client.judge("hello")
        self.answer((0, {}, b""), (0, {}, b""), (0, {}, b""))
        with self.assertRaises(ConnectionFailed):
            self.client.judge("hello")

    def test_does_nothing_twice_that_has_no_key(self) -> None:
        self.answer((0, {}, b""), self.good)
        with self.assertRaises(ConnectionFailed):
            self.client.chat("m", [])
        self.answer((503, {}, b"no JSON"), self.good)
        with self.assertRaises(Unavailable) as caught:
            self.client.chat("m", [])
        self.assertEqual((caught.exception.code, caught.exception.detail), ("http-503", "no JSON"))

    def test_survives_a_connection_that_was_closed_between_two_calls(self) -> None:
        self.answer(self.good, (0, {}, b""), self.good)
        self.client.judge("hello")
        self.client.judge("hello")
        self.answer((302, {"Location": "http://127.0.0.1:9/"}, b""))
        with self.assertRaises(Problem):  # followed nowhere
            self.client.judge("hello")
        self.answer((200, {}, b"<html>"))
        with self.assertRaises(SafeguardError):
            self.client.judge("hello")

    def test_waits_for_a_job_as_long_as_it_may(self) -> None:
        waiting = (200, {}, b'{"id": "j1", "state": "waiting"}')
        self.answer(waiting, waiting, (200, {}, b'{"id": "j1", "state": "done", "verdicts": []}'))
        self.assertEqual(self.client.wait("j1")["state"], "done")
        self.assertEqual(self.waits, [0.1, 0.2])
        self.answer(waiting)
        with self.assertRaises(JobUnfinished):
            self.client.wait("j1", timeout=0)
        self.answer((200, {}, b'{"id": "j1", "state": "dead", "problem": "the deadline has passed"}'))
        with self.assertRaisesRegex(JobFailed, "deadline"):
            self.client.wait("j1")

    def stream(self, body: bytes) -> safeguard_client.GuardedStream:
        self.answer((200, {"Content-Type": "text/event-stream"}, body))
        return self.client.chat_stream("m", [])

    def test_a_stopped_stream_says_so(self) -> None:
        stream = self.stream(STOPPED)
        self.assertEqual([p.text for p in stream], ["Ä ", "b"])
        self.assertTrue(stream.stopped)
        self.assertEqual(stream.moderation, {"output": {"type": "moderation_results"}})

    def test_a_stream_that_ends_early_is_no_answer(self) -> None:
        ends = (
            STOPPED.replace(b"data: [DONE]\n\n", b""),
            b"data: [DONE]\n\n",
            b'data: {"error": {"message": "not judged", "code": "undetermined"}}\n\ndata: [DONE]\n\n',
            b"data: 5\n\n",
            b'data: {"choices": [5]}\n\n',
            b"data: {\n\n",
        )
        for body in ends:
            with self.subTest(body), self.assertRaises(StreamFailed):
                list(self.stream(body))
        self.answer((200, {"Content-Length": "9999"}, STOPPED[:90]), (200, {}, b""))
        with self.assertRaises(StreamFailed):
            client = Client(self.client._host and f"http://127.0.0.1:{self.client._port}", timeout=0.5)
            list(client.chat_stream("m", []))

    def test_events_are_the_same_however_they_are_cut(self) -> None:
        for newline in (b"\n", b"\r\n", b"\r"):
            body = STOPPED.replace(b"\n", newline)
            whole = list(safeguard_client.server_sent_data(iter([body, b""]).__next__))
            self.assertEqual(len(whole), 4)
            for cut in range(1, len(body)):
                parts = iter([body[:cut], body[cut:], b""])
                self.assertEqual(list(safeguard_client.server_sent_data(parts.__next__)), whole, cut)
            bytes_alone = iter([body[i : i + 1] for i in range(len(body))] + [b""])
            self.assertEqual(list(safeguard_client.server_sent_data(bytes_alone.__next__)), whole)
        with self.assertRaises(StreamFailed):
            list(safeguard_client.server_sent_data(lambda: b"data: " + b"x" * 100000))


STOPPED = (
    ': a comment\nevent: x\ndata: {"choices": [{"index": 0, "delta": {"content": "Ä "}}]}\n\n'
    'data: {"choices": [{"index": 0, "delta": {"content": "b"}}],\ndata: "usage": null}\n\n'
    'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}], '
    '"moderation": {"output": {"type": "moderation_results"}}}\n\ndata: [DONE]\n\n'
).encode()


if __name__ == "__main__":
    unittest.main()
