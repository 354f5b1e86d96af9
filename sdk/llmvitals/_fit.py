"""Captured content as JSON, redacted and no longer than a limit: cut inside its texts, so that it stays JSON."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from llmvitals._content import MARGIN, Excerpt, Redact

_SHORTEST = 128  # characters that a text keeps at least; rather than cut it further, the oldest messages go
_MARK = "… [cut: {} characters]"
_MARK_SIZE = 40
_LABELS = frozenset(("type", "role", "id", "name", "modality", "mime_type", "file_id", "finish_reason"))
_LABEL_SIZE = 256
_VECTOR = 64  # numbers in a row that are no data for people
# What OTLP can carry as a structure: whole numbers of 64 bits, and messages in messages to a depth of 100.
_INTEGERS = range(-(2**63), 2**63)
_DEPTH = 16


def fit(items: Iterable[Mapping[str, Any]], limit: int, redact: Redact) -> str | None:
    """`items` (messages, parts or tool definitions) as JSON of at most `limit` characters.

    What is too long loses its longest texts' ends, which are marked with how many characters are cut; a tool's
    arguments or response that are too long become text themselves. Where that is not enough, the oldest items
    go. None where not even the newest fits. Each text is redacted before it is cut; `items` are left as they are.
    """
    texts: list[_Text] = []
    tree = [_with_texts(item, texts) for item in items]
    level = max(_SHORTEST, _level([len(text.raw) for text in texts], limit))
    for text in texts:
        text.bound = level + MARGIN
        text.redact = redact
    tree = _newest(tree, limit)
    if not tree:
        return None
    while len(written := _json(tree, level)) > limit and level > _SHORTEST:
        level = max(_SHORTEST, level * limit // len(written))
    return written


def fit_text(value: Any, limit: int, redact: Redact) -> str:
    """One text, redacted and cut to `limit` characters."""
    text = _Text(value if isinstance(value, str) else str(value))
    text.bound = limit + MARGIN
    text.redact = redact
    return _printable(str(text.at(limit)))[:limit]


class _Text:
    """A text in content, or a value that may have to become text: redacted once, when it is first asked for."""

    __slots__ = ("_redacted", "_value", "bound", "missing", "raw", "redact")

    bound: int  # characters of the raw text that are looked at
    redact: Redact

    def __init__(self, value: Any) -> None:
        told, self.missing = value if isinstance(value, Excerpt) else (value, 0)
        self._value = told if isinstance(told, str) else _plain(told)
        self.raw = told if isinstance(told, str) else json.dumps(self._value, ensure_ascii=False)
        self._redacted: str | None = None

    def at(self, level: int) -> Any:
        """The value, if it is not longer than `level`, else the beginning of its text."""
        if self._redacted is None:
            self._redact()
        text: str = self._redacted or ""
        if len(text) <= level and not self.missing:
            return self._value
        kept = text[: max(0, level - _MARK_SIZE)]
        return kept + _MARK.format(self.missing + len(text) - len(kept))

    def _redact(self) -> None:
        if isinstance(self._value, str) or len(self.raw) > self.bound:
            raw = self.raw[: self.bound]
            self.missing += len(self.raw) - len(raw)
            self._redacted = self.redact(raw)
            if self.missing:  # its last characters may be half of what should be redacted
                self._redacted = self._redacted[:-MARGIN]
                self.missing += MARGIN
            self._value = self._redacted
        else:
            self._value = _rewritten(self._value, self.redact)
            self._redacted = json.dumps(self._value, ensure_ascii=False)


def _with_texts(item: Mapping[str, Any], texts: list[_Text]) -> dict[str, Any]:
    """A copy of a message, part or definition, with a `_Text`, also in `texts`, for each value that people wrote."""
    copy: dict[str, Any] = {}
    for name, value in item.items():
        if name == "parts":
            copy[name] = [_with_texts(part, texts) for part in value]
        elif name in _LABELS:
            copy[name] = None if value is None else str(value)[:_LABEL_SIZE]
        else:
            copy[name] = _Text(value)
            texts.append(copy[name])
    return copy


def _level(lengths: list[int], room: int) -> int:
    """The length to which the longest have to be cut for all to have room together."""
    for longer, length in zip(range(len(lengths), 0, -1), sorted(lengths), strict=True):
        if length * longer > room:
            return room // longer
        room -= length
    return max(lengths, default=0)


def _newest(tree: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The newest items that fit when all their texts are cut to the shortest."""
    size = len("[]")
    for kept, item in enumerate(reversed(tree)):
        size += len(_json(item, _SHORTEST)) + len(", ")
        if size > limit + len(", "):
            return tree[len(tree) - kept :]
    return tree


def _json(node: Any, level: int) -> str:
    return _printable(json.dumps(node, ensure_ascii=False, default=lambda text: text.at(level)))


def _printable(text: str) -> str:
    """Without halves of surrogate pairs, which break the export of everything that goes with them."""
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON has it: of what is none of its types, of vectors and of what is too deep, only what it is."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if value in _INTEGERS else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Excerpt):
        return value.text[:-MARGIN] + _MARK.format(value.missing + MARGIN)
    if depth == _DEPTH:
        return f"[{type(value).__name__}]"
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) >= _VECTOR and all(isinstance(inner, float) for inner in value):
            return f"[{len(value)} numbers]"
        return [_plain(inner, depth + 1) for inner in value]
    if hasattr(value, "model_dump"):  # pydantic's
        return _plain(value.model_dump(), depth + 1)
    return f"[{type(value).__name__}]"


def _rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """`value`, which is plain, with every text in it changed: names too, and numbers as long as a card's."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _rewritten(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rewritten(inner, change) for inner in value]
    if type(value) is int and abs(value) >= 10**9:
        digits = str(value)
        return value if (changed := change(digits)) == digits else changed
    return value
