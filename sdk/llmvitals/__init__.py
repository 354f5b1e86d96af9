"""llmvitals: what an LLM in production does to its users, as OpenTelemetry spans and events."""

import importlib
from typing import TYPE_CHECKING, Any

from llmvitals._feedback import feedback, handle
from llmvitals._instrument import instrument, uninstrument
from llmvitals._prompt import prompt

if TYPE_CHECKING:
    from llmvitals._cache import cache
    from llmvitals._evaluation import evaluation
    from llmvitals._observe import observe
    from llmvitals._task import task
    from llmvitals.evaluators.evaluator import Instructions

__all__ = [
    "Instructions",
    "cache",
    "evaluation",
    "feedback",
    "handle",
    "instrument",
    "observe",
    "prompt",
    "task",
    "uninstrument",
]

# Most apps call none of these, and are not to wait for them when they start.
_LATER = {
    **{name: f"llmvitals._{name}" for name in ("cache", "evaluation", "observe", "task")},
    "Instructions": "llmvitals.evaluators.evaluator",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
