"""Input of which nothing is racoon's: said in one line, with what was found and what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from racoon_exporter.archives.survey import Sample
from racoon_exporter.decoding import block_lines
from racoon_exporter.text import visible
from racoon_parsers.masking import mask_unknown
from racoon_parsers.messages import catalogue

_SHOWN: Final = 60
"""Characters of a line that are shown."""
_EXPECTED: Final = "2026-01-15 08:30:02: INFO: … or, by syslog, Jan 15 08:30:02 gw racoon: INFO: …"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def nothing_of_racoon(samples: Sequence[Sample]) -> str:
    """Say what stands in the logs instead of lines of racoon."""
    names = ", ".join("standard input" if sample.path == "-" else sample.path for sample in samples[:3])
    names += f" and {len(samples) - 3} more" if len(samples) > 3 else ""
    found = next((sample for sample in samples if sample.head), None)
    if found is None:
        empty = all(sample.identity is not None and sample.size == 0 for sample in samples)
        return f"{names}: {'empty' if empty else 'no line of racoon'}; expected lines such as {_EXPECTED}"
    return f"{names}: no line of racoon; it begins with {_beginning(found.head)}; expected lines such as {_EXPECTED}"


def _beginning(head: bytes) -> str:
    """Show the first line that is not empty."""
    if head.startswith(_UTF16):
        return "text in UTF-16, which iconv -f UTF-16 -t UTF-8 makes readable"
    if b"\0" in head:
        return f"binary data ({head[:8].hex(' ')} …)"
    line = next((line for line in block_lines(head)[0] if line.strip()), "")
    shown = visible(mask_unknown(line, catalogue()))
    return f"“{shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}”"
