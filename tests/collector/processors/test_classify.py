"""How a call ended, and the class of its error."""

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import OUTCOMES_BY_CLASS, Calls
from llmvitals_collector.processors.classify import Classify, ClassifyConfig


def ended(rows, config=None):
    """The outcome and the error class of each call; both derived columns must agree on the outcome."""
    calls = Classify(config or ClassifyConfig()).process(Calls.from_rows(rows))
    by_class = [OUTCOMES_BY_CLASS[code] for code in calls["outcome_by_class"]]
    assert [semconv.OUTCOMES[code] for code in calls["outcome"]] == [outcome for outcome, _ in by_class]
    return by_class


@pytest.mark.parametrize(
    ("error_type", "error_class"),
    [
        ("openai.RateLimitError", semconv.RATE_LIMIT),
        ("anthropic.RateLimitError", semconv.RATE_LIMIT),
        ("rate_limit_error", semconv.RATE_LIMIT),
        ("rate_limit_exceeded", semconv.RATE_LIMIT),
        ("429", semconv.RATE_LIMIT),
        ("RESOURCE_EXHAUSTED", semconv.RATE_LIMIT),
        ("anthropic.APITimeoutError", semconv.TIMEOUT),
        ("openai.APITimeoutError", semconv.TIMEOUT),
        ("TimeoutError", semconv.TIMEOUT),
        ("httpx2.ReadTimeout", semconv.TIMEOUT),
        ("504", semconv.TIMEOUT),
        ("openai.AuthenticationError", semconv.AUTH),
        ("anthropic.PermissionDeniedError", semconv.AUTH),
        ("401", semconv.AUTH),
        ("openai.BadRequestError", semconv.BAD_REQUEST),
        ("anthropic.NotFoundError", semconv.BAD_REQUEST),
        ("invalid_request_error", semconv.BAD_REQUEST),
        ("422", semconv.BAD_REQUEST),
        ("content_filter", semconv.CONTENT_FILTER),
        ("openai.ContentFilterFinishReasonError", semconv.CONTENT_FILTER),
        ("openai.APIConnectionError", semconv.CONNECTION),
        ("ConnectionError", semconv.CONNECTION),
        ("ConnectionResetError", semconv.CONNECTION),
        ("overloaded_error", semconv.SERVER),
        ("anthropic.InternalServerError", semconv.SERVER),
        ("503", semconv.SERVER),
        ("529", semconv.SERVER),
        ("_OTHER", semconv.OTHER),
        ("acme.NeverHeardOfError", semconv.OTHER),
        ("", semconv.OTHER),
    ],
)
def test_an_error_type_has_one_class(error_type, error_class):
    assert ended([{"failed": True, "error_type": error_type}]) == [(semconv.ERROR, error_class)]


@pytest.mark.parametrize(
    ("error_type", "status", "error_class"),
    [
        ("google.genai.errors.ClientError", 429, semconv.RATE_LIMIT),
        ("ollama.ResponseError", 404, semconv.BAD_REQUEST),
        ("", 503, semconv.SERVER),
        ("openai.RateLimitError", 503, semconv.RATE_LIMIT),
        ("acme.NeverHeardOfError", 418, semconv.OTHER),
        ("acme.NeverHeardOfError", 200, semconv.OTHER),
    ],
)
def test_where_an_error_type_is_not_known_the_http_status_tells_the_class(error_type, status, error_class):
    row = {"failed": True, "error_type": error_type, "status_code": status}
    assert ended([row, {"status_code": status}]) == [(semconv.ERROR, error_class), (semconv.OK, "")]


def test_a_call_that_did_not_fail_is_ok_whatever_its_ending_says():
    assert ended([{}, {"ending": semconv.COMPLETE}]) == [(semconv.OK, "")] * 2


@pytest.mark.parametrize("ending", [semconv.CLOSED, semconv.CANCELLED, semconv.ABANDONED])
def test_a_call_that_the_app_ended_early_is_stopped_and_no_error(ending):
    row = {"ending": ending, "failed": True, "error_type": "_OTHER"}
    assert ended([row, {"ending": ending}]) == [(semconv.STOPPED, "")] * 2


@pytest.mark.parametrize("error_type", ["asyncio.exceptions.CancelledError", "KeyboardInterrupt"])
def test_a_cancellation_told_as_an_error_is_stopped_too(error_type):
    assert ended([{"failed": True, "error_type": error_type}]) == [(semconv.STOPPED, "")]


def test_each_call_of_a_batch_has_its_own_class():
    rows = [
        {"failed": True, "error_type": "429"},
        {},
        {"failed": True, "error_type": "500"},
        {"ending": semconv.CLOSED},
    ]
    assert ended(rows) == [
        (semconv.ERROR, semconv.RATE_LIMIT),
        (semconv.OK, ""),
        (semconv.ERROR, semconv.SERVER),
        (semconv.STOPPED, ""),
    ]


def test_settings_add_error_types_and_override_known_ones():
    config = ClassifyConfig(error_types={"GatewayBusy": semconv.RATE_LIMIT, "503": semconv.RATE_LIMIT})
    rows = [{"failed": True, "error_type": "acme.GatewayBusy"}, {"failed": True, "error_type": "503"}]
    assert ended(rows, config) == [(semconv.ERROR, semconv.RATE_LIMIT)] * 2
