"""Which peers ought to be up: `--expect-peer`, the configuration file, racoon.conf and the security policies, merged.

The rules are written out in docs/expected-peers.md. Merging is pure; `read_racoon_conf` and `read_policies` read files.
"""

from __future__ import annotations

import errno
import glob
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from racoon_exporter.gateway_scope import EVERYWHERE, Scope
from racoon_exporter.text import visible
from racoon_parsers.racoon_conf import Problem, RacoonConf, RemoteSection, SainfoSection, parse_racoon_conf
from racoon_parsers.reasons import AUTHENTICATION
from racoon_parsers.setkey import Policies, Policy, parse_policies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ExpectedPeer",
    "ExpectedPeers",
    "Kind",
    "completed",
    "expected_peers",
    "is_address",
    "is_ip",
    "name_fault",
    "normal_address",
    "parse_expect_peer",
    "read_policies",
    "read_racoon_conf",
]

Kind: TypeAlias = Literal["permanent", "roaming"]

FLAG = "--expect-peer"
_COLLECTIVE = frozenset({"other", "unattributed"})
_HOST = re.compile(r"(?!-)[\w-]+(?:\.[\w-]+)*\.?")
"""Names of hosts as DNS and hosts files have them, in any script."""
_MISSPELT = re.compile(r"[\d.]+")
_MOST_TEXT = 16 * 1024 * 1024
"""Characters of the longest configuration or saved policies."""
_NOBODY = frozenset({None, "any", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class ExpectedPeer:
    """A peer that somebody configured. A permanent one that is down is an outage; a roaming one comes and goes.

    `address` is normalised (`normal_address`). Lifetimes are hard lifetimes in seconds, None where no file tells them:
    an SA whose end is not logged is gone by then. `source` says where the peer is written: a flag, or `file:line`.
    """

    address: str
    name: str | None = None
    kind: Kind = "permanent"
    phase1_lifetime: int | None = None
    phase2_lifetime: int | None = None
    source: str = FLAG
    authentication: str | None = None
    """What it proves itself with, `psk` or `signature`; None where no file tells, or the proposals differ."""
    scope: Scope = EVERYWHERE
    """At which gateways it is expected."""


@dataclass(frozen=True, slots=True)
class ExpectedPeers:
    """Peers in the order they were first written, one for each address, and the lines of files not understood."""

    peers: tuple[ExpectedPeer, ...] = ()
    problems: tuple[Problem, ...] = ()


def normal_address(text: str) -> str:
    """Return an IP address in its one textual form, the scope kept; anything else, such as a host name, as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def is_ip(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether a text is an IP address or may be a host name. With a port or a prefix, or misspelt, it is neither."""
    return is_ip(text) or (_HOST.fullmatch(text) is not None and not _MISSPELT.fullmatch(text))


def name_fault(name: str) -> str | None:
    """Say why a text cannot be the name of a peer; None if it can."""
    if name in _COLLECTIVE:
        return "stands for what belongs to no peer of its own"
    return None if visible(name) == name else "holds control characters"


def parse_expect_peer(value: str) -> ExpectedPeer:
    """Read `ADDR[=NAME][,roaming]`, ADDR being an IP address or a host name without port.

    Raises ValueError, with a message for the user, when there is no address, no name behind `=`, or a port or prefix.
    """
    rest, comma, word = value.rpartition(",")
    roaming = bool(comma) and word.strip() == "roaming"
    if comma and not roaming and word.strip().isalpha() and is_address(rest.partition("=")[0].strip()):
        raise ValueError(f"{value!r}: {word.strip()!r} is unknown, only ,roaming is expected at the end")
    address, equals, name = (part.strip() for part in (rest if roaming else value).partition("="))
    if not is_address(address):
        raise ValueError(f"{value!r}: an address is expected, without port or prefix, as in 192.0.2.1=Branch office,roaming")
    if equals and not name:
        raise ValueError(f"{value!r}: a name is expected behind =")
    if (fault := name_fault(name)) is not None:
        raise ValueError(f"{value!r}: another name is expected, this one {fault}")
    return ExpectedPeer(normal_address(address), name or None, "roaming" if roaming else "permanent")


def expected_peers(
    flags: Iterable[str] = (),
    *,
    configured: Iterable[ExpectedPeer] = (),
    conf: RacoonConf | None = None,
    policies: Iterable[Policies] = (),
) -> ExpectedPeers:
    """Merge all sources into one peer for each address.

    What a peer is comes from the first source that has it: flags, then `configured` (the configuration file), then
    racoon.conf, then outbound policies. A name or lifetime that one leaves open is taken from the next that knows it.
    Raises ValueError for a bad flag.
    """
    policies = tuple(policies)
    outbound = _outbound_by_peer(policies)
    sources = (
        *(parse_expect_peer(flag) for flag in flags),
        *configured,
        *(_conf_peers(conf, outbound) if conf is not None else ()),
        *_policy_peers(outbound, conf),
    )
    merged: dict[str, ExpectedPeer] = {}
    for peer in sources:
        known = merged.get(peer.address)
        merged[peer.address] = peer if known is None else completed(known, peer)
    problems = (*(conf.problems if conf is not None else ()), *(p for read in policies for p in read.problems))
    return ExpectedPeers(tuple(merged.values()), problems)


def completed(known: ExpectedPeer, other: ExpectedPeer) -> ExpectedPeer:
    """Return the peer as first written, with what only the other source knows."""
    return ExpectedPeer(
        address=known.address,
        name=known.name if known.name is not None else other.name,
        kind=known.kind,
        phase1_lifetime=known.phase1_lifetime if known.phase1_lifetime is not None else other.phase1_lifetime,
        phase2_lifetime=known.phase2_lifetime if known.phase2_lifetime is not None else other.phase2_lifetime,
        source=known.source,
        authentication=known.authentication or other.authentication,
        scope=known.scope,
    )


# --- policies ---


def _outbound_by_peer(policies: Iterable[Policies]) -> dict[str, list[Policy]]:
    """Group the outbound policies somebody wrote by peer; those that racoon generates only show who was there."""
    found: dict[str, list[Policy]] = {}
    for read in policies:
        for policy in read.policies:
            if policy.direction == "out" and policy.peer not in _NOBODY and not policy.generated:
                found.setdefault(normal_address(str(policy.peer)), []).append(policy)
    return found


def _policy_peers(outbound: dict[str, list[Policy]], conf: RacoonConf | None) -> Iterator[ExpectedPeer]:
    """Yield a permanent peer for each; an anonymous remote section, if any, is what racoon uses for it."""
    section = next((remote for remote in conf.remotes if remote.anonymous), None) if conf is not None else None
    for address, policies in outbound.items():
        yield ExpectedPeer(
            address=address,
            phase1_lifetime=section.phase1_lifetime if section is not None else None,
            phase2_lifetime=_phase2_lifetime(conf, section, policies) if conf is not None else None,
            source=f"{policies[0].path}:{policies[0].line}",
            authentication=_authentication(section),
        )


# --- racoon.conf ---


def _conf_peers(conf: RacoonConf, outbound: dict[str, list[Policy]]) -> Iterator[ExpectedPeer]:
    """Yield the peers of remote sections with an address; of several for one address, a permanent one first."""
    peers = [_conf_peer(conf, section, section.peer, outbound) for section in conf.remotes if section.peer is not None]
    permanent = {peer.address: peer for peer in reversed(peers) if peer.kind == "permanent"}
    for peer in peers:
        first = permanent.get(peer.address, peer)
        yield first
        yield peer  # completes the first one


def _conf_peer(conf: RacoonConf, section: RemoteSection, written: str, outbound: dict[str, list[Policy]]) -> ExpectedPeer:
    address = normal_address(written)
    policies = outbound.get(address, [])
    visitor = section.passive and section.generate_policy != "off" and not policies
    return ExpectedPeer(
        address=address,
        name=section.friendly_name or section.name,
        kind="roaming" if visitor else "permanent",
        phase1_lifetime=section.phase1_lifetime,
        phase2_lifetime=_phase2_lifetime(conf, section, policies),
        source=f"{section.path}:{section.line}",
        authentication=_authentication(section),
    )


def _authentication(section: RemoteSection | None) -> str | None:
    """Tell what a peer proves itself with, where all proposals of its section agree."""
    proposals = section.proposals if section is not None else ()
    methods = {AUTHENTICATION.get(proposal.authentication_method or "") for proposal in proposals}
    return methods.pop() if len(methods) == 1 else None


def _phase2_lifetime(conf: RacoonConf, section: RemoteSection | None, policies: list[Policy]) -> int | None:
    """Return the longest phase 2 lifetime that may hold for a peer, in seconds.

    racoon takes a sainfo section of the same `remoteid` as the remote section's `ph1id`, and prefers those for the very
    addresses of the policy over `anonymous` (sainfo.c: getsainfo()).
    """
    ph1id = section.ph1id if section is not None else 0
    fit = [sainfo for sainfo in conf.sainfos if sainfo.remoteid == ph1id] or [
        sainfo for sainfo in conf.sainfos if sainfo.remoteid == 0
    ]
    exact = [sainfo for sainfo in fit if any(_is_for(sainfo, policy) for policy in policies)]
    return max((sainfo.lifetime for sainfo in exact or fit if sainfo.lifetime is not None), default=None)


def _is_for(sainfo: SainfoSection, policy: Policy) -> bool:
    return (_network(sainfo.source.value), _network(sainfo.destination.value)) == (
        _network(policy.source.address),
        _network(policy.destination.address),
    )


def _network(text: str | None) -> str | None:
    """Return an address with or without prefix as one network; None where it is not one."""
    if text is None:
        return None
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


# --- files ---


def read_racoon_conf(path: str | os.PathLike[str]) -> RacoonConf:
    """Read a racoon.conf and the files it includes. Raises OSError when the file itself can not be read."""
    file = Path(path)
    return parse_racoon_conf(_text(file), path=str(file), include=_included)


def read_policies(path: str | os.PathLike[str]) -> Policies:
    """Read a setkey script or saved output of `setkey -DP`. Raises OSError when the file can not be read."""
    file = Path(path)
    return parse_policies(_text(file), path=str(file))


def _text(file: Path) -> str:
    """Read a file of a length that a configuration may have. Raises OSError."""
    with file.open(encoding="utf-8", errors="replace") as opened:
        text = opened.read(_MOST_TEXT + 1)
    if len(text) > _MOST_TEXT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(file))
    return text


def _included(pattern: str, directory: str) -> list[tuple[str, str | None]]:
    """Return the files that fit an include pattern, sorted as glob(3) sorts; no text for one that can not be read."""
    home = os.path.expanduser(pattern)  # noqa: PTH111 - Path.expanduser() raises for an unknown user
    full = str(Path(directory, home))
    paths = sorted(glob.glob(full))  # noqa: PTH207 - Path.glob() takes no absolute pattern
    return [(path, _text_or_none(Path(path))) for path in paths]


def _text_or_none(file: Path) -> str | None:
    """Return the text of an included file; None, which the reader reports by line, if it is not readable."""
    try:
        return _text(file) if file.is_file() else None
    except OSError:
        return None
