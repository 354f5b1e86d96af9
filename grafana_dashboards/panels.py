"""The forms of panels: each function answers one kind of question, which stands in the panel's description."""

from collections.abc import Mapping
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from expressions import VARIABLES, quantile
from llmvitals.semconv import Family

DATASOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
OBJECTIVE = "objective"
# Units, as Grafana writes them.
SECONDS = "s"
TOKENS_PER_SECOND = "suffix: tokens/s"
CALLS_PER_SECOND = "suffix: calls/s"
SHARE = "percentunit"
COUNT = "short"
FACTOR = "suffix:x"
DASHED = [
    DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 8]}),
    DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "red"}),
]
BARS = [
    DynamicConfigValue("unit", COUNT),
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
) -> Panel:
    """One or a few numbers over the board's time range: `values` is their expressions by name.

    colours: the colour of the number from each value on; None stands for the lowest.
    """
    panel = stat.Panel().title(title).description(question).unit(unit).datasource(DATASOURCE).span(4).height(4)
    panel.reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"])).text_mode(BigValueTextMode.VALUE_AND_NAME)
    panel.graph_mode(BigValueGraphMode.NONE).color_mode(BigValueColorMode.VALUE if colours else BigValueColorMode.NONE)
    if colours:
        steps = [Threshold(value, colour) for value, colour in colours.items()]
        panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    for ref, (name, expression) in zip(ascii_uppercase, values.items(), strict=False):
        panel.with_target(_query(ref, expression, name).instant())
    return panel.override_by_name("n", [DynamicConfigValue("unit", COUNT)]).build()


def lines(
    title: str,
    question: str,
    unit: str,
    values: Mapping[str, str],
    *,
    exemplars: bool = False,
    select: str = "",
    width: int = 8,
) -> Panel:
    """Graphs over time: `values` is expressions by legend. A gap is no traffic.

    A legend that starts with OBJECTIVE is drawn dashed; one that starts with `n` is a count, drawn as bars on an
    axis of their own.
    exemplars: whether traces of single calls are marked.
    select: a label by whose value a click on a line selects.
    """
    panel = _graph(title, question, unit, width)
    for ref, (legend, expression) in zip(ascii_uppercase, values.items(), strict=False):
        panel.with_target(_query(ref, expression, legend).exemplar(exemplars and legend != OBJECTIVE))
    if select:
        link = _link(select, f"${{__field.labels.{select}:percentencode}}")
        panel.override_by_regexp(f"/^(?!{OBJECTIVE})/", [DynamicConfigValue("links", [link])])
    # Without the slashes Grafana asks for the whole name.
    panel.override_by_regexp(f"/^{OBJECTIVE}/", DASHED)
    return panel.override_by_regexp("/^n( |$)/", BARS).build()


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
    values = {f"p{q * 100:.0f}": quantile(q, family, where=where) for q in quantiles}
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
    return lines(title, question, unit, values, select=label)


def stacked(title: str, question: str, unit: str, expression: str, label: str, width: int = 8) -> Panel:
    """How a total is made up of the values of a label."""
    panel = _graph(title, question, unit, width).with_target(_query("A", expression, by(label)))
    panel.stacking(options.StackingConfig().mode(StackingMode.NORMAL).group("A")).fill_opacity(40)
    return panel.build()


def heatmap(title: str, question: str, unit: str, expression: str) -> Panel:
    """How values are distributed: two bands are two kinds of call, which no percentile shows."""
    panel = heatmaps.Panel().title(title).description(question).unit(unit).datasource(DATASOURCE).span(12).height(8)
    panel.color(heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").exponent(0.5).steps(64))
    panel.y_axis(heatmaps.YAxisConfig().unit(unit))
    return panel.with_target(_query("A", expression, "{{le}}").format(PromQueryFormat.HEATMAP)).build()


def table_by(label: str, title: str, question: str, columns: Mapping[str, tuple[str, str]], *, sort: str) -> Panel:
    """One row for each value of a label, which leads to the latency board with this value selected.

    columns: unit and expression by the name of the column.
    sort: the column whose largest value comes first.
    """
    panel = table.Panel().title(title).description(question).unit(COUNT).datasource(DATASOURCE).span(24).height(9)
    names = {}
    for ref, (name, (unit, expression)) in zip(ascii_uppercase, columns.items(), strict=False):
        panel.with_target(_query(ref, expression, "").format(PromQueryFormat.TABLE).instant())
        panel.override_by_name(name, [DynamicConfigValue("unit", unit)])
        names[f"Value #{ref}"] = name
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    organised = {"excludeByName": {"Time": True}, "renameByName": names}
    panel.with_transformation(DataTransformerConfig("organize", options=organised))
    panel.sort_by([options.TableSortByFieldState().display_name(sort).desc(True)])
    link = _link(label, "${__value.text:percentencode}")
    return panel.override_by_name(label, [DynamicConfigValue("links", [link])]).build()


def _link(label: str, value: str) -> dict[str, str]:
    """A link to the latency board with one value of a label selected and all else as it is."""
    selected = VARIABLES[label]
    others = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", *VARIABLES.values()) if name != selected)
    return {
        "title": f"Why? Latency and errors of this {selected}",
        "url": f"/d/llm-latency?{others}&var-{selected}={value}&${{__url_time_range}}",
    }


def _graph(title: str, question: str, unit: str, width: int) -> timeseries.Panel:
    panel = timeseries.Panel().title(title).description(question).unit(unit).min(0).datasource(DATASOURCE)
    panel.span(width).height(8)
    panel.legend(options.VizLegendOptions().show_legend(True))
    return panel.tooltip(options.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))


def _query(ref: str, expression: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(ref).expr(expression).legend_format(legend)
