"""What a call costs, who says so, and since when."""

import datetime
import math
import re

import pytest

from llmvitals import semconv
from llmvitals_collector import config, prices
from llmvitals_collector.calls import Calls
from llmvitals_collector.decode.encoding import Encoding
from llmvitals_collector.prices import Price
from llmvitals_collector.processors.price import PriceConfig, Pricing
from llmvitals_collector.receivers import Signal

MILLION = 1_000_000
MODELS = {
    "gpt-5*": Price(input=1.25, output=10, cache_read=0.125),
    "gpt-5-mini*": Price(input=0.25, output=2),
    "claude-*": Price(input=3, output=15, cache_read=0.3, cache_write=3.75),
    "thinker": Price(input=1, output=2, reasoning=8),
    "exact": Price(input=1, output=2),
    "exact-2025-01-31": Price(input=7, output=2),
}


def cost(row, models=MODELS, file="", **config):
    calls = Pricing(PriceConfig(models=models, file=file, **config)).process(Calls.from_rows([row]))
    (amount,), (priced,) = calls["cost"], calls["priced"]
    return None if math.isnan(amount) else pytest.approx(amount), semconv.PRICED[priced] if priced >= 0 else None


@pytest.mark.parametrize(
    ("row", "dollars"),
    [
        ({"model": "gpt-5", "input_tokens": MILLION, "output_tokens": MILLION}, 11.25),
        ({"model": "gpt-5-mini", "input_tokens": MILLION, "output_tokens": MILLION}, 2.25),
        ({"model": "gpt-5", "input_tokens": MILLION}, 1.25),
        ({"model": "gpt-5", "input_tokens": MILLION, "cache_read_tokens": MILLION}, 0.125),
        ({"model": "gpt-5-mini", "input_tokens": MILLION, "cache_read_tokens": MILLION}, 0.25),
        ({"model": "gpt-5", "input_tokens": MILLION, "cache_write_tokens": MILLION}, 1.25),
        (
            {"model": "claude-x", "input_tokens": 4e6, "cache_read_tokens": 1e6, "cache_write_tokens": 2e6},
            3 + 0.3 + 7.5,
        ),
        ({"model": "our-chat", "response_model": "gpt-5-mini-2025-08-07", "input_tokens": MILLION}, 0.25),
        ({"model": "gpt-5", "response_model": "unheard-of", "input_tokens": MILLION}, 1.25),
    ],
)
def test_tokens_cost_what_the_longest_pattern_says(row, dollars):
    assert cost(row) == (dollars, semconv.CONFIGURED)


def test_reasoning_costs_its_own_price_or_that_of_output():
    tokens = {"input_tokens": 0, "output_tokens": 3 * MILLION, "reasoning_tokens": MILLION}
    assert cost({"model": "thinker"} | tokens) == (2 * 2 + 8, semconv.CONFIGURED)
    assert cost({"model": "gpt-5"} | tokens) == (30, semconv.CONFIGURED)


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("exact-2025-01-30", 1),
        ("exact-20250130", 1),
        ("exact@20250130", 1),
        ("exact-2025-01-31", 7),
        ("exact-2025", None),
        ("exact-20259999", None),
        ("exact-mini-20250130", None),
        ("ft:exact-2025-01-30", None),
    ],
)
def test_a_name_stands_for_its_dated_versions_that_are_not_named(model, dollars):
    row = {"model": model, "input_tokens": MILLION}
    assert cost(row) == (dollars, semconv.CONFIGURED if dollars else semconv.UNKNOWN)


def test_what_the_sender_says_counts_before_configured_prices():
    told = {"model": "gpt-5", "input_tokens": MILLION, "cost": 9.0}
    assert cost(told) == (9.0, semconv.SENDER)
    assert cost(told, override=True) == (1.25, semconv.CONFIGURED)
    assert cost(told | {"model": "unheard-of"}, override=True) == (9.0, semconv.SENDER)
    assert cost(told, models={}) == (9.0, semconv.SENDER)


def test_a_call_without_a_price_is_known_to_be_one():
    assert cost({"model": "unheard-of", "input_tokens": 10}) == (None, semconv.UNKNOWN)
    assert cost({"input_tokens": 10}, models={"*": Price(input=1, output=1)}) == (None, semconv.UNKNOWN)
    assert cost({"model": "gpt-5", "input_tokens": 10}, models={}) == (None, semconv.UNKNOWN)


def test_a_call_that_tells_no_tokens_has_nothing_to_price():
    assert cost({"model": "gpt-5"}) == (None, None)


@pytest.fixture
def price_file(tmp_path):
    def write(text):
        path = tmp_path / "prices.yaml"
        path.write_text(text)
        return str(path)

    return write


OWN = """
version: 1
models:
  our-llm-*: {input: 4, output: 8, date: 2026-03-01, source: the contract}
"""


def test_prices_stand_in_a_file_and_what_is_configured_beside_it_counts_before(price_file):
    row = {"model": "our-llm-small", "input_tokens": MILLION}
    assert cost(row, file=price_file(OWN)) == (4, semconv.CONFIGURED)
    shorter = {"our-*": Price(input=1, output=1)}
    assert cost(row, models=shorter, file=price_file(OWN)) == (1, semconv.CONFIGURED)


