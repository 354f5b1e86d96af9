"""OpenAI's embeddings, as others offer them too: https://platform.openai.com/docs/api-reference/embeddings"""

from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import NOTHING, Answer, Attribute, Body, Operation, get, parameters
from llmvitals._content import Content

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


def content(body: Body) -> Content:
    """The texts of a request, each a message of the user; tokens are no text, and the answer is never looked at."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else [text for text in given or () if isinstance(text, str)]
    return Content([{"role": "user", "parts": [_content.text(text)]} for text in texts], [], [])


OPERATION = Operation(semconv.EMBEDDINGS, asked, fold, input=("input",), content=content)
