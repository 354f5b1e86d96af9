"""What Prometheus, probes and people see: /metrics, /healthz (it lives), /readyz (it takes data), and the page."""

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator

from llmvitals_collector import debug_page
from llmvitals_collector.accept import weight
from llmvitals_collector.config import Metrics
from llmvitals_collector.debug import Debug
from llmvitals_collector.expose import Format
from llmvitals_collector.health import Health
from llmvitals_collector.http_server import HttpServer, Receive, Scope, Send, header, respond
from llmvitals_collector.page import site
from llmvitals_collector.page.site import Site

# Each with the parameters that it has to have; those that tell a version of the same may differ.
_MEDIA_TYPES = {
    Format.TEXT: ("text/plain",),
    Format.OPENMETRICS: ("application/openmetrics-text",),
    Format.PROTOBUF: ("application/vnd.google.protobuf", "encoding=delimited"),
}
# A scrape works for so long, in seconds, and then lets those who take data have their turn for as long. uvloop's clock
# has no finer steps.
_TURN_SECONDS = 0.001
_PLAIN = ("content-type", "text/plain; charset=utf-8")


class ScrapeServer(HttpServer):
    """Serves what `render` gives, in the format and the compression that the scraper asks for; and the page, if any."""

    def __init__(
        self,
        config: Metrics,
        render: Callable[[Format], Iterator[bytes]],
        health: Health,
        debug: Debug,
        page: Site | None = None,
    ) -> None:
        super().__init__(self._answer, config.address, config.tls, "metrics")
        self._render = render
        self._health = health
        self._debug = debug
        self._page = page
        self._paths = ("/metrics", "/healthz", "/readyz", *(["/debug"] if debug.enabled else []))

    async def _answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path = scope["path"]
        page = self._page if self._page and self._page.has(path) else None
        if path not in self._paths and not page:
            there = ", ".join((*self._paths, *(site.SHOWN if self._page else ())))
            await respond(send, 404, f"no such path; there are: {there}\n".encode(), [_PLAIN])
        elif scope["method"] not in ("GET", "HEAD"):
            await respond(send, 405, b"only GET is allowed\n", [_PLAIN, ("allow", "GET, HEAD")])
        elif page:
            await page.answer(scope, send)
        elif path == "/healthz":
            await respond(send, 200, b"ok\n", [_PLAIN])
        elif path == "/readyz":
            problem = self._health.problem
            await respond(send, 503 if problem else 200, f"{problem or 'ok'}\n".encode(), [_PLAIN])
        elif path == "/debug":
            content_type, body = debug_page.answer(self._debug.view(), header(scope, b"accept"))
            await respond(send, 200, body, [("content-type", content_type), ("vary", "accept")])
        else:
            await self._metrics(scope, send)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        chosen = negotiated(header(scope, b"accept"))
        headers = [(b"content-type", chosen.value.encode()), (b"vary", b"accept, accept-encoding")]
        zipped = None
        if weight(header(scope, b"accept-encoding"), "gzip") > 0:
            headers.append((b"content-encoding", b"gzip"))
            zipped = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        began = time.perf_counter()
        for piece in self._render(chosen):
            body = zipped.compress(piece) if zipped else piece
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            if time.perf_counter() - began > _TURN_SECONDS:
                await asyncio.sleep(_TURN_SECONDS)
                began = time.perf_counter()
        await send({"type": "http.response.body", "body": zipped.flush() if zipped else b""})


def negotiated(accept: str) -> Format:
    """The format that an Accept header prefers; text where it names none."""
    # Of equals the first wins.
    return max(_MEDIA_TYPES, key=lambda each: weight(accept, *_MEDIA_TYPES[each]))
