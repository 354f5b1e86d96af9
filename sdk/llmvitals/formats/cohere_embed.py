"""Cohere's Embed, of both versions: https://docs.cohere.com/v2/reference/embed"""

from typing import Any

from llmvitals import semconv
from llmvitals._adapter import NOTHING, Answer, Attribute, Body, Operation, get, parameters

_PARAMETERS = {
    "output_dimension": (semconv.EMBEDDINGS_DIMENSION_COUNT, int),
    "embedding_types": (semconv.REQUEST_ENCODING_FORMATS, list),
}


def asked(body: Body) -> dict[str, Attribute]:
    return parameters(body, _PARAMETERS)


def fold(answer: Answer, piece: Any) -> int:
    """Fold embeddings; the vectors are never looked at."""
    answer.id = get(piece, "id")
    billed = get(get(piece, "meta"), "billed_units")
    tokens = get(billed, "input_tokens")
    tokens = get(billed, "image_tokens") if tokens is None else tokens
    answer.usage.input = None if tokens is None else int(tokens)
    return NOTHING


OPERATION = Operation(semconv.EMBEDDINGS, asked, fold, input=("texts", "inputs"))
