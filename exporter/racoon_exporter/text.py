"""Text that peers wrote, made safe for a terminal, a page or a log of our own."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Control characters, terminal escapes among them, what changes the direction of text, and lone surrogates."""


def visible(text: str) -> str:
    r"""Show control characters as escapes, `\x1b` for ESC, so that no text moves a cursor or poses as another line."""
    if text.isascii() and text.isprintable():
        return text  # nearly all: a scrape asks for thousands
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