def test_the_date_of_each_price_that_was_used_is_shown(price_file):
    models = {"dated": Price(input=1, output=1, date=datetime.date(2026, 1, 2)), "undated": Price(input=1, output=1)}
    pricing = Pricing(PriceConfig(models=models, file=price_file(OWN)))
    assert not list(pricing.gauges())
    named = ("our-llm-1", "undated", "unheard-of", "our-llm-2")
    pricing.process(Calls.from_rows([{"model": model, "input_tokens": 1} for model in named]))
    pricing.process(Calls.from_rows([{"model": "dated", "input_tokens": 1, "cost": 1.0}]))
    march = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC).timestamp()
    assert list(pricing.gauges()) == [(semconv.PRICE_TIMESTAMP, ("our-llm-*",), march)]


class TestTheShippedFile:
    def test_it_is_the_default(self):
        row = {"model": "claude-haiku-4-5-20251001", "input_tokens": MILLION, "cache_read_tokens": 0}
        assert cost(row, models={}, file=PriceConfig().file) == (1, semconv.CONFIGURED)

    def test_each_price_says_where_and_when_it_was_read(self):
        shipped = prices.read(prices.SHIPPED)
        assert len(shipped) > 20
        for price in shipped.values():
            assert "https://" in price.source
            assert datetime.date(2026, 1, 1) <= price.date <= datetime.datetime.now(datetime.UTC).date()

    @pytest.mark.parametrize("model", prices.read(prices.SHIPPED))
    def test_its_prices_are_in_the_order_in_which_providers_have_them(self, model):
        """A digit too many, or a number in another's place, would stand out."""
        price = prices.read(prices.SHIPPED)[model]
        assert 0.01 <= price.input <= 30
        assert price.output == 0 or 3 <= price.output / price.input <= 8
        assert price.cache_read is None or 0.02 <= price.cache_read / price.input <= 0.5
        assert price.cache_write is None or price.cache_write == pytest.approx(1.25 * price.input)

    def test_one_pattern_never_hides_another(self):
        assert not [name for name in prices.read(prices.SHIPPED) if re.search(r"[*?\[\]]", name)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "models: {m: {input: 1}}",
            "models.m.output: has no price; valid: a number from 0 to 1000000, in USD per million",
        ),
        ("models: {m: {input: -1, output: 1}}", "models.m.input: -1 is not a number from 0 to 1000000"),
        ("models: {m: {input: 1, output: 1}}", "models.m.date: is missing; valid: the day on which the price was read"),
        ("models: {m: {input: 1, output: 1, date: soon}}", "models.m.date: 'soon' is not a day, such as 2026-11-21"),
        ("models: {m: {input: 1, output: 1, date: 2026-01-01}}", "models.m.source: is missing; valid: where the price"),
        ("models: {m: {inputs: 1}}", "models.m.inputs: unknown key; did you mean 'input'?"),
        ("version: 2", "version: 2 is not 1, the only version that there is"),
        ("models: [", "line 2: "),
    ],
)
def test_a_mistake_in_a_file_is_told_with_the_file_and_the_path(price_file, tmp_path, text, sentence):
    path = price_file(text + "\n")
    collector = tmp_path / "collector.yaml"
    collector.write_text(f"processors: {{price: {{file: {path}}}}}")
    with pytest.raises(config.ConfigError) as raised:
        config.load(collector)
    assert str(raised.value).startswith(f"{collector}: processors.price.file: {path}: {sentence}")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"^file: /no/such\.yaml: cannot be read: No such file or directory$"):
        PriceConfig(file="/no/such.yaml")


def test_what_a_call_costs_is_a_sum_and_a_histogram_and_its_price_has_a_date(collector, spans, scrape):
    tokens = {semconv.USAGE_INPUT_TOKENS: 800, semconv.USAGE_OUTPUT_TOKENS: 100, semconv.PROMPT_NAME: "answer"}
    listed, unknown = tokens | {semconv.PROMPT_VERSION: "3"}, tokens | {semconv.REQUEST_MODEL: "unheard-of"}
    body = spans(listed, unknown).SerializeToString()
    collector.intake.take(semconv.RECEIVER_HTTP, Signal.TRACES, body, Encoding.PROTOBUF)
    samples = scrape()

    def values(name, **labels):
        return [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]

    dollars = pytest.approx(800 * 1.25e-6 + 100 * 10e-6)  # gpt-5
    assert values(semconv.COST.name) == [dollars]
    version = {semconv.LABEL_TEMPLATE: "answer", semconv.LABEL_TEMPLATE_VERSION: "3"}
    assert values(f"{semconv.CALL_COST.name}_sum", **version) == [dollars]
    assert values(f"{semconv.CALL_COST.name}_bucket", **version, le="0.002") == [1]
    assert values(f"{semconv.CALL_COST.name}_bucket", **version, le="0.001") == [0]
    assert values(semconv.COLLECTOR_UNPRICED.name) == [1]
    shown = {each.labels[semconv.LABEL_MODEL] for each in samples if each.name == semconv.PRICE_TIMESTAMP.name}
    assert shown == {"gpt-5"}
