"""A judge on this machine that does as it is told, and collectors that ask it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.document import parsed
from llmvitals_collector.evaluation.config import EvaluationConfig
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal

PATIENCE = 20  # seconds
MODEL = "judge-1"
RUBRIC = """
rubric: polite
version: 2
dimension: tone
scale: {points: 4, pass: 3}
questions:
  - {id: greets, ask: "Does it greet?", options: {no: 0, yes: 1}}
  - {id: kind, ask: "Is it kind?", options: {no: 0, yes: 3}, mode: instruction_violated}
"""


class Judge(ThreadingHTTPServer):
    """Speaks OpenAI's chat completions, with one behaviour at a time.

    kind: finds every answer polite in which "rude" does not stand. lying: chooses what is no option. broken: sends half
    of its JSON. failing: status 500. hanging: never answers, until the test is over.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Completions)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.behaviour = "kind"
        self.requests: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        self.over = threading.Event()

    def answer_after_all(self) -> None:
        """Stop hanging, also for those that wait already."""
        self.behaviour = "kind"
        self.over.set()

    def wait_for_requests(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, PATIENCE), len(self.requests)


class _Completions(BaseHTTPRequestHandler):
    server: Judge

    def do_POST(self):
        judge = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with judge.changed:
            judge.requests.append(request)
            judge.changed.notify_all()
        if judge.behaviour == "hanging":
            judge.over.wait(PATIENCE)
            self.close_connection = True
            return
        status = 500 if judge.behaviour == "failing" else 200
        body = json.dumps(_completion(judge.behaviour, request)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def _completion(behaviour: str, request: dict[str, Any]) -> dict[str, Any]:
    kind = "no" if "rude" in request["messages"][-1]["content"] else "yes"
    said = json.dumps({"answers": {"greets": "yes", "kind": kind}, "explanation": "As it is."})
    said = {"lying": said.replace(kind, "perfect"), "broken": said[:30]}.get(behaviour, said)
    message = {"role": "assistant", "content": said}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


@pytest.fixture
def judge() -> Iterator[Judge]:
    server = Judge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def rubric(tmp_path: Path) -> Path:
    """The file of a rubric with two questions, in the dimension tone."""
    path = tmp_path / "polite.yaml"
    path.write_text(RUBRIC)
    return path


@pytest.fixture
def settings(judge, rubric) -> Callable[..., EvaluationConfig]:
    """`settings(text, judged=True)` is an `evaluation` section in YAML; the loopback judge sees every answer."""

    def read(text: str = "", judged: bool = True, **of_judge: Any) -> EvaluationConfig:
        document = {"sampling": {"share": 1}, **(yaml.safe_load(text) or {})}
        if judged:
            asked = {"model": MODEL, "base_url": judge.url, "api_key": "k", "rubrics": [str(rubric)], "repeat_share": 0}
            document["judge"] = asked | of_judge
        return parsed(yaml.safe_dump(document), EvaluationConfig, {})

    return read


@pytest.fixture
def running() -> Iterator[Callable[..., Pipeline]]:
    """`running(evaluation, **sections)` is a collector that runs."""
    started = []

    def run(evaluation: EvaluationConfig, **sections: Any) -> Pipeline:
        receivers = Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))
        config = Config(receivers=receivers, metrics=Metrics(address="127.0.0.1:0"), evaluation=evaluation, **sections)
        pipeline = Pipeline(config)
        started.append(pipeline)
        pipeline.start()
        return pipeline

    yield run
    for pipeline in started:
        pipeline.stop()


@pytest.fixture
def said() -> Callable[..., dict[str, str]]:
    """`said(query, answer)` is the content of a call, as attributes of its span."""

    def content(query: str, answer: str, finish_reason: str = "stop") -> dict[str, str]:
        asked = [{"role": "user", "parts": [{"type": "text", "content": query}]}]
        parts = [{"type": "text", "content": answer}]
        answered = [{"role": "assistant", "parts": parts, "finish_reason": finish_reason}]
        return {semconv.INPUT_MESSAGES: json.dumps(asked), semconv.OUTPUT_MESSAGES: json.dumps(answered)}

    return content


@pytest.fixture
def told() -> Callable[..., float]:
    """`told(pipeline, family, **labels)` is the sum of the samples of a family with these labels, of a scrape."""

    def value(pipeline: Pipeline, family: semconv.Family, **labels: str) -> float:
        text = b"".join(pipeline.render(Format.TEXT)).decode()
        names = (family.name, f"{family.name}_count")
        return sum(
            sample.value
            for metric in parser.text_string_to_metric_families(text)
            for sample in metric.samples
            if sample.name in names and labels.items() <= sample.labels.items()
        )

    return value


@pytest.fixture
def take() -> Callable[..., None]:
    """`take(pipeline, request)` sends spans, and has them counted, so that evaluation gets them."""

    def send(pipeline: Pipeline, request: Any) -> None:
        body = request.SerializeToString()
        assert pipeline.intake.take(semconv.RECEIVER_HTTP, Signal.TRACES, body, Encoding.PROTOBUF) is None
        list(pipeline.render(Format.TEXT))

    return send
