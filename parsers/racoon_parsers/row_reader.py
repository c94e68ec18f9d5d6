"""Readers of rows, written out as Python once a row is first read, as `namedtuple` writes its methods.

For `ISAKMP-SA expired {local}-{peer} spi:{cookies}` the reader is

    def read(text):
        match = fullmatch(text)
        if match is None:
            return None
        local, peer, cookies = match.groups()
        return new(event, (None if local is None else read_local(local), …, cookies))

which takes a third less time than a loop over the row's values would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from racoon_parsers.events import Event
from racoon_parsers.fields import Value

Match = re.Match[str]


def row_reader(
    event: type[Event], fullmatch: Callable[[str], Any], values: Sequence[Value], constants: Mapping[str, str]
) -> Callable[[str], Event | None]:
    """Give a function that reads the values of a row's text into its event; it gives None for a text of another row.

    `values` are in the order of the groups that `fullmatch` finds.
    """
    by_name = {value.name: value for value in values}
    fields = ", ".join(_field(name, by_name.get(name), constants.get(name)) for name in getattr(event, "_fields", ()))
    source = (
        "def read(text):\n"
        " match = fullmatch(text)\n"
        " if match is None:\n"
        "  return None\n"
        f" {', '.join(value.name for value in values)}, = match.groups()\n"
        f" return new(event, ({fields},))\n"
    )
    scope: dict[str, Any] = {"event": event, "fullmatch": fullmatch, "new": tuple.__new__}
    scope |= {f"read_{value.name}": value.read for value in values}
    exec(source, scope)  # noqa: S102  its only text from outside are names of fields, which a test holds to be Python's
    reader: Callable[[str], Event | None] = scope["read"]
    return reader


def _field(name: str, value: Value | None, constant: str | None) -> str:
    """Give the expression of one value."""
    if value is None:
        return repr(constant)
    found = name if value.read is None else f"read_{name}({name})"
    return f"{constant!r} if {name} is None else {found}"
