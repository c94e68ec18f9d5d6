"""F5 BIG-IP: its racoon stores its lines as ipsec-tools' does."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import Dialect

DIALECT: Final = Dialect("f5", "F5 BIG-IP")
