"""Whom a connection is from, as far as limits are concerned."""

from __future__ import annotations

import ipaddress


def client_network(address: str) -> str:
    """Return an IPv4 address as it is and an IPv6 address as its /64: whoever has one of those has that many.

    Text that is no address (a client that is gone already has none) is returned as it is.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)


def never_came(network: str) -> int:
    """Tell how often a network came, where nobody counts."""
    del network
    return 0
