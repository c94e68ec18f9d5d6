"""One host's history against the truth: what is missing, what never was, which times are off, and by how much."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.lab_truth.truth import LIMIT, Host, IsakmpSa, KernelSa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row: TypeAlias = "Mapping[str, Any]"
"""A row of `history --format json`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that history has wrong. `spi` holds the cookies for phase 1."""

    scenario: str
    host: str
    spi: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Silence:
    """An SA that went without a line. `late`: seconds that history keeps it, negative when too short, None for ever."""

    scenario: str
    host: str
    sa: KernelSa
    end: str
    late: float | None


@dataclass(slots=True)
class Score:
    """What one host's history is worth. Errors in seconds, None where nothing was to compare."""

    scenario: str
    host: str
    kernel: int = 0  # SAs the kernel had
    shown: int = 0  # of these, the log tells the beginning
    matched: int = 0
    matched_shown: int = 0
    listed: int = 0  # rows of history
    worst: dict[str, float] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    phase1: int = 0
    phase1_matched: int = 0
    phase1_unsampled: int = 0
    violations: list[Violation] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """The part of the SAs the log could show that history has."""
        return self.matched_shown / self.shown if self.shown else None

    @property
    def precision(self) -> float | None:
        """The part of the rows of history that the kernel had."""
        return self.matched / self.listed if self.listed else None

    def violate(self, spi: object, what: str, detail: str) -> None:
        """Note that history has something wrong."""
        self.violations.append(Violation(self.scenario, self.host, str(spi), what, detail))

    def time(self, sa: KernelSa, what: str, said: datetime | None, true: datetime) -> None:
        """Compare a moment, which must be there."""
        if said is None:
            self.violate(sa.spi, what, f"not in history; kernel {true:%H:%M:%S}")
            return
        error = (said - true).total_seconds()
        self.worst[what] = max(self.worst.get(what, 0.0), abs(error))
        if abs(error) > LIMIT:
            self.violate(sa.spi, what, f"{error:+.1f} s; kernel {true:%H:%M:%S}")


def compare(host: Host, history: Mapping[str, Iterable[Row]]) -> Score:
    """Score the history that was made of a host's logs."""
    score = Score(host.scenario, host.name)
    if host.kernel is not None:
        _compare_ipsec(score, host, host.kernel, list(history.get("ipsec", ())))
    if host.isakmp is not None:
        _compare_phase1(score, host.isakmp, list(history.get("phase1", ())))
    return score


# --- IPsec SAs ---


def _compare_ipsec(score: Score, host: Host, kernel: tuple[KernelSa, ...], rows: list[Row]) -> None:
    pairs, extra = _matched(kernel, rows)
    score.kernel = len(kernel)
    score.listed = len(rows)
    score.shown = sum(sa.established_logged for sa in kernel)
    for sa in kernel:
        row = pairs.get(id(sa))
        if row is not None:
            score.matched += 1
            score.matched_shown += sa.established_logged
            _compare_sa(score, host, sa, row)
        elif sa.established_logged:
            score.violate(sa.spi, "missing", f"{sa.protocol} {sa.source}->{sa.destination} is not in history")
    for row in extra:
        score.violate(row.get("spi"), "extra", "in history, never in the kernel")


def _matched(kernel: tuple[KernelSa, ...], rows: list[Row]) -> tuple[dict[int, Row], list[Row]]:
    """Pair SAs with rows of the same protocol and SPI; of several, the same destination and the nearest beginning first."""
    left: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        left.setdefault((_protocol(row), int(row["spi"])), []).append(row)
    pairs: dict[int, Row] = {}
    for sa in kernel:
        candidates = left.get((sa.protocol, sa.spi), [])
        if candidates:
            best = min(candidates, key=lambda row: _distance(sa, row))
            candidates.remove(best)
            pairs[id(sa)] = best
    return pairs, [row for candidates in left.values() for row in candidates]


def _distance(sa: KernelSa, row: Row) -> tuple[bool, float]:
    established = moment(row.get("established"))
    away = abs((established - sa.added).total_seconds()) if established is not None else float("inf")
    return _address(row.get("destination")) != _address(sa.destination), away


