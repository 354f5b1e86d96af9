"""What results say in numbers: their verdicts and weights, a call's own failures, and the series to begin with."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals._content import finish_reason
from llmvitals.evaluators import EVALUATORS, read
from llmvitals_collector.calls import OUTCOMES_BY_CLASS, Calls
from llmvitals_collector.columns import ABSENT_MEMBER, Columns
from llmvitals_collector.results import Results

Mask = NDArray[np.bool_]

_PASS, _FAIL, _UNDECIDED, _ERROR = range(len(semconv.RESULT_VERDICTS))
_THRESHOLD = 0.5
_MODES = {mode: place for place, mode in enumerate(semconv.FAILURE_MODES)}
_MODE_OF_ERROR = {
    semconv.TIMEOUT: "timeout",
    semconv.RATE_LIMIT: "rate_limited",
    semconv.CONTENT_FILTER: "content_filtered",
}
# Place in OUTCOMES_BY_CLASS -> place in FAILURE_MODES.
_MODES_OF_OUTCOMES = np.array(
    [
        _MODES[_MODE_OF_ERROR.get(error_class, "provider_error")] if outcome == semconv.ERROR else ABSENT_MEMBER
        for outcome, error_class in OUTCOMES_BY_CLASS
    ]
)
# By the conventions' words for why an answer ended, and Anthropic's for one that it declined.
_MODE_OF_FINISH = {"length": "truncated", "content_filter": "content_filtered", "refusal": "refusal"}
# What results have of no call, with what is absent.
_FOUND = {"dimension": 0, **dict.fromkeys(("verdict", "mode", "primary", "kind"), ABSENT_MEMBER)}
# Evaluators of apps name themselves, so not too many of a batch are told apart.
_MOST_CHECKS = 100
_OF_CALL = ("service", "provider", "operation", "model", "template", "template_version", "release", "language")


def rated(results: Results) -> Results:
    """Give results their verdicts, scores from 0 to 1, and the columns in which they count.

    A score that is out of its range is no score, and makes an error of a result that has no verdict in words. A result
    with a score alone passes from its threshold on.
    """
    low, high = _or(results["score_min"], 0.0), _or(results["score_max"], 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (results["score"] - low) / (high - low)
    told = ~np.isnan(results["score"])
    valid = (score >= 0) & (score <= 1)
    by_score = np.where(score >= _or(results["threshold"], _THRESHOLD), _PASS, _FAIL)
    unsaid = np.where(results["mode"] >= 0, ABSENT_MEMBER, _UNDECIDED)  # a failure is no verdict
    without_words = np.where(told, np.where(valid, by_score, _ERROR), unsaid)
    verdict = np.where(results["verdict"] < 0, without_words, results["verdict"])
    # What was looked at only to be read says nothing of how frequent it is.
    counts = (results["dimension"] > 0) & (results["sample_weight"] != 0)
    verdict = np.where(counts, verdict, ABSENT_MEMBER).astype(np.int8)
    score = np.where(valid & (verdict != _ERROR), score, np.nan)
    results.arrays |= {"score": score, "verdict": verdict}
    _weigh(results, score, verdict)
    return results


def _weigh(results: Results, score: NDArray[np.float64], verdict: NDArray[np.int8]) -> None:
    live = _is(results, "set", semconv.LIVE)
    weight = _or(results["sample_weight"], 1.0)
    # An answer stands for itself and others once, also if a second person has graded it.
    once = live & (results["peer_verdict"] < 0)
    decided = np.where(once & ((verdict == _PASS) | (verdict == _FAIL)), weight, np.nan)
    results.add("told_weight", weight)
    results.add("decided_weight", decided)
    # Whatever counts is multiplied by how many calls its own stands for, and that once.
    squared = decided * decided * results["weight"] if "weight" in results else decided * decided
    results.add("decided_weight_squared", squared)
    results.add("pass_weight", np.where(verdict == _PASS, decided, np.where(np.isnan(decided), np.nan, 0.0)))
    seen = live & (verdict >= 0)
    results.add("live_score", np.where(seen, score, np.nan))
    results.add("live_verdict", np.where(seen, verdict, ABSENT_MEMBER))
    results.add("language_verdict", np.where(seen & (results["language"] > 0), verdict, ABSENT_MEMBER))
    _pair(results, score, np.where(seen, verdict, ABSENT_MEMBER))


def _pair(results: Results, score: NDArray[np.float64], verdict: NDArray[np.int8]) -> None:
    """Put what people and judges say of the same answers where it can be compared: of the uniform sample only."""
    uniform = results["stratum"] == semconv.STRATA.index(semconv.UNIFORM)
    by_judge = uniform & _is(results, "source", semconv.SOURCE_JUDGE)
    by_person = _is(results, "source", semconv.SOURCE_HUMAN)
    results.add("judged", np.where(by_judge, verdict, ABSENT_MEMBER))
    decided = (verdict == _PASS) | (verdict == _FAIL)
    both = by_person & uniform & decided & (results["judge_verdict"] >= 0) & (results["peer_verdict"] < 0)
    results.add("pair_judge", np.where(both, results["judge_verdict"], ABSENT_MEMBER))
    results.add("pair_human", np.where(both, verdict, ABSENT_MEMBER))
    two = by_person & decided & (results["peer_verdict"] >= 0)
    results.add("first_human", np.where(two, results["peer_verdict"], ABSENT_MEMBER))
    results.add("second_human", np.where(two, verdict, ABSENT_MEMBER))
    judged = np.where(by_judge & decided, score, np.nan)
    y, f = np.where(both, score, np.nan), np.where(both, results["judge_score"], np.nan)
    y, f = np.where(np.isnan(f), np.nan, y), np.where(np.isnan(y), np.nan, f)
    moments = {"n": y * 0 + 1, "y": y, "f": f, "yy": y * y, "ff": f * f, "yf": y * f}
    moments |= {"N": judged * 0 + 1, "F": judged, "FF": judged * judged}
    for name, values in moments.items():
        results.add(f"moment_{name}", values)


def of_calls(calls: Calls) -> Results:
    """What the calls tell of themselves: in which ways they failed, and what evaluators in the app found.

    Adds `answered` and `failure` to the calls.
    """
    found = _checks(calls)
    failures = _failures(calls, found)
    outcome = calls["outcome"]
    unanswered = (outcome == semconv.OUTCOMES.index(semconv.ERROR)) | _is(calls, "operation", semconv.EMBEDDINGS)
    rows, modes = np.nonzero(failures)
    failed = np.zeros(len(calls), np.bool_)
    failed[rows] = True
    calls.add("answered", ~unanswered)
    calls.add("failure", failed)
    blocks: list[tuple[NDArray[np.intp], dict[str, Any]]] = []
    if len(rows):
        first = np.diff(rows, prepend=-1) > 0  # of its call
        primary = np.where(first, *map(semconv.PRIMARY.index, ("true", "false")))
        blocks.append((rows, {"mode": modes, "primary": primary}))
    for name, verdicts in found.items():
        evaluator = EVALUATORS.get(name)
        dimension = evaluator.dimension if evaluator else name
        rows = np.flatnonzero(verdicts >= 0)
        if dimension and len(rows):
            blocks.append((rows, {"dimension": calls.code(dimension), "verdict": verdicts[rows]}))
        rows = np.flatnonzero(verdicts == _FAIL)
        if evaluator and evaluator.kind and len(rows):
            blocks.append((rows, {"kind": semconv.FEEDBACK_KINDS.index(evaluator.kind)}))
    if not blocks:
        return Results.from_rows([])
    rows = np.concatenate([rows for rows, _ in blocks])
    columns = _taken(calls, rows)
    for name, absent in _FOUND.items():
        told = [np.broadcast_to(block.get(name, absent), len(its_rows)) for its_rows, block in blocks]
        columns[name] = np.concatenate(told)
    results = Results.formed(calls.strings.copy(), columns)
    if "weight" in calls:
        results.add("weight", calls["weight"][rows])
    return rated(results)


def of_checks(names: Iterable[str]) -> list[dict[str, Any]]:
    """Columns of the results that can come of evaluators, as `expected` takes them."""
    evaluators = [EVALUATORS[name] for name in names]
    found = [{"dimension": each} for each in sorted({each.dimension for each in evaluators} - {""})]
    if any(each.kind for each in evaluators):
        found.append({"kind": semconv.OTHER})
    return [{**each, "source": semconv.SOURCE_HEURISTIC} for each in found]


def expected(
    label_sets: Iterable[Mapping[str, str]],
    verdicts: Callable[[str], Iterable[Mapping[str, str]]],
    checks: Iterable[str],
) -> Results:
    """Results whose series are to be there before the first of them comes.

    label_sets: of semconv.RESPONSES, each that has begun. verdicts: columns of results that can come of a template, as
    `dimension`, `source`, `kind`, `evaluator`, `rubric`. checks: names of evaluators that the apps run.
    """
    columns = {name: name for name in ("template", "template_version", "release")}
    labels = columns | {"service": semconv.LABEL_SERVICE, "model": semconv.LABEL_MODEL}
    # An app tells verdicts, and no scores.
    by_app = [each | {"score": np.nan} for each in of_checks(name for name in checks if name in EVALUATORS)]
    some_band = {"latency_band": semconv.LATENCY_BANDS[0]}
    rows: list[dict[str, Any]] = []
    for label_set in label_sets:
        of = {column: label_set[label] for column, label in labels.items()} | {"set": semconv.LIVE}
        rows.append({**of, "source": semconv.SOURCE_USER, "kind": semconv.OTHER})
        rows.append({**of, "mode": semconv.OTHER, "primary": "true"})
        for each in (*by_app, *verdicts(label_set[semconv.LABEL_TEMPLATE])):
            row = {**of, "verdict": semconv.PASS, "stratum": semconv.UNIFORM, "score": 1.0, **some_band, **each}
            if each["source"] == semconv.SOURCE_HUMAN:
                rows.append(row | {"judge_verdict": semconv.PASS, "judge_score": 1.0})
                rows.append(row | {"peer_verdict": semconv.PASS})
            else:
                rows.append(row)
    return rated(Results.from_rows(rows)) if rows else Results.from_rows([])


def _checks(calls: Calls) -> dict[str, NDArray[np.int8]]:
    """The verdicts of each evaluator that has looked at any call: int8 (n,), absent where it has not."""
    if "checks" not in calls:
        return {}
    codes = calls["checks"]
    tables: dict[str, NDArray[np.int8]] = {}
    # Few of the many ways in which checks can end occur in a batch.
    for code in np.unique(codes[codes > 0]).tolist():
        for name, verdict in read(calls.strings[code]).items():
            if name not in tables and (name in EVALUATORS or len(tables) < _MOST_CHECKS):
                tables[name] = np.full(len(calls.strings), ABSENT_MEMBER, np.int8)
            if name in tables:
                tables[name][code] = semconv.RESULT_VERDICTS.index(verdict)
    return {name: table[codes] for name, table in tables.items()}


def _failures(calls: Calls, checks: Mapping[str, NDArray[np.int8]]) -> Mask:
    """In which modes each call failed: bool (n, modes)."""
    failures = np.zeros((len(calls), len(_MODES)), np.bool_)
    modes = _MODES_OF_OUTCOMES[calls["outcome_by_class"]]
    failed = np.flatnonzero(modes >= 0)
    failures[failed, modes[failed]] = True
    ended = calls["outcome"] == semconv.OUTCOMES.index(semconv.OK)
    if "finish_reason" in calls:
        modes = calls.of_texts("finish_reason", _mode_of_finish, np.intp)
        rows = np.flatnonzero(ended & (modes >= 0))
        failures[rows, modes[rows]] = True
    silent = ended & (calls["output_tokens"] == 0) & ~_is(calls, "operation", semconv.EMBEDDINGS)
    failures[silent, _MODES["empty"]] = True
    if "ending" in calls:
        failures[calls.of_texts("ending", semconv.CANCELLED.__eq__, np.bool_), _MODES["cancelled"]] = True
    for name, verdicts in checks.items():
        if name in EVALUATORS and EVALUATORS[name].mode:
            failures[verdicts == _FAIL, _MODES[EVALUATORS[name].mode]] = True
    return failures


def _mode_of_finish(told: str) -> int:
    reason = told.casefold().replace("-", "_")  # the Vercel AI SDK has hyphens
    mode = _MODE_OF_FINISH.get(reason) or _MODE_OF_FINISH.get(finish_reason(reason))
    return _MODES[mode] if mode else ABSENT_MEMBER


def _taken(calls: Calls, rows: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """The columns that results have of their calls."""
    codes = {"source": semconv.SOURCE_HEURISTIC, "set": semconv.LIVE}
    return {
        **{name: calls[name][rows] for name in _OF_CALL if name in calls},
        **{name: np.full(len(rows), calls.code(text)) for name, text in codes.items()},
        "latency_band": calls["latency_band"][rows],
        "stratum": np.full(len(rows), semconv.STRATA.index(semconv.UNIFORM)),
    }


def _or(values: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    return np.where(np.isnan(values), otherwise, values)


def _is(records: Columns, column: str, text: str) -> Mask:
    return np.asarray(records[column] == records.code(text))
