"""The forms of panels: each function answers one kind of question, which stands in the panel's description."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import prometheus, stat, text, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    GraphThresholdsStyleMode,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from expressions import VARIABLES, by_quantile, quantile
from llmvitals.semconv import Family

DATASOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
OBJECTIVE, ALERT = "objective", "alert"  # the legends of what is drawn dashed
# Units, as Grafana writes them.
SECONDS = "s"
TOKENS = "suffix: tokens"
TOKENS_PER_SECOND = "suffix: tokens/s"
CALLS_PER_SECOND = "suffix: calls/s"
SHARE = "percentunit"
COUNT = "short"
PLAIN = "none"
DOLLARS = "currencyUSD"
BYTES = "bytes"
DATE = "dateTimeAsIso"  # of milliseconds since the epoch
FACTOR = "suffix:x"
PER_CALL = "suffix: per call"
DASHED = [
    DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 8]}),
    DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "red"}),
]
UNCOLOURED = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "text"})
BARS = [
    DynamicConfigValue("unit", COUNT),
    DynamicConfigValue("min", 0),
    DynamicConfigValue("custom.axisPlacement", "right"),
    DynamicConfigValue("custom.drawStyle", "bars"),
    DynamicConfigValue("custom.lineWidth", 0),
    DynamicConfigValue("custom.fillOpacity", 15),
]


def by(label: str) -> str:
    """A legend: one line for each value of a label."""
    return f"{{{{{label}}}}}"


def number(
    title: str,
    question: str,
    unit: str,
    values: Mapping[str, str],
    *,
    colours: Mapping[float | None, str] | None = None,
    width: int = 4,
) -> Panel:
    """One or a few numbers over the board's time range: `values` is their expressions by name.

    colours: the colour of the number from each value on; None stands for the lowest.
    """
    panel = stat.Panel().title(title).description(question).unit(unit).datasource(DATASOURCE).span(width).height(4)
    panel.reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"])).text_mode(BigValueTextMode.VALUE_AND_NAME)
    panel.graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.VALUE if colours else BigValueColorMode.NONE)
    if colours:
        panel.thresholds(_from_on(colours))
    for ref, (name, expression) in zip(ascii_uppercase, values.items(), strict=False):
        panel.with_target(query(ref, expression, name).instant())
    return panel.override_by_name("n", [DynamicConfigValue("unit", COUNT), UNCOLOURED]).build()


def explanation(title: str, markdown: str, height: int = 4) -> Panel:
    """How to read what is below it, in plain words."""
    panel = text.Panel().title(title).span(24).height(height).mode(TextMode.MARKDOWN).content(markdown)
    return panel.transparent(True).build()


def lines(
    title: str,
    question: str,
    unit: str,
    values: Mapping[str, str],
    *,
    exemplars: bool = False,
    select: str = "",
    areas: Mapping[float | None, str] | None = None,
    from_zero: bool = True,
    width: int = 8,
) -> Panel:
    """Graphs over time: `values` is expressions by legend. A gap is no traffic.

    A legend that starts with OBJECTIVE, or with ALERT for where one rings, is drawn dashed; one that starts with `n`
    is a count, drawn as bars on an axis of their own.
    exemplars: whether traces of single calls are marked.
    select: a label by whose value a click on a line selects.
    areas: the colour of the ground from each value on; None stands for the lowest.
    from_zero: whether the axis begins at 0, as it has to unless values may be below.
    """
    panel = graph(title, question, unit, width, from_zero=from_zero)
    for ref, (legend, expression) in zip(ascii_uppercase, values.items(), strict=False):
        of_calls = not f"{legend} ".startswith((OBJECTIVE, ALERT, "n "))
        panel.with_target(query(ref, expression, legend).exemplar(exemplars and of_calls))
    if select:
        selected = why(select, f"${{__field.labels.{select}:percentencode}}")
        panel.override_by_regexp(f"/^(?!{OBJECTIVE})/", [selected])
    if areas:
        panel.thresholds(_from_on(areas))
        panel.thresholds_style(options.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.AREA))
    # Without the slashes Grafana asks for the whole name.
    panel.override_by_regexp(f"/^({OBJECTIVE}|{ALERT})/", DASHED).override_by_regexp("/^n( |$)/", BARS)
    return panel.build()


def percentiles(
    title: str,
    question: str,
    family: Family,
    unit: str = SECONDS,
    *,
    quantiles: tuple[float, ...] = (0.5, 0.95, 0.99),
    where: str = "",
    objective: str = "",
) -> Panel:
    """What is typical and what the slow tail is, with the objective and traces of single calls."""
    values = by_quantile(family, quantiles, where=where)
    if objective:
        values[OBJECTIVE] = objective
    return lines(title, question, unit, values, exemplars=True)


def quantile_by(
    title: str,
    question: str,
    q: float,
    family: Family,
    label: str,
    unit: str = SECONDS,
    *,
    where: str = "",
    objective: str = "",
) -> Panel:
    """One line for each value of a label; a click on it selects that value."""
    values = {by(label): quantile(q, family, label, where=where)}
    if objective:
        values[OBJECTIVE] = objective
    return lines(title, question, unit, values, exemplars=True, select=label)


def stacked(title: str, question: str, unit: str, expression: str, label: str, width: int = 8) -> Panel:
    """How a total is made up of the values of a label."""
    panel = graph(title, question, unit, width).with_target(query("A", expression, by(label)))
    panel.stacking(options.StackingConfig().mode(StackingMode.NORMAL).group("A")).fill_opacity(40)
    return panel.build()


def heatmap(title: str, question: str, unit: str, expression: str) -> Panel:
    """How values are distributed: two bands are two kinds of call, which no percentile shows."""
    panel = heatmaps.Panel().title(title).description(question).unit(unit).datasource(DATASOURCE).span(12).height(8)
    panel.color(heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").exponent(0.5).steps(64))
    panel.y_axis(heatmaps.YAxisConfig().unit(unit))
    return panel.with_target(query("A", expression, "{{le}}").format(PromQueryFormat.HEATMAP)).build()


def link(board: str, title: str, values: Mapping[str, str], keep: Sequence[str] = ()) -> DynamicConfigValue:
    """A click leads to a board with these values of its variables, and all else as it is.

    values: by the names of the variables: `row_value(...)`, or what Grafana puts in for `${...}`.
    keep: variables that both boards have, beside those of all boards.
    """
    others = "&".join(
        f"${{{name}:queryparam}}" for name in ("datasource", *VARIABLES.values(), *keep) if name not in values
    )
    chosen = "".join(f"&var-{name}={value}" for name, value in values.items())
    return DynamicConfigValue("links", [{"title": title, "url": f"/d/{board}?{others}{chosen}&${{__url_time_range}}"}])


def _from_on(colours: Mapping[float | None, str]) -> ThresholdsConfig:
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(*step) for step in colours.items()])


def why(label: str, value: str) -> DynamicConfigValue:
    """A click leads to the latency board with one value of a label selected."""
    selected = VARIABLES[label]
    return link("llm-latency", f"Why? Latency and errors of this {selected}", {selected: value})


def graph(title: str, question: str, unit: str, width: int, *, from_zero: bool = True) -> timeseries.Panel:
    """An empty graph with a legend, from which the forms are made."""
    panel = timeseries.Panel().title(title).description(question).unit(unit).datasource(DATASOURCE)
    if from_zero:
        panel.min(0)
    panel.span(width).height(8)
    panel.legend(options.VizLegendOptions().show_legend(True))
    return panel.tooltip(options.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))


def query(ref: str, expression: str, legend: str) -> prometheus.Dataquery:
    """A query of a panel; `ref` tells it from the panel's others."""
    return prometheus.Dataquery().ref_id(ref).expr(expression).legend_format(legend)
