"""racoon of ipsec-tools 0.5 to 0.9, and how the common collectors keep what it writes."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import (
    ASL,
    FACILITY,
    HOST,
    IDENT,
    INNER,
    ISO,
    LEVELLED,
    MARKS,
    MAYBE_LEVELLED,
    OWN_TIME,
    RFC3164,
    Dialect,
    head,
)

DIALECT: Final = Dialect(
    "ipsec_tools",
    "ipsec-tools",
    formats=(
        head("file", "local", rf"(?P<stamp>{OWN_TIME}): ?{MARKS}{MAYBE_LEVELLED}", raw=True),
        head(
            "syslog",
            "rfc3164",
            rf"(?:<\d+>)?(?P<stamp>{RFC3164})(?:\.\d+)?\s+{HOST}{FACILITY}{IDENT}{INNER}",
            levels=ASL,
        ),
        head("container", "iso", rf"(?P<stamp>{ISO}) std(?:out|err) [FP] {INNER}", raw=True),
        head("syslog-iso", "iso", rf"(?:<\d+>)?(?P<stamp>{ISO})\s+{HOST}{FACILITY}{IDENT}{INNER}"),
        head(
            "syslog-5424",
            "iso",
            rf"(?:<\d+>)?1 (?P<stamp>{ISO}|-) (?P<host>\S+) (?P<ident>\S+) (?P<pid>\S+) \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?{INNER}",
        ),
        head("journal-unix", "unix", rf"(?P<stamp>\d{{9,11}}\.\d{{6}}) {HOST}{IDENT}{INNER}"),
        head(
            "journal-full",
            "local",
            rf"[A-Z][a-z]{{2}} (?P<stamp>{OWN_TIME})(?:\.\d+)? [A-Z+\-\d]+ {HOST}{IDENT}{INNER}",
        ),
        head("compose", "local", rf"(?P<ident>racoon[\w.-]*)\s+\| (?P<stamp>{OWN_TIME}): {MARKS}{MAYBE_LEVELLED}", raw=True),
        head("console", "", rf"{MARKS}{LEVELLED}", raw=True),
        head("stderr", "", rf"(?P<ident>racoon[\w.-]*)(?:\[(?P<pid>\w+)\])?:{INNER}"),
    ),
)
