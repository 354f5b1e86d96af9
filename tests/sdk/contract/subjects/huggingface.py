"""Hugging Face's client: chat completions, text generation, feature extraction."""

from typing import Any

import huggingface_hub

from subjects.subject import PROMPT, Subject

_ERROR = "huggingface_hub.errors.HfHubHTTPError"
_TEXT_ERRORS = {
    429: "huggingface_hub.errors.OverloadedError",
    500: "huggingface_hub.errors.IncompleteGenerationError",
}
_TIMEOUTS = {  # of each major version
    "0": "requests.exceptions.ReadTimeout",
    "1": "httpx.ReadTimeout",
    "2": "huggingface_hub.errors.InferenceTimeoutError",
}


def _made(kind: Any, path: str) -> Any:
    def make(url: str, *, api_key: str, timeout: float | None = None, **_: Any) -> Any:
        return kind(base_url=f"{url}/hf/models/{path}", api_key=api_key, timeout=timeout)

    return lambda clients: clients.get(make)


def _subject(name: str, path: str, method: str, *given: Any, streams: bool = True, **facts: Any) -> Subject:
    sync = _made(huggingface_hub.InferenceClient, path)
    asynchronous = _made(huggingface_hub.AsyncInferenceClient, path)
    options, plain = facts.pop("options", {}), facts.pop("plain", lambda answer: answer)

    def call(clients: Any, **more: Any) -> Any:
        return plain(getattr(sync(clients), method)(*given, **options, **more))

    async def acall(clients: Any, **more: Any) -> Any:
        return plain(await getattr(asynchronous(clients), method)(*given, **options, **more))

    def open_(clients: Any) -> Any:
        return call(clients, stream=True)

    async def aopen(clients: Any) -> Any:
        return await acall(clients, stream=True)

    async def astream(clients: Any) -> Any:
        return [chunk async for chunk in await aopen(clients)]

    streamed = {
        "streamed": {"stream": lambda clients: list(open_(clients)), "async stream": astream},
        "open": open_,
        "aopen": aopen,
    }
    return Subject(
        name=name,
        provider="huggingface",
        model="llama-x",
        errors={401: _ERROR, 429: _ERROR, 500: _ERROR} | facts.pop("own_errors", {}),
        timeout=_TIMEOUTS[huggingface_hub.__version__.partition(".")[0]],
        retrying=None,
        whole={"call": call, "async call": acall, **facts.pop("more", {})},
        awhole=acall,
        **(streamed if streams else {}),
        **facts,
    )


def _like_openai(clients: Any) -> Any:
    client = _made(huggingface_hub.InferenceClient, "llama-x")(clients)
    return client.chat.completions.create(messages=PROMPT, max_tokens=64)


SUBJECTS = [
    _subject(
        "huggingface chat",
        "llama-x",
        "chat_completion",
        PROMPT,
        operation="chat",
        more={"create": _like_openai},
        stream_tells=frozenset({"id", "finish"}),
        seen=lambda chunk: (type(chunk), chunk.choices),
    ),
    _subject(
        "huggingface text generation",
        "llama-x",
        "text_generation",
        "Where is my parcel?",
        operation="text_completion",
        own_errors=_TEXT_ERRORS,
        openers=0,
        reasons=False,
        tells=frozenset(),
        stream_tells=frozenset(),
    ),
    _subject(
        "huggingface text generation with details",
        "llama-x",
        "text_generation",
        "Where is my parcel?",
        options={"details": True},
        operation="text_completion",
        own_errors=_TEXT_ERRORS,
        openers=0,
        reasons=False,
        tells=frozenset({"output", "finish"}),
        stream_tells=frozenset({"input", "output", "finish"}),
    ),
    _subject(
        "huggingface feature extraction",
        "llama-x/pipeline/feature-extraction",
        "feature_extraction",
        ["Where?", "When?"],
        streams=False,
        plain=lambda array: array.tolist(),  # which has a truth value
        operation="embeddings",
        tells=frozenset(),
    ),
]
