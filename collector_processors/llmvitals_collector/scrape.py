"""The HTTP side that Prometheus sees: /metrics and /healthz."""

import gzip
from collections.abc import Callable

from llmvitals_collector.expose import Format
from llmvitals_collector.http_server import HttpServer, Receive, Scope, Send, header, respond

_PLAIN = ("content-type", "text/plain; charset=utf-8")


class ScrapeServer(HttpServer):
    """Serves what `render` gives, in the format and the compression that the scraper asks for."""

    def __init__(self, address: str, render: Callable[[Format], bytes]) -> None:
        super().__init__(self._answer, address, "metrics.address")
        self._render = render

    async def _answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path not in ("/metrics", "/healthz"):
            await respond(send, 404, b"no such path; there are: /metrics, /healthz\n", [_PLAIN])
        elif scope["method"] not in ("GET", "HEAD"):
            await respond(send, 405, b"only GET is allowed\n", [_PLAIN, ("allow", "GET, HEAD")])
        elif path == "/healthz":
            await respond(send, 200, b"ok\n", [_PLAIN])
        else:
            chosen = negotiated(header(scope, b"accept"))
            body = self._render(chosen)
            headers = [("content-type", chosen.value), ("vary", "accept, accept-encoding")]
            if _quality(header(scope, b"accept-encoding"), "gzip") > 0:
                body = gzip.compress(body, compresslevel=4)
                headers.append(("content-encoding", "gzip"))
            await respond(send, 200, body, headers)


def negotiated(accept: str) -> Format:
    """The format that an Accept header prefers; text where it names neither."""
    openmetrics = _quality(accept, "application/openmetrics-text")
    return Format.OPENMETRICS if openmetrics > _quality(accept, "text/plain") else Format.TEXT


def _quality(accepted: str, wanted: str) -> float:
    """The highest weight that a header gives to a media type or coding, 0 where it does not name it.

    https://www.rfc-editor.org/rfc/rfc9110#name-quality-values
    """
    weights = [0.0]
    for item in accepted.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name == wanted:
            given = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
            weights.append(float(given) if given.replace(".", "", 1).isdigit() else 0.0)
    return max(weights)
