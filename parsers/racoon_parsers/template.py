"""How a row's template is written, and what stands in it: literal text and holes.

A row reads like racoon's own format string. Values that are read have a name in braces (`fields.py`), with racoon's
conversion after a colon where it is not `%s`; what is not read keeps racoon's own `%s` and `%d`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from racoon_parsers.fields import FIELDS, Field

_HOLE: Final = re.compile(
    r"\{(?P<name>[a-z_0-9]+)(?::(?P<spec>[^{}]*))?\}"
    r"|(?P<conversion>%[-#0 +]*+\d*+(?:\.(?:\d++|\*))?(?:hh|h|ll|l|z|j|t)?[diouxXcspf])"
    r"|(?P<dump>\\n(?:<hexdump>|%s)$)"
)


class Hole(NamedTuple):
    """A place in a template where racoon prints a value."""

    name: str
    """Key of `FIELDS`, or "" where the value is not read."""
    conversion: str
    """racoon's printf conversion."""

    @property
    def field(self) -> Field | None:
        """Say how the value looks; None where it is not read."""
        return FIELDS[self.name] if self.name else None


Piece = str | Hole


def split_template(template: str) -> tuple[Piece, ...]:
    """Split a row's template into literal text and holes."""
    pieces: list[Piece] = []
    end = 0
    for match in _HOLE.finditer(template):
        if match.start() > end:
            pieces.append(_literal(template[end : match.start()]))
        end = match.end()
        if match["name"]:
            pieces.append(Hole(match["name"], FIELDS[match["name"]].printf or f"%{match['spec'] or 's'}"))
        elif match["conversion"]:
            pieces.append(Hole("", match["conversion"]))
    if end < len(template):
        pieces.append(_literal(template[end:]))
    return tuple(pieces)


def _literal(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("%%", "%")


def printf_of(template: str) -> str:
    """Give racoon's own format string."""
    return _HOLE.sub(_printf, template)


def _printf(match: re.Match[str]) -> str:
    if match["name"]:
        return FIELDS[match["name"]].printf or f"%{match['spec'] or 's'}"
    return match[0]
