"""In which bands of size and of time a call lies."""

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.bands import Bands, BandsConfig


def band(row, name, bands):
    (place,) = Bands(BandsConfig()).process(Calls.from_rows([row]))[name]
    return bands[place] if place >= 0 else None


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, "0-1k"), (1000, "0-1k"), (1001, "1k-4k"), (16_000, "4k-16k"), (64_000, "16k-64k"), (64_001, "64k+")],
)
def test_a_call_lies_in_a_band_of_input_tokens(tokens, expected):
    assert band({"input_tokens": tokens}, "input_band", semconv.INPUT_BANDS) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0-1s"), (1.0, "0-1s"), (1.1, "1-3s"), (10.0, "3-10s"), (29.0, "10-30s"), (31.0, "30s+")],
)
def test_a_call_lies_in_a_band_of_duration(seconds, expected):
    assert band({"duration": seconds}, "latency_band", semconv.LATENCY_BANDS) == expected


def test_a_call_that_tells_no_number_lies_in_no_band():
    assert band({}, "input_band", semconv.INPUT_BANDS) is None
    assert band({}, "latency_band", semconv.LATENCY_BANDS) is None
