"""Peers: who is expected, and who was seen."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import Finding, Findings, ok, several, warning
from racoon_exporter.doctor.heard import Heard
from racoon_exporter.doctor.rights import there
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.sa import Knowledge
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.status.natural import natural
from racoon_exporter.status.words import count

_USUAL: Final = ("/etc/racoon/racoon.conf", "/usr/local/etc/racoon/racoon.conf", "/etc/racoon.conf")
"""Where racoon.conf stands where nobody says otherwise."""


def check(heard: list[Heard], known: Knowledge, setup: Setup) -> Findings:
    """Compare those that are expected with those that the logs show."""
    if not known.peers and not known.networks:
        yield _nobody_expected(setup)
        return
    seen = {peer.address for log in heard for racoon in log.engine.state.racoons.values() for peer in _heard_of(racoon)}
    up = {
        peer.address
        for log in heard
        for racoon in log.engine.state.racoons.values()
        for peer in _heard_of(racoon)
        if peer.phase1_last_established is not None
    }
    yield from _names(known)
    yield from _unseen(known, seen, whole=all(log.whole for log in heard))
    yield from _unexpected(known, up)


def _heard_of(racoon: Racoon) -> list[Peer]:
    return [peer for peer in racoon.peers.values() if peer.last_seen is not None and peer.address not in PSEUDO_PEERS]


def _nobody_expected(setup: Setup) -> Finding:
    conf = next((path for path in map(setup.host.path, _USUAL) if there(path)), Path(_USUAL[0]))
    return warning(
        "peers",
        "expected peers",
        "none are named",
        "A peer that never connects is then not noticed, and one that left may be down or done.",
        f"printf 'racoon:\\n  config: {conf}\\n' >> {setup.settings.config_file or '/etc/racoon-exporter/racoon-exporter.yml'}"
        " && systemctl reload racoon-exporter    # or --expect-peer ADDR=NAME",
    )


def _names(known: Knowledge) -> Findings:
    names = [address for address in known.peers if not _is_ip(address)]
    if names:
        yield warning(
            "peers",
            several(names),
            "a host name where the log has addresses",
            "Names are not looked up: such a peer is never seen, and stays down for ever.",
            f"getent ahosts {names[0]}    # and name that address",
        )


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _unseen(known: Knowledge, seen: set[str], *, whole: bool) -> Findings:
    permanent = [address for address, peer in known.peers.items() if peer.kind == "permanent" and _is_ip(address)]
    missing = sorted((address for address in permanent if address not in seen), key=natural)
    if not missing:
        yield ok("peers", "expected peers", f"{count(len(permanent), 'permanent peer')}, all of them seen in the log")
        return
    yield warning(
        "peers",
        several([f"{known.name(address)} ({address})" if known.name(address) != address else address for address in missing]),
        f"expected, and not seen in the log{'' if whole else ', as far as it was read'}",
        "Either nothing ever asked for this peer's SA, or its address is another one (mistyped, behind NAT, changed).",
        f"grep -n {missing[0]} /etc/racoon/racoon.conf /etc/ipsec-tools.conf; ping -c 3 {missing[0]}; "
        f"racoonctl vpn-connect {missing[0]}",
    )


def _unexpected(known: Knowledge, up: set[str]) -> Findings:
    """Tell of peers that were up and would not be missed, where nobody says that strangers are welcome."""
    strangers = sorted((address for address in up if not known.is_known(address)), key=natural)
    if strangers:
        yield ok("peers", several(strangers), "came up, and nobody waits for them: --expect-peer names those that should stay")
