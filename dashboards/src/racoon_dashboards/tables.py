"""Tables: a row for each peer, gateway or source, made of several queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from racoon_dashboards.palette import Steps, Words
from racoon_dashboards.panels import Query, Text, finish, mappings, thresholds

NOTHING = "\N{EN DASH}"
"""What an empty cell says."""
DATE = "dateTimeAsIsoNoDateIfToday"
"""The unit of a column of times, in milliseconds."""
_HIDDEN = ("Time", "job", "__name__")


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a table is named and shown. `field` is the label, or `Value #A` for the value of query A."""

    field: str
    title: str
    unit: str | None = None
    words: Words | None = None
    steps: Steps | None = None
    width: int | None = None
    link: tuple[str, str] | None = None
    """Title and address."""
    hidden: bool = False
    """It is there for the addresses of links only."""
    decimals: int | None = None

    def properties(self) -> list[model.DynamicConfigValue]:
        """Return the column's settings as Grafana's field overrides (in the words of schema 37)."""
        found = [model.DynamicConfigValue("noValue", NOTHING)]
        if self.unit is not None:
            found.append(model.DynamicConfigValue("unit", self.unit))
        if self.decimals is not None:
            found.append(model.DynamicConfigValue("decimals", self.decimals))
        if self.words is not None:
            found.append(model.DynamicConfigValue("mappings", mappings(self.words)))
            found.append(model.DynamicConfigValue("custom.displayMode", "color-background-solid"))
        if self.steps is not None:
            found.append(model.DynamicConfigValue("thresholds", thresholds(self.steps).build()))
            found.append(model.DynamicConfigValue("custom.displayMode", "color-text"))
        if self.width is not None:
            found.append(model.DynamicConfigValue("custom.width", self.width))
        if self.link is not None:
            title, url = self.link
            found.append(model.DynamicConfigValue("links", [{"title": title, "url": url, "targetBlank": False}]))
        if self.hidden:
            found.append(model.DynamicConfigValue("custom.hidden", True))
        return found


def grid(
    text: Text,
    *queries: Query,
    columns: Sequence[Column],
    hide: Sequence[str] = (),
    sort: str,
    descending: bool = False,
    filterable: bool = False,
) -> table.Panel:
    """One row per set of labels that the queries share, in the order of the column `sort`."""
    # Some migrations of Grafana 12 look at a table's columns only where the table has settings of its own: hence filterable.
    panel = finish(table.Panel(), text, queries, "none").filterable(filterable)
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    organize = {
        "excludeByName": dict.fromkeys((*_HIDDEN, *hide), True),
        "indexByName": {column.field: index for index, column in enumerate(columns)},
        "renameByName": {column.field: column.title for column in columns},
    }
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organize))
    order = {"fields": {}, "sort": [{"field": sort, "desc": descending}]}
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="sortBy", options=order))
    for column in columns:
        panel = panel.override_by_name(column.title, column.properties())
    return panel
