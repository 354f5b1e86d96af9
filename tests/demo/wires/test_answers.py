"""However a client calls an API, it finds in the answer what the provider's behaviour says."""

import itertools
from collections import defaultdict

import httpx
import httpx2
import openai
import pytest

from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires import chat, completions, mistral

TEXT = "Thank you for asking."
THOUGHT = "The customer wants"
FAILURE = "The server had an error while it wrote the answer."
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]


def test_the_text_why_it_ends_and_the_usage_are_told_whole_and_streamed(api, answers, behave):
    behave(Behaviour(input_tokens=100, output_tokens=4))
    for told in answers(api):
        assert (told.text, told.finish, told.counts) == (TEXT, api.finish, (100, 4))


def test_a_tool_call_names_the_first_tool_of_the_request_and_its_arguments_are_json(api_with_tools, answers, behave):
    behave(Behaviour(tool_call=True))
    for told in answers(api_with_tools, tools=TOOLS):
        assert told.tool == ("find", {"query": "Thank you for asking. Here"})
        assert (told.text, told.finish) == ("", api_with_tools.called)


def test_reasoning_is_told_beside_the_text_and_counted_in_the_output(api_that_thinks, answers, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    for told in answers(api_that_thinks):
        assert (told.text, told.thought, told.counts) == (TEXT, THOUGHT, (12, 7))


def test_hidden_reasoning_is_counted_but_not_told(api, answers, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3))
    for told in answers(api):
        assert (told.text, told.thought, told.counts) == (TEXT, "", (12, 7))


def test_usage_can_be_missing(api, answers, behave):
    behave(Behaviour(usage_missing=True))
    assert [told.counts for told in answers(api)] == [None, None]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_error_status_raises_the_clients_own_exception(api, clients, behave, stream):
    behave(Behaviour(status=429))
    with pytest.raises(api.refuses, match="Too Many Requests"):
        list(api.call(clients, stream=stream))


def test_a_stream_that_fails_raises_the_clients_own_exception(api_that_raises, clients, behave):
    behave(Behaviour(error_after=2))
    with pytest.raises(api_that_raises.fails, match=FAILURE):
        list(api_that_raises.call(clients, stream=True))


def test_a_stream_of_mistrals_that_fails_says_so_by_its_reason_to_finish(api_of_mistrals, clients, behave):
    behave(Behaviour(error_after=2))
    told = api_of_mistrals.streamed(api_of_mistrals.call(clients, stream=True))
    assert (told.text, told.finish, told.counts) == ("Thank you ", "error", None)


@pytest.mark.parametrize("tokens", [0, 3])
def test_a_cut_stream_ends_in_a_connection_error(api, clients, behave, loopback, tokens):
    behave(Behaviour(cut_after=tokens))
    with pytest.raises((httpx.RemoteProtocolError, httpx2.RemoteProtocolError, openai.APIConnectionError)):
        list(api.call(clients, stream=True))
    [served] = loopback.served
    assert (served.completed, served.first_token_at is None) == (False, tokens == 0)


def test_tokens_come_at_the_pace_that_was_asked_for(api, answers, behave, loopback):
    behave(Behaviour(first_token_seconds=0.02, token_seconds=0.01, output_tokens=4))
    answers(api)
    whole, streamed = loopback.served
    assert min(whole.ended - whole.started, streamed.ended - streamed.started) >= 0.05
    assert whole.first_token_at is None
    assert streamed.first_token_at - streamed.started >= 0.02


def texts(*pieces):
    """What each choice says, in the pieces of an answer in OpenAI's or Mistral's form."""
    said = defaultdict(str)
    for choice in itertools.chain.from_iterable(piece.choices for piece in pieces):
        message = getattr(choice, "message", None) or getattr(choice, "delta", None)
        said[choice.index] += (message.content if message else choice.text) or ""
    return dict(said)


def test_each_of_n_choices_has_the_text_and_the_usage_counts_all(api_with_choices, clients, behave):
    behave(Behaviour(output_tokens=4))
    whole = api_with_choices.call(clients, n=2)
    assert texts(whole) == {0: TEXT, 1: TEXT}
    assert whole.usage.completion_tokens == 8
    chunks = [getattr(chunk, "data", chunk) for chunk in api_with_choices.call(clients, stream=True, n=2)]
    assert texts(*chunks) == {0: TEXT, 1: TEXT}
    assert chunks[-1].usage.completion_tokens == 8


@pytest.mark.parametrize("wire", [chat, completions, mistral], ids=lambda wire: wire.__name__.rpartition(".")[2])
def test_the_choices_are_told_side_by_side_so_that_many_take_no_longer_than_one(wire):
    reply = Reply({"n": 3}, Behaviour(output_tokens=4), key="k", created=0)
    assert sum(event.is_token for event in wire.events(reply)) == 4
