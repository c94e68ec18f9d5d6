"""racoon2's iked: its own words for levels, always the place in the source, and the ends in brackets behind the text."""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.dialects.base import Dialect, head, spelling, stamp, text_before

_LEVELS: Final = {
    "CRITICAL": "ERROR",
    "PROTO_ERR": "ERROR",
    "INTERNAL_ERR": "ERROR",
    "PROTO_WARN": "WARNING",
    "INTERNAL_WARN": "WARNING",
    "INFO": "INFO",
    "DEBUG": "DEBUG",
}
_END: Final = r"[^\s\[\]{},]{1,64}"
_ENDS: Final = (
    r"(?: \[(?:\{(?!ph[12]:)[^{}]{0,200}\}){0,4}"
    rf"(?:\{{ph[12]: {_END}(?:\[\d{{1,5}}\])? <=> (?P<tag>{_END})(?:\[\d{{1,5}}\])?[^{{}}]{{0,200}}\}})?(?:\{{[^{{}}]{{0,200}}\}}){{0,4}}\])?"
)
"""`[{remote id:4}{ph1: local[500] <=> peer[500], local <=> peer}]`, as a cloud provider's gateway adds it."""
_LONGEST_ENDS: Final = 600
"""Characters of it that are looked for behind a long text; the longest seen has 90."""
_OWN: Final = (
    rf"\[(?P<collected>{'|'.join(_LEVELS)})\]: (?P<ident>[\w.-]{{1,40}}\.[cyl]):\d{{1,6}}(?::\w{{1,80}}\(\))?:"
    rf"\s{{0,32}}+{text_before(_LONGEST_ENDS)}{_ENDS}$"
)

DIALECT: Final = Dialect(
    "iked",
    "racoon2 iked",
    own=True,
    program=re.compile(r"^(?!ikev2)"),
    inner=re.compile(_OWN, re.DOTALL),
    formats=(
        head(
            "iked",
            "",
            rf"{stamp('local', 'iso')}:?\s+(?:-\s+)?(?:(?P<host>[\w.*-]{{1,255}})\s+)?(?:-\s+)?{_OWN}",
            levels=_LEVELS,
        ),
        head(
            "iked-syslog",
            "",
            rf"(?:<\d+>)?{stamp('rfc3164', 'iso')}\s+(?:(?P<host>[\w.-]{{1,255}})\s+)?(?:\S{{0,64}}/)?iked(?:\[(?P<pid>\d+)\])?:\s+{_OWN}",
            levels=_LEVELS,
        ),
        head("iked-console", "", rf"(?:iked(?:\[(?P<pid>\d+)\])?:\s+)?{_OWN}", levels=_LEVELS),
    ),
    spellings=spelling((r"(?<=[^.])$", ".")),
)
