"""What the app's own evaluators say of an answer, as an event on the span of the call that gave it."""

from typing import Any

from opentelemetry._logs import SeverityNumber

from llmvitals import _feedback, _measure, semconv
from llmvitals._around import check_name
from llmvitals._guard import Guard

_LABEL_LENGTH = 64


def evaluation(
    response: Any,
    name: str,
    *,
    score: float | None = None,
    label: str | None = None,
    explanation: str | None = None,
    source: str = semconv.SOURCE_HEURISTIC,
    evaluator: str | None = None,
    version: str | None = None,
    rubric: str | None = None,
    error: BaseException | str | None = None,
) -> bool:
    """Record what an evaluator of the app's own says of a response, as the event `gen_ai.evaluation.result`.

    response: a feedback handle of at most 30 days, or what `feedback` takes else.
    name: of what is evaluated, the same for every response ("relevance"): up to 64 letters, digits, `_ . / -`.
    score: from 0 to 1, and 1 is always good: an evaluator of harm gives 1 to the harmless answer.
    label: the verdict in a word, of a few words ("pass", "fail"); up to 64 characters.
    explanation: the evaluator's reasons; they are content, and go out as given.
    source: who says so: one of `llmvitals.semconv.SOURCES`.
    evaluator, version: which evaluator, so that scores before and after its change can be told apart.
    rubric: the hash of the rubric by which a judge or a person went, `llmvitals.judge.Rubric.hash`.
    error: why the evaluation itself failed, as the exception or a low-cardinality name; then there is no result.
    Returns whether it was recorded.

    Bad arguments and bad handles are logged and do not raise, except under LLMVITALS_STRICT=1.

    https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
    """
    with Guard("evaluation", arguments=True):
        _check(name, score, label, source, error)
        for argument, text in (("explanation", explanation), ("evaluator", evaluator), ("rubric", rubric)):
            if text is not None and not isinstance(text, str):
                raise TypeError(f"evaluation {name!r}: {argument} is a {type(text).__name__}; it is to be a text")
        _feedback.record(
            _feedback.subject(response, "evaluation", semconv.EVALUATION_MAX_AGE),
            {
                semconv.EVALUATION_NAME: name,
                semconv.EVALUATION_SCORE_VALUE: None if score is None else float(score),
                semconv.EVALUATION_SCORE_LABEL: label,
                semconv.EVALUATION_EXPLANATION: explanation or None,
                semconv.EVALUATION_SOURCE: source,
                semconv.EVALUATOR_NAME: evaluator,
                semconv.EVALUATOR_VERSION: None if version is None else str(version),
                semconv.EVALUATION_RUBRIC: rubric,
                semconv.ERROR_TYPE: _measure.error_type(error) if isinstance(error, BaseException) else error,
            },
            SeverityNumber.INFO if error is None else SeverityNumber.WARN,
        )
        return True
    return False


def _check(name: Any, score: Any, label: Any, source: Any, error: Any) -> None:
    check_name("evaluation name", name)
    if name == semconv.USER_FEEDBACK:
        raise ValueError(f"evaluation name {name!r} is taken: record it with `feedback()`")
    _feedback.check_member("evaluation source", source, semconv.SOURCES)
    _feedback.check_score(f"evaluation {name!r}: score", score)
    if label is not None and not (isinstance(label, str) and 0 < len(label) <= _LABEL_LENGTH):
        raise ValueError(f"evaluation {name!r}: label {label!r} is no verdict: 1 to {_LABEL_LENGTH} characters")
    if (error is None) is (score is None and label is None):
        raise ValueError(f"evaluation {name!r} needs a result (score or label) or the error for which it has none")
