"""The real clients of the loopback provider, and what an app learns from their answers. The next API is a row here."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import groq
import huggingface_hub
import mistralai.client
import ollama
import openai
import pytest
from cerebras.cloud import sdk as cerebras
from huggingface_hub import errors as huggingface

MESSAGES = [{"role": "user", "content": "Where is my order?"}]
COUNTED = {"stream": True, "stream_options": {"include_usage": True}}


class Told(NamedTuple):
    """What an app learns from an answer. tool: its name and arguments; counts: of input and output tokens."""

    text: str = ""
    thought: str = ""
    tool: tuple[str, dict[str, Any]] | None = None
    finish: str | None = None
    counts: tuple[int, int] | None = None


@dataclass(frozen=True)
class Api:
    """One API by its client.

    call: from the clients and the request's options, of which `stream` is one, to an answer.
    whole, streamed: from an answer to what it tells.
    fails: what the client raises when the answer fails in mid-stream; None when it raises nothing.
    refuses: what it raises for a status of 429.
    finish, called: why an answer ends, and one with a tool call, which is None where there are no tools.
    thinks: whether reasoning has a place of its own. choices: whether a request may ask for several.
    """

    name: str
    call: Callable[..., Any]
    whole: Callable[[Any], Told]
    streamed: Callable[[Iterable[Any]], Told]
    fails: type[Exception] | None
    refuses: type[Exception]
    finish: str = "stop"
    called: str | None = "tool_calls"
    thinks: bool = True
    choices: bool = False

    def __str__(self) -> str:
        return self.name


@pytest.fixture(scope="module")
def clients(loopback) -> Iterator[SimpleNamespace]:
    url, options = loopback.url, {"api_key": "any", "max_retries": 0}
    # Without the certificates that no loopback needs and that take 50 ms to load, where there is a way.
    with ExitStack() as stack:
        stack.callback(huggingface_hub.close_session)
        openai_http, groq_http = openai.DefaultHttpxClient(verify=False), groq.DefaultHttpxClient(verify=False)
        cerebras_options = options | {"http_client": cerebras.DefaultHttpxClient(verify=False)}
        yield SimpleNamespace(
            url=url,
            openai=stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", http_client=openai_http, **options)),
            groq=stack.enter_context(groq.Groq(base_url=url, http_client=groq_http, **options)),
            cerebras=stack.enter_context(
                cerebras.Cerebras(base_url=f"{url}/cerebras", warm_tcp_connection=False, **cerebras_options)
            ),
            mistral=stack.enter_context(mistralai.client.Mistral(server_url=f"{url}/mistral", api_key="any")),
            huggingface=huggingface_hub.InferenceClient(base_url=f"{url}/hf/v1", api_key="any"),
            huggingface_model=huggingface_hub.InferenceClient(f"{url}/hf/models/org/llama", token="any"),
            ollama=stack.enter_context(ollama.Client(url, verify=False)),
        )


# ---- What an app learns, by client ----------------------------------------------------------------


def called(tool_calls: Iterable[Any]) -> tuple[str, dict[str, Any]] | None:
    """The pieces of a tool call, put together."""
    functions = [call.function for call in tool_calls]
    if not functions:
        return None
    return functions[0].name, json.loads("".join(function.arguments for function in functions))


def counts(usage: Any) -> tuple[int, int] | None:
    return usage and (usage.prompt_tokens, usage.completion_tokens)


def completed(answer: Any) -> Told:
    """A chat completion in OpenAI's form."""
    choice = answer.choices[0]
    message = choice.message
    thought = getattr(message, "reasoning", None) or ""
    tool = called(message.tool_calls or [])
    return Told(message.content or "", thought, tool, choice.finish_reason, counts(answer.usage))


