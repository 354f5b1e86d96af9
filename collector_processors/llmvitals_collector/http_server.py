"""ASGI apps, each on its own address and in a thread of its own.

uvicorn runs in our process, takes a socket and an SSLContext of ours, and with httptools and uvloop (which it finds by
itself) over a thousand requests of 600 kB per CPU second. granian takes half as many again, but brings processes and
twice the memory, and reads certificates only at its start.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from threading import Thread
from typing import Any, TypeAlias

import uvicorn

from llmvitals_collector.config import Tls
from llmvitals_collector.lifecycle import GRACE_SECONDS, listening
from llmvitals_collector.tls import ServerTls

# https://asgi.readthedocs.io/en/latest/specs/www.html
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# How long a connection may be idle. Exporters send every 5 s (OTEL_BSP_SCHEDULE_DELAY) or every 60 s
# (OTEL_METRIC_EXPORT_INTERVAL): closed just then, as after uvicorn's own 5 s, their request is lost and sent again.
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
_IDLE_SECONDS = 75


class HttpServer:
    """Serves an app on `address`, which the configuration has in the section `key`; see lifecycle.Server.

    shared: whether other processes listen there, too, of which the kernel gives each a part of the connections.

    Raises:
        ConfigError: the certificates cannot be read.
    """

    def __init__(self, app: App, address: str, tls: Tls, key: str, *, shared: bool = False) -> None:
        self._app = app
        self._address = address
        self._key = key
        self._shared = shared
        self._tls = ServerTls(tls, f"{key}.tls")
        self._running: tuple[uvicorn.Server, Thread] | None = None
        self.port = 0

    def start(self) -> None:
        listener = listening(self._address, f"{self._key}.address", shared=self._shared)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=self._ssl_context if self._tls else None,
        )
        server = uvicorn.Server(config)
        # The socket listens already: whoever connects before the thread is up waits in its backlog.
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name=self._key, daemon=True)
        thread.start()
        self._running = (server, thread)

    def stop(self) -> None:
        if self._running:
            server, thread = self._running
            server.should_exit = True
            thread.join()
            self._running = None

    def _ssl_context(self, _config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        return self._tls.ssl_context()


def header(scope: Scope, name: bytes) -> str:
    """The value of a request header (its name in lower case), or "" where there is none."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


async def respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
    """Answer a request with a whole body."""
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
