"""Policies that want traffic protected, and whether an SA carries it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from racoon_exporter.expected_peers import normal_address
from racoon_parsers.kernel import KernelSa
from racoon_parsers.setkey import Policy


@dataclass(frozen=True, slots=True)
class PolicyCounts:
    """Of one peer: outbound policies that ask for IPsec, and those no SA serves."""

    policies: int
    without_sa: int


def policy_counts(
    policies: Iterable[Policy], sas: Iterable[KernelSa], counted_as: Callable[[str], str] = normal_address
) -> dict[str, PolicyCounts]:
    """Count by peer. Policies without a peer (a network in transport mode) and those racoon made for a visitor are left out."""
    serving = {(sa.protocol, sa.destination) for sa in sas if sa.state in {"mature", "dying"}}
    total: Counter[str] = Counter()
    without: Counter[str] = Counter()
    for policy in policies:
        if policy.direction != "out" or policy.action != "ipsec" or policy.generated or policy.peer is None:
            continue
        address = normal_address(policy.peer)
        peer = counted_as(address)
        total[peer] += 1
        without[peer] += any((request.protocol, address) not in serving for request in policy.requests)
    return {peer: PolicyCounts(count, without[peer]) for peer, count in total.items()}
