"""What the screens ask for, as answers of the exporter: all peers, or all of one peer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from racoon_exporter.top.answers import list_of
from racoon_exporter.top.client import Client, NotHereError
from racoon_exporter.top.detail import Section, sections
from racoon_exporter.top.model import Row, Sight, sight

_WINDOWS: Final = {"day": "1d", "week": "7d", "month": "30d"}
_ROWS: Final = 20


def all_peers(client: Client) -> Sight:
    """Ask for the peers; without parameters, as the oldest exporter takes them. Raises Trouble."""
    return sight(client.get("peers"))


def one_peer(client: Client, row: Row) -> list[Section]:
    """Ask for all that is known of a peer. Raises Trouble."""
    which = dict(row.asked_as)
    body = client.get("peers", **which)
    found = list_of(body, "peers")
    if not found:
        return [Section("State", ("The exporter knows this peer no longer.",))]
    more: dict[str, Any] = {
        "sas": _asked(client, "sas", which),
        "failures": _asked(client, "failures", {**which, "limit": _ROWS}),
        "outages": _asked(client, "outages", {**which, "limit": _ROWS}),
        **{window: _asked(client, "availability", {**which, "since": ago}) for window, ago in _WINDOWS.items()},
    }
    return sections(found[0], body.get("time"), more)


def _asked(client: Client, resource: str, parameters: Mapping[str, str | int]) -> Any:
    try:
        return client.get(resource, **parameters)
    except NotHereError:
        return None


__all__ = ["all_peers", "one_peer"]
