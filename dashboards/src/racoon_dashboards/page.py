"""A board: its panels in reading order, its variables, links and annotations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from racoon_dashboards.palette import BLUE, ORANGE, VERMILION
from racoon_dashboards.panels import DATASOURCE, AnyPanel
from racoon_dashboards.queries import Scope

SCHEMA_VERSION = 37
"""Of Grafana 9.4, the oldest we serve. Newer ones migrate upwards; nothing migrates downwards."""
GRID_WIDTH = 24
TAGS = ("racoon", "ipsec", "vpn")
SOURCE = "${datasource:queryparam}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel and its size on the grid of 24 columns."""

    panel: AnyPanel
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Folded:
    """Panels that are read only when one looks for something: good news, and the details of bad."""

    title: str
    panels: Sequence[Placed]


@dataclass(frozen=True, slots=True)
class About:
    """What a board says of itself."""

    uid: str
    title: str
    description: str
    since: str = "now-6h"


def _all() -> model.VariableOption:
    return model.VariableOption(selected=True, text="All", value="$__all")


def _variable(name: str, query: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(name.capitalize())
        .query({"query": query, "refId": "StandardVariableQuery"})
        .datasource(DATASOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def of_many() -> list[build.QueryVariable]:
    """Give the variables of a board of many: what they are not set to is shown as well."""
    asked = (
        ("job", "label_values(racoon_exporter_build_info, job)", ".+"),
        ("instance", 'label_values(racoon_exporter_build_info{job=~"$job"}, instance)', ".+"),
        ("gateway", 'label_values(racoon_daemon_up{job=~"$job", instance=~"$instance"}, gateway)', ".*"),
    )
    return [
        _variable(name, query).multi(True).include_all(True).all_value(every).current(_all()) for name, query, every in asked
    ]


def of_one() -> list[build.QueryVariable]:
    """Give the variables of a board of one peer: one value of each, so that no two peers are ever mixed."""
    asked = (
        ("job", "label_values(racoon_phase1_up, job)"),
        ("instance", 'label_values(racoon_phase1_up{job="$job"}, instance)'),
        ("gateway", 'label_values(racoon_phase1_up{job="$job", instance="$instance"}, gateway)'),
        ("peer", 'label_values(racoon_phase1_up{job="$job", instance="$instance", gateway="$gateway"}, peer)'),
    )
    return [_variable(name, query).multi(False).include_all(False) for name, query in asked]


def link(title: str, uid: str, *variables: str) -> build.DashboardLink:
    """Link another board, with the time and the variables named."""
    passed = "&".join((SOURCE, *(f"${{{name}:queryparam}}" for name in variables)))
    return (
        build.DashboardLink(title)
        .type(model.DashboardLinkType.LINK)
        .icon("dashboard")
        .tooltip(title)
        .url(f"/d/{uid}?{passed}")
        .keep_time(True)
    )


def _annotations(scope: Scope) -> list[Builder[model.AnnotationQuery]]:
    """Mark what explains a change: alerts that fire, racoon's starts, the exporter's starts."""
    firing = f'alertstate="firing", {scope.target}'
    own = f"racoon_exporter_build_info{{{scope.target}}}"
    asked = (
        (
            "Alerts firing",
            f'max by (alertname, instance) (ALERTS{{alertname=~"Racoon.+", severity!="info", {firing}}})',
            VERMILION,
        ),
        (
            "racoon started",
            f"1000 * max by (gateway, instance) (racoon_daemon_start_timestamp_seconds{{{scope.gateway}}})",
            ORANGE,
        ),
        (
            "Exporter started",
            f"1000 * max by (instance) (process_start_time_seconds{{{scope.target}}} and on (instance, job) {own})",
            BLUE,
        ),
    )
    return [
        build.AnnotationQuery().name(name).datasource(DATASOURCE).icon_color(color).expr(expr) for name, expr, color in asked
    ]


FORMATS: Final[dict[str, dict[str, object]]] = {
    "Alerts firing": {"titleFormat": "{{alertname}}", "textFormat": "{{instance}}"},
    "racoon started": {"titleFormat": "racoon started", "textFormat": "{{gateway}} {{instance}}", "useValueForTime": True},
    "Exporter started": {"titleFormat": "racoon-exporter started", "textFormat": "{{instance}}", "useValueForTime": True},
}
"""What Grafana's Prometheus source reads of an annotation, and the SDK does not know."""


def page(
    about: About,
    parts: Iterable[Placed | Folded],
    *,
    scope: Scope,
    variables: Sequence[build.QueryVariable],
    links: Sequence[build.DashboardLink],
) -> model.Dashboard:
    """Lay the panels out in reading order and give the page what every page has."""
    source = (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(model.VariableOption(selected=False, text="default", value="default"))
    )
    builder = (
        build.Dashboard(about.title)
        .uid(about.uid)
        .description(about.description)
        .tags(list(TAGS))
        .readonly()
        .time(about.since, "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .links(list(links))
        .annotations(_annotations(scope))
        .with_variable(source)
    )
    for variable in variables:
        builder = builder.with_variable(variable)
    layout = _Layout()
    for part in parts:
        if isinstance(part, Placed):
            builder = builder.with_panel(layout.put(part))
            continue
        title = layout.line()
        row = build.Row(part.title).id(layout.number()).grid_pos(title)
        for placed in part.panels:
            row = row.with_panel(layout.put(placed))
        builder = builder.with_row(row)
        layout.fold(title)
    built = builder.build()
    built.schema_version = SCHEMA_VERSION
    return built


class _Layout:
    """Where the next panel stands."""

    def __init__(self) -> None:
        self._x = self._y = self._tallest = self._numbers = 0

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def end_line(self) -> None:
        self._x, self._y, self._tallest = 0, self._y + self._tallest, 0

    def line(self) -> model.GridPos:
        """Take a line for the title of a row."""
        self.end_line()
        position = model.GridPos(x=0, y=self._y, w=GRID_WIDTH, h=1)
        self._y += 1
        return position

    def fold(self, title: model.GridPos) -> None:
        """Go on right below the title of a folded row, whose panels take no room."""
        self.end_line()
        self._y = title.y + title.h

    def put(self, placed: Placed) -> AnyPanel:
        if self._x + placed.width > GRID_WIDTH:
            self.end_line()
        position = model.GridPos(x=self._x, y=self._y, w=placed.width, h=placed.height)
        self._x, self._tallest = self._x + placed.width, max(self._tallest, placed.height)
        return placed.panel.id(self.number()).grid_pos(position)
