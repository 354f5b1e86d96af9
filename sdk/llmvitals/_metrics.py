"""The conventions' client metrics, recorded of every call, sampled or not, where the app opts in."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry import metrics

from llmvitals import semconv
from llmvitals._adapter import Attribute
from llmvitals._call import Call

_instruments: "_Instruments | None" = None


class _Instruments:
    """Histograms of the app's own meter provider: the meter follows a provider that is set later."""

    def __init__(self) -> None:
        meter = metrics.get_meter("llmvitals", version("llmvitals"))

        def histogram(name: str, unit: str, description: str, bounds: tuple[float, ...]) -> metrics.Histogram:
            return meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=list(bounds))

        self.duration = histogram(*semconv.OPERATION_DURATION)
        self.first_chunk = histogram(*semconv.OPERATION_FIRST_CHUNK)
        self.tokens = histogram(*semconv.OPERATION_TOKEN_USAGE)


def enable(on: bool) -> None:
    """Record metrics from now on, or no longer."""
    global _instruments
    _instruments = _Instruments() if on else None


def enabled() -> bool:
    """Whether calls are to be counted though their spans are not sampled."""
    return _instruments is not None


def record(identity: Mapping[str, Attribute], call: Call, at: int, error_type: str | None) -> None:
    """Record a call that has ended; at: `perf_counter_ns` of its end.

    https://github.com/open-telemetry/semantic-conventions-genai, client metrics. The error's type is on
    the duration and the tokens, and not on the time to the first chunk, which comes before any error.
    """
    instruments = _instruments
    if instruments is None:
        return
    attributes: dict[str, Any] = dict(identity)
    if call.answer.model is not None:
        attributes[semconv.RESPONSE_MODEL] = call.answer.model
    if call.pace.chunks:
        instruments.first_chunk.record((call.pace.first - call.started) / 1e9, attributes)
    if error_type:
        attributes = {**attributes, semconv.ERROR_TYPE: error_type}
    instruments.duration.record((at - call.started) / 1e9, attributes)
    for kind, count in (("input", call.answer.usage.input), ("output", call.answer.usage.output)):
        if count is not None:
            instruments.tokens.record(count, {**attributes, semconv.TOKEN_TYPE: kind})
