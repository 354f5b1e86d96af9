"""What only Ollama's client does: it has functions, bound when it is imported, and streams that are no calls."""

import ollama
import pytest

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

BOUND = ollama.chat  # before instrument(), as an app may do by `from ollama import chat`
CHAT = {"model": "llama-x", "messages": [{"role": "user", "content": "Where?"}]}


@pytest.fixture
def module(clients, monkeypatch):
    """The module's functions, at the loopback provider."""
    client = clients(Behaviour(output_tokens=5)).get(lambda url, **_: ollama.Client(url, verify=False))
    monkeypatch.setattr(BOUND.__self__, "_client", client._client)


def test_a_function_that_the_app_imported_before_instrument_is_watched(module, spans):
    BOUND(**CHAT)
    list(BOUND(**CHAT, stream=True))
    assert [span.attributes[semconv.USAGE_OUTPUT_TOKENS] for span in spans()] == [5, 5]


def test_the_deprecated_embeddings_are_a_call(module, spans):
    with pytest.raises(ollama.ResponseError):  # the loopback provider does not have them
        ollama.embeddings("embed-x", "Where?")
    assert spans()[0].name == "embeddings embed-x"


def test_what_is_no_request_to_a_model_is_no_call(module, spans):
    stream = ollama.pull("llama-x", stream=True)
    assert type(stream).__name__ == "generator"
    with pytest.raises(ollama.ResponseError):
        list(stream)
    assert not spans()
