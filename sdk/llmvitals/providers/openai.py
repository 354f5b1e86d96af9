"""OpenAI's client: chat and text completions, Responses, embeddings; of OpenAI itself and of compatible hosts."""

from dataclasses import replace

from llmvitals import _stainless, semconv
from llmvitals._adapter import Adapter, Attribute, Body
from llmvitals.formats import chat_completions, completions, embeddings, responses

# OpenAI's own have something more to say than those of compatible hosts.


def chat_asked(body: Body) -> dict[str, Attribute]:
    return chat_completions.asked(body) | {semconv.OPENAI_API_TYPE: "chat_completions"}


def responses_asked(body: Body) -> dict[str, Attribute]:
    return responses.asked(body) | {semconv.OPENAI_API_TYPE: "responses"}


ADAPTERS = (
    Adapter(
        provider="openai",
        module="openai._base_client",
        operations={
            "/chat/completions": replace(
                chat_completions.OPERATION, parameters=chat_asked, usage_request=chat_completions.USAGE_REQUEST
            ),
            "/completions": completions.OPERATION,
            "/responses": replace(responses.OPERATION, parameters=responses_asked),
            "/embeddings": embeddings.OPERATION,
        },
        install=_stainless.install,
    ),
)
