"""A Slack webhook on this host, and what comes to it as it reads in Slack."""

import html
import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from rich.emoji import Emoji
from rich.style import Style
from rich.text import Text

from llmvitals_collector.demo.children import DemoError

_COLORS = {"danger": "red", "warning": "yellow", "good": "green"}
# https://docs.slack.dev/messaging/formatting-message-text: a date with what stands for it, a link, bold text.
_MARKUP = re.compile(
    r"<!date[^|>]*\|(?P<date>[^>]*)>|<(?P<url>[^|>]*)\|(?P<label>[^>]*)>|\*(?=\S)(?P<bold>[^*\n]+)(?<=\S)\*"
)


class Message(NamedTuple):
    """What Alertmanager posts. links: the buttons' texts -> where they lead; color: Slack's word, or #rrggbb."""

    channel: str
    title: str
    text: str
    color: str
    links: Mapping[str, str]

    @classmethod
    def read(cls, channel: str, body: Mapping[str, Any]) -> Self:
        """The message in a webhook's JSON. Raises LookupError or TypeError where it is no message of Alertmanager's."""
        attachment = body["attachments"][0]
        links = {action["text"]: action["url"] for action in attachment["actions"]}
        return cls(channel, attachment["title"], attachment["text"], attachment["color"], links)

    def rendered(self) -> Text:
        """The message for a terminal, with all its links in full."""
        shown = Text(f"Slack, #{self.channel.removeprefix('slack_')}\n", style="dim")
        shown.append(
            html.unescape(self.title), style=Style(color=_COLORS.get(self.color, "blue"), bold=True, dim=False)
        )
        shown.append("\n")
        shown.append_text(_formatted(self.text.rstrip("\n")))
        for text, url in self.links.items():
            shown.append(f"\n{text}: {url}", style="not dim")
        return shown.append("\n")


def address(file: Path) -> str:
    """The address of a Slack webhook that is in a file. Raises DemoError when there is none in it."""
    try:
        found = file.read_text(errors="replace").strip()
    except OSError as error:
        raise DemoError(f"{file} cannot be read ({error.strerror}); it is to hold the address of a webhook") from None
    if not found.startswith(("https://", "http://")):
        raise DemoError(f"{file} does not hold an address that begins with https://, such as Slack gives for a webhook")
    return found


class Webhook:
    """Takes what is posted to the addresses of its channels, until the block is left."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    message = Message.read(self.path.strip("/"), json.loads(body))
                except (LookupError, TypeError, ValueError):
                    self.send_error(400, "invalid_payload")
                    return
                say(message)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="slack", daemon=True)

    def address(self, channel: str) -> str:
        """Where the messages for a channel are to be posted."""
        return f"http://127.0.0.1:{self._server.server_port}/{channel}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _formatted(text: str) -> Text:
    """Slack's mrkdwn, as far as our template uses it."""
    shown, place = Text(style="not dim"), 0
    for found in _MARKUP.finditer(text):
        shown.append(_plain(text[place : found.start()]))
        style = Style(bold=True) if found["bold"] else Style(link=html.unescape(found["url"] or "") or None)
        shown.append(_plain(found["date"] or found["label"] or found["bold"]), style=style)
        place = found.end()
    return shown.append(_plain(text[place:]))


def _plain(text: str) -> str:
    return Emoji.replace(html.unescape(text))
