"""TeamF1's racoon: a capital letter, a participle instead of the verb, "for" and "with" put in."""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.dialects.base import LEVEL, Dialect, head, spelling, stamp, text_before

_BOX: Final = r"\[[^\[\]]{0,80}\]"
_SEVERITIES: Final = {
    "Emergency": "ERROR",
    "Alert": "ERROR",
    "Critical": "ERROR",
    "Error": "ERROR",
    "Warning": "WARNING",
    "Notification": "NOTIFY",
    "Notice": "NOTIFY",
    "Information": "INFO",
    "Debug": "DEBUG",
    "Debugging": "DEBUG",
}
_LEVELLED: Final = rf"(?:(?P<level>{LEVEL}):\s{{0,32}}+)?{text_before(1)}"

DIALECT: Final = Dialect(
    "teamf1",
    "TeamF1 (D-Link DSR, NETGEAR, Cisco RV)",
    own=True,
    program=re.compile(r"^(?:IPSEC|IKE)$", re.IGNORECASE),
    inner=re.compile(r"(?P<tag>)(?P<text>.*)", re.DOTALL),
    formats=(
        head(
            "teamf1",
            "",
            rf"(?:[\w -]{{1,60}} )?\[{stamp('asctime', 'local')}\] {_BOX} {_BOX} \[VPN\] \[(?P<collected>[\w ]{{1,20}})\] \[(?P<ident>[\w ]{{1,20}})\] \[{_LEVELLED}\]?$",
            levels=_SEVERITIES,
        ),
        head(
            "teamf1-boxes",
            "",
            rf"\[VPN\] \[(?P<collected>[\w ]{{1,20}})\] \[(?P<ident>[\w ]{{1,20}})\] \[{_LEVELLED}\]?$",
            levels=_SEVERITIES,
        ),
        head(
            "teamf1-model",
            "",
            rf"{stamp('asctime', 'local', 'year_first')}\s?:?\s*\[[\w .-]{{1,40}}\]\s?\[(?P<ident>IKE|IPSEC|VPN|Kernel|System)\]\s{{0,32}}+{_LEVELLED}_?$",
        ),
    ),
    capital=True,
    spellings=spelling(
        (r"\bphase ([12])\b(?! negotiation:)", r"phase\1"),
        (r"^initiating\b", "initiate"),
        (r"^responding to\b", "respond"),
        (r"^beginning\b", "begin"),
        (r"\b(?:for|with) (?=spi|proto_id|\S+\[\d+\])", ""),
        (r"\band (?=spi)", ""),
        (r"(?<=[^.])$", "."),
    ),
)
