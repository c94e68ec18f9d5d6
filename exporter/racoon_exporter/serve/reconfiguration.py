"""What a changed configuration makes of a state file: a racoon goes with its source, to another gateway or away.

Otherwise the SAs of a source that is no longer read, or that now has a gateway, would stay as those of a racoon that never
logs again: its peers would go down one by one and page somebody. What goes away is set aside (`former_sources.py`), for the
source may come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from racoon_exporter.sa.checkpoint import key_of, upgraded
from racoon_exporter.sa.gateways import Key
from racoon_exporter.serve import former_sources
from racoon_exporter.source.stream_name import stream_of

_GATEWAY: Final = 1
"""Place of the gateway in the records that a reader keeps back."""


class _Sources:
    """The sources of before, as they are configured now."""

    def __init__(self, before: Mapping[str, str], is_read: Callable[[str], bool], gateway_of: Callable[[str], str]) -> None:
        self._before = before
        self._names: dict[str, list[str]] = {}
        for name in before:
            self._names.setdefault(stream_of(name), []).append(name)
        self._is_read = is_read
        self._gateway_of = gateway_of
        self._now: dict[str, str | None] = {}
        self._of_gateway: dict[str, list[str]] = {}
        for name, gateway in before.items():
            self._of_gateway.setdefault(gateway, []).append(name)
        self.gone = tuple(name for name in before if self.now(stream_of(name)) is None)
        """The sources that are read no longer."""
        self._gone_of_gateway: dict[str, str] = {}
        self._gone_of_stream: dict[str, tuple[int, str]] = {}
        for place, name in enumerate(self.gone):
            self._gone_of_gateway.setdefault(before[name], name)
            self._gone_of_stream.setdefault(stream_of(name), (place, name))

    def now(self, stream: str) -> str | None:
        """Give the gateway that is configured for a stream, "" if none is; None if it is no longer read."""
        if stream not in self._now:
            self._now[stream] = self._look_up(stream)
        return self._now[stream]

    def _look_up(self, stream: str) -> str | None:
        names = [name for name in (stream, *self._names.get(stream, ())) if self._is_read(name)]
        return next((gateway for name in names if (gateway := self._gateway_of(name))), "") if names else None

    def of_gateway(self, gateway: str, nameless: set[str], heard_in: Collection[str]) -> tuple[bool, set[str]]:
        """Tell whether a gateway was configured (else lines named it), and the present gateways of the sources it was heard in.

        Lines of the streams in `nameless` name no host. Where nobody noted the streams it was heard in, it may be any other.
        """
        configured = self._of_gateway.get(gateway, [])
        sources = configured or self._that_name(nameless, heard_in)
        return bool(configured), {now for name in sources if (now := self.now(stream_of(name))) is not None}

    def source_of(self, key: Key, heard_in: Collection[str]) -> str | None:
        """Name a source of before from which a racoon was heard and that is read no longer."""
        gateway, _, stream = key
        streams = {stream} if not gateway else set(heard_in)
        if gateway and gateway in self._gone_of_gateway:
            return self._gone_of_gateway[gateway]
        return min((self._gone_of_stream[each] for each in streams if each in self._gone_of_stream), default=(0, None))[1]

    def _that_name(self, nameless: set[str], heard_in: Collection[str]) -> list[str]:
        """Give the sources that may hold lines which name a gateway."""
        if heard_in:
            return [name for stream in heard_in for name in self._names.get(stream, ()) if not self._before[name]]
        return [name for name in self._of_gateway.get("", ()) if stream_of(name) not in nameless]


def fit_to_sources(content: dict[str, Any], is_read: Callable[[str], bool], gateway_of: Callable[[str], str]) -> list[str]:
    """Fit the content of a state file to the sources that are read now, and say what was dropped or set aside.

    `gateway_of` gives the configured gateway of a source, or "". Raises KeyError, TypeError, ValueError or AttributeError
    for what is no content of a state file.
    """
    engine = content["engine"]
    engine["state"]["racoons"] = [upgraded(racoon) for racoon in engine["state"]["racoons"]]
    former_sources.take_back(content, is_read)
    sources = _Sources(content["gateways"], is_read, gateway_of)
    heard_in = {key_of(racoon): racoon.get("heard_in", []) for racoon in engine["state"]["racoons"]}
    moves = _moves(heard_in, sources)
    homes = {key: name for key, streams in heard_in.items() if (name := sources.source_of(key, streams)) is not None}
    kept = former_sources.keep(content, sources.gone, {key: name for key, name in homes.items() if key not in moves})
    renamed = _move_racoons(engine["state"], moves)
    if "past" in engine:
        engine["past"] = _moved_past(engine["past"], renamed)
    seen = {(gateway, ident, stream): times for gateway, ident, stream, *times in content["seen"]}
    content["seen"] = [[*moves[key], *times] for key, times in seen.items() if key in moves]
    for table in (content["positions"], content["sources"], engine["last_line"], engine.get("first_line", {})):
        _forget(table, sources)
    _forget(engine["readers"], sources)
    for stream, reader in engine["readers"].items():
        _move_reader(reader, content["gateways"].get(stream, ""), sources.now(stream) or "")
    gone = {key: key[0] or key[2] for key in heard_in if key not in moves}
    return sorted(
        {
            f"what was known of {name!r} is set aside: it is read no longer"
            if key in kept
            else f"what was known of {name!r} is dropped: it is read under another gateway, or no longer"
            for key, name in gone.items()
        }
    )


def _moves(keys: Mapping[Key, Collection[str]], sources: _Sources) -> dict[Key, Key]:
    """Say where each racoon belongs now. Two of one place cannot be put together: the one that was there stays."""
    nameless = {stream for gateway, _, stream in keys if not gateway}
    heard = {gateway for gateway, _, _ in keys if gateway}
    moves = {key: new for key in keys if (new := _move(key, sources, nameless, heard, keys[key])) is not None}
    places: dict[Key, Key] = {}
    for key in sorted(moves, key=lambda key: moves[key] != key):
        places.setdefault(moves[key], key)
    return {key: new for new, key in places.items()}


def _move(key: Key, sources: _Sources, nameless: set[str], heard: set[str], heard_in: Collection[str]) -> Key | None:
    gateway, ident, stream = key
    if not gateway:
        now = sources.now(stream)
        return None if now is None else (now, ident, "" if now else stream)
    configured, found = sources.of_gateway(gateway, nameless, heard_in)
    if gateway in found or ("" in found and not configured):
        return key
    if len(found) == 1 and "" not in found and (configured or len(heard) == 1):
        return found.pop(), ident, ""
    return None


def _move_racoons(state: dict[str, Any], moves: Mapping[Key, Key]) -> Mapping[str, set[str]]:
    """Move what belongs to racoons, and give the present names of each gateway."""
    state["racoons"] = [racoon for racoon in state["racoons"] if key_of(racoon) in moves]
    renamed: dict[str, set[str]] = {}
    for racoon in state["racoons"]:
        before, (gateway, _, stream) = racoon["gateway"], moves[key_of(racoon)]
        renamed.setdefault(before, set()).add(gateway)
        racoon["gateway"], racoon["stream"] = gateway, stream
        for row in _owned(racoon):
            row["gateway"] = gateway
    for row in (row for table in state["archive"].values() for row in table):
        if len(now := renamed.get(row["gateway"], set())) == 1:
            row["gateway"] = next(iter(now))
    return renamed


def _moved_past(past: Mapping[str, Any], renamed: Mapping[str, set[str]]) -> dict[str, Any]:
    """Give what is known of the past under the present names; what went to several gateways is known of none."""
    moved: dict[str, Any] = {}
    for gateway, log in past.items():
        names = renamed.get(gateway) or {gateway}  # what is set aside may come back
        if len(names) == 1:
            name = next(iter(names))
            moved.setdefault(name, log)
            for run in log["runs"]:
                run["gateway"] = name
    return moved


def _owned(racoon: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the rows of a racoon that name the gateway."""
    run = racoon["life"]["run"]
    alive = [*racoon["isakmp"]["alive"], *racoon["ipsec"]["alive"], *racoon["negotiations"]]
    return alive if run is None else [run, *alive]


def _forget(table: dict[str, Any], sources: _Sources) -> None:
    for name in [name for name in table if sources.now(stream_of(name)) is None]:
        del table[name]


def _move_reader(reader: dict[str, Any], before: str, now: str) -> None:
    for record in (reader["pending"], reader["last"]):
        if record is not None and (now or record[_GATEWAY] == before):
            record[_GATEWAY] = now


__all__ = ["fit_to_sources"]
