"""pfSense and m0n0wall: its racoon stores its lines as ipsec-tools' does."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import Dialect

DIALECT: Final = Dialect("pfsense", "pfSense and m0n0wall")
