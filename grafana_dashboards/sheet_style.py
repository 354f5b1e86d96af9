"""How a panel's JSON says that a series is named, coloured and drawn."""

import re
from collections.abc import Mapping
from typing import Any

# Grafana's classic palette, and its names of colours in the middle shade.
PALETTE = (
    *("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0"),
    *("#508642", "#CCA300", "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477"),
)
_NAMED = {"green": "#56A64B", "yellow": "#E0B400", "red": "#E02F44", "blue": "#3274D9", "orange": "#FF780A"} | {
    "purple": "#A352CC",
    "gray": "#8e8e8e",
    "grey": "#8e8e8e",
    "text": "currentColor",
    "transparent": "none",
}

Properties = dict[str, Any]
"""The properties of a field by name; those of its drawing are called `custom.*`, as in an override."""


def colour(name: str) -> str:
    """The CSS colour of a name of Grafana's, in whatever shade, or of one that CSS knows."""
    return _NAMED.get(name.rpartition("-")[2], name)


def properties(panel: Mapping[str, Any], name: str, ref: str = "") -> Properties:
    """What the panel says of a field with this name, from the query with this refId."""
    config = panel.get("fieldConfig", {})
    defaults = config.get("defaults", {})
    found = {key: value for key, value in defaults.items() if key != "custom"}
    found |= {f"custom.{key}": value for key, value in defaults.get("custom", {}).items()}
    for override in config.get("overrides", ()):
        if _matches(override["matcher"], name, ref):
            found |= {each["id"]: each.get("value") for each in override["properties"]}
    return found


def legend(pattern: str, labels: Mapping[str, str]) -> str:
    """The name of a series: `{{label}}` is the label's value; without a pattern it is all labels."""
    if pattern in ("", "__auto"):
        own = [f'{label}="{value}"' for label, value in labels.items() if label != "__name__"]
        return f"{labels.get('__name__', '')}{{{', '.join(own)}}}" if own else labels.get("__name__", "value")
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), pattern).strip() or "value"


def level_colour(value: float, style: Properties) -> str:
    """The colour of a value by the thresholds, or none."""
    named = ""
    for step in style.get("thresholds", {}).get("steps", ()):
        if step.get("value") is None or value >= step["value"]:
            named = step["color"]
    return colour(named) if named else ""


def mapped(value: float, style: Properties) -> tuple[str, str]:
    """The text and the colour that the mappings give to a value; empty where they give none."""
    for mapping in style.get("mappings") or ():
        options, result = mapping["options"], None
        if mapping["type"] == "value":
            result = options.get(f"{value:g}")
        elif mapping["type"] == "range":
            low, high = options.get("from"), options.get("to")
            inside = (low is None or value >= low) and (high is None or value <= high)
            result = options["result"] if inside else None
        elif mapping["type"] == "special" and options.get("match") in ("nan", "null+nan", "null") and value != value:
            result = options["result"]
        if result:
            return result.get("text", ""), colour(result.get("color", ""))
    return "", ""


def _matches(matcher: Mapping[str, Any], name: str, ref: str) -> bool:
    wanted: Any = matcher.get("options")
    if matcher["id"] == "byRegexp":
        # As Grafana does: without slashes it has to be the whole name.
        if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
            return re.search(wanted[1:-1], name) is not None
        return re.fullmatch(wanted, name) is not None
    if matcher["id"] == "byFrameRefID":
        return bool(wanted == ref)
    if matcher["id"] == "byNames":
        return name in wanted.get("names", ())
    return bool(matcher["id"] == "byName" and wanted == name)
