"""The paths of the page: itself, its data, and the runbooks."""

import asyncio
import gzip
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TypeAlias

from llmvitals_collector.accept import weight
from llmvitals_collector.http_server import Scope, Send, header, respond
from llmvitals_collector.page import runbooks
from llmvitals_collector.page.page import Page
from llmvitals_collector.page.question import asked

Headers: TypeAlias = list[tuple[str, str]]

DATA = "/vitals.json"
RUNBOOKS = "/runbooks/"
BOARDS = "/d/"
SHOWN = ("/", DATA, RUNBOOKS)  # what a 404 names
# The part of the page that stands in for a board, for alerts whose links lead here in place of Grafana.
_SECTIONS = {
    "llm-latency": "latency",
    "llm-quality": "quality",
    "llm-feedback": "templates",
    "llm-cost": "totals",
    "llm-collector": "collector",
}
# Nothing runs but our own files, whatever a label is made to say.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_SAFE = [
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
]
_HTML, _TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
_FILES = {
    "/": ("page.html", _HTML),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/tables.js": ("tables.js", "text/javascript; charset=utf-8"),
}


class _File(NamedTuple):
    content_type: str
    etag: str
    zipped: bytes


class Site:
    """Serves the page to browsers, and the runbooks to terminals, too."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._files = {path: _read(*told) for path, told in _FILES.items()}
        self._runbooks = runbooks.Runbooks()

    def has(self, path: str) -> bool:
        """Whether there is something at a path."""
        return path == DATA or path in self._files or path.startswith((RUNBOOKS, BOARDS))

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer a GET of a path that there is."""
        path = scope["path"]
        if path == DATA:
            await self._data(scope, send)
        elif path in self._files:
            await _send_file(scope, send, self._files[path])
        elif path.startswith(BOARDS):
            section = _SECTIONS.get(path.removeprefix(BOARDS).partition("/")[0], "totals")
            query = scope["query_string"].decode("latin-1")
            await respond(send, 302, b"", [*_SAFE, ("location", f"/?{query}#{section}")])
        else:
            await self._runbook(scope, send)

    async def _data(self, scope: Scope, send: Send) -> None:
        try:
            question = asked(scope["query_string"])
        except ValueError as error:
            await respond(send, 400, f"{error}\n".encode(), [*_SAFE, ("content-type", _TEXT)])
            return
        # In a thread, so that a scrape does not wait for it.
        zipped = await asyncio.to_thread(self._page.answer, question)
        headers = [*_SAFE, ("content-type", "application/json"), ("cache-control", "no-store")]
        await _send(scope, send, headers, zipped)

    async def _runbook(self, scope: Scope, send: Send) -> None:
        name = scope["path"].removeprefix(RUNBOOKS).removesuffix(".md")
        text = self._runbooks.text(name) if name else _contents(self._runbooks.names())
        browser = weight(header(scope, b"accept"), "text/html") > 0
        if text is None:
            there = ", ".join(self._runbooks.names())
            await respond(
                send, 404, f"no such runbook; there are: {there}\n".encode(), [*_SAFE, ("content-type", _TEXT)]
            )
        elif browser:
            body = runbooks.page(name or "runbooks", text).encode()
            await respond(send, 200, body, [*_SAFE, ("content-type", _HTML), ("vary", "accept")])
        else:
            await respond(send, 200, text.encode(), [*_SAFE, ("content-type", _TEXT), ("vary", "accept")])


def _contents(names: list[str]) -> str:
    return "# Runbooks\n\nOne for each alert.\n\n" + "".join(f"- [{name}]({RUNBOOKS}{name}.md)\n" for name in names)


def _read(name: str, content_type: str) -> _File:
    plain = Path(__file__).with_name(name).read_bytes()
    return _File(content_type, f'"{blake2b(plain, digest_size=8).hexdigest()}"', gzip.compress(plain, mtime=0))


async def _send_file(scope: Scope, send: Send, file: _File) -> None:
    """A browser that has it already is told so."""
    headers = [*_SAFE, ("content-type", file.content_type), ("cache-control", "no-cache"), ("etag", file.etag)]
    if file.etag in header(scope, b"if-none-match"):
        await respond(send, 304, b"", headers)
    else:
        await _send(scope, send, headers, file.zipped)


async def _send(scope: Scope, send: Send, headers: Headers, zipped: bytes) -> None:
    """A body that is compressed already, for those who take it so."""
    headers = [*headers, ("vary", "accept-encoding")]
    if weight(header(scope, b"accept-encoding"), "gzip") > 0:
        await respond(send, 200, zipped, [*headers, ("content-encoding", "gzip")])
    else:
        await respond(send, 200, gzip.decompress(zipped), headers)
