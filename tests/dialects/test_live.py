"""A team that points its exporter at the collector, and changes nothing else, finds its calls in the series."""

from collections import Counter
from collections.abc import Iterable

import pytest
from capture import EMITTERS
from prometheus_client.samples import Sample
from truth import CLAUDE_STREAM, TRUTH, Call

from llmvitals import semconv

pytestmark = pytest.mark.dialects

# What does not install together with the others, which go with openai 3 and opentelemetry-util-genai 1.3.
APART = {
    "litellm",  # openai 2
    "litellm_v2",
    "llmvitals",  # tests/end_to_end
    "openai_v2",  # opentelemetry-util-genai 0.4
    "openlit",  # openai 2
    "vllm",  # made by hand
    "openllmetry_ollama",  # its provider and its errors are told in words of its own
}
LIVE = sorted(path.stem for path in EMITTERS.glob("*.py") if path.stem not in APART)
LABELS = (semconv.LABEL_OPERATION, semconv.LABEL_PROVIDER, semconv.LABEL_MODEL, semconv.LABEL_TEMPLATE)
COLUMNS = ("operation", "provider", "model", "template")


def counted(samples: Iterable[Sample], name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """The values of a metric by labels, without those that are 0."""
    values: Counter[tuple[str, ...]] = Counter()
    for sample in samples:
        if sample.name == name:
            values[tuple(sample.labels[label] for label in (*LABELS, *labels))] += sample.value
    return +values


def of(call: Call, *further: str) -> tuple[str, ...]:
    return (*(call.get(column, "") for column in COLUMNS), *further)


def ending(call: Call) -> tuple[str, str]:
    return (semconv.ERROR, semconv.RATE_LIMIT) if "failed" in call else (semconv.OK, "")


def as_counted(call: Call) -> Call:
    """Anthropic's client tells of its calls itself, and says more than some; as the innermost, its span counts.

    Not with MLflow, which has a tracer provider of its own, and does not know how long those streams take.
    """
    told_twice = call["provider"] == "anthropic" and "streamed" in call and "duration" in call
    return call | CLAUDE_STREAM if told_twice else call


@pytest.mark.parametrize("name", LIVE)
def test_the_calls_of_an_emitter_fill_the_series(name, seen_by_collector):
    samples = seen_by_collector(name)
    calls = [as_counted(call) for call in TRUTH[name].counted]
    outcomes = (semconv.LABEL_OUTCOME, semconv.LABEL_ERROR_CLASS)
    assert counted(samples, semconv.CALLS.name, *outcomes) == Counter(of(call, *ending(call)) for call in calls)
    tokens: Counter[tuple[str, ...]] = Counter()
    for call in calls:
        tokens += Counter({of(call, kind): call.get(f"{kind}_tokens", 0) for kind in semconv.TOKEN_TYPES})
    assert counted(samples, semconv.TOKENS.name, semconv.LABEL_TOKEN_TYPE) == tokens
    durations = counted(samples, f"{semconv.DURATION.name}_count")
    assert durations == Counter(of(call) for call in calls if "duration" in call)
    first_chunks = counted(samples, f"{semconv.FIRST_CHUNK.name}_count")
    assert first_chunks == Counter(of(call) for call in calls if "time_to_first_chunk" in call)
