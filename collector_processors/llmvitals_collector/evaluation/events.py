"""Findings about answers, as results."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from llmvitals import semconv
from llmvitals_collector.evaluation.answered import Answered
from llmvitals_collector.result_events import ResultEvents, Told

_SCOPE = "llmvitals_collector.evaluation"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an evaluator says of an answer.

    name: the dimension, or semconv.USER_FEEDBACK, or of what is only a failure the evaluator's name.
    source: of semconv.SOURCES. evaluator: a heuristic's name, or a judge's model; version: of a heuristic or a rubric.
    label: of semconv.RESULT_VERDICTS or semconv.FEEDBACK_SCORES; "" for what is only a failure.
    score: 0 to 1, None where there is none. mode: of semconv.FAILURE_MODES, "" for none; primary: whether it is the
    primary one of the answer. chance: with which the answer was looked at. rubric: its hash. error: why there is no
    verdict, low-cardinality. explanation: content.
    """

    name: str
    source: str
    evaluator: str
    version: str = ""
    label: str = ""
    score: float | None = None
    mode: str = ""
    primary: bool = False
    chance: float = 1.0
    stratum: str = semconv.UNIFORM
    track: str = ""
    rubric: str = ""
    threshold: float | None = None
    error: str = ""
    explanation: str = ""


class Found(NamedTuple):
    """All that was found in an answer. language: of it, as ISO 639-1 has it, "" is unknown."""

    answer: Answered
    language: str
    findings: list[Finding]


def request(found: Iterable[Found], now: float) -> bytes:
    """The body of an ExportLogsServiceRequest with an event for each finding; now: seconds since the epoch."""
    events = ResultEvents(_SCOPE, now)
    for answer, language, findings in found:
        call = events.about(answer.service, answer.trace_id, answer.span_id, _of_call(answer, language))
        for finding in findings:
            call.add(_of_finding(answer, finding))
    return events.request.SerializeToString()


def _of_call(answer: Answered, language: str) -> Told:
    return {
        semconv.PROVIDER_NAME: answer.provider,
        semconv.OPERATION_NAME: answer.operation,
        semconv.REQUEST_MODEL: answer.model,
        semconv.PROMPT_NAME: answer.template,
        semconv.PROMPT_VERSION: answer.template_version,
        semconv.RELEASE: answer.release,
        semconv.EVALUATION_SET: semconv.LIVE,
        semconv.EVALUATION_LANGUAGE: language,
        semconv.EVALUATION_LATENCY_BAND: answer.latency_band,
        semconv.EVALUATION_ANSWERED_AT: None if math.isnan(answer.answered_at) else answer.answered_at,
    }


def _of_finding(answer: Answered, finding: Finding) -> Told:
    return {
        semconv.EVALUATION_ID: _id(answer, finding),
        semconv.EVALUATION_NAME: finding.name,
        semconv.EVALUATION_SOURCE: finding.source,
        semconv.EVALUATOR_NAME: finding.evaluator,
        semconv.EVALUATOR_VERSION: finding.version,
        semconv.EVALUATION_SCORE_LABEL: finding.label,
        semconv.EVALUATION_SCORE_VALUE: finding.score,
        semconv.EVALUATION_THRESHOLD: finding.threshold,
        semconv.EVALUATION_TRACK: finding.track,
        semconv.EVALUATION_RUBRIC: finding.rubric,
        semconv.EVALUATION_WEIGHT: answer.weight / finding.chance,
        semconv.EVALUATION_STRATUM: finding.stratum,
        semconv.EVALUATION_MODE: finding.mode,
        semconv.EVALUATION_PRIMARY: finding.primary if finding.mode else None,
        semconv.ERROR_TYPE: finding.error,
        semconv.EVALUATION_EXPLANATION: finding.explanation,
    }


def _id(answer: Answered, finding: Finding) -> str:
    """The same for the same answer, evaluator and rubric, so that a repetition counts once."""
    told = (answer.trace_id, answer.span_id, finding.evaluator, finding.rubric)
    return blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
