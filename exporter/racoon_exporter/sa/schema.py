"""What a state file says of the racoons: its shape by type, and what must fit together in it.

A file with a good checksum may still hold nonsense: an edited one, or one of a version with a fault. It is believed as a whole
or not at all, so all of it is looked at before anything is made of it. The rows of `model.py` are read as their types say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Annotated, Any, Final, NotRequired, TypedDict, TypeVar, get_origin

from msgspec import Meta, convert

from racoon_exporter.sa.checkpoint import VERSION
from racoon_exporter.sa.counts import LABELS, MOST, PEER_COUNTS, RACOON_COUNTS
from racoon_exporter.sa.model import DaemonRun, IpsecSa, IsakmpSa, Natural, Negotiation, Peer, Phase1End, Seconds, Time
from racoon_exporter.sa.racoon import DURATION_BUCKETS, MOST_SUMMED

Word = str | None
Place = Natural
"""Of a row in a list that stands elsewhere in the file."""
EitherPlace = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
"""Of what is alive, or counting down from -1 of what is archived."""
CounterRow = list[str | int]
Shape = TypeVar("Shape")
_BUCKETS: Final = len(DURATION_BUCKETS) + 2
Sum = Annotated[float, Meta(ge=0, le=MOST_SUMMED)]
Durations = dict[str, Annotated[list[Sum], Meta(min_length=_BUCKETS, max_length=_BUCKETS)]]


class SasShape(TypedDict):
    """`SaTable.to_json`."""

    presumed: list[Place]


class IsakmpShape(SasShape):
    """ISAKMP SAs."""

    alive: list[IsakmpSa]


class IpsecShape(SasShape):
    """IPsec SAs."""

    alive: list[IpsecSa]


class LifeShape(TypedDict):
    """`Life.to_json`."""

    run: DaemonRun | None
    run_listens: bool
    stopped: bool
    signalled: NotRequired[bool]
    sockets: NotRequired[list[tuple[str, str]]]
    true_arrows: bool | None
    phase2_told: NotRequired[bool]


class PeersShape(TypedDict):
    """`Peers.to_json`."""

    peers: list[Peer]
    locals: list[str]
    peer_of_cookies: list[tuple[str, str]]
    folded: list[str]


class EvidenceShape(TypedDict):
    """`packet.Evidence`."""

    time: Time | None
    count: list[str]
    reason: NotRequired[Word]
    phase: NotRequired[Annotated[int, Meta(ge=1, le=2)] | None]
    refusal: NotRequired[bool]


class BlameShape(TypedDict):
    """`Blame.to_json`."""

    context: Place | None
    floating: list[EvidenceShape]
    larval: tuple[Time | None, str, str] | None
    xauth_asked: bool
    refused: NotRequired[tuple[Time | None, str] | None]
    refusals: list[tuple[list[str | int | None], Place]]
    recent: list[tuple[str, Time | None, str]]
    ambiguous: list[tuple[Time | None, str, str]]
    give_up_after: list[tuple[bool, Seconds]]
    causes: list[tuple[str, Time | None, Phase1End]]
    initial_contact: tuple[Time | None, str] | None


class GuessesShape(TypedDict):
    """`Guesses.to_json`."""

    local_of: list[Annotated[list[str], Meta(min_length=2, max_length=3)]]
    sas: list[tuple[EitherPlace, str, str]]


class RacoonShape(TypedDict):
    """`racoon_to_json`."""

    version: Natural
    gateway: str
    ident: str
    stream: str
    now: Time | None
    heard_in: NotRequired[list[str]]
    counters: list[CounterRow]
    durations: Durations
    life: LifeShape
    peers: PeersShape
    negotiations: list[Negotiation]
    isakmp: IsakmpShape
    ipsec: IpsecShape
    pairs: list[tuple[str, str, EitherPlace, EitherPlace | None]]
    blame: BlameShape
    failures: NotRequired[list[tuple[Place | Negotiation, bool]]]
    guesses: NotRequired[GuessesShape]


class ArchiveShape(TypedDict):
    """`Archive.to_json`."""

    phase1: list[IsakmpSa]
    ipsec: list[IpsecSa]
    negotiations: list[Negotiation]
    daemon: list[DaemonRun]


class FoldedShape(TypedDict):
    """`Gateways.to_json`."""

    number: Natural
    names: list[str]


class StateShape(TypedDict):
    """`SaState.to_json`."""

    archive: ArchiveShape
    racoons: list[RacoonShape]
    folded_gateways: NotRequired[FoldedShape]


def check(given: dict[str, Any]) -> StateShape:
    """Give it by type. Raises ValueError, naming the place, where this is nothing that `SaState.to_json` gives."""
    state = typed(given, StateShape)
    distinct("racoons", ((racoon["gateway"], racoon["ident"], racoon["stream"]) for racoon in state["racoons"]))
    for number, racoon in enumerate(state["racoons"]):
        try:
            _check_racoon(racoon, state["archive"])
        except ValueError as error:
            raise ValueError(f"racoon {number}: {error}") from error
    return state


def typed(given: Any, shape: type[Shape]) -> Shape:
    """Give a value as its type says. Raises ValueError, naming the place, if it is of another."""
    return convert(given, shape, dec_hook=_counters)


def _counters(kind: Any, given: Any) -> Counter[tuple[str, ...]]:
    if get_origin(kind) is not Counter:
        raise NotImplementedError
    rows = convert(given, list[CounterRow])
    check_counters(rows, PEER_COUNTS)
    return Counter()


def check_counters(rows: Sequence[CounterRow], own: Collection[str]) -> None:
    """Raise ValueError where rows are no counters of their `own`. What only another version counts may have any labels."""
    distinct("counters", (tuple(row[:-1]) for row in rows))
    for row in rows:
        *key, number = row or [""]
        metric, *labels = map(str, key or [""])
        if [metric, *labels] != key or not isinstance(number, int) or not 0 <= number <= MOST:
            raise ValueError(f"{metric}: no counter")
        if metric in LABELS and metric not in own:
            raise ValueError(f"{metric}: counted elsewhere")
        if len(labels) != LABELS.get(metric, len(labels)):
            raise ValueError(f"{metric}: other labels")


def _check_racoon(racoon: RacoonShape, archive: ArchiveShape) -> None:
    if racoon["version"] != VERSION:
        raise ValueError(f"of another version ({racoon['version']})")
    check_counters(racoon["counters"], RACOON_COUNTS)
    distinct("peers", (peer.address for peer in racoon["peers"]["peers"]))
    distinct("cookies", (cookies for cookies, _ in racoon["peers"]["peer_of_cookies"]))
    distinct("isakmp", map(repr, racoon["isakmp"]["alive"]))
    distinct("ipsec", map(repr, racoon["ipsec"]["alive"]))
    _check_alive("negotiations", racoon["negotiations"], {"waiting", "negotiating"})
    _check_alive("isakmp", racoon["isakmp"]["alive"], {"established", "dying", "purging"})
    _check_alive("ipsec", racoon["ipsec"]["alive"], {"mature", "dying"})
    _check_places(
        racoon,
        {"phase1": len(archive["phase1"]), "ipsec": len(archive["ipsec"]), "negotiations": len(archive["negotiations"])},
    )


def _check_alive(name: str, rows: Sequence[Negotiation | IsakmpSa | IpsecSa], states: Collection[str]) -> None:
    for row in rows:
        if row.ended is not None or row.state not in states:
            raise ValueError(f"{name}: one that has ended is none that is alive")


def _check_places(racoon: RacoonShape, archived: dict[str, int]) -> None:
    sas, negotiations = len(racoon["ipsec"]["alive"]), len(racoon["negotiations"])
    over = archived["negotiations"]
    blame = racoon["blame"]
    _places("isakmp", racoon["isakmp"]["presumed"], archived["phase1"])
    _places("ipsec", racoon["ipsec"]["presumed"], archived["ipsec"])
    _places("refusals", [place for _, place in blame["refusals"]], over)
    _places("failures", [what for what, _ in racoon.get("failures", []) if isinstance(what, int)], over)
    _places("context", [] if blame["context"] is None else [blame["context"]], negotiations)
    _places("pairs", [sa for _, _, sa, _ in racoon["pairs"]], sas, archived["ipsec"])
    _places("pairs", [place for _, _, _, place in racoon["pairs"] if place is not None], negotiations, over, again=True)
    guesses = racoon.get("guesses")
    if guesses is not None:
        _places("guesses", [place for place, _, _ in guesses["sas"]], sas, archived["ipsec"], again=True)


def _places(name: str, places: Sequence[int], alive: int, archived: int = 0, *, again: bool = False) -> None:
    """Raise ValueError where a place leads nowhere, or two lead to the same."""
    if not all(-archived <= place < alive for place in places):
        raise ValueError(f"{name}: a place where nothing stands")
    if not again:
        distinct(name, places)


def distinct(name: str, keys: Iterable[Hashable]) -> None:
    """Raise ValueError where something stands twice that cannot."""
    keys = list(keys)
    if len(set(keys)) != len(keys):
        raise ValueError(f"{name}: the same twice")
