"""What every part of the page is written with: the overview, the setting, and how times and tables look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from racoon_exporter.status.markup import Child, Html, element
from racoon_exporter.status.view import Overview, PeerView
from racoon_exporter.status.words import ago, moment

NOTHING: Final = "-"
"""What stands in a cell without a value."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is shown, and what the page needs besides it."""

    shown: Overview
    zone: tzinfo
    """Zone of the log."""
    telemetry_path: str
    assets: dict[str, str]
    """Address of each asset, by name."""
    query: str = ""
    """What is searched for."""

    @property
    def gateways(self) -> list[str]:
        """Hosts that the lines name or the configuration gives."""
        return sorted({daemon.gateway for daemon in self.shown.facts.daemons if daemon.gateway})

    @property
    def found(self) -> list[PeerView]:
        """The peers that the search finds; all without one."""
        return [peer for peer in self.shown.peers if matches(peer, self.query)]

    def at(self, time: float | None, *, relative: bool = True) -> Child:
        """Write a time in the log's zone, and how long ago that is."""
        if time is None:
            return "not known"
        text = moment(time, self.zone)
        stamp = element("time", text, datetime=text.replace(" ", "T", 1).replace(" ", ""))
        return (stamp, self.ago(time)) if relative else stamp

    def ago(self, time: float | None) -> Child:
        """Write how long ago a time is."""
        return None if time is None else (" ", element("span", f"({ago(time, self.shown.now)})", class_="ago"))


def matches(peer: PeerView, query: str) -> bool:
    """Whether a search finds a peer: by name, address or gateway."""
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (peer.name, peer.address, peer.gateway))


def table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[Child]]) -> Html:
    """Write a table that scrolls by itself where the page is narrow, by keyboard, too."""
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", (element("th", head, scope="col") for head in heads))),
            element("tbody", map(_row, rows)),
        ),
        class_="scroll",
        role="region",
        aria_label=f"Table: {caption}",
        tabindex=0,
    )


def _row(cells: Sequence[Child]) -> Html:
    return element("tr", element("th", cells[0], scope="row"), (element("td", cell) for cell in cells[1:]))
