"""What every board has: its variables, links, alerts as annotations, and rows of panels on the grid."""

import zlib
from collections.abc import Sequence
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

from expressions import VARIABLES
from llmvitals import semconv
from panels import DATASOURCE

TAG = "llm"
GRID_WIDTH = 24


@dataclass(frozen=True)
class Row:
    """Panels under one heading, collapsed until somebody asks; without a heading they are always open."""

    title: str
    panels: Sequence[Panel]


def board(uid: str, title: str, description: str, since: str, rows: Sequence[Row]) -> Dashboard:
    """A dashboard over the last `since` (as Grafana writes it: `7d`) with the variables of all boards."""
    return Dashboard(
        uid=uid,
        title=title,
        description=description,
        tags=[TAG],
        time=DashboardDashboardTime(from_val=f"now-{since}", to="now"),
        refresh="1m",
        graph_tooltip=DashboardCursorSync.CROSSHAIR,
        templating=DashboardDashboardTemplating(list_val=_variables()),
        annotations=AnnotationContainer(list_val=[_alerts()]),
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


def _variables() -> list[VariableModel]:
    """The data source, then the choices, each of which offers what the ones before it leave."""
    variables = [VariableModel(VariableType.DATASOURCE, "datasource", "Data source", query="prometheus")]
    chosen: list[str] = []
    for label, name in VARIABLES.items():
        variables.append(_choice(name, label, ", ".join(chosen)))
        chosen.append(f'{label}=~"${name}"')
    return variables


def _choice(name: str, label: str, where: str) -> VariableModel:
    series = semconv.CALLS.name + (f"{{{where}}}" if where else "")
    query = f"label_values({series}, {label})"
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


def _alerts() -> AnnotationQuery:
    """Our alerts while they fire; those without a model concern every model."""
    return AnnotationQuery(
        name="Alerts",
        datasource=DATASOURCE,
        icon_color="red",
        expr=f'ALERTS{{alertstate="firing", category!="", severity!="none", {semconv.LABEL_MODEL}=~"$model|"}}',
        title_format="{{alertname}}",
        text_format=f"{{{{{semconv.LABEL_SLO}}}}} {{{{{semconv.LABEL_MODEL}}}}}",
        tag_keys="severity,category",
        step="60s",
    )


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
