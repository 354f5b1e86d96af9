"""From one line in an app to what people look at: percentiles that are true, calls counted once, a message in Slack."""

import bisect
import math
import random

import numpy as np
import pytest

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

pytestmark = pytest.mark.servers


def of(template: str) -> str:
    return f'{{{semconv.LABEL_TEMPLATE}="{template}"}}'


@pytest.fixture(scope="module")
def traffic(path):
    """Calls of every kind, in three waves, so that every counter has been seen to move."""
    chance = random.Random(1)
    behaviours = [
        Behaviour(first_token_seconds=0.05, token_seconds=0.004, output_tokens=12, input_tokens=50),
        Behaviour(
            first_token_seconds=0.03, token_seconds=0.004, output_tokens=12, input_tokens=50, cache_read_tokens=40
        ),
        Behaviour(status=429),
    ]
    path.behave(lambda: chance.choice(behaviours))
    for wave in range(3):
        for what in ("chat", "stream", "embed", "rated"):
            path.app.call(what, f"waves-{what}", 8)
        path.until(f"{semconv.CALLS.name}{of('waves-rated')} > {5 * wave}")


def test_the_p95_that_prometheus_tells_is_the_p95_of_what_users_saw(path):
    """Within the width of the bucket in which it is."""
    template = "measured"
    path.behave(Behaviour)
    path.app.call("stream", template, 1)  # so that Prometheus has seen the series before what is measured
    path.until(f"{semconv.DURATION.name}_count{of(template)}")

    chance = random.Random(2)
    path.behave(
        lambda: Behaviour(
            first_token_seconds=chance.lognormvariate(math.log(0.3), 0.5), token_seconds=0.01, output_tokens=20
        )
    )
    seen = path.app.call("stream", template, 200)
    path.until(f"sum({semconv.DURATION.name}_count{of(template)}) >= 201")

    assert len(seen) == 200
    for family, exact in zip((semconv.FIRST_TOKEN, semconv.DURATION), zip(*seen, strict=True), strict=True):
        told = path.value(f"histogram_quantile(0.95, sum by (le) (rate({family.name}_bucket{of(template)}[5m])))")
        truth = float(np.quantile(exact, 0.95))
        above = bisect.bisect_left(family.bounds, truth)
        width = family.bounds[above] - family.bounds[above - 1]
        assert told == pytest.approx(truth, abs=width), family.name


def test_every_call_is_counted_once(path, traffic):
    calls = {what: path.value(f"sum({semconv.CALLS.name}{of(f'waves-{what}')})") for what in ("chat", "embed")}
    assert calls == {"chat": 24, "embed": 24}


def test_the_feedback_of_users_is_counted_for_the_template_that_it_is_about(path, traffic):
    path.until(
        f'{semconv.FEEDBACK.name}{{{semconv.LABEL_TEMPLATE}="waves-rated", {semconv.LABEL_KIND}="thumb_down"}} > 0'
    )


def test_a_burst_of_failures_is_a_message_in_slack_and_so_is_its_end(path, slack):
    path.behave(Behaviour)
    path.app.call("other", "refund", 1)
    path.until(f"{semconv.CALLS.name}{of('refund')}")

    path.behave(lambda: Behaviour(status=500))
    path.app.call("other", "refund", 120)
    message = slack.message(
        "/slack_oncall",
        "[CRITICAL] LLMSLOBurnRateCritical · gpt-y",
        # The short window is 5 s here: it must not run empty before the rules have looked twice and the message is out.
        meanwhile=lambda: path.app.call("other", "refund", 5),
    )
    assert "availability of gpt-y" in message["text"]
    assert 'Most bad ones: template "refund"' in message["text"]
    assert "|query>" in message["text"]
    assert message["color"] == "danger"
    assert {button["text"] for button in message["actions"]} == {"Runbook", "Dashboard", "Silence"}

    resolved = slack.message("/slack_oncall", "[RESOLVED] LLMSLOBurnRateCritical · gpt-y")
    assert resolved["color"] == "good"
