"""/debug in the form that whoever asks can read: text for a terminal, HTML for a browser, JSON for a program."""

import html
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from llmvitals import semconv
from llmvitals_collector.debug import Note, View

Row: TypeAlias = tuple[str, ...]

MEANINGS = {
    semconv.COUNTED: "It is in the series of its labels. If a panel is empty all the same, compare its variables with "
    "those labels, and the time range with the time of the call.",
    semconv.ANOTHER_RECORD: "It is a task of a user, or a lookup in a cache of the app's own, and counts as such.",
    semconv.NOT_GEN_AI: "It has no attribute by which any of the known conventions marks a call of a model. If it is "
    "one, its instrumentation is not known here, or a processor on the way removes gen_ai.* attributes.",
    semconv.NOT_A_CALL: "It is of an agent, a tool, a workflow or a retrieval, around calls that count by themselves. "
    "If those are missing, instrument the model's client, too, or raise the sampling of its scope.",
    semconv.NOT_AN_EVALUATION: f"It is a log record of something else; only the event {semconv.EVALUATION_RESULT} is "
    "counted.",
    semconv.INVALID_IDS: "It is a call without a valid trace id and span id, so that a repetition could not be told "
    "from it. Send the span as an OpenTelemetry SDK makes it.",
    semconv.SERVER_SPAN: "A model's server tells of a request that its client tells of, too; the client's span counts. "
    "If the client is not instrumented, instrument it.",
    semconv.DUPLICATE: "The same span came before, and was counted then: its sender tried again, or two ways lead "
    "here. Nothing is missing.",
    semconv.WRAPPER: "Another call span is right within it, or around it, and tells of the same request: that one "
    "counts. Two instrumentations are at work; switching one off saves its cost.",
    semconv.SAME_ANSWER: "Another span of its trace has the same response id, and tells more: that one counts.",
}
_NOTHING = (
    "Nothing has come in yet. Point an OTLP exporter at the collector (OTEL_EXPORTER_OTLP_ENDPOINT), gRPC on port 4317 "
    "or HTTP on port 4318 unless configured otherwise. In a container the addresses must be set to 0.0.0.0 first."
)
_TITLE = "What became of what came in"
_ABOUT_TOTALS = "Since {since}. What repeats another call has no scope here, and is among the counted of its own, too."
_TOTALS = ("count", "verdict", "record", "dialect", "scope")
_REFUSALS = ("time", "receiver", "reason", "peer", "what it was told")
_NOTES = ("time", "verdict", "record", "service", "name", "dialect", "scope", "trace id", "labels", "keys")
# Nothing on the page may load or run anything, whatever it is made to say.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:14px system-ui;margin:2em}table{border-collapse:collapse}"
    "td,th{text-align:left;vertical-align:top;padding:.2em .8em;border-bottom:1px solid #ddd}"
)


def answer(view: View, accept: str) -> tuple[str, bytes]:
    """The content type and the body for an Accept header; text, where it names neither HTML nor JSON."""
    if "text/html" in accept:
        return "text/html; charset=utf-8", "".join(_html(view)).encode("utf-8", "replace")
    if "application/json" in accept:
        return "application/json", _json(view)
    return "text/plain; charset=utf-8", "".join(f"{line}\n" for line in _text(view)).encode("utf-8", "replace")


def _json(view: View) -> bytes:
    totals = [{**total._asdict(), "count": count} for total, count in view.totals]
    return msgspec.json.encode({**msgspec.structs.asdict(view), "totals": totals, "meanings": MEANINGS})


def _text(view: View) -> Iterator[str]:
    yield f"{_TITLE}\n"
    if not view.totals and not view.refusals:
        yield _NOTHING
    for heading, names, rows in _tables(view):
        yield from ("", heading, *_aligned([names, *rows]))
    yield ""
    yield from (f"{verdict}: {MEANINGS[verdict]}" for verdict in _verdicts(view))


def _aligned(rows: list[Row]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _html(view: View) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>llmvitals</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{_STYLE}</style>'
    yield f"<h1>{_TITLE}</h1>"
    if not view.totals and not view.refusals:
        yield f"<p>{_NOTHING}</p>"
    for heading, names, rows in _tables(view):
        yield f"<h2>{html.escape(heading)}</h2><table>{_cells('th', names)}"
        yield from (_cells("td", row) for row in rows)
        yield "</table>"
    yield from (f"<p><b>{verdict}</b>: {html.escape(MEANINGS[verdict])}</p>" for verdict in _verdicts(view))


def _cells(tag: str, row: Row) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"


def _tables(view: View) -> Iterator[tuple[str, Row, list[Row]]]:
    """What there is to show: a heading, the names of the columns, and the rows, of printable characters alone."""
    totals = [(str(count), each.verdict, each.record, each.dialect, each.scope) for each, count in view.totals]
    refusals = [(_time(each.time), each.receiver, each.reason, each.peer, each.sentence) for each in view.refusals]
    tables: tuple[tuple[str, Row, Iterable[Row]], ...] = (
        (_ABOUT_TOTALS.format(since=_time(view.since)), _TOTALS, totals),
        ("Refused requests, the newest first.", _REFUSALS, refusals),
        ("The last spans and log records, the newest first.", _NOTES, map(_note, view.notes)),
    )
    for heading, names, rows in tables:
        if printable := [tuple(map(_printable, row)) for row in rows]:
            yield heading, names, printable


def _note(note: Note) -> Row:
    labels = ", ".join(f"{name}={value}" for name, value in note.labels.items() if value)
    told = (note.verdict, note.record, note.service, note.name, note.dialect, note.scope, note.trace_id)
    return (_time(note.time), *told, labels, " ".join(note.keys))


def _verdicts(view: View) -> list[str]:
    """The verdicts that there are, in their order."""
    found = {total.verdict for total, _ in view.totals} | {note.verdict for note in view.notes}
    return [verdict for verdict in semconv.VERDICTS if verdict in found]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _printable(text: str) -> str:
    """What comes from outside must not steer the terminal that shows it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
