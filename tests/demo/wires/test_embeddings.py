"""However a client asks for embeddings, it gets one vector to each input."""

import groq
import mistralai.client
import ollama
import pytest
from huggingface_hub import errors as huggingface

from llmvitals_collector.demo.behaviour import Behaviour

REFUSALS = (
    groq.RateLimitError,
    mistralai.client.errors.SDKError,
    ollama.ResponseError,
    huggingface.HfHubHTTPError,
)


def embed_by_groq(clients, inputs):
    answer = clients.groq.embeddings.create(model="m", input=inputs, extra_body={"dimensions": 4})
    return [item.embedding for item in answer.data]


def embed_by_mistral(clients, inputs):
    answer = clients.mistral.embeddings.create(model="m", inputs=inputs, output_dimension=4)
    return [item.embedding for item in answer.data]


def embed_by_ollama(clients, inputs):
    return clients.ollama.embed("m", inputs, dimensions=4).embeddings


def embed_by_huggingface(clients, inputs):
    url = f"{clients.url}/hf/models/org/bert/pipeline/feature-extraction"
    return clients.huggingface_model.feature_extraction(inputs, model=url, dimensions=4).tolist()


EMBEDDERS = [embed_by_groq, embed_by_mistral, embed_by_ollama, embed_by_huggingface]
every_client = pytest.mark.parametrize("embed", EMBEDDERS, ids=lambda embed: embed.__name__)


@every_client
def test_embeddings_come_one_to_an_input(embed, clients, behave):
    assert embed(clients, ["one", "two"]) == [[0.5] * 4] * 2


@every_client
def test_an_error_status_raises_the_clients_own_exception(embed, clients, behave):
    behave(Behaviour(status=429))
    with pytest.raises(REFUSALS, match="Too Many Requests"):
        embed(clients, ["one"])


def test_embeddings_count_their_input(clients, behave):
    behave(Behaviour(input_tokens=7))
    assert clients.groq.embeddings.create(model="m", input="one").usage.prompt_tokens == 7
    assert clients.mistral.embeddings.create(model="m", inputs=["one"]).usage.prompt_tokens == 7
    assert clients.ollama.embed("m", "one").prompt_eval_count == 7
