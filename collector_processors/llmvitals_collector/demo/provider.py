"""A loopback LLM provider that speaks the wire formats of many APIs, and behaves as told."""

import json
import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import uvicorn

from llmvitals_collector.demo.behaviour import Behaviour, Served
from llmvitals_collector.demo.exchange import Exchange, Message, Receive, Send
from llmvitals_collector.demo.route import Route
from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires import ROUTES, UNKNOWN

logger = logging.getLogger(__name__)


class Provider:
    """Serves every API of `wires.ROUTES` until its block is left; `url` is where, without the path.

        with Provider(Behaviour(first_token_seconds=0.2)) as provider:
            openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any")
            anthropic.Anthropic(base_url=provider.url, api_key="any")
            groq.Groq(base_url=provider.url, api_key="any")
            Cerebras(base_url=f"{provider.url}/cerebras", api_key="any", warm_tcp_connection=False)
            Mistral(server_url=f"{provider.url}/mistral", api_key="any")
            ollama.Client(provider.url)
            InferenceClient(base_url=f"{provider.url}/hf/v1")  # chat
            InferenceClient(f"{provider.url}/hf/models/MODEL")  # text generation

    behave: the behaviour, or what gives it for each request: called with the request's JSON body, the `model` that the
        path may name and, under the key `path`, which none of the APIs has, the path ("/v1/messages").
    port: 0 takes a free one. Raises OSError when the port is in use.

    `served` has a record of each request in the order of their coming; a record is final once it has `ended`.
    """

    def __init__(self, behave: Behaviour | Callable[[dict[str, Any]], Behaviour], port: int = 0) -> None:
        self.served: list[Served] = []
        self._behave: Callable[[dict[str, Any]], Behaviour] = behave if callable(behave) else lambda _: behave
        # Clients can connect as soon as the socket listens; they wait there until the thread accepts them.
        self._socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        # "critical": to uvicorn, a connection that is cut on purpose is an error of ours.
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            lifespan="off",
            loop="asyncio",
            http="h11",
            proxy_headers=False,
            log_config=None,
            log_level="critical",
            # After uvicorn's own 5 s it would now and then close a connection just when a client sends on it again.
            timeout_keep_alive=75,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="provider", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Answers that are still on their way are cut: nobody waits for them any more.
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        path = scope["path"]
        route, told = _route(path)
        request = json.loads(await _body(receive) or b"{}") | told
        behaviour = Behaviour(status=HTTPStatus.NOT_FOUND) if route is UNKNOWN else self._behaviour(request, path)
        served = Served(path, behaviour, started)
        self.served.append(served)
        reply = Reply(request, behaviour, key=uuid.uuid4().hex, created=int(time.time()))
        exchange = Exchange(served, route.headers(reply), receive, send)
        try:
            if behaviour.status != HTTPStatus.OK:
                await exchange.refuse(route.wire)
            elif wire := route.streamed(request):
                await exchange.stream(wire, reply)
            else:
                await exchange.answer(route.wire, reply)
        except ConnectionResetError:
            pass  # the client has left; `completed` stays false
        finally:
            exchange.end()

    def _behaviour(self, request: dict[str, Any], path: str) -> Behaviour:
        try:
            return self._behave(request | {"path": path})
        except Exception:
            logger.exception("behave() failed, so the request is answered with status 500")
            return Behaviour(status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _route(path: str) -> tuple[Route, dict[str, str]]:
    """The route that the path takes, and what the path tells of the request."""
    for route in ROUTES:
        if (told := route.match(path)) is not None:
            return route, told
    return UNKNOWN, {}


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