def chunked(chunks: Iterable[Any]) -> Told:
    """A stream of chat completion chunks in OpenAI's form."""
    chunks = list(chunks)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    return Told(
        "".join(delta.content or "" for delta in deltas),
        "".join(getattr(delta, "reasoning", None) or "" for delta in deltas),
        called(call for delta in deltas for call in delta.tool_calls or []),
        next(chunk.choices[0].finish_reason for chunk in reversed(chunks) if chunk.choices),
        counts(chunks[-1].usage),
    )


def mistral_content(contents: Iterable[Any]) -> dict[str, str]:
    told = {"text": "", "thought": ""}
    for content in contents:
        for part in content if isinstance(content, list) else []:
            key, pieces = ("thought", part.thinking) if part.type == "thinking" else ("text", [part])
            told[key] += "".join(piece.text for piece in pieces)
        told["text"] += content if isinstance(content, str) else ""
    return told


def mistral_counts(usage: Any) -> tuple[int, int] | None:
    return counts(usage) if usage and usage.total_tokens else None


def mistral_whole(answer: Any) -> Told:
    choice = answer.choices[0]
    told = mistral_content([choice.message.content])
    tool = called(choice.message.tool_calls or [])
    return Told(**told, tool=tool, finish=choice.finish_reason, counts=mistral_counts(answer.usage))


def mistral_streamed(events: Iterable[Any]) -> Told:
    chunks = [event.data for event in events]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    return Told(
        **mistral_content(delta.content for delta in deltas),
        tool=called(call for delta in deltas for call in delta.tool_calls or []),
        finish=chunks[-1].choices[0].finish_reason,
        counts=mistral_counts(chunks[-1].usage),
    )


def ollama_parts(parts: Iterable[Any]) -> Told:
    """An answer of Ollama's, sent whole or in parts, which are all of one form."""
    parts = list(parts)
    said = [getattr(part, "message", part) for part in parts]
    functions = [call.function for message in said for call in getattr(message, "tool_calls", None) or []]
    last = parts[-1]
    return Told(
        "".join(getattr(message, "content", None) or getattr(message, "response", None) or "" for message in said),
        "".join(message.thinking or "" for message in said),
        (functions[0].name, dict(functions[0].arguments)) if functions else None,
        last.done_reason,
        None if last.eval_count is None else (last.prompt_eval_count, last.eval_count),
    )


def ollama_whole(answer: Any) -> Told:
    return ollama_parts([answer])


def generated(output: Any) -> Told:
    details = output.details
    counts = details and (len(details.prefill), details.generated_tokens)
    return Told(output.generated_text, finish=details and details.finish_reason, counts=counts)


def generated_tokens(outputs: Iterable[Any]) -> Told:
    outputs = list(outputs)
    details = outputs[-1].details
    text = "".join(output.token.text for output in outputs)
    assert outputs[-1].generated_text == text
    counts = details and (details.input_length, details.generated_tokens)
    return Told(text, finish=details and details.finish_reason, counts=counts)


def text_completed(answer: Any) -> Told:
    return Told(answer.choices[0].text, finish=answer.choices[0].finish_reason, counts=counts(answer.usage))


def text_chunked(chunks: Iterable[Any]) -> Told:
    chunks = list(chunks)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    return Told(
        "".join(choice.text for choice in choices), finish=choices[-1].finish_reason, counts=counts(chunks[-1].usage)
    )


# ---- The APIs -------------------------------------------------------------------------------------


def call_groq(clients, stream=False, **options):
    extra = {"extra_body": COUNTED} if stream else {}
    return clients.groq.chat.completions.create(model="m", messages=MESSAGES, stream=stream, **extra, **options)


def call_cerebras(clients, stream=False, **options):
    return clients.cerebras.chat.completions.create(model="m", messages=MESSAGES, stream=stream, **options)


def call_cerebras_completions(clients, stream=False, **options):
    return clients.cerebras.completions.create(model="m", prompt="Where?", stream=stream, **options)


def call_mistral(clients, stream=False, **options):
    call = clients.mistral.chat.stream if stream else clients.mistral.chat.complete
    return call(model="m", messages=MESSAGES, **options)


