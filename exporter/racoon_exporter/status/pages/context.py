"""What every part of the page is written with: the overview, the setting, and how times and tables look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Final, NamedTuple

from racoon_exporter.status.overview.view import Overview, PeerView
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.natural_order import natural
from racoon_exporter.wording.words import ago, moment

NOTHING: Final = "-"
"""What stands in a cell without a value."""


class Wanted(NamedTuple):
    """Which peers are asked for; what is empty asks for all."""

    text: str = ""
    state: str = ""
    gateway: str = ""


EVERYTHING: Final = Wanted()


@dataclass(frozen=True)
class PageContext:
    """What is shown, and what the page needs besides it."""

    shown: Overview
    zone: tzinfo
    """Zone of the log."""
    telemetry_path: str
    assets: dict[str, str]
    """Address of each asset, by name."""
    wanted: Wanted = EVERYTHING
    """Which peers are asked for."""

    @cached_property
    def gateways(self) -> list[str]:
        """Hosts that the lines name or the configuration gives; asked for with every peer."""
        return sorted({daemon.gateway for daemon in self.shown.facts.daemons if daemon.gateway}, key=natural)

    @cached_property
    def found(self) -> list[PeerView]:
        """The peers that are asked for; all where nothing is."""
        return [peer for peer in self.shown.peers if matches(peer, self.wanted)]

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


def matches(peer: PeerView, wanted: Wanted) -> bool:
    """Whether a peer is asked for: by a part of its name, address or gateway, by its state, by its gateway."""
    text = wanted.text.casefold()
    return (
        wanted.state in ("", peer.state)
        and wanted.gateway in ("", peer.gateway)
        and any(text in known.casefold() for known in (peer.name, peer.address, peer.gateway))
    )


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
