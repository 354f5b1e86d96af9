"""Checks of answers, in the app: their verdicts stand on the call's span, and no word of its content does."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmvitals import _prompt, semconv
from llmvitals._adapter import Attribute
from llmvitals._call import Call
from llmvitals._content import Content, Message
from llmvitals._guard import Guard

if TYPE_CHECKING:
    from llmvitals.evaluators.evaluator import Exchange, Instructions

# Evaluators that are more than a name here.
_LANGUAGE, _FORMAT, _INSTRUCTIONS, _REGENERATE = "language_match", "format_valid", "instruction_adherence", "regenerate"
_AGAIN = 600 * 10**9  # nanoseconds in which the same request is the same user's
_KEPT = 4096  # requests, of which a number each is kept

_names: tuple[str, ...] = ()
_answered: OrderedDict[int, int] = OrderedDict()
"""The last requests that were answered: a hash of what was asked -> when, `perf_counter_ns`."""


def configure(checks: bool | Iterable[str]) -> None:
    """Check answers from now on by the evaluators that are named; True is all that can work here.

    ValueError for a name of none, TypeError for what is no collection of names, ImportError where one that is named
    needs a package that is not installed.
    """
    global _names
    _names = _named(checks)
    if _LANGUAGE in _names:
        _language_of("")  # which loads the model: the first call is not to wait for it


def _named(checks: bool | Iterable[str]) -> tuple[str, ...]:
    if checks is False:
        return ()
    # Most apps never come here, and are not to wait for it when they start.
    from llmvitals.evaluators import EVALUATORS, missing

    if checks is True:
        unable = missing((_LANGUAGE,))  # to look for its package again would cost each call more than all the others
        return tuple(name for name in EVALUATORS if name not in unable)
    if isinstance(checks, str) or not isinstance(checks, Iterable):
        raise TypeError(f"checks is {checks!r}; it is to be True, False or names, such as ('refusal', 'truncation')")
    names = tuple(checks)
    for name in names:
        if name not in EVALUATORS:
            import difflib  # nobody is to wait for it who makes no mistake

            near = difflib.get_close_matches(str(name), EVALUATORS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"valid are {', '.join(EVALUATORS)}"
            raise ValueError(f"checks: {name!r} is no check; {hint}")
    for name, package in missing(names).items():
        raise ImportError(f"checks: {name!r} needs {package}, which is not installed: pip install {package}")
    return names


def _language_of(text: str) -> str:
    from llmvitals.evaluators import language_of

    try:
        return language_of(text)
    except ImportError:  # where a template declares a language
        return ""


def wanted() -> tuple[str, ...]:
    """The checks of the call that starts now: those of `instrument()`, and what its template declares."""
    template = _prompt.current.get()
    declared = template.instructions if template else None
    return tuple(dict.fromkeys((*_names, *_declared(declared)))) if declared else _names


def _declared(instructions: "Instructions") -> Iterator[str]:
    yield _INSTRUCTIONS  # which does not apply where only the others are declared
    if instructions.json_schema is not None:
        yield _FORMAT
    if instructions.language:
        yield _LANGUAGE


class Checks:
    """The checks of one call.

    names: of the evaluators. content: what the request says. parameters: of the request, as on its span.
    """

    __slots__ = ("_content", "_names", "_parameters", "_template")

    def __init__(self, names: tuple[str, ...], content: Content, parameters: Mapping[str, Attribute]) -> None:
        self._names = names
        self._content = content
        self._parameters = parameters
        self._template = _prompt.current.get()

    def found(self, call: Call, ending: str, at: int, error_type: str | None) -> dict[str, Attribute]:
        """What they find, as attributes of the span; nothing where the answer has not come to its end.

        ending, at, error_type: of the call; one of semconv.ENDINGS, `perf_counter_ns`, `error.type`.
        An answer that is too long to be kept whole is checked as far as it is kept, and what its rest would decide is
        `unknown`. All checks of an answer of 200 words take 0.6 ms on a slow virtual CPU, of which 0.5 ms are those of
        `language_match`, and nothing grows with the answer but the patterns of `privacy`.
        """
        transcript = call.answer.transcript
        with Guard("checking an answer"):
            if transcript is None or not (transcript.begun or call.answer.finish_reasons):
                return {}  # the app has read it by a way that is not seen
            if error_type is not None:
                return {}  # and who asks again then is no user who does not like the answer
            before = self._asked_before(call, at) if _REGENERATE in self._names else None
            if ending == semconv.COMPLETE or call.answer.finish_reasons:
                return self._verdicts(call, before)
        return {}

    def _verdicts(self, call: Call, before: bool | None) -> dict[str, Attribute]:
        from llmvitals.evaluators import run, written

        exchange = self._exchange(call, before)
        attributes: dict[str, Attribute] = {}
        if checks := written(run(exchange, self._names)):
            attributes[semconv.CHECKS] = checks
        if _LANGUAGE in self._names and (language := _language_of(exchange.answer)):
            attributes[semconv.ANSWER_LANGUAGE] = language
        return attributes

    def _exchange(self, call: Call, before: bool | None) -> "Exchange":
        from llmvitals.evaluators.messages import exchange

        transcript, content = call.answer.transcript, self._content
        answered = transcript.messages(call.answer.finish_reasons) if transcript else []
        made = exchange(content.messages, content.system, answered)
        instructions = self._template.instructions if self._template else None
        return made._replace(
            json=self._parameters.get(semconv.OUTPUT_TYPE) == "json",
            asked_before=before,
            instructions=instructions or made.instructions,
        )

    def _asked_before(self, call: Call, at: int) -> bool | None:
        """Whether the same was asked a short while ago, under the same template, and answered; None where nobody knows.

        Of what was asked only a hash is kept, whose secret is this process's own.
        """
        if semconv.CONVERSATION_ID in self._parameters:  # then the messages are not all that was said
            return None
        previous = self._parameters.get(semconv.REQUEST_PREVIOUS_RESPONSE_ID)
        asked = hash((self._template and self._template.name, previous, *_said(self._content.messages)))
        answered = _answered.pop(asked, None)
        # Without a lock, as in `_recent`: each step is atomic.
        _answered[asked] = at
        if len(_answered) > _KEPT:
            _answered.popitem(last=False)
        return answered is not None and 0 <= call.started - answered < _AGAIN


def _said(messages: Iterable[Message]) -> Iterator[Any]:
    for message in messages:
        yield message["role"]
        for part in message["parts"]:
            yield from (value if isinstance(value, str) else repr(value) for value in part.values())
