"""OpenAI's embeddings, as others offer them too: https://platform.openai.com/docs/api-reference/embeddings"""

from typing import Any

from llmvitals import semconv
from llmvitals._adapter import NOTHING, Answer, Attribute, Body, Operation, get, parameters

_PARAMETERS = {"dimensions": (semconv.EMBEDDINGS_DIMENSION_COUNT, int)}


def asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body, _PARAMETERS)
    encoding = body.get("encoding_format")
    if isinstance(encoding, str):
        attributes[semconv.REQUEST_ENCODING_FORMATS] = [encoding]
    return attributes


def fold(answer: Answer, piece: Any) -> int:
    """Fold a list of embeddings; the vectors are never looked at."""
    answer.id = get(piece, "id")  # OpenAI's has none, Mistral's has
    answer.model = get(piece, "model")
    answer.usage.input = get(get(piece, "usage"), "prompt_tokens")
    return NOTHING


OPERATION = Operation(semconv.EMBEDDINGS, asked, fold, input=("input",))
