"""What one API has alone."""

import json
import urllib.request

import mistralai.client
import pytest

from llmvitals_collector.demo.behaviour import Behaviour

MESSAGES = [{"role": "user", "content": "Where is my order?"}]
TEXT = "Thank you for asking."
FOUR_TOKENS = Behaviour(input_tokens=100, cache_read_tokens=60, output_tokens=4)


def test_groq_tells_the_usage_in_the_last_chunk_of_the_choices_unasked(clients, behave):
    behave(FOUR_TOKENS)
    chunks = list(clients.groq.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    first, last = chunks[0], chunks[-1]
    assert first.x_groq.id == last.x_groq.id
    assert last.choices[0].finish_reason == "stop"
    assert last.usage is None
    assert last.x_groq.usage.completion_tokens == 4
    assert last.x_groq.usage.prompt_tokens_details.cached_tokens == 60


def test_groq_and_ollama_tell_how_long_each_part_took(clients, behave):
    behave(Behaviour(headers_after_seconds=0.01, first_token_seconds=0.02, token_seconds=0.01, output_tokens=3))
    usage = clients.groq.chat.completions.create(model="m", messages=MESSAGES).usage
    assert (usage.queue_time, usage.prompt_time, usage.completion_time) == (0.01, 0.02, 0.02)
    answer = clients.ollama.chat("m", MESSAGES)
    assert (answer.load_duration, answer.prompt_eval_duration, answer.eval_duration) == (10**7, 2 * 10**7, 2 * 10**7)


def test_mistral_tells_the_cached_tokens_and_has_a_class_for_invalid_requests(clients, behave):
    behave(FOUR_TOKENS)
    assert clients.mistral.chat.complete(model="m", messages=MESSAGES).usage.prompt_tokens_details == {
        "cached_tokens": 60
    }
    behave(Behaviour(status=422))
    with pytest.raises(mistralai.client.errors.HTTPValidationError):
        clients.mistral.chat.complete(model="m", messages=MESSAGES)


def test_ollama_streams_unless_it_is_told_not_to(loopback, behave):
    body = json.dumps({"model": "m", "messages": MESSAGES}).encode()
    with urllib.request.urlopen(f"{loopback.url}/api/chat", body) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        *_, last = [json.loads(line) for line in response]
    assert last["done"]


def test_text_generation_tells_no_details_unless_they_are_asked_for(clients, behave):
    behave(FOUR_TOKENS)
    assert clients.huggingface_model.text_generation("Where?") == TEXT
    assert "".join(clients.huggingface_model.text_generation("Where?", stream=True)) == TEXT


def test_text_generation_counts_the_reasoning_and_tells_it_as_text(clients, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    said = clients.huggingface_model.text_generation("Where?", details=True)
    assert said.generated_text == "The customer wantsThank you for asking."
    assert said.details.generated_tokens == len(said.details.tokens) == 7


def test_a_model_that_the_path_names_is_the_answers_own(clients, behave):
    """The client (huggingface_hub 1.33) says "dummy" in the body when it is given the URL of a model."""
    assert clients.huggingface_model.chat_completion(MESSAGES).model == "org/llama"
