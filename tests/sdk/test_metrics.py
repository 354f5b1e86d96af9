"""Where the app opts in, every call is in the conventions' histograms, whether its span is sampled or not."""

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
TOLD = Behaviour(first_token_seconds=0.05, input_tokens=100, output_tokens=20)


@pytest.fixture
def recorded(spans, monkeypatch):
    """The points recorded so far: by metric, its points in the order of their attributes."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    llmvitals.uninstrument()
    llmvitals.instrument(metrics=True)

    def points():
        data = reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {metric.name: list(metric.data.data_points) for metric in found}

    yield points
    provider.shutdown()


def test_a_call_is_in_each_histogram_once(clients, recorded):
    with llmvitals.prompt("support-answer", version="3"):
        clients(TOLD).openai.chat.completions.create(**REQUEST)
    points = recorded()
    (duration,) = points["gen_ai.client.operation.duration"]
    assert duration.count == 1
    assert 0.05 <= duration.sum < 2
    assert dict(duration.attributes) == {
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "m",
        semconv.RESPONSE_MODEL: "m",
        semconv.PROMPT_NAME: "support-answer",
        semconv.PROMPT_VERSION: "3",
    }
    tokens = {point.attributes[semconv.TOKEN_TYPE]: point.sum for point in points["gen_ai.client.token.usage"]}
    assert tokens == {"input": 100, "output": 20}
    assert "gen_ai.client.operation.time_to_first_chunk" not in points, "nothing was streamed"


def test_the_bounds_are_those_of_the_conventions(clients, recorded):
    clients(TOLD).openai.chat.completions.create(**REQUEST)
    points = recorded()
    (duration,) = points["gen_ai.client.operation.duration"]
    assert duration.explicit_bounds == (
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    )
    assert points["gen_ai.client.token.usage"][0].explicit_bounds[:4] == (1, 4, 16, 64)


def test_calls_that_are_not_sampled_count(clients, recorded, spans, unsampled):
    loopback = clients(TOLD)
    with unsampled:
        list(loopback.openai.chat.completions.create(**REQUEST, stream=True))
    points = recorded()
    assert points["gen_ai.client.operation.duration"][0].count == 1
    assert points["gen_ai.client.operation.time_to_first_chunk"][0].count == 1
    assert not spans()


def test_a_failure_is_named_on_the_duration_only(clients, recorded):
    with pytest.raises(Exception, match="429"):
        clients(Behaviour(status=429)).openai.chat.completions.create(**REQUEST)
    (duration,) = recorded()["gen_ai.client.operation.duration"]
    assert duration.attributes[semconv.ERROR_TYPE] == "openai.RateLimitError"


def test_there_are_none_unless_the_app_opts_in(clients, recorded):
    llmvitals.uninstrument()
    llmvitals.instrument()
    clients(TOLD).openai.chat.completions.create(**REQUEST)
    assert recorded() == {}
