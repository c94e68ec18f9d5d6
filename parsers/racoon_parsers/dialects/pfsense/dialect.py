"""pfSense and m0n0wall: syslog's head with the tunnel's name (`MARKS`), and a log page that puts hints into texts."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import Dialect, spelling

DIALECT: Final = Dialect(
    "pfsense",
    "pfSense and m0n0wall",
    spellings=spelling((r"\s\[(?:Check Phase [12] settings[^\]]*|Remote Side not responding)\]", "")),  # hints of its log page
)
