"""What every board has: its variables, links, releases and alerts as annotations, and rows of panels on the grid."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    DashboardLink,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
    VariableType,
)
from grafana_foundation_sdk.models.prometheus import Dataquery

from expressions import VARIABLES, both, matching, releases
from llmvitals import semconv
from llmvitals.semconv import Family
from panels import DATASOURCE

TAG = "llm"
GRID_WIDTH = 24


@dataclass(frozen=True)
class Row:
    """Panels under one heading, collapsed until somebody asks; without a heading they are always open."""

    title: str
    panels: Sequence[Panel]


def choice(label: str, name: str, series: str, *, where: str = "") -> VariableModel:
    """A variable that offers the values which a label of these series has now: one, several or all of them.

    name: the variable's; capitalised it stands above the list.
    where: matchers for the series, with the variables that were chosen before.
    """
    query = f"label_values({series}{f'{{{where}}}' if where else ''}, {label})"
    return VariableModel(
        VariableType.QUERY,
        name,
        name.capitalize(),
        datasource=DATASOURCE,
        query=query,
        definition=query,
        refresh=VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=VariableSort.ALPHABETICAL_ASC,
        multi=True,
        include_all=True,
        all_value=".*",
        current=VariableOption(selected=True, text=["All"], value=["$__all"]),
    )


def one_of(name: str, values: Sequence[str], default: str) -> VariableModel:
    """A variable that is always one of these values."""
    choices = [VariableOption(selected=value == default, text=value, value=value) for value in values]
    return VariableModel(
        VariableType.CUSTOM,
        name,
        name.capitalize(),
        query=",".join(values),
        options=choices,
        current=VariableOption(selected=True, text=default, value=default),
    )


def chosen(family: Family, labels: Mapping[str, str]) -> list[VariableModel]:
    """A variable for each label, of which each offers what the ones before it leave.

    labels: names of variables by the labels of the family that they select.
    """
    variables: list[VariableModel] = []
    matchers: list[str] = []
    for label, name in labels.items():
        variables.append(choice(label, name, family.name, where=", ".join(matchers)))
        matchers.append(f'{label}=~"${name}"')
    return variables


OF_CALLS = chosen(semconv.CALLS, VARIABLES)


def board(
    uid: str,
    title: str,
    description: str,
    since: str,
    rows: Sequence[Row],
    *,
    variables: Sequence[VariableModel] = OF_CALLS,
    alerts: Sequence[str] = ("slo", "quality"),
) -> Dashboard:
    """A dashboard over the last `since` (as Grafana writes it: `7d`).

    variables: what can be chosen, beside the data source: `[*OF_CALLS, one_of("window", ...)]`.
    alerts: the categories of the alerts that are marked on graphs.
    """
    about_calls = {variable.name for variable in variables}.issuperset(VARIABLES.values())
    if about_calls:
        for panel in (panel for row in rows for panel in row.panels):
            panel.description = f"{panel.description or ''}{_of_all(panel)}" or None
    return Dashboard(
        uid=uid,
        title=title,
        description=description,
        tags=[TAG],
        time=DashboardDashboardTime(from_val=f"now-{since}", to="now"),
        refresh="1m",
        graph_tooltip=DashboardCursorSync.CROSSHAIR,
        templating=DashboardDashboardTemplating(
            list_val=[
                VariableModel(VariableType.DATASOURCE, "datasource", "Data source", query="prometheus"),
                *variables,
            ]
        ),
        annotations=AnnotationContainer(
            list_val=[*([_releases()] if about_calls else []), _alerts(alerts, about_calls)]
        ),
        links=[
            DashboardLink(
                "LLM boards",
                DashboardLinkType.DASHBOARDS,
                tags=[TAG],
                as_dropdown=True,
                include_vars=True,
                keep_time=True,
            )
        ],
        panels=_laid_out(rows),
    )


def _releases() -> AnnotationQuery:
    """Versions of apps, prompts and models. Grafana takes the value as the time, and equal ones as one event."""
    return AnnotationQuery(
        name="Releases",
        datasource=DATASOURCE,
        enable=True,
        icon_color="blue",
        expr=releases(),
        use_value_for_time=True,
        title_format=f"{{{{{semconv.LABEL_KIND}}}}} {{{{{semconv.LABEL_NAME}}}}}",
        text_format=f"{{{{{semconv.LABEL_VERSION}}}}}",
        tag_keys=semconv.LABEL_KIND,
        step="60s",
    )


def _alerts(categories: Sequence[str], about_calls: bool) -> AnnotationQuery:
    """Our alerts while they fire; one without a service, model or template concerns all of them."""
    concerned = [f'{label}=~"${variable}|"' for label, variable in VARIABLES.items()] if about_calls else []
    matchers = both(matching("alertstate", "firing"), matching("category", *categories), *concerned)
    return AnnotationQuery(
        name="Alerts",
        datasource=DATASOURCE,
        icon_color="red",
        expr=f'ALERTS{{{matchers}, {semconv.LABEL_SEVERITY}!="none"}}',
        title_format="{{alertname}}",
        text_format=" ".join(f"{{{{{label}}}}}" for label in (semconv.LABEL_SLO, *VARIABLES)),
        tag_keys=f"{semconv.LABEL_SEVERITY},category",
        step="60s",
    )


def _of_all(panel: Panel) -> str:
    """What a panel's description has to add: which of the variables select nothing of it."""
    expressions = [target.expr for target in panel.targets or () if isinstance(target, Dataquery)]
    names = [f"{name}s" for name in VARIABLES.values() if not any(f"${name}" in expr for expr in expressions)]
    return f" Of all {', '.join(names[:-1])}{' and ' if names[1:] else ''}{names[-1]}." if expressions and names else ""


def _laid_out(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    """Panels from left to right, each row below the one before, with ids that stay when others come or go."""
    laid_out: list[Panel | RowPanel] = []
    y = 0
    for row in rows:
        if row.title:
            heading = RowPanel(collapsed=True, title=row.title, id_val=_stable_id(row.title), panels=list(row.panels))
            heading.grid_pos = GridPos(x=0, y=y, w=GRID_WIDTH, h=1)
            laid_out.append(heading)
            y += 1
        else:
            laid_out += row.panels
        y = _place(row.panels, y)
    return laid_out


def _place(panels: Sequence[Panel], y: int) -> int:
    """Give panels their ids and places from this line on; returns the line below them."""
    x = height = 0
    for panel in panels:
        place = panel.grid_pos or GridPos()
        if x + place.w > GRID_WIDTH:
            x, y, height = 0, y + height, 0
        panel.grid_pos = GridPos(x=x, y=y, w=place.w, h=place.h)
        panel.id_val = _stable_id(panel.title or "")
        x, height = x + place.w, max(height, place.h)
    return y + height


def _stable_id(title: str) -> int:
    return zlib.crc32(title.encode()) % 1_000_000
