"""A loopback endpoint that speaks chat completions and answers as a test has it, and judges that ask it."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest

from llmvitals.judge import LLMJudge, Rubric

RUBRIC = """
rubric: support-helpfulness
version: 3
dimension: helpfulness
scale: {points: 10, pass: 7}
questions:
  - {id: answers, ask: "Does it answer the question?", options: {no: 0, partly: 2, yes: 6}, mode: irrelevant}
  - {id: steps, ask: "Can the user act on it?", options: {no: 0, yes: 4}, mode: incomplete}
"""


@dataclass
class Reply:
    """How a request is answered. body: bytes, or what is sent as JSON.

    late: only when the test is over; halfway: the headers at once, and only the rest then; blanks: sent until then,
        as some hosts do.
    """

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False
    halfway: bool = False
    blanks: bool = False


def completion(content: Any = None, *, usage: Any = None, finish_reason: str = "stop", **message: Any) -> Reply:
    """A chat completion with this content; with anything but text, it is sent as JSON text."""
    text = content if isinstance(content, str | None) else json.dumps(content)
    usage = {"prompt_tokens": 900, "completion_tokens": 50} if usage is None else usage
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text, **message}}
    return Reply({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})


def grades(explanation: Any = "As it says.", **answers: Any) -> Reply:
    """A judge's answer."""
    return completion({"answers": answers, "explanation": explanation})


class Endpoint(ThreadingHTTPServer):
    """Answers the first request with the first reply, and so on; the last reply is for all that come after.

    A reply may be a function of the request's body. requests: bodies; times: when they came; most: of those functions
    at a time.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.lock = threading.Lock()
        self.answers()

    def answers(self, *replies: Reply | Callable[[dict[str, Any]], Reply]) -> None:
        """From now on; what came before is forgotten."""
        self.replies = list(replies)
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.running = self.most = 0
        self.over = threading.Event()

    def take(self, request: dict[str, Any]) -> Reply:
        with self.lock:
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.running += 1
            self.most = max(self.most, self.running)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        try:
            return reply(request) if callable(reply) else reply
        finally:
            with self.lock:
                self.running -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert self.path == "/v1/chat/completions"
        assert self.headers["X-Stainless-Retry-Count"] == "0", "the client does not retry by itself"
        server: Any = self.server
        over = server.over
        reply = server.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        try:
            if reply.late:
                over.wait(30)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", "Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.halfway:
                over.wait(30)
            while reply.blanks and not over.wait(0.02):
                self.wfile.write(b"\n")
                self.wfile.flush()
            self.wfile.write(body)
        except OSError:
            pass  # the judge has gone

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="session")
def _server() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(_server: Endpoint) -> Iterator[Endpoint]:
    _server.answers(grades(answers="yes", steps="yes"))
    yield _server
    _server.over.set()


@pytest.fixture(scope="session")
def reply() -> Any:
    """What a test has the endpoint answer: `reply(...)`, `reply.completion(...)`, `reply.grades(...)`."""

    def make(*arguments: Any, **more: Any) -> Reply:
        return Reply(*arguments, **more)

    make.completion, make.grades = completion, grades  # type: ignore[attr-defined]
    return make


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    return Rubric.parse(RUBRIC)


@pytest.fixture(scope="session")
def rubric_text() -> str:
    return RUBRIC


@pytest.fixture
def clients() -> Iterator[Callable[[str], tuple[openai.OpenAI, openai.AsyncOpenAI]]]:
    """The real clients for a URL, without the certificates that no loopback needs."""
    made: list[openai.OpenAI] = []

    def make(url: str) -> tuple[openai.OpenAI, openai.AsyncOpenAI]:
        made.append(openai.OpenAI(base_url=url, api_key="any", http_client=openai.DefaultHttpxClient(verify=False)))
        http_client = openai.DefaultAsyncHttpxClient(verify=False)
        return made[-1], openai.AsyncOpenAI(base_url=url, api_key="any", http_client=http_client)

    yield make
    for client in made:
        client.close()


@pytest.fixture
def judge(endpoint: Endpoint, rubric: Rubric, clients: Any) -> Callable[..., LLMJudge]:
    """A judge at the endpoint, or at another URL, that is quick to try again."""

    def make(url: str = "", **options: Any) -> LLMJudge:
        return LLMJudge(
            clients(url or endpoint.url), "m", options.pop("rubric", rubric), **{"backoff": 0.002, **options}
        )

    return make


class _Twins:
    """A judge's methods, or their async twins run to the end."""

    def __init__(self, asynchronous: bool) -> None:
        self._asynchronous = asynchronous

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(judge: LLMJudge, *arguments: Any, **more: Any) -> Any:
            if self._asynchronous:
                return asyncio.run(getattr(judge, f"a{name}")(*arguments, **more))
            return getattr(judge, name)(*arguments, **more)

        return call

    def together(self, judge: LLMJudge, number: int) -> list[Any]:
        """So many judgements at the same time."""
        if self._asynchronous:

            async def main() -> list[Any]:
                return await asyncio.gather(*(judge.ascore("q", None, f"{each}") for each in range(number)))

            return asyncio.run(main())
        results: list[Any] = []
        threads = [
            threading.Thread(target=lambda each=each: results.append(judge.score("q", None, f"{each}")))
            for each in range(number)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.fixture(params=["sync", "async"])
def by(request: pytest.FixtureRequest) -> _Twins:
    """`by.score(judge, ...)` and `by.compare(judge, ...)`, with either twin."""
    return _Twins(request.param == "async")


@pytest.fixture(scope="session")
def fenced() -> Callable[[dict[str, Any]], dict[str, str]]:
    """`fenced(request)` is the data in it: heading -> text, between the marks that the message begins with."""

    def data(request: dict[str, Any]) -> dict[str, str]:
        message = request["messages"][-1]["content"]
        mark = re.match(r"BEGIN [^\[]+ \[(\w+)\]\n", message)[1]
        block = rf"BEGIN ([^\[\n]+) \[{mark}\]\n(.*?)\nEND \1 \[{mark}\]"
        return dict(re.findall(block, message, re.DOTALL))

    return data
