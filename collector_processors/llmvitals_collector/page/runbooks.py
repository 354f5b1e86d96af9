"""The runbooks, as text for a terminal and as a page for a browser."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from llmvitals_collector import assets

_FENCE = "```"
_ITEM = re.compile(r"(?:([-*])|\d+\.) +")
_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_EMPHASIS = re.compile(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+|[\w./#-]+)\)")


class Runbooks:
    """The files of a folder, by their names."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or assets.prometheus_rules() / "runbooks"

    def names(self) -> list[str]:
        """Of the alerts that have one."""
        return sorted(path.stem for path in self._folder.glob("*.md"))

    def text(self, name: str) -> str | None:
        """The Markdown of an alert's runbook; None where there is none of that name."""
        return (self._folder / f"{name}.md").read_text("utf-8") if name in self.names() else None


def page(title: str, markdown: str) -> str:
    """A page of HTML, made of as much Markdown as runbooks have: headings, lists, code, emphasis and links."""
    body = "\n".join(_blocks(markdown.splitlines()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="/page.css">'
        '<main class="text"><p><a href="/">llmvitals</a> / <a href="/runbooks/">runbooks</a></p>\n'
        f"{body}</main></html>\n"
    )


def _blocks(lines: list[str]) -> Iterator[str]:
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.startswith(_FENCE):
            end = next((at for at in range(place + 1, len(lines)) if lines[at].startswith(_FENCE)), len(lines))
            yield f"<pre><code>{html.escape(chr(10).join(lines[place + 1 : end]))}</code></pre>"
            place = end + 1
        elif line.startswith("#"):
            level = min(len(line) - len(line.lstrip("#")), 6)
            yield f"<h{level}>{_inline(line[level:].strip())}</h{level}>"
            place += 1
        elif not line.strip():
            place += 1
        else:
            end = next((at for at in range(place + 1, len(lines)) if _ends(lines, place, at)), len(lines))
            yield _list(lines[place:end]) if _ITEM.match(line) else f"<p>{_inline(' '.join(lines[place:end]))}</p>"
            place = end


def _ends(lines: list[str], begin: int, at: int) -> bool:
    """Whether a paragraph or list that begins at one line ends before another."""
    line = lines[at]
    in_list = bool(_ITEM.match(lines[begin]))
    return not line.strip() or line.startswith(("#", _FENCE)) or (not in_list and bool(_ITEM.match(line)))


def _list(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        found = _ITEM.match(line)
        if found:
            items.append(line[found.end() :])
        else:
            items[-1] += f" {line.strip()}"
    first = _ITEM.match(lines[0])
    tag = "ul" if first and first[1] else "ol"
    return f"<{tag}>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</{tag}>"


def _inline(text: str) -> str:
    """Code is as it is; in the rest emphasis and links become elements."""
    parts = _CODE.split(text)
    return "".join(
        f"<code>{html.escape(part)}</code>" if place % 2 else _marked(html.escape(part))
        for place, part in enumerate(parts)
    )


def _marked(text: str) -> str:
    text = _LINK.sub(r'<a href="\2">\1</a>', text)
    return _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
