"""What real emitters have sent, read by the dialects, is the truth about the calls that were made."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture import EMITTERS, FIXTURES, bodies
from truth import FIRST_CHUNK, LEAST, TRUTH, Call

from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.decode import decode_traces
from llmvitals_collector.dialects import DIALECTS
from llmvitals_collector.once import once
from llmvitals_collector.storage.seen import Seen

COLUMNS = (
    *("dialect", "operation", "provider", "model", "template", "template_version", "error_type", "failed"),
    *("streamed", "duration", "time_to_first_chunk", "input_tokens", "output_tokens", "cache_read_tokens"),
    *("cache_write_tokens", "reasoning_tokens", "cost"),
)
KINDS = {column.name: column.kind for column in Calls.decoded}
MOST = 3.0  # seconds that a call took; the first one warms up
FILES = sorted(path for path in FIXTURES.glob("*.pb") if ".logs" not in path.suffixes)


def name_of(fixture: Path) -> str:
    return fixture.name.partition("-")[0]


def calls_in(*requests: bytes) -> list[Call]:
    """The calls in the bodies of requests, each as a dict of what is told of it and is not 0."""
    return [call for body in requests for call in rows(decode_traces(body).records)]


def rows(calls: Calls) -> list[Call]:
    def value(name: str, row: int) -> Any:
        cell = calls[name][row].item()
        return calls.strings[cell] if KINDS[name] is Kind.TEXT else 0 if np.isnan(cell) else round(cell, 9)

    told = [{name: value(name, row) for name in COLUMNS} for row in range(len(calls))]
    return [{name: value for name, value in call.items() if value} for call in told]


def facts(call: Call) -> Call:
    """A call as the truth has it: of the times, only that they are told."""
    times = {name: True for name in ("duration", "time_to_first_chunk") if name in call}
    return {name: value for name, value in call.items() if name != "dialect"} | times


def only(columns: Iterable[str], calls: Iterable[Call]) -> list[Call]:
    return [{name: call[name] for name in columns if name in call} for call in calls]


def in_order(calls: Iterable[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: repr(sorted(call.items())))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def fixture(request) -> Path:
    return request.param


def test_what_an_emitter_sent_is_what_was_called(fixture):
    emitter = TRUTH[name_of(fixture)]
    found = [call for call in calls_in(*bodies(fixture.read_bytes())) if call["dialect"] == emitter.dialect]
    assert in_order(map(facts, found)) == in_order(emitter.calls)


def test_times_are_what_the_provider_took(fixture):
    for call in calls_in(*bodies(fixture.read_bytes())):
        duration = call.get("duration", MOST)
        assert LEAST[call["model"]] <= duration <= MOST
        assert FIRST_CHUNK <= call.get("time_to_first_chunk", FIRST_CHUNK) < duration


def test_each_call_counts_once_whoever_else_tells_of_it(fixture):
    """Anthropic's client tells of its calls itself, beside every instrumentation of it."""
    memory = Seen()
    counted: list[Call] = []
    for body in bodies(fixture.read_bytes()):
        calls = decode_traces(body).records
        kept = once(calls, memory) < 0
        counted += rows(calls.where(kept))
    same = ("operation", "provider", "model", "template", "failed", "input_tokens", "cost")
    assert in_order(only(same, counted)) == in_order(only(same, TRUTH[name_of(fixture)].counted))


def test_a_request_tells_the_same_however_its_spans_are_batched(fixture):
    requests = list(bodies(fixture.read_bytes()))
    assert calls_in(b"".join(requests)) == calls_in(*requests)


def test_a_request_of_many_dialects_tells_the_same_as_each_by_itself():
    requests = [body for path in FILES for body in bodies(path.read_bytes())]
    assert calls_in(b"".join(requests)) == calls_in(*requests)


def test_each_dialect_and_each_emitter_has_a_fixture_and_a_truth():
    assert {name_of(path) for path in FILES} == TRUTH.keys() == {path.stem for path in EMITTERS.iterdir()}
    assert {emitter.dialect for emitter in TRUTH.values()} == {dialect.name for dialect in DIALECTS}
