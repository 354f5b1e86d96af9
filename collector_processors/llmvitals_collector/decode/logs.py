"""Log records to verdicts about calls."""

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from llmvitals import semconv
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.records import Records, Wanted
from llmvitals_collector.results import FEEDBACK_KINDS, Results

# The event carries the labels of the call that it is about, because it may come long after that call.
_TEXTS = {
    semconv.PROVIDER_NAME: "provider",
    semconv.OPERATION_NAME: "operation",
    semconv.REQUEST_MODEL: "model",
    semconv.PROMPT_NAME: "template",
    semconv.EVALUATION_NAME: "name",
    semconv.EVALUATION_SOURCE: "source",
    semconv.EVALUATION_SCORE_LABEL: "kind",
}
WANTED = Wanted(
    attributes=frozenset({*_TEXTS, semconv.EVALUATION_SCORE_VALUE}), resource=frozenset({semconv.SERVICE_NAME})
)


def results_in(records: Records) -> Decoded[Results]:
    """Take users' feedback out of the log records of a request."""
    texts, numbers, strings = records.attributes.texts, records.attributes.numbers, records.strings
    absent = np.zeros(len(records), np.int32)
    services = [strings[code] or semconv.UNKNOWN_SERVICE for code in records.resource.get(semconv.SERVICE_NAME, absent)]
    evaluations = records.name_is(semconv.EVALUATION_RESULT)
    feedback = evaluations & records.attribute_is(semconv.EVALUATION_NAME, semconv.USER_FEEDBACK)
    rows = []
    for place in np.flatnonzero(feedback).tolist():
        row: dict[str, object] = {column: strings[texts[key][place]] for key, column in _TEXTS.items() if key in texts}
        row["score"] = numbers[semconv.EVALUATION_SCORE_VALUE][place] if numbers else np.nan
        row["source"] = row.get("source") or semconv.SOURCE_USER
        row["kind"] = row["kind"] if row.get("kind") in FEEDBACK_KINDS else semconv.OTHER
        rows.append({"service": services[place], "record_id": _id(records, place, row), **row})
    reasons = (semconv.COUNTED, semconv.NOT_FEEDBACK, semconv.NOT_AN_EVALUATION)
    counted, not_feedback, not_an_evaluation = map(semconv.VERDICTS.index, reasons)
    verdicts = np.select([feedback, evaluations], [counted, not_feedback], not_an_evaluation)
    found = Counter(semconv.VERDICTS[place] for place in verdicts.tolist())
    return Decoded(
        records=Results.from_rows(rows),
        received=Counter(services),
        ignored=Counter({reason: found[reason] for reason in semconv.IGNORED_LOG_RECORD_REASONS if found[reason]}),
        rejected=Counter(),
        told=records,
        verdicts=verdicts.astype(np.int8),
        dialects=np.full(len(records), -1, np.int8),
    )


def _id(records: Records, place: int, row: Mapping[str, object]) -> int:
    """What tells a log record, which has no id of its own, from others: whose it is, when it was made, what it says."""
    told = (
        *records.trace_id[place].tolist(),
        int(records.span_id[place]),
        int(records.end[place]),
        sorted(row.items()),
    )
    return int.from_bytes(blake2b(repr(told).encode(), digest_size=8).digest()) or 1
