"""llmvitals: what an LLM in production does to its users, as OpenTelemetry spans and events."""

from llmvitals._evaluation import evaluation
from llmvitals._feedback import feedback, handle
from llmvitals._instrument import instrument, uninstrument
from llmvitals._prompt import prompt

__all__ = ["evaluation", "feedback", "handle", "instrument", "prompt", "uninstrument"]
