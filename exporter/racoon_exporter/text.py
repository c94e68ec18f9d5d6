"""Text that peers wrote, made safe for a terminal, a page, a spreadsheet or a log of our own."""

from __future__ import annotations

import re
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Control characters, terminal escapes among them, what changes the direction of text, and lone surrogates."""
_LEFT_BY_JSON: Final = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Those of them that a JSON text may hold as they are."""


def visible(text: str) -> str:
    r"""Show control characters as escapes, `\x1b` for ESC, so that no text moves a cursor or poses as another line."""
    if text.isascii() and text.isprintable():
        return text  # nearly all: a scrape asks for thousands
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def in_json(document: str) -> str:
    r"""Write as escapes of JSON what it leaves as it stands, and a terminal does not: `\u202e`. The values stay the same."""
    if document.isascii() and "\x7f" not in document:
        return document
    return _LEFT_BY_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def in_csv(value: Any) -> Any:
    """Give a value for a cell: a text is made visible, and none is a formula, which a spreadsheet would reckon with."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
