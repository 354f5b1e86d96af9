"""A collector that takes feedback, handles that the SDK has made, and a client that gives them."""

import http.client
import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from llmvitals import _handle, semconv
from llmvitals_collector.config import Cors, FeedbackReceiver
from llmvitals_collector.pipeline import Pipeline

KEY = "key-of-the-tests-that-is-long-enough"
IDENTITY = {
    semconv.OPERATION_NAME: "chat",
    semconv.PROVIDER_NAME: "openai",
    semconv.REQUEST_MODEL: "gpt-5-mini",
    semconv.PROMPT_NAME: "support-answer",
    semconv.PROMPT_VERSION: "3",
    semconv.SERVICE_NAME: "shop",
    semconv.SERVICE_VERSION: "2026.11",
}


@dataclass
class Answer:
    """What a client got: the status code, the outcome that the body tells, and its sentence."""

    code: int
    outcome: str
    message: str
    headers: Any


@pytest.fixture(autouse=True)
def key(monkeypatch):
    """What LLMVITALS_HANDLE_KEY is; `key.set(text)` changes it, for handles and collectors that are made then."""
    monkeypatch.setenv(semconv.HANDLE_KEY, KEY)
    return SimpleNamespace(first=KEY, set=partial(monkeypatch.setenv, semconv.HANDLE_KEY))


@pytest.fixture
def handle():
    """`handle()` is one for a call of the shop's; each call has another span."""
    spans = iter(range(1, 1 << 20))

    def make(sampled=True, **identity):
        return _handle.issue(0xABC << 100, next(spans), sampled=sampled, identity={**IDENTITY, **identity})

    return make


@pytest.fixture
def feedback():
    """The settings of the receiver."""
    return FeedbackReceiver(cors=Cors(allowed_origins=("https://shop.example",)))


@pytest.fixture
def config(config, feedback):
    return replace(config, receivers=replace(config.receivers, feedback=feedback))


@pytest.fixture
def send_to():
    """`send_to(pipeline, handle=..., kind=...)` gives feedback; a body or a path in their place is sent as it is."""

    def post(pipeline, body=None, method="POST", path="/v1/feedback", headers=None, **fields):
        body = json.dumps(fields).encode() if body is None else body
        connection = http.client.HTTPConnection("127.0.0.1", pipeline.http.port, timeout=20)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        if answer.headers["content-type"] != "application/json":
            return Answer(answer.status, "", told.decode(), answer.headers)
        document = json.loads(told)
        return Answer(answer.status, document.get("status", ""), document.get("message", ""), answer.headers)

    return post


@pytest.fixture
def send(collector, send_to):
    """As `send_to`, to the collector that runs."""
    return partial(send_to, collector)


@pytest.fixture
def running():
    """Runs another collector for the length of a block."""

    @contextmanager
    def run(config):
        pipeline = Pipeline(config)
        pipeline.start()
        try:
            yield pipeline
        finally:
            pipeline.stop()

    return run


@pytest.fixture
def outcomes(scrape):
    """`outcomes()` is how many requests had each outcome, of those that any had."""

    def counted():
        samples = [each for each in scrape() if each.name == semconv.COLLECTOR_FEEDBACK.name and each.value]
        return {each.labels[semconv.LABEL_OUTCOME]: each.value for each in samples}

    return counted


@pytest.fixture
def later(monkeypatch):
    """`later(seconds)` puts the clock of handles forward."""
    now = _handle.time()
    return lambda seconds: monkeypatch.setattr(_handle, "time", lambda: now + seconds)


@pytest.fixture
def counted(scrape):
    """`counted()` is how much feedback of each kind the collector has counted."""

    def by_kind():
        samples = [each for each in scrape() if each.name == semconv.FEEDBACK.name and each.value]
        return {each.labels[semconv.LABEL_KIND]: each.value for each in samples}

    return by_kind
