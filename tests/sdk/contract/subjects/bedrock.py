"""Amazon's client for Bedrock: Converse, and models invoked with bodies of their own."""

import json
import weakref
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from subjects.subject import PROMPT, Subject

_CLAUDE = "anthropic.claude-x-v1:0"
_NOVA = "amazon.nova-x-v1:0"
_TITAN = "amazon.titan-embed-text-v2:0"
_ERRORS = {
    401: "botocore.errorfactory.InternalServerException",
    429: "botocore.errorfactory.ThrottlingException",
    500: "botocore.errorfactory.InternalServerException",
}


def _client(url: str, *, api_key: str, max_retries: int, timeout: float = 60) -> Any:
    client = boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id=api_key,
        aws_secret_access_key=api_key,
        config=Config(retries={"total_max_attempts": max_retries + 1, "mode": "standard"}, read_timeout=timeout),
    )

    def at_once(attempts: int, **_: Any) -> int | None:
        """Retry without a pause, where botocore would wait for some random seconds."""
        return 0 if attempts <= max_retries else None

    client.meta.events.register_first("needs-retry.bedrock-runtime", at_once)
    return client


class _Stream:
    """What an app does with the event stream of a response: it reads and closes it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._events = iter(stream)
        # botocore leaves the socket of a dropped stream open, of which Python warns.
        weakref.finalize(self, stream._raw_stream.close)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._events)

    def close(self) -> None:
        self._stream.close()


def _seen(event: Any) -> Any:
    """An event without its numbers, which differ from one answer to the next."""
    if "chunk" in event:
        event = json.loads(event["chunk"]["bytes"])
    return [name for name in event if name != "p"], event.get("contentBlockDelta") or event.get("delta")


def _subject(name: str, model: str, call: Any, open_: Any, **facts: Any) -> Subject:
    return Subject(
        name=name,
        provider="aws.bedrock",
        model=model,
        errors=_ERRORS,
        timeout="botocore.exceptions.ReadTimeoutError",
        whole={"call": call, **facts.pop("whole", {})},
        streamed={"stream": lambda clients: list(open_(clients))} if open_ else {},
        open=open_,
        seen=_seen,
        **facts,
    )


def _converse() -> Subject:
    request = {"modelId": _NOVA, "messages": [{"role": "user", "content": [{"text": PROMPT[0]["content"]}]}]}
    return _subject(
        "bedrock converse",
        _NOVA,
        lambda clients: clients.get(_client).converse(**request),
        lambda clients: _Stream(clients.get(_client).converse_stream(**request)["stream"]),
        operation="chat",
    )


def _invoked(name: str, model: str, body: dict[str, Any], *, streams: bool = True, **facts: Any) -> Subject:
    request = {"modelId": model, "body": json.dumps(body)}

    def body_of(clients: Any) -> Any:
        return clients.get(_client).invoke_model(**request)["body"]

    def in_a_block(clients: Any) -> Any:
        with body_of(clients) as raw:
            return json.load(raw)

    def open_(clients: Any) -> Any:
        return _Stream(clients.get(_client).invoke_model_with_response_stream(**request)["body"])

    return _subject(
        name,
        model,
        lambda clients: json.loads(body_of(clients).read()),
        open_ if streams else None,
        whole={
            "body read in a block": in_a_block,
            "body read by chunks": lambda clients: json.loads(b"".join(body_of(clients).iter_chunks(16))),
            "body read by lines": lambda clients: json.loads(b"".join(body_of(clients).iter_lines())),
        },
        **facts,
    )


_ANTHROPIC = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": PROMPT}

SUBJECTS = [
    _converse(),
    _invoked("bedrock claude", _CLAUDE, _ANTHROPIC, operation="chat", openers=2),
    _invoked(
        "bedrock nova", _NOVA, {"messages": [{"role": "user", "content": [{"text": "Where?"}]}]}, operation="chat"
    ),
    _invoked(
        "bedrock titan embeddings",
        _TITAN,
        {"inputText": "Where?"},
        streams=False,
        operation="embeddings",
        tells=frozenset({"input", "output", "cache_read", "id"}),
    ),
]
