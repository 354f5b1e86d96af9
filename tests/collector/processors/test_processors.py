"""All processors together: what they add, and that it does not depend on how calls are batched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import LABELS
from llmvitals_collector.processors import ProcessorsConfig, Remembering, build
from llmvitals_collector.processors.price import Price, PriceConfig
from llmvitals_collector.quality import of_calls

CONFIG = ProcessorsConfig(price=PriceConfig(models={"gpt-*": Price(input=1, output=2)}))

rows = st.fixed_dictionaries(
    {"service": st.just("shop")},
    optional={
        "provider": st.sampled_from(["OpenAI", "openai", "groq", "azure"]),
        "model": st.sampled_from(["openai/gpt-5", "gpt-5", "ft:gpt-4o:acme::1", "jane@example.com"]),
        "response_model": st.sampled_from(["gpt-5-2025-08-07", "models/gemini-2.5-pro"]),
        "template": st.sampled_from(["greeting", "run-1234567890123456"]),
        "server_address": st.sampled_from(["acme.openai.azure.com", "api.openai.com"]),
        "trace_state": st.sampled_from(["ot=th:8", "ot=rv:6e6d1a75832a2f"]),
        "error_type": st.sampled_from(["429", "ConnectionError"]),
        "failed": st.booleans(),
        "streamed": st.booleans(),
        "duration": st.floats(0, 60),
        "time_to_first_token": st.floats(0, 60),
        "input_tokens": st.integers(0, 100_000),
        "output_tokens": st.integers(0, 1000),
        "cache_read_tokens": st.integers(0, 1000),
        "cost": st.floats(0, 1),
    },
)


def processed(calls):
    for processor in build(CONFIG).values():
        calls = processor.process(calls)
    of_calls(calls)
    return calls


def values(calls):
    """Each column that is added or changed before calls are counted, texts as texts."""
    texts = {column.name: [calls.strings[code] for code in calls[column.name]] for column in LABELS}
    columns = (*(column.name for column in Calls.derived), "cost", "input_tokens", "time_to_first_token")
    return texts | {name: calls[name].tolist() for name in columns}


@given(st.lists(st.lists(rows, min_size=1, max_size=5), min_size=1, max_size=4))
def test_calls_come_out_the_same_however_they_are_batched(batches):
    together = values(processed(Calls.joined([Calls.from_rows(batch) for batch in batches])))
    apart = [values(processed(Calls.from_rows(batch))) for batch in batches]
    for name, column in together.items():
        np.testing.assert_equal(column, [value for each in apart for value in each[name]])


@pytest.mark.parametrize("rows", [0, 2])
def test_calls_of_which_hardly_anything_is_known_get_every_column(rows):
    calls = processed(Calls([""], {"service": np.zeros(rows, np.int32)}))
    assert {column.name: len(calls[column.name]) for column in Calls.derived} == {
        column.name: rows for column in Calls.derived
    }


def test_what_remembers_earlier_batches_can_be_restarted():
    remembering = {name: each for name, each in build(CONFIG).items() if isinstance(each, Remembering)}
    assert list(remembering) == ["release"]
