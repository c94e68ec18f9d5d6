"""Panels, variables and links as this project draws them: thin helpers over Grafana's foundation SDK.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; states are words as well as colours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SCHEMA_VERSION = 37
"""Of Grafana 9.4, the oldest we serve. Newer ones migrate upwards; nothing migrates downwards."""

BLUE, SKY, GREEN, YELLOW, ORANGE, VERMILION, GREY = (
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#E69F00",
    "#D55E00",
    "#808080",
)

GRID_WIDTH = 24
DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "racoon"

STATES = {"0": ("Down", VERMILION), "1": ("Negotiating", YELLOW), "2": ("Up", BLUE)}
UP_DOWN = {"0": ("Down", VERMILION), "1": ("Up", BLUE)}
YES_NO = {"0": ("No", GREY), "1": ("Yes", SKY)}

AnyPanel = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel
Steps = Sequence[tuple[float | None, str]]
Words = Mapping[str, tuple[str, str]]

NEUTRAL: Steps = ((None, BLUE),)
ANY_IS_BAD: Steps = ((None, BLUE), (1, VERMILION))


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query: what it is called in the legend, and whether it is asked for the end of the range only."""

    expr: str
    legend: str = ""
    instant: bool = False
    as_table: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says: its title, what it shows and means, and what to check where there is nothing to show."""

    title: str
    description: str
    no_value: str


def rows(expr: str) -> Query:
    """Build a query for a table: one row per series, at the end of the range."""
    return Query(expr, instant=True, as_table=True)


def _target(query: Query, ref_id: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(ref_id).datasource(DATASOURCE)
    target = target.format(PromQueryFormat.TABLE if query.as_table else PromQueryFormat.TIME_SERIES)
    if query.legend:
        target = target.legend_format(query.legend)
    return target.instant() if query.instant else target.range()


def _mappings(words: Words) -> list[model.ValueMapping]:
    results = {
        value: model.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(words.items())
    }
    return [model.ValueMap(options=results)]


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


P = TypeVar("P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


def _finish(panel: P, text: Text, queries: Sequence[Query], unit: str, steps: Steps = NEUTRAL) -> P:
    """Give `panel` what every panel has."""
    for index, query in enumerate(queries):
        panel = panel.with_target(_target(query, chr(ord("A") + index)))
    panel = panel.title(text.title).description(text.description).no_value(text.no_value).unit(unit)
    return panel.datasource(DATASOURCE).thresholds(_thresholds(steps))


def numbers(text: Text, *queries: Query, unit: str = "short", steps: Steps = NEUTRAL, words: Words | None = None) -> stat.Panel:
    """One big number per series."""
    panel = (
        _finish(stat.Panel(), text, queries, unit, steps)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )
    if words is not None:
        return panel.mappings(_mappings(words))
    return panel


def states(text: Text, *queries: Query, words: Words) -> statetimeline.Panel:
    """One band per series, coloured by state and labelled with its word."""
    return (
        _finish(statetimeline.Panel(), text, queries, "none")
        .mappings(_mappings(words))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.85)
        .line_width(0)
        .fill_opacity(85)
        .legend(VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.LIST))
    )


def lines(text: Text, *queries: Query, unit: str, stacked: bool = False) -> timeseries.Panel:
    """Show values over time; `stacked` where the parts make a whole."""
    panel = (
        _finish(timeseries.Panel(), text, queries, unit)
        .min(0)
        .line_width(1)
        .fill_opacity(40 if stacked else 10)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(False)
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
    )
    return panel.stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A")) if stacked else panel


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a table is named and shown. `field` is the label, or `Value #A` for the value of query A."""

    field: str
    title: str
    unit: str | None = None
    words: Words | None = None
    steps: Steps | None = None
    width: int | None = None
    link: str | None = None

    def properties(self) -> list[model.DynamicConfigValue]:
        """Return the column's settings as Grafana's field overrides (in the words of schema 37)."""
        found: list[model.DynamicConfigValue] = []
        if self.unit is not None:
            found.append(model.DynamicConfigValue("unit", self.unit))
        if self.words is not None:
            found.append(model.DynamicConfigValue("mappings", _mappings(self.words)))
            found.append(model.DynamicConfigValue("custom.displayMode", "color-background-solid"))
        if self.steps is not None:
            found.append(model.DynamicConfigValue("thresholds", _thresholds(self.steps).build()))
            found.append(model.DynamicConfigValue("custom.displayMode", "color-text"))
        if self.width is not None:
            found.append(model.DynamicConfigValue("custom.width", self.width))
        if self.link is not None:
            link = {"title": "Show this peer", "url": self.link, "targetBlank": False}
            found.append(model.DynamicConfigValue("links", [link]))
        return found


