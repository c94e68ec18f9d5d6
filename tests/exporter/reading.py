"""What tests of the engine share: lines in, state out."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path

from racoon_exporter.engine import Engine
from racoon_exporter.sa import Expectation, Knowledge, Known, Limits
from racoon_exporter.sa.model import IpsecSa, IsakmpSa, Negotiation, Peer
from racoon_exporter.source.contract import Block
from racoon_exporter.source.files.fingerprint import Fingerprint
from racoon_exporter.source.files.one_shot import blocks_of
from racoon_exporter.source.files.position import Position

LAB = Path(__file__).parents[1] / "scenarios" / "lab"
NOWHERE = Position(0, 0, 0, 0, 0, Fingerprint(0, ""))
"""A position for blocks that no file gave."""


def block(data: bytes, source: str = "racoon.log", first: int = 1) -> Block:
    return Block(source, data, first, NOWHERE)


def lab_logs(scenario: str, host: str) -> list[Path]:
    """The logs of a recorded host, rotated ones first and in order (numbers do not tell it: see 18-log-rotation)."""
    folder = LAB / scenario
    current = folder / f"{host}.log"
    rotated = sorted(folder.glob(f"{host}.log.[0-9]"))
    return [*rotated, current]


def read_logs(paths: Iterable[Path], *, zone: tzinfo = UTC, knowledge: Known | None = None, finish: bool = True) -> Engine:
    engine = Engine(zone, knowledge=knowledge)
    for path in paths:
        for part in blocks_of(str(path)):
            engine.feed(part)
    if finish:
        engine.finish()
    return engine


def told(*lines: str, knowledge: Known | None = None, engine: Engine | None = None) -> Engine:
    """Read messages as 0.9 writes them into a file, each with its time, `08:30:02 INFO: …`, on a day in UTC. More may come."""
    engine = engine or Engine(UTC, knowledge=knowledge)
    text = "".join(f"2026-01-15 {line.replace(' ', ': ', 1)}\n" for line in lines)
    engine.feed(block(text.encode()))
    engine.flush()
    return engine


def read_lines(*lines: str, knowledge: Known | None = None, engine: Engine | None = None) -> Engine:
    """Read messages as `told` does, to the end of the log: what waits for a next line is decided."""
    engine = told(*lines, knowledge=knowledge, engine=engine)
    engine.finish()
    return engine


def peer_of(engine: Engine, address: str = "198.51.100.7") -> Peer:
    racoon = next(iter(engine.state.racoons.values()))
    return racoon.peers[address]


def failures(engine: Engine, phase: int) -> dict[tuple[str, str], int]:
    """Failed negotiations of a phase, by peer and reason."""
    return {
        (peer.address, key[1]): count
        for racoon in engine.state.racoons.values()
        for peer in racoon.peers.values()
        for key, count in peer.counters.items()
        if key[0] == f"phase{phase}_failures"
    }


def ipsec(engine: Engine) -> Sequence[IpsecSa]:
    return engine.state.history()["ipsec"]


def phase1(engine: Engine) -> Sequence[IsakmpSa]:
    return engine.state.history()["phase1"]


def negotiations(engine: Engine) -> Sequence[Negotiation]:
    return engine.state.history()["negotiations"]


def knowing(
    *addresses: str, lifetime: float | None = None, limits: Limits | None = None, phase1_lifetime: float | None = None
) -> Knowledge:
    peers = {address: Expectation(address, phase1_lifetime=phase1_lifetime) for address in addresses}
    return Knowledge(peers, lifetime, limits or Limits())


L, P, Q = "192.0.2.1", "198.51.100.7", "203.0.113.9"
"""The local end and two peers (RFC 5737)."""
I1, I2, I3 = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718", "0123456789abcdef:fedcba9876543210", "1111111111111111:2222222222222222"
"""Cookies."""


def start(role: str = "initiate", peer: str = P, phase: int = 1) -> str:
    return f"INFO: {role} new phase {phase} negotiation: {L}[500]<=>{peer}[500]"


def up(cookies: str = I1, peer: str = P) -> str:
    return f"INFO: ISAKMP-SA established {L}[500]-{peer}[500] spi:{cookies}"


def sa(spi: int, *, event: str = "established", peer: str = P, inbound: bool = False, protocol: str = "ESP") -> str:
    """An SA line of 0.9: `established` reads local->peer whatever the direction, `expired` tells the true one."""
    source, destination = (peer, L) if inbound else (L, peer)
    return f"INFO: IPsec-SA {event}: {protocol}/Tunnel {source}[500]->{destination}[500] spi={spi}(0x{spi:x})"


BANNER = "INFO: @(#)ipsec-tools 0.9.1 (https://github.com/rdratlos/racoon-ipsec-tools)"
LISTENS = f"INFO: {L}[500] used as isakmp port (fd=6)"
