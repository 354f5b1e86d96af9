"""The attributes of `gen_ai.evaluation.result`, on a log record or a span event, to rows of results."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.columns import ABSENT_MEMBER
from llmvitals_collector.records import Attributes, Codes, Ids, Records
from llmvitals_collector.results import Results

# Column -> the attributes in which it may stand, ours first.
_TEXTS = {
    "service": (semconv.SERVICE_NAME,),
    "provider": (semconv.PROVIDER_NAME,),
    "operation": (semconv.OPERATION_NAME,),
    "model": (semconv.REQUEST_MODEL,),
    "template": (semconv.PROMPT_NAME,),
    "template_version": (semconv.PROMPT_VERSION,),
    "release": (semconv.RELEASE,),
    "dimension": (semconv.EVALUATION_NAME,),
    # The draft of the conventions, and pydantic-evals 1.
    "source": (semconv.EVALUATION_SOURCE, "gen_ai.evaluation.evaluator.type"),
    "set": (semconv.EVALUATION_SET,),
    "evaluator": (semconv.JUDGE_NAME, semconv.EVALUATOR_NAME),
    "evaluator_version": (semconv.EVALUATOR_VERSION, "gen_ai.evaluation.evaluator.version"),
    "rubric": (semconv.EVALUATION_RUBRIC,),
    "language": (semconv.EVALUATION_LANGUAGE,),
}
_NUMBERS = {
    "score": semconv.EVALUATION_SCORE_VALUE,
    "score_min": semconv.EVALUATION_SCORE_MIN,
    "score_max": semconv.EVALUATION_SCORE_MAX,
    "threshold": semconv.EVALUATION_THRESHOLD,
    "sample_weight": semconv.EVALUATION_WEIGHT,
    "judge_score": semconv.JUDGE_SCORE,
    "set_time": semconv.EVALUATION_SET_TIME,
}
_MEMBERS = {
    "stratum": semconv.EVALUATION_STRATUM,
    "mode": semconv.EVALUATION_MODE,
    "latency_band": semconv.EVALUATION_LATENCY_BAND,
    "judge_verdict": semconv.JUDGE_VERDICT,
    "peer_verdict": semconv.PEER_VERDICT,
}
ATTRIBUTES = frozenset(
    {key for keys in _TEXTS.values() for key in keys}
    | {*_NUMBERS.values(), *_MEMBERS.values(), semconv.EVALUATION_SCORE_LABEL, semconv.ERROR_TYPE}
    | {semconv.EVALUATION_ID, semconv.EVALUATION_ANSWERED_AT, semconv.EVALUATION_PRIMARY}
)
# Words of others for ours.
_VERDICTS = {
    **{verdict: verdict for verdict in semconv.RESULT_VERDICTS},
    **dict.fromkeys(("passed", "true", "yes", "correct", "good"), semconv.PASS),
    **dict.fromkeys(("failed", "false", "no", "incorrect", "bad"), semconv.FAIL),
}
_SOURCES = {
    **{source: source for source in semconv.SOURCES},
    "llm_judge": semconv.SOURCE_JUDGE,
    "llm": semconv.SOURCE_JUDGE,
    "annotator": semconv.SOURCE_HUMAN,
    "deterministic": semconv.SOURCE_HEURISTIC,
    "code": semconv.SOURCE_HEURISTIC,
}
_KINDS = {
    **{kind: kind for kind in semconv.FEEDBACK_SCORES},
    **dict.fromkeys(("thumbs_up", "up", "positive", "like"), "thumb_up"),
    **dict.fromkeys(("thumbs_down", "down", "negative", "dislike"), "thumb_down"),
}
# The one whose evaluator is a part of what its results say; a heuristic is known by its dimension.
_NAMED = (semconv.SOURCE_JUDGE, semconv.SOURCE_HUMAN)


def results(
    records: Records, attributes: Attributes, rows: NDArray[np.intp], owners: NDArray[np.intp], times: Ids
) -> Results:
    """Read r results of a request.

    attributes: of n events. rows: intp (r,), which of those are results. owners: intp (r,), of each the span or the log
        record that it stands on, or is. times: uint64 (r,), nanoseconds since the epoch.
    """
    reading = _Reading(records, attributes, rows)
    columns: dict[str, NDArray[Any]] = {name: reading.text(*keys) for name, keys in _TEXTS.items()}
    columns |= {name: reading.number(key) for name, key in _NUMBERS.items()}
    columns |= {name: reading.member(name, key, {}) for name, key in _MEMBERS.items()}
    # A handle may be used by another service than the one that made the call, which is named on the event then.
    services = reading.of_resource(semconv.SERVICE_NAME, owners, semconv.UNKNOWN_SERVICE)
    columns["service"] = np.where(columns["service"] > 0, columns["service"], services)
    releases = reading.of_resource(semconv.SERVICE_VERSION, owners, "")
    columns["release"] = np.where(columns["release"] > 0, columns["release"], releases)
    feedback = reading.is_text(semconv.EVALUATION_NAME, lambda name: name.partition(".")[0] == semconv.USER_FEEDBACK)
    sources = reading.translated(columns["source"], _SOURCES, semconv.UNKNOWN)
    columns["source"] = np.where(feedback & (columns["source"] == 0), reading.code(semconv.SOURCE_USER), sources)
    columns["set"] = reading.translated(columns["set"], {each: each for each in semconv.SETS}, semconv.LIVE)
    named = np.isin(columns["source"], [reading.code(source) for source in _NAMED])
    columns["evaluator"] = np.where(named, columns["evaluator"], 0)
    verdict = reading.member("verdict", semconv.EVALUATION_SCORE_LABEL, _VERDICTS)
    failed = reading.has(semconv.ERROR_TYPE)
    verdict = np.where(failed, semconv.RESULT_VERDICTS.index(semconv.FAILED_EVALUATION), verdict)
    kind = reading.member("kind", semconv.EVALUATION_SCORE_LABEL, _KINDS)
    kind = np.where(kind < 0, semconv.FEEDBACK_KINDS.index(semconv.OTHER), kind)
    columns["kind"] = np.where(feedback, kind, ABSENT_MEMBER)
    columns["verdict"] = np.where(feedback, ABSENT_MEMBER, verdict)
    columns["dimension"] = np.where(feedback, 0, columns["dimension"])
    primary = np.where(reading.number(semconv.EVALUATION_PRIMARY) == 1, *map(semconv.PRIMARY.index, ("true", "false")))
    columns["primary"] = np.where(columns["mode"] >= 0, primary, ABSENT_MEMBER)
    lag = times / 1e9 - reading.number(semconv.EVALUATION_ANSWERED_AT)
    columns["lag"] = np.where(lag >= 0, lag, np.nan)
    columns["record_id"] = reading.ids(owners, times, columns)
    return Results.formed(reading.strings, columns)


class _Reading:
    """Reads the attributes of chosen events; each distinct text is looked at once."""

    def __init__(self, records: Records, attributes: Attributes, rows: NDArray[np.intp]) -> None:
        self._records = records
        self._attributes = attributes
        self._rows = rows
        self._codes = dict(records.codes)

    @property
    def strings(self) -> list[str]:
        return list(self._codes)

    def code(self, text: str) -> int:
        return self._codes.setdefault(text, len(self._codes))

    def text(self, *keys: str) -> Codes:
        """The first of several attributes that is there."""
        found = np.zeros(len(self._rows), np.int32)
        for key in keys:
            if key in self._attributes.texts:
                found = np.where(found > 0, found, self._attributes.texts[key][self._rows])
        return found

    def number(self, key: str) -> NDArray[np.float64]:
        if key not in self._attributes.numbers:
            return np.full(len(self._rows), np.nan)
        return self._attributes.numbers[key][self._rows]

    def has(self, key: str) -> NDArray[np.bool_]:
        return self.text(key) > 0

    def member(self, column: str, key: str, words: Mapping[str, str]) -> NDArray[np.int8]:
        """The place of a text, in any case, in the vocabulary of a column; words: of others for ours."""
        [members] = [each.members for each in Results.decoded if each.name == column]
        places = {member: place for place, member in enumerate(members)}

        def place(text: str) -> int:
            folded = text.casefold()
            return places.get(words.get(folded, folded), ABSENT_MEMBER)

        return self._each(self.text(key), place, np.int8)

    def is_text(self, key: str, holds: Callable[[str], bool]) -> NDArray[np.bool_]:
        return self._each(self.text(key), holds, np.bool_)

    def translated(self, codes: Codes, words: Mapping[str, str], otherwise: str) -> Codes:
        return self._each(codes, lambda text: self.code(words.get(text.casefold(), otherwise)), np.int32)

    def of_resource(self, key: str, owners: NDArray[np.intp], otherwise: str) -> Codes:
        found = self._records.resource.get(key)
        codes = np.zeros(len(owners), np.int32) if found is None else found[owners]
        return np.where(codes > 0, codes, self.code(otherwise) if otherwise else 0).astype(np.int32)

    def ids(self, owners: NDArray[np.intp], times: Ids, columns: Mapping[str, NDArray[Any]]) -> Ids:
        """By what a repetition of each result is told: its own id, or what it says of which call.

        Some senders write a span event and a log record of one result. What stands on no span is told by its time, too.
        """
        strings = self.strings
        own = self.text(semconv.EVALUATION_ID).tolist()
        labels = self.text(semconv.EVALUATION_SCORE_LABEL).tolist()
        texts = [columns[name].tolist() for name in ("service", "dimension", "source", "rubric", "template")]
        texts.append(self.text(semconv.EVALUATOR_NAME).tolist())
        of = zip(owners.tolist(), times.tolist(), own, labels, columns["score"].tolist(), *texts, strict=True)
        ids = np.zeros(len(owners), np.uint64)
        for place, (owner, time, code, label, score, *others) in enumerate(of):
            if code:
                told: tuple[Any, ...] = (strings[code],)
            else:
                span = int(self._records.span_id[owner])
                trace = self._records.trace_id[owner].tolist()
                told = (*trace, span, 0 if span else time, strings[label], score, *(strings[each] for each in others))
            digest = blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=8).digest()
            ids[place] = int.from_bytes(digest) or 1
        return ids

    def _each(self, codes: Codes, convert: Callable[[str], Any], dtype: Any) -> NDArray[Any]:
        distinct, which = np.unique(codes, return_inverse=True)
        strings = self.strings
        return np.array([convert(strings[code]) for code in distinct.tolist()], dtype)[which]