HIDDEN_FIELDS = ("Time", "job", "__name__")


def grid(text: Text, *queries: Query, columns: Sequence[Column], hide: Sequence[str] = (), unit: str = "short") -> table.Panel:
    """One row per set of labels that the queries share; the first column that has words decides the order."""
    # Some migrations of Grafana 12 look at a table's columns only where the table has settings of its own: hence filterable.
    panel = _finish(table.Panel(), text, queries, unit).filterable(False)
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    organize = {
        "excludeByName": dict.fromkeys((*HIDDEN_FIELDS, *hide), True),
        "indexByName": {column.field: index for index, column in enumerate(columns)},
        "renameByName": {column.field: column.title for column in columns},
    }
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organize))
    first = next((column.title for column in columns if column.words is not None), columns[0].title)
    sort = {"fields": {}, "sort": [{"field": first, "desc": False}]}
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="sortBy", options=sort))
    for column in columns:
        if column.properties():
            panel = panel.override_by_name(column.title, column.properties())
    return panel


def _all() -> model.VariableOption:
    return model.VariableOption(selected=True, text="All", value="$__all")


def _variable(name: str, query: str, *, all_value: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(name.capitalize())
        .query({"query": query, "refId": "StandardVariableQuery"})
        .datasource(DATASOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(all_value)
        .current(_all())
    )


def _variables(*, peers: bool) -> list[build.QueryVariable]:
    job, instance, gateway = 'job=~"$job"', 'instance=~"$instance"', 'gateway=~"$gateway"'
    found = [
        _variable("job", "label_values(racoon_exporter_build_info, job)", all_value=".+"),
        _variable("instance", f"label_values(racoon_exporter_build_info{{{job}}}, instance)", all_value=".+"),
        # `.*` also fits where the label is absent: one gateway alone has none.
        _variable("gateway", f"label_values(racoon_daemon_up{{{job}, {instance}}}, gateway)", all_value=".*"),
    ]
    if peers:
        query = f"label_values(racoon_phase1_up{{{job}, {instance}, {gateway}}}, peer)"
        found.append(_variable("peer", query, all_value=".+"))
    return found


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel and its size on the grid of 24 columns."""

    panel: AnyPanel
    width: int
    height: int


def page(uid: str, title: str, description: str, panels: Iterable[Placed], *, peers: bool, since: str) -> model.Dashboard:
    """Lay the panels out in reading order and give the page its variables and links."""
    source = (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(model.VariableOption(selected=False, text="default", value="default"))
    )
    link = (
        build.DashboardLink("Other racoon dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    builder = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG, "ipsec", "vpn"])
        .readonly()
        .time(since, "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(link)
        .with_variable(source)
    )
    for variable in _variables(peers=peers):
        builder = builder.with_variable(variable)
    x = y = tallest = 0
    for number, placed in enumerate(panels, start=1):
        if x + placed.width > GRID_WIDTH:
            x, y, tallest = 0, y + tallest, 0
        position = model.GridPos(x=x, y=y, w=placed.width, h=placed.height)
        builder = builder.with_panel(placed.panel.id(number).grid_pos(position))
        x, tallest = x + placed.width, max(tallest, placed.height)
    built = builder.build()
    built.schema_version = SCHEMA_VERSION
    return built
