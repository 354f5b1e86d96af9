"""Imports that end anywhere: in the end each grade has counted once."""

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from llmvitals import semconv
from llmvitals_collector.review import grades, importing, ledger
from llmvitals_collector.review.sealed import seal

ANSWERS = {"helpfulness.answers": "yes", "helpfulness.honest": "no"}
# Where an import ends: before anything is counted, before it is told, while it is written down, or well.
LOST, UNTOLD, CUT, WELL = "lost", "untold", "cut", "well"


class CrashError(BaseException):
    """What nobody catches."""


class Collector:
    """Counts each id once, and ends the import where the test says, at the request of that number."""

    def __init__(self):
        self.ending, self.requests_left = WELL, 0
        self.peers = {}
        self.counted = 0

    def send(self, request):
        self.requests_left -= 1
        if self.requests_left == 0 and self.ending == LOST:
            raise CrashError
        logs = ExportLogsServiceRequest.FromString(request.body).resource_logs
        for record in (record for each in logs for record in each.scope_logs[0].log_records):
            told = {each.key: each.value.string_value for each in record.attributes}
            if told[semconv.EVALUATION_ID] not in self.peers:
                self.counted += 1
                self.peers[told[semconv.EVALUATION_ID]] = told.get(semconv.PEER_VERDICT)
        if self.requests_left == 0 and self.ending == UNTOLD:
            raise CrashError
        return 0


def sheet_of(path, tokens, of_whom):
    with path.open("w") as file:
        for number, grader in of_whom:
            shown, token = tokens[number]
            file.write(json.dumps({"item": shown, "token": token, "grader": grader, **ANSWERS}) + "\n")


ROWS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["Ann", "Ben"])), min_size=1, unique=True)
ENDINGS = st.tuples(st.sampled_from([LOST, UNTOLD, CUT, WELL]), st.integers(1, 4))


@settings(max_examples=50)
@given(runs=st.lists(st.tuples(ROWS, ENDINGS), min_size=1, max_size=5))
def test_wherever_imports_end_each_grade_counts_once_and_is_written_down_once(item, rubric, runs):
    tokens = [(grades.shown_id(item(number)), seal(item(number), rubric)) for number in range(5)]
    collector = Collector()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        sheet, path = Path(folder, "sheet.jsonl"), Path(folder, ledger.NAME)
        arguments = argparse.Namespace(
            files=[sheet], collector="http://127.0.0.1:1", grader="", directory=None, partial=False, dry_run=False
        )
        with (
            patch.object(importing, "Http", lambda *arguments: collector),
            patch.object(importing, "_AT_A_TIME", 2),
        ):
            for rows, (collector.ending, collector.requests_left) in runs:
                sheet_of(sheet, tokens, rows)
                with contextlib.suppress(CrashError):
                    importing.run(arguments)
                if collector.ending == CUT and path.exists():
                    path.write_bytes(path.read_bytes()[:-5])
            every = sorted({row for rows, _ in runs for row in rows})
            collector.ending = WELL
            sheet_of(sheet, tokens, every)
            importing.run(arguments)
        entries = ledger.read(path)
    assert collector.counted == len(every) == len(entries)
    assert len({(entry.item, entry.grader) for entry in entries}) == len(entries)
    # Of two graders of an answer one is the second; nobody, where the first one's import has ended before it was told.
    twice = {number for number, _ in every if {(number, "Ann"), (number, "Ben")} <= set(every)}
    seconds = sum(peer is not None for peer in collector.peers.values())
    untold = any(ending in (UNTOLD, CUT) for _, (ending, _) in runs)
    assert seconds <= len(twice) if untold else seconds == len(twice)
