"""Apple's unified log; its older system log has syslog's head."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import ASL, HOST, IDENT, INNER, Dialect, head, stamp

_ORIGIN: Final = (
    r"(?:(?:\([\w. -]{1,64}\) )?\[com\.apple\.networkextension:[^\]]*\] |\(NetworkExtension\) (?!\[))?(?!\([\w. -]{1,64}\) \[)"
)
"""The library and the subsystem that wrote a line: racoon itself is of `com.apple.networkextension`, its libraries are not."""
_MOMENT: Final = r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+[+-]\d{4})"
_TYPES: Final = {"Db": "DEBUG", "I": "INFO", "Df": "NOTICE", "E": "ERROR", "F": "ERROR", "A": "INFO"}

DIALECT: Final = Dialect(
    "apple",
    "Apple",
    formats=(
        head(
            "unified",
            "iso",
            rf"{_MOMENT} 0x[0-9a-f]+\s+(?P<collected>\w+)\s+0x[0-9a-f]+\s+(?P<pid>\d+)\s+\d+\s+(?P<ident>[^\s:]+): {_ORIGIN}(?P<text>.*)",
            levels=ASL,
        ),
        head(
            "unified-syslog",
            "iso",
            rf"{_MOMENT}\s+(?P<host>[\w.-]+)\s+(?P<ident>[^\s:\[]+)\[(?P<pid>\d+)\](?: <(?P<collected>\w+)>)?: {_ORIGIN}(?P<text>.*)",
            levels=ASL,
        ),
        head(
            "unified-short",
            "local",
            r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) (?P<collected>Db|Df|[IEFA])\s+(?P<ident>[^\s:\[]+)\[(?P<pid>\d+):[0-9a-f]+\] "
            rf"{_ORIGIN}(?P<text>.*)",
            levels=_TYPES,
        ),
        head(
            "unified-compact",
            "time_of_day",
            r"(?P<collected>default|error|fault|info|debug)\t(?P<stamp>\d\d:\d\d:\d\d\.\d+[+-]\d{4})\t(?P<ident>[^\t]+)\t"
            rf"{_ORIGIN}(?P<text>.*)",
            levels=ASL,
        ),
        head("apple-console", "", rf"{stamp('american', 'european')}\s+{HOST}{IDENT}{INNER}", levels=ASL, doubled=True),
    ),
)
