"""Panels as this project draws them: thin helpers over Grafana's foundation SDK."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTextDisplayOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from racoon_dashboards.palette import NEUTRAL, Steps, Words

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
BARS = 96
"""Intervals of a panel of events: as many as one can tell apart."""
SHORTEST_BAR = "1m"
TEXT_SIZE = 16
NO_EXPORTER = "No exporter is scraped"
NO_WITNESS = "No witness tells: see docs/witnesses.md"

AnyPanel = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query: what it is called in the legend, and whether it is asked for the end of the range only."""

    expr: str
    legend: str = ""
    instant: bool = False
    as_table: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says: its title, what it shows and means, and what there is to say where it has nothing to show."""

    title: str
    description: str
    no_value: str


def now(expr: str, legend: str = "") -> Query:
    """Build a query for numbers: as it is at the end of the range."""
    return Query(expr, legend, instant=True)


def rows(expr: str) -> Query:
    """Build a query for a table: one row per series, at the end of the range."""
    return Query(expr, instant=True, as_table=True)


def _target(query: Query, ref_id: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(ref_id).datasource(DATASOURCE)
    target = target.format(PromQueryFormat.TABLE if query.as_table else PromQueryFormat.TIME_SERIES)
    if query.legend:
        target = target.legend_format(query.legend)
    return target.instant() if query.instant else target.range()


def mappings(words: Words) -> list[model.ValueMapping]:
    """Say values in words."""
    results = {
        value: model.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(words.items())
    }
    return [model.ValueMap(options=results)]


def thresholds(steps: Steps) -> build.ThresholdsConfig:
    """Colour values."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


P = TypeVar("P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


def finish(panel: P, text: Text, queries: Sequence[Query], unit: str, steps: Steps = NEUTRAL) -> P:
    """Give `panel` what every panel has."""
    for index, query in enumerate(queries):
        panel = panel.with_target(_target(query, chr(ord("A") + index)))
    panel = panel.title(text.title).description(text.description).no_value(text.no_value).unit(unit)
    return panel.datasource(DATASOURCE).thresholds(thresholds(steps))


def numbers(text: Text, *queries: Query, unit: str = "none", steps: Steps = NEUTRAL, words: Words | None = None) -> stat.Panel:
    """One big number per series, as it is now, without decimals where it counts something."""
    panel = (
        finish(stat.Panel(), text, queries, unit, steps)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )
    if unit == "none":
        panel = panel.decimals(0)
    if words is not None:
        return panel.mappings(mappings(words))
    return panel


def names(text: Text, *queries: Query, steps: Steps) -> stat.Panel:
    """Say the legend of each series in big letters, coloured by its value."""
    return numbers(text, *queries, steps=steps).text_mode(common.BigValueTextMode.NAME)


def sentence(text: Text, query: Query, field: str, words: Words) -> stat.Panel:
    """Say one label of the only series in a sentence, which may take several lines."""
    return (
        numbers(text, query, words=words)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(f"/^{field}$/"))
        .text_mode(common.BigValueTextMode.VALUE)
        .color_mode(common.BigValueColorMode.NONE)
        .justify_mode(common.BigValueJustifyMode.CENTER)
        .text(VizTextDisplayOptions().value_size(TEXT_SIZE))
    )


def states(text: Text, *queries: Query, words: Words) -> statetimeline.Panel:
    """One band per series, coloured by state and labelled with its word."""
    return (
        finish(statetimeline.Panel(), text, queries, "none")
        .mappings(mappings(words))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.85)
        .line_width(0)
        .fill_opacity(85)
        .legend(VizLegendOptions().show_legend(False).display_mode(common.LegendDisplayMode.LIST))
    )


def lines(text: Text, *queries: Query, unit: str) -> timeseries.Panel:
    """Show values over time."""
    return (
        finish(timeseries.Panel(), text, queries, unit)
        .min(0)
        .line_width(1)
        .fill_opacity(10)
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


def events(text: Text, *queries: Query) -> timeseries.Panel:
    """Show how often something happened in each interval, as bars of whole numbers; the legend adds them up."""
    return (
        lines(text, *queries, unit="none")
        .stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(0)
        .show_points(common.VisibilityMode.NEVER)
        .decimals(0)
        .interval(SHORTEST_BAR)
        .max_data_points(BARS)
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.RIGHT)
            .calcs(["sum"])
        )
    )
