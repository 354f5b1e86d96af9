"""Log records to results: verdicts and feedback about calls."""

from collections import Counter

import numpy as np

from llmvitals import semconv
from llmvitals_collector.decode.results import ATTRIBUTES, results
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.records import Records, Wanted
from llmvitals_collector.results import Results

WANTED = Wanted(attributes=ATTRIBUTES, resource=frozenset({semconv.SERVICE_NAME, semconv.SERVICE_VERSION}))
_COUNTED, _NOT_AN_EVALUATION = map(semconv.VERDICTS.index, (semconv.COUNTED, semconv.NOT_AN_EVALUATION))


def results_in(records: Records) -> Decoded[Results]:
    """Take the results out of the log records of a request."""
    evaluations = records.name_is(semconv.EVALUATION_RESULT)
    rows = np.flatnonzero(evaluations)
    services = records.resource.get(semconv.SERVICE_NAME, np.zeros(len(records), np.int32)).tolist()
    ignored = len(records) - len(rows)
    return Decoded(
        records=results(records, records.attributes, rows, rows, records.end[rows]),
        received=Counter(records.strings[code] or semconv.UNKNOWN_SERVICE for code in services),
        ignored=Counter({semconv.NOT_AN_EVALUATION: ignored} if ignored else {}),
        rejected=Counter(),
        told=records,
        verdicts=np.where(evaluations, _COUNTED, _NOT_AN_EVALUATION).astype(np.int8),
        dialects=np.full(len(records), -1, np.int8),
    )
