"""A state that is counted into by hand, on a clock of the test's own, and what the page says of it."""

import json
from collections.abc import Callable, Iterable

import pytest

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.history import History
from llmvitals_collector.page.question import asked
from llmvitals_collector.page.reading import Reading, reading
from llmvitals_collector.page.vitals import vitals
from llmvitals_collector.processors import ProcessorsConfig, build
from llmvitals_collector.quality import of_calls, rated
from llmvitals_collector.results import Results
from llmvitals_collector.telemetry import Telemetry

START = 1_700_000_000.0
CALL = {
    "service": "shop",
    "provider": "openai",
    "operation": "chat",
    "model": "gpt-5",
    "template": "letter",
    "template_version": "1",
    "ending": semconv.COMPLETE,
    "streamed": True,
    "duration": 1.0,
    "end_time": START,
    "time_to_first_token": 0.5,
    "output_tokens_per_second": 50.0,
}
VERDICT = {
    "service": "shop",
    "template": "letter",
    "template_version": "1",
    "dimension": "tone",
    "set": semconv.LIVE,
    "source": semconv.SOURCE_JUDGE,
    "verdict": semconv.PASS,
    "evaluator": "judge",
    "rubric": "r1",
    "stratum": semconv.UNIFORM,
}


class Seen:
    """A collector without servers: `calls` and `verdicts` come in, `minute` passes, `page` is what is shown."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.at = START
        self.state = State(limits, metrics, lambda: self.at)
        self.telemetry = Telemetry(100, [])
        for slo in semconv.SLOS:
            self.telemetry.set(semconv.SLO_OBJECTIVE, slo, value=0.95)
        self._processors = build(ProcessorsConfig())
        self._floors = Floors("")
        self.history = History(self.reading())

    def calls(self, number: int = 1, **columns: object) -> None:
        self.each([columns] * number)

    def durations(self, seconds: Iterable[float], **columns: object) -> None:
        self.each([{**columns, "duration": each, "time_to_first_token": each / 3} for each in seconds])

    def each(self, rows: list[dict[str, object]]) -> None:
        calls = Calls.from_rows([{**CALL, **row} for row in rows])
        for processor in self._processors.values():
            calls = processor.process(calls) or calls
        results = of_calls(calls)
        self.state.add(calls)
        if results:
            self.state.add(results)

    def verdicts(self, number: int = 1, **columns: object) -> None:
        self.state.add(rated(Results.from_rows([{**VERDICT, **columns}] * number)))

    def minutes(self, number: float = 1) -> None:
        """Let time pass; each whole minute is sampled."""
        while number >= 1:
            self.at, number = self.at + 60, number - 1
            self.history.sample(self.reading())
        self.at += 60 * number

    def reading(self) -> Reading:
        self.telemetry.held(self.state)
        return reading(self.state.snapshot(), self.telemetry.collect(), self.at)

    def page(self, query: str = "") -> dict:
        return json.loads(vitals(self.history, self.reading(), asked(query.encode()), self._floors))

    def sentences(self, query: str = "") -> list[str]:
        """What needs attention."""
        return [item["sentence"] for item in self.page(query)["attention"]]


@pytest.fixture
def seeing() -> Callable[..., Seen]:
    """`seeing(limits, metrics)` is a collector that has just begun."""
    return lambda limits=None, metrics=None: Seen(limits or Limits(), metrics or Metrics())


@pytest.fixture
def seen(seeing) -> Seen:
    return seeing()