def call_mistral_fim(clients, stream=False, **options):
    call = clients.mistral.fim.stream if stream else clients.mistral.fim.complete
    return call(model="m", prompt="def ", suffix="return", **options)


def call_huggingface_chat(clients, stream=False, **options):
    counted = COUNTED if stream else {}
    return clients.huggingface.chat_completion(MESSAGES, model="m", **counted, **options)


def call_huggingface_text(clients, stream=False, **options):
    return clients.huggingface_model.text_generation(
        "Where?", stream=stream, details=True, decoder_input_details=not stream, **options
    )


def call_ollama_chat(clients, stream=False, **options):
    return clients.ollama.chat("m", MESSAGES, stream=stream, **options)


def call_ollama_generate(clients, stream=False, **options):
    return clients.ollama.generate("m", "Where?", stream=stream, **options)


def call_completions(clients, stream=False, **options):
    counted = COUNTED if stream else {}
    return clients.openai.completions.create(model="m", prompt="Where?", **counted, **options)


SDK_ERROR = mistralai.client.errors.SDKError
APIS = [
    Api("groq", call_groq, completed, chunked, groq.APIError, groq.RateLimitError, choices=True),
    Api("cerebras", call_cerebras, completed, chunked, cerebras.APIError, cerebras.RateLimitError, choices=True),
    Api(
        "cerebras completions",
        call_cerebras_completions,
        text_completed,
        text_chunked,
        cerebras.APIError,
        cerebras.RateLimitError,
        called=None,
        thinks=False,
        choices=True,
    ),
    Api("mistral", call_mistral, mistral_whole, mistral_streamed, None, SDK_ERROR, choices=True),
    Api("mistral fim", call_mistral_fim, mistral_whole, mistral_streamed, None, SDK_ERROR, called=None),
    Api(
        "huggingface chat",
        call_huggingface_chat,
        completed,
        chunked,
        huggingface.GenerationError,
        huggingface.HfHubHTTPError,
        choices=True,
    ),
    Api(
        "huggingface text",
        call_huggingface_text,
        generated,
        generated_tokens,
        huggingface.GenerationError,
        huggingface.OverloadedError,
        finish="eos_token",
        called=None,
        thinks=False,
    ),
    Api(
        "ollama chat",
        call_ollama_chat,
        ollama_whole,
        ollama_parts,
        ollama.ResponseError,
        ollama.ResponseError,
        called="stop",
    ),
    Api(
        "ollama generate",
        call_ollama_generate,
        ollama_whole,
        ollama_parts,
        ollama.ResponseError,
        ollama.ResponseError,
        called=None,
    ),
    Api(
        "completions",
        call_completions,
        text_completed,
        text_chunked,
        openai.APIError,
        openai.RateLimitError,
        called=None,
        thinks=False,
        choices=True,
    ),
]


def _fixture(apis: Iterable[Api]) -> Any:
    """A fixture that is each of the APIs in turn."""

    @pytest.fixture(params=list(apis), ids=str)
    def each(request: pytest.FixtureRequest) -> Api:
        return request.param

    return each


api = _fixture(APIS)
api_with_tools = _fixture(api for api in APIS if api.called)
api_that_thinks = _fixture(api for api in APIS if api.thinks)
api_with_choices = _fixture(api for api in APIS if api.choices)
api_that_raises = _fixture(api for api in APIS if api.fails)
api_of_mistrals = _fixture(api for api in APIS if not api.fails)


@pytest.fixture
def answers(clients: SimpleNamespace) -> Callable[..., tuple[Told, Told]]:
    """`answers(api, **options)` is what is told by an answer sent whole, and by a streamed one."""

    def both(api: Api, **options: Any) -> tuple[Told, Told]:
        return api.whole(api.call(clients, **options)), api.streamed(api.call(clients, stream=True, **options))

    return both
