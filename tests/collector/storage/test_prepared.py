"""Ranges of messages that wait until it is known whether they count, through restarts and crashes."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.decode import Encoding, decode_traces
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.storage import OffsetRange, Prepared, Settled, Storage, StorageConfig
from llmvitals_collector.storage.batch import packed_range, unpacked

OF = ("otlp_spans", 3)
FIRST, SECOND = OffsetRange(*OF, claim=7, start=10, end=12), OffsetRange(*OF, claim=7, start=12, end=15)


class Collector:
    """One that counts what is prepared and settled, until it is left alone like one that was killed."""

    def __init__(self, directory):
        self._pipeline = Pipeline(Config())
        self.counting = self._pipeline._counting
        self.storage = Storage(StorageConfig(directory=str(directory)))
        self.counting.open(self.storage)

    def die(self):
        self.storage.wait()
        os.close(self.storage._lock)

    def snapshot(self):
        """Write one now, as if the journal had grown."""
        self.storage._due_at = 0
        self.counting.flush()
        self.storage.wait()

    @property
    def calls(self):
        lines = b"".join(self._pipeline.render(Format.TEXT)).decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(semconv.CALLS.name + "{"))


@pytest.fixture
def prepared(spans):
    """A range with one call for each of its messages."""

    def of(covers):
        body = spans(*[{}] * (covers.end - covers.start)).SerializeToString()
        return Prepared(covers, [decode_traces(body, Encoding.PROTOBUF, content=False).records])

    return of


@pytest.mark.parametrize("end", ["die", "snapshot and die", "close"])
def test_what_is_prepared_counts_after_a_restart_if_it_is_settled_then(tmp_path, prepared, end):
    first = Collector(tmp_path)
    first.counting.prepare([prepared(FIRST)])
    assert first.calls == 0
    if end == "close":
        first.counting.close()
    else:
        if end != "die":
            first.snapshot()
        first.die()
    second = Collector(tmp_path)
    assert second.calls == 0
    assert [each.range for each in second.counting.ranges.prepared.values()] == [FIRST]
    second.counting.settle([Settled(FIRST, counts=True)])
    assert second.calls == 2
    second.counting.close()


@pytest.mark.parametrize("snapshot_after", ["nothing", "prepare", "settle", "the next prepare"])
def test_a_snapshot_at_any_moment_and_then_a_crash_change_nothing(tmp_path, prepared, snapshot_after):
    first = Collector(tmp_path)
    steps = {
        "nothing": lambda: None,
        "prepare": lambda: first.counting.prepare([prepared(FIRST)]),
        "settle": lambda: first.counting.settle([Settled(FIRST, counts=True)]),
        "the next prepare": lambda: first.counting.prepare([prepared(SECOND)]),
    }
    for name, step in steps.items():
        step()
        if name == snapshot_after:
            first.snapshot()
    first.die()
    second = Collector(tmp_path)
    assert second.calls == 2
    assert second.counting.ranges.ends == {OF: 12}
    assert [each.range for each in second.counting.ranges.prepared.values()] == [SECOND]
    second.counting.close()


def test_what_does_not_count_is_gone_and_so_is_its_end(tmp_path, prepared):
    collector = Collector(tmp_path)
    collector.counting.prepare([prepared(FIRST)])
    collector.counting.settle([Settled(FIRST, counts=False)])
    assert collector.calls == 0
    assert collector.counting.ranges == ({}, {})
    collector.counting.close()


def test_what_is_settled_twice_counts_once(tmp_path, prepared):
    collector = Collector(tmp_path)
    collector.counting.prepare([prepared(FIRST)])
    for _ in range(2):
        collector.counting.settle([Settled(FIRST, counts=True)])
    assert collector.calls == 2
    collector.counting.close()


OFFSETS = st.integers(0, 2**63 - 1)
RANGES = st.builds(OffsetRange, st.text(), st.integers(0, 2**31 - 1), OFFSETS, OFFSETS, OFFSETS)


@given(RANGES, st.lists(st.integers(0, 3), max_size=3))
def test_a_range_is_read_as_it_was_written(covers, sizes):
    def written(what):
        return unpacked(memoryview(b"".join(packed_range(what))))

    batches = []
    for size in sizes:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for number in range(size):
            span = spans.add(trace_id=b"%16d" % number, span_id=b"%8d" % number)
            span.attributes.add(key=semconv.OPERATION_NAME).value.string_value = semconv.CHAT
        batches.append(decode_traces(request.SerializeToString(), Encoding.PROTOBUF, content=False).records)
    read = written(Prepared(covers, batches))
    assert read.range == covers
    assert [len(batch) for batch in read.batches] == sizes
    for before, after in zip(batches, read.batches, strict=True):
        assert np.array_equal(before["span_id"], after["span_id"])
    for counts in (True, False):
        assert written(Settled(covers, counts)) == Settled(covers, counts)
