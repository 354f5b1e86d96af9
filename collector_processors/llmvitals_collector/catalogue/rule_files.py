"""The rule files that ship: what is said of each alert in them, and the same files with a catalogue's differences."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeAlias

import yaml

from llmvitals import semconv
from llmvitals_collector import assets
from llmvitals_collector.catalogue.catalogue import SEVERITIES, Catalogue, Override

RULES, ALERTS = "*.rules.yml", "*.alerts.yml"
_LABELS, _FOR, _CATEGORY = "labels", "for", "category"
_ASKED = re.compile(rf'{semconv.CATALOGUE_THRESHOLD}\{{\s*{semconv.LABEL_THRESHOLD}\s*=\s*"(\w*)"')
# Start and end in a text, and what is to stand there.
Edit: TypeAlias = tuple[int, int, str]
Node: TypeAlias = Any  # one of yaml's, of whose attributes its stubs know only some
Entries: TypeAlias = dict[str, tuple[Node, Node]]


class Alert(NamedTuple):
    """What the rules of one name say.

    severities, owners: that the alert may have; without any they come from the metric that it is about.
    for_: "" where it fires at once.
    thresholds: the names of those that it asks for.
    """

    name: str
    category: str
    severities: tuple[str, ...]
    owners: tuple[str, ...]
    for_: str
    thresholds: tuple[str, ...]


def shipped() -> dict[str, str]:
    """The text of each rule file, by its name."""
    folder = assets.prometheus_rules()
    return {file.name: file.read_text("utf-8") for file in sorted([*folder.glob(RULES), *folder.glob(ALERTS)])}


def alerts(texts: Mapping[str, str]) -> dict[str, Alert]:
    """The alerts in rule files, by name, in their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for text in (text for file, text in texts.items() if fnmatchcase(file, ALERTS)):
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found.setdefault(rule["alert"], []).append(rule)
    return {name: _alert(name, rules) for name, rules in found.items()}


def thresholds(text: str) -> tuple[str, ...]:
    """The names of the thresholds that an expression, or a whole file, asks for."""
    return tuple(dict.fromkeys(_ASKED.findall(text)))


def _alert(name: str, rules: list[dict[str, Any]]) -> Alert:
    labels = [rule.get(_LABELS, {}) for rule in rules]
    severities = " ".join(each.get(semconv.LABEL_SEVERITY, "") for each in labels)
    return Alert(
        name,
        labels[0][_CATEGORY],
        # One may be chosen by a template, such as {{ if gt $value 0.15 }}critical{{ else }}warning{{ end }}.
        tuple(each for each in (*SEVERITIES, "none") if re.search(rf"\b{each}\b", severities)),
        tuple(dict.fromkeys(each[semconv.LABEL_OWNER] for each in labels if semconv.LABEL_OWNER in each)),
        next((rule[_FOR] for rule in rules if _FOR in rule), ""),
        tuple(dict.fromkeys(asked for rule in rules for asked in thresholds(rule["expr"]))),
    )


def different(texts: Mapping[str, str], catalogue: Catalogue) -> dict[str, str]:
    """Rule files as a catalogue wants them: its owners, and what it says of single alerts; all else stays as it is.

    They are edited where their nodes stand, so that comments and the form of expressions are those of the files.
    """
    return {file: _edited(text, catalogue) if fnmatchcase(file, ALERTS) else text for file, text in texts.items()}


def _edited(text: str, catalogue: Catalogue) -> str:
    edits = [edit for group in _groups(text) for edit in _group_edits(text, group, catalogue)]
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _groups(text: str) -> Iterator[Node]:
    groups = _entries(yaml.compose(text, yaml.SafeLoader))["groups"][1]
    return (_entries(group)["rules"][1] for group in groups.value)


def _group_edits(text: str, rules: Node, catalogue: Catalogue) -> Iterator[Edit]:
    left_out = []
    for rule in rules.value:
        entries = _entries(rule)
        if "alert" not in entries:
            continue
        override = catalogue.alerts.get(entries["alert"][1].value, Override())
        if override.enabled:
            yield from _alert_edits(entries, override, catalogue)
        else:
            left_out.append(rule)
    if left_out and len(left_out) == len(rules.value):
        # A list has to stand there; the last line's end stays.
        yield rules.start_mark.index, _end(text, rules) - 1, "[]"
    else:
        yield from (_removal(text, rule) for rule in left_out)


def _alert_edits(entries: Entries, override: Override, catalogue: Catalogue) -> Iterator[Edit]:
    labels = entries[_LABELS][1]
    given = _entries(labels)
    category = given[_CATEGORY][1].value
    wanted = {semconv.LABEL_SEVERITY: override.severity, semconv.LABEL_OWNER: override.owner}
    if semconv.LABEL_OWNER in given and not override.owner:
        wanted[semconv.LABEL_OWNER] = getattr(catalogue.owners, category)
    for name, value in wanted.items():
        if value:
            yield from _edits(given, name, value, before=_CATEGORY, flow=bool(labels.flow_style))
    if override.for_:
        yield from _edits(entries, _FOR, override.for_, before=_LABELS, flow=False)


def _edits(entries: Entries, key: str, value: str, *, before: str, flow: bool) -> Iterator[Edit]:
    """Set a key of a mapping; a new one comes before another."""
    if key in entries:
        node = entries[key][1]
        if node.value != value:
            yield node.start_mark.index, node.end_mark.index, _scalar(value)
        return
    mark = entries[before][0].start_mark
    yield mark.index, mark.index, f"{key}: {_scalar(value)}" + (", " if flow else "\n" + " " * mark.column)


def _removal(text: str, rule: Node) -> Edit:
    """Take a rule out with its lines, and the empty line after them."""
    start = text.rindex("\n", 0, rule.start_mark.index) + 1
    end = _end(text, rule)
    return start, end + (text[end : end + 1] == "\n"), ""


def _end(text: str, node: Node) -> int:
    """Where the last line of a node ends, whose own mark may be beyond empty lines and comments."""
    while not isinstance(node, yaml.ScalarNode) and not node.flow_style:
        key, value = node.value[-1] if isinstance(node, yaml.MappingNode) else (node, node.value[-1])
        # An alias is the node that it stands for, which is further up.
        node = value if value.start_mark.index >= key.start_mark.index else key
    return text.index("\n", len(text[: node.end_mark.index].rstrip())) + 1


def _entries(node: Node) -> Entries:
    return {key.value: (key, value) for key, value in node.value}


def _scalar(value: str) -> str:
    plain = re.fullmatch(r"[\w./@-]+", value) and yaml.safe_load(value) == value
    return value if plain else json.dumps(value, ensure_ascii=False)
