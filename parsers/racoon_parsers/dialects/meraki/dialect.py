"""Cisco Meraki MX."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import RFC3164, Dialect, head

_TYPE: Final = r"(?:Site-to-site VPN|Non-Meraki / Client VPN negotiation):?\s+(?:msg:\s+)?"

DIALECT: Final = Dialect(
    "meraki",
    "Cisco Meraki MX",
    formats=(
        head(
            "meraki",
            "unix",
            rf"(?:{RFC3164} \S+ 1 )?(?P<stamp>\d{{9,11}}\.\d+) (?P<host>\S+) events {_TYPE}(?P<text>.*)",
        ),
        head("meraki-dashboard", "rfc3164", rf"(?P<stamp>{RFC3164})\s+{_TYPE}(?P<text>.*)"),
    ),
)
