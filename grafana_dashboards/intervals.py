"""The forms of panels that show rates with their intervals: a band over time, and a table of slices."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, Panel
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from expressions import threshold
from llmvitals import semconv
from panels import BARS, COUNT, DASHED, DATASOURCE, SHARE, by, graph, link, query
from rates import BELOW, HOLDS, TOO_FEW, UNSURE, Rate

LARGEST, SMALLEST = True, False  # of a column comes first
FLOOR, TARGET = "floor", "target"
# Of a colour to each, so that a source has the same one on every panel.
_PALETTE = ("blue", "green", "purple", "yellow", "super-light-blue", "dark-green")
_EDGE = [
    DynamicConfigValue("custom.lineWidth", 0),
    DynamicConfigValue("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False}),
]
_COLOURED = DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
# As the default catalogue has it; bands take it from the catalogue.
_FEW: Mapping[float | None, str] = {None: "gray", 30: "text"}
# What `rates.verdict` says, in words.
VERDICTS = {
    TOO_FEW: ("too few answers", "gray"),
    HOLDS: ("above its floor", "green"),
    UNSURE: ("cannot tell", "text"),
    BELOW: ("below its floor", "red"),
}


def band(
    title: str,
    question: str,
    of: Rate,
    *,
    label: str = "",
    values: Sequence[str] = (),
    promises: Mapping[str, str] | None = None,
    width: int = 8,
    per: str = "",
) -> Panel:
    """A rate over time, with the band in which the true one is in 95 of 100 cases, and bars for n.

    label, values: one band for each of the values that this label can have.
    promises: expressions of FLOOR and TARGET, which are drawn dashed.
    per: a variable for each of whose values there is such a panel; the title names it.
    """
    name = by(label) if label else "rate"
    few = f"{of.n} < {threshold('quality_drop_n')}"
    drawn = {
        name: of.ratio,
        f"{name} low": of.low,
        f"{name} high": of.high,
        f"n {by(label)}" if label else "n": f"{of.n} unless {few}",
        f"n {by(label)} too few" if label else "n too few": few,
        **(promises or {}),
    }
    panel = graph(title, question, SHARE, width, from_zero=False)  # a band is narrow
    for ref, (legend, expression) in zip(ascii_uppercase, drawn.items(), strict=False):
        panel.with_target(query(ref, expression, legend))
    for value, colour in zip(values or ("rate",), _PALETTE, strict=False):
        fixed = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})
        panel.override_by_regexp(f"/^(n )?{value}( low| high)?$/", [fixed])
        filled = [DynamicConfigValue("custom.fillBelowTo", f"{value} low")]
        panel.override_by_name(f"{value} high", [*filled, DynamicConfigValue("custom.fillOpacity", 20)])
    panel.override_by_regexp("/ (low|high)$/", _EDGE)
    panel.override_by_regexp(f"/^({FLOOR}|{TARGET})$/", DASHED)
    panel.override_by_name(TARGET, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "green"})])
    panel.override_by_regexp("/^n( |$)/", BARS)
    panel.override_by_regexp("/^n .*too few$/", [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "gray"})])
    if per:
        panel.repeat(per).repeat_direction("h").max_per_row(24 // width)
    return panel.build()


def columns_of(of: Rate, name: str = "Rate") -> dict[str, tuple[str, str]]:
    """The columns of a table that show a rate."""
    return {name: (SHARE, of.ratio), "At least": (SHARE, of.low), "At most": (SHARE, of.high), "n": (COUNT, of.n)}


def slices(
    title: str,
    question: str,
    labels: Sequence[str],
    columns: Mapping[str, tuple[str, str]],
    *,
    sort: Mapping[str, bool],
    words: Mapping[str, Mapping[int, tuple[str, str]]] | None = None,
    colours: Mapping[str, Mapping[float | None, str]] | None = None,
    lead: DynamicConfigValue | None = None,
    leads: Mapping[str, DynamicConfigValue] | None = None,
    width: int = 24,
) -> Panel:
    """One row for each slice, the one that is the surest to be bad at the top.

    labels: those by which every expression tells slices apart, in the order of their columns.
    columns: unit and expression by the name of the column. Each has at least a row that the first has, too.
    sort: the columns by which rows are sorted, LARGEST or SMALLEST first; of rates of what is good the lower bound.
    words: by column, what stands there instead of a number, and its colour.
    colours: by column, the colour from each value on; None stands for the lowest.
    lead: where a click on a label leads; see `panels.link`.
    leads: the same by column, for those that have one of their own.
    """
    panel = table.Panel().title(title).description(question).unit(COUNT).datasource(DATASOURCE).span(width).height(9)
    # What Grafana calls a column: of a single query it leaves the letter out.
    one = len(columns) == 1
    names = {"Value" if one else f"Value #{ref}": name for ref, name in zip(ascii_uppercase, columns, strict=False)}
    for ref, (name, (unit, expression)) in zip(ascii_uppercase, columns.items(), strict=False):
        panel.with_target(query(ref, expression, "").format(PromQueryFormat.TABLE).instant())
        panel.override_by_name(name, [DynamicConfigValue("unit", unit)])
    order = {name: place for place, name in enumerate((*labels, *names))}
    organised = {"excludeByName": {"Time": True}, "renameByName": names, "indexByName": order}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    panel.with_transformation(DataTransformerConfig("organize", options=organised))
    panel.sort_by([options.TableSortByFieldState().display_name(name).desc(first) for name, first in sort.items()])
    for name, meanings in (words or {}).items():
        panel.override_by_name(name, [_COLOURED, _in_words(meanings)])
    few = {"n": _FEW} if "At least" in columns else {}
    for name, from_on in {**few, **(colours or {})}.items():
        panel.override_by_name(name, [_COLOURED, _coloured(from_on)])
    for name, there in {**(dict.fromkeys(labels, lead) if lead else {}), **(leads or {})}.items():
        panel.override_by_name(name, [there])
    return panel.build()


def of_row(label: str) -> str:
    """The value of a label in the row of a table that is clicked, for `panels.link`."""
    return f"${{__data.fields.{label}:percentencode}}"


_TEMPLATE = {"service": of_row(semconv.LABEL_SERVICE), "template": of_row(semconv.LABEL_TEMPLATE)}


def how_it_fails(*keep: str) -> DynamicConfigValue:
    """Where a click on a template leads from the board about its quality; `keep` as in `panels.link`."""
    return link("llm-feedback", "How does it fail? Failure modes and feedback of this template", _TEMPLATE, keep)


def how_good_it_is(*keep: str) -> DynamicConfigValue:
    """Where a click on a template leads from the other boards; `keep` as in `panels.link`."""
    return link("llm-quality", "How good is it? Pass rates of this template", _TEMPLATE, keep)


def _in_words(meanings: Mapping[int, tuple[str, str]]) -> DynamicConfigValue:
    said = {
        str(value): {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(meanings.items())
    }
    return DynamicConfigValue("mappings", [{"type": "value", "options": said}])


def _coloured(from_on: Mapping[float | None, str]) -> DynamicConfigValue:
    steps = [{"value": value, "color": colour} for value, colour in from_on.items()]
    return DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps})
