"""However a call is made, its answer can be checked in the app."""

import pytest

import llmvitals
from llmvitals import semconv
from llmvitals.evaluators import read
from llmvitals_collector.demo.behaviour import Behaviour

# Google blocks the answer, and sends no word of it; LiteLLM 1.106 leaves out what OpenAI has in `refusal`.
WORDLESS = ("litellm completion by openai",)


@pytest.fixture
def checked(spans):
    llmvitals.uninstrument()
    llmvitals.instrument(checks=("empty", "refusal"))


def test_a_refusal_is_one_at_every_call_style(checked, any_call, clients, spans):
    subject, call = any_call
    call(clients(Behaviour(refusal=True)))

    (span,) = spans()
    found = read(span.attributes.get(semconv.CHECKS, ""))
    if subject.operation == semconv.EMBEDDINGS:
        assert not found
    elif subject.name in WORDLESS or "SAFETY" in span.attributes.get(semconv.RESPONSE_FINISH_REASONS, ()):
        assert found == {"empty": "fail"}
    else:
        assert found == {"empty": "pass", "refusal": "fail"}


def test_an_answer_in_many_pieces_is_checked_as_a_whole(checked, streamed_call, clients, spans):
    _, call = streamed_call
    call(clients(Behaviour(output_tokens=20)))

    (span,) = spans()
    assert read(span.attributes[semconv.CHECKS]) == {"empty": "pass", "refusal": "pass"}
