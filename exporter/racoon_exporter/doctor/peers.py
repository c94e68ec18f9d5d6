"""Peers: who is expected, and who was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import Finding, Findings, ok, several, warning
from racoon_exporter.doctor.log_tail import LogTail
from racoon_exporter.doctor.rights import there
from racoon_exporter.doctor.setup import USUAL_CONFIG, Setup
from racoon_exporter.expected_peers import is_ip
from racoon_exporter.sa import Expectation, Known
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.wording.natural_order import natural
from racoon_exporter.wording.words import count

Place = tuple[str, str]
"""Gateway and address of a peer."""

_USUAL: Final = ("/etc/racoon/racoon.conf", "/usr/local/etc/racoon/racoon.conf", "/etc/racoon.conf")
"""Where racoon.conf stands where nobody says otherwise."""


def check(tails: list[LogTail], setup: Setup) -> Findings:
    """Compare those that are expected with those that the logs show."""
    known = setup.known
    if known is None:
        return
    if known.is_empty:
        yield _nobody_expected(setup)
        return
    racoons = [racoon for log in tails for racoon in log.engine.state.racoons.values()]
    seen = {(racoon.gateway, peer.address): peer for racoon in racoons for peer in _heard_of(racoon)}
    expected = _expected(known, [racoon.gateway for racoon in racoons])
    yield from _names(dict.fromkeys(address for _, address in expected))
    if any(log.known for log in tails):  # of a log that tells nothing nothing follows
        yield from _unseen(expected, seen.keys(), whole=all(log.whole for log in tails))
    yield from _unexpected(known, [key for key, peer in seen.items() if peer.phase1_last_established is not None])


def _expected(known: Known, gateways: list[str]) -> dict[Place, Expectation]:
    """Give those that are expected at gateways that were heard of, or that the configuration names."""
    every = {(name, address): peer for name in gateways or [""] for address, peer in known.at(name).peers.items()}
    return every | {(name, address): peer for name in known.gateways for address, peer in known.at(name).own.items()}


def _heard_of(racoon: Racoon) -> list[Peer]:
    return [peer for peer in racoon.peers.values() if peer.last_seen is not None and peer.address not in PSEUDO_PEERS]


def _nobody_expected(setup: Setup) -> Finding:
    conf = next((path for path in map(setup.host.path, _USUAL) if there(path)), Path(_USUAL[0]))
    return warning(
        "peers",
        "expected peers",
        "none are named",
        "A peer that never connects is then not noticed, and one that left may be down or done.",
        f"printf 'racoon:\\n  config: {conf}\\n' >> {setup.settings.config_file or USUAL_CONFIG}"
        " && systemctl reload racoon-exporter    # or --expect-peer ADDR=NAME",
    )


def _names(addresses: Iterable[str]) -> Findings:
    names = [address for address in addresses if not is_ip(address)]
    if names:
        yield warning(
            "peers",
            several(names),
            "a host name where the log has addresses",
            "Names are not looked up: such a peer is never seen, and stays down for ever.",
            f"getent ahosts {names[0]}    # and name that address",
        )


def _unseen(expected: Mapping[Place, Expectation], seen: Collection[Place], *, whole: bool) -> Findings:
    permanent = [place for place, peer in expected.items() if peer.kind == "permanent" and is_ip(place[1])]
    missing = sorted((place for place in permanent if place not in seen), key=lambda place: (natural(place[1]), place[0]))
    if not missing:
        yield ok("peers", "expected peers", f"{count(len(permanent), 'permanent peer')}, all of them seen in the log")
        return
    address = missing[0][1]
    yield warning(
        "peers",
        several([_called(place, expected[place]) for place in missing]),
        f"expected, and not seen in the log{'' if whole else ', as far as it was read'}",
        "Either nothing ever asked for this peer's SA, or its address is another one (mistyped, behind NAT, changed).",
        f"grep -n {address} /etc/racoon/racoon.conf /etc/ipsec-tools.conf; ping -c 3 {address}; "
        f"racoonctl vpn-connect {address}",
    )


def _called(place: Place, peer: Expectation) -> str:
    gateway, address = place
    name = address if peer.name in ("", address) else f"{peer.name} ({address})"
    return f"{name} at {gateway}" if gateway else name


def _unexpected(known: Known, up: Iterable[Place]) -> Findings:
    """Tell of peers that were up and would not be missed, where nobody says that strangers are welcome."""
    strangers = sorted({address for gateway, address in up if not known.at(gateway).is_known(address)}, key=natural)
    if strangers:
        yield ok("peers", several(strangers), "came up, and nobody waits for them: --expect-peer names those that should stay")