def _compare_sa(score: Score, host: Host, sa: KernelSa, row: Row) -> None:
    ends = tuple(_address(row.get(name)) for name in ("source", "destination"))
    if ends != (_address(sa.source), _address(sa.destination)):
        score.violate(sa.spi, "direction", f"{ends[0]}->{ends[1]}; kernel {sa.source}->{sa.destination}")
    direction = _direction(host, sa)
    if direction is not None and row.get("direction") != direction:
        score.violate(sa.spi, "direction", f"{row.get('direction')}; it is {direction}")
    if str(row.get("mode")).lower() != sa.mode:
        score.violate(sa.spi, "mode", f"{row.get('mode')}; kernel {sa.mode}")
    if sa.established_logged:
        score.time(sa, "established", moment(row.get("established")), sa.added)
    if sa.soft_expiry_logged and sa.soft_expired is not None:
        score.time(sa, "dying", moment(row.get("dying")), sa.soft_expired)
    elif sa.soft_expired is None and row.get("dying") is not None:
        score.violate(sa.spi, "dying", f"{row['dying']}; the kernel had no soft expiry")
    _compare_end(score, host, sa, row)


def _compare_end(score: Score, host: Host, sa: KernelSa, row: Row) -> None:
    ended = moment(row.get("ended"))
    score.ends[str(row.get("end"))] += 1
    if sa.removed is None:
        if ended is not None:
            score.violate(sa.spi, "ended", f"{ended:%H:%M:%S}; the kernel still has it")
    elif sa.end_logged(host.daemon):
        score.time(sa, "ended", ended, sa.removed)
    else:
        late = (ended - sa.removed).total_seconds() if ended is not None else None
        score.silences.append(Silence(host.scenario, host.name, sa, str(row.get("end")), late))


def _direction(host: Host, sa: KernelSa) -> str | None:
    """Return `in` or `out`; None where the host's own addresses do not tell."""
    own = {_address(address) for address in host.addresses}
    inbound, outbound = _address(sa.destination) in own, _address(sa.source) in own
    if inbound == outbound:
        return None
    return "in" if inbound else "out"


# --- ISAKMP SAs ---


def _compare_phase1(score: Score, isakmp: tuple[IsakmpSa, ...], rows: list[Row]) -> None:
    by_cookies: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("established") is not None:
            by_cookies.setdefault(str(row.get("cookies")), []).append(row)
    true = {sa.cookies: sa for sa in isakmp if sa.established}
    score.phase1 = len(true)
    for cookies, sa in true.items():
        found = by_cookies.pop(cookies, [])
        if not found:
            score.violate(cookies, "phase1-missing", "not in history")
            continue
        score.phase1_matched += 1
        if len(found) > 1:
            score.violate(cookies, "phase1-extra", f"{len(found)} times in history")
        for name, value in (("role", sa.role), ("exchange", sa.exchange)):
            if found[0].get(name) not in {None, value}:
                score.violate(cookies, f"phase1-{name}", f"{found[0].get(name)}; racoonctl {value}")
        _compare_phase1_end(score, sa, moment(found[0].get("ended")))
    # racoonctl was asked every few seconds only, so an ISAKMP-SA it never listed need not be wrong.
    score.phase1_unsampled = len(by_cookies)


def _compare_phase1_end(score: Score, sa: IsakmpSa, ended: datetime | None) -> None:
    """Compare the end with the last sample that had it and the first that had it no more."""
    if sa.gone is None or sa.last_seen is None:
        return
    slack = timedelta(seconds=LIMIT)
    if ended is None or not sa.last_seen - slack <= ended <= sa.gone + slack:
        said = "none" if ended is None else f"{ended:%H:%M:%S}"
        score.violate(sa.cookies, "phase1-ended", f"{said}; racoonctl {sa.last_seen:%H:%M:%S} to {sa.gone:%H:%M:%S}")


# --- values ---


def moment(value: object) -> datetime | None:
    """Return a time of history, RFC 3339 with offset or seconds since 1970, in UTC."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _protocol(row: Row) -> str:
    return str(row.get("protocol")).lower().removesuffix("-udp")


def _address(value: object) -> str:
    """Return an address without port, in one form."""
    text = str(value).partition("[")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text
