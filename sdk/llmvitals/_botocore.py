"""The funnel of botocore, on which boto3 stands: each operation of each service of AWS is one call of one method."""

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from llmvitals import _call, _hooks, _methods, _streams, semconv
from llmvitals._adapter import Adapter, Body, Operation
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request
from llmvitals._funnel import Funnel
from llmvitals._guard import Guard
from llmvitals._patch import Patch, wrap

Read = Callable[[Operation, Body], tuple[Operation, Body]]
"""From the operation and its parameters to what is really asked for; of most operations that is the same."""


def install(adapter: Adapter, module: ModuleType, *, service: str, read: Read) -> list[Patch]:
    """Watch the adapter's operations ("Converse") of one service ("bedrock-runtime"); module: `botocore.client`."""
    funnel = _Funnel(adapter, service, read)
    return [
        wrap(module, "BaseClient._make_api_call", funnel.call),
        wrap(sys.modules["botocore.endpoint"], "Endpoint._send", _methods.attempt),
    ]


class _Funnel(Funnel):
    def __init__(self, adapter: Adapter, service: str, read: Read) -> None:
        super().__init__(adapter)
        self._service = service
        self._read = read

    def request(self, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
        operation = self.adapter.operations.get(args[0] if args else kwargs["operation_name"])
        if operation is None or client.meta.service_model.service_name != self._service:
            return None
        url = urlsplit(client.meta.endpoint_url)
        return Request(
            *self._read(operation, args[1] if len(args) > 1 else kwargs["api_params"]), url.hostname, url.port
        )

    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        call.told(result)
        events = sys.modules["botocore.eventstream"].EventStream
        body = sys.modules["botocore.response"].StreamingBody
        for value in result.values():
            if isinstance(value, events):
                _watch_events(call, value)
                return result
            if isinstance(value, body) and call.operation != semconv.EMBEDDINGS:  # vectors are never looked at
                _watch_body(call, value)
                return result
        call.answered(result)
        return result


def _watch_events(call: Call | Unrecorded, stream: Any) -> None:
    # The generator that it holds has the events before they are known to be errors (botocore 1.44).
    _hooks.around(stream, "__iter__", lambda original, self: _streams.watched(original(self), call))
    _hooks.before(stream, "close", call.closed)
    stream._llmvitals_call = call
    _call.end_dropped_calls()


def _watch_body(call: Call | Unrecorded, body: Any) -> None:
    # However the app reads, the raw response is read. That closes itself when it is collected, `body` does not.
    _hooks.around(body._raw_stream, "read", _Body(call).read)
    _hooks.before(body, "close", call.closed)
    _hooks.before(body, "__exit__", call.closed)
    _call.end_dropped_calls()


class _Body:
    """As much of an answer's body as the app has read."""

    def __init__(self, call: Call | Unrecorded) -> None:
        self._call = call
        self._read: list[bytes] | None = []

    def read(
        self, original: Callable[..., bytes], raw: Any, amt: int | None = None, *args: Any, **kwargs: Any
    ) -> bytes:
        """Read as urllib3 does."""
        try:
            data = original(raw, amt, *args, **kwargs)
        except BaseException as error:
            self._call.failed(error)
            raise
        with Guard("reading a body"):
            if self._read is not None:
                self._read.append(data)
                if amt is None or not data or raw.length_remaining == 0:
                    body, self._read = b"".join(self._read), None
                    self._call.answered(_parsed(body))
        return data


def _parsed(body: bytes) -> Any:
    """The JSON of a body, an empty one where it is anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {}
