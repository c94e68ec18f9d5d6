"""Apple's unified log; its older system log has syslog's head."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import ASL, Dialect, head

DIALECT: Final = Dialect(
    "apple",
    "Apple",
    formats=(
        head(
            "unified",
            "iso",
            r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+[+-]\d{4}) 0x[0-9a-f]+\s+(?P<collected>\w+)\s+0x[0-9a-f]+\s+"
            r"(?P<pid>\d+)\s+\d+\s+(?P<ident>[^\s:]+): (?:\(NetworkExtension\) )?(?!\([\w. -]+\) \[)"
            r"(?:\[com\.apple\.networkextension:[^\]]*\] )?(?P<text>.*)",
            levels=ASL,
        ),
        head(
            "unified-compact",
            "time_of_day",
            r"(?P<collected>default|error|fault|info|debug)\t(?P<stamp>\d\d:\d\d:\d\d\.\d+[+-]\d{4})\t(?P<ident>[^\t]+)\t(?P<text>.*)",
            levels=ASL,
        ),
    ),
)
