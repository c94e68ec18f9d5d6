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
    NO_MODEL,
    OWN_TIME,
    RFC3164,
    STAMPS,
    STRUCTURED,
    Dialect,
    head,
    spelling,
    stamp,
)

_WORD: Final = r"[\w.:/@\[\]<>|=,+*()#-]{0,127}[\w./@\[\]<>|=,+*()#-]"
"""A word of a wrapper's head: a time, a name, a number; none that ends a program's name, and no words of a sentence in quotes."""

DIALECT: Final = Dialect(
    "ipsec_tools",
    "ipsec-tools",
    formats=(
        head("file", "local", rf"(?P<stamp>{OWN_TIME}):{NO_MODEL} ?{MARKS}{MAYBE_LEVELLED}", raw=True),
        head(
            "syslog",
            "rfc3164",
            rf"(?:<\d+>)?(?:[A-Z][a-z]{{2}} (?!{RFC3164} \d{{4}}\s))?(?P<stamp>{RFC3164})(?:\.\d+)?\s+(?:<[a-z\d]+\.\w+> )?{HOST}{FACILITY}{IDENT}{INNER}",
            levels=ASL,
        ),
        head("container", "iso", rf"(?P<stamp>{ISO}) std(?:out|err) [FP] {INNER}", raw=True),
        head("syslog-iso", "iso", rf"(?:<\d+>)?(?P<stamp>{ISO})\s+{HOST}{FACILITY}{IDENT}{INNER}"),
        head(
            "syslog-5424",
            "iso",
            rf"(?:<\d+>)?(?=1 \S+ \S+ (?!- |ipsec |[a-z\d-]+,)){STRUCTURED}{INNER}",
        ),
        head("journal-unix", "unix", rf"(?P<stamp>\d{{9,11}}\.\d{{6}}) {HOST}{IDENT}{INNER}"),
        head(
            "journal-full",
            "local",
            rf"[A-Z][a-z]{{2}} (?P<stamp>{OWN_TIME})(?:\.\d+)? [A-Z+\-\d]+ {HOST}{IDENT}{INNER}",
        ),
        head("logread", "asctime", rf"(?P<stamp>{STAMPS['asctime']})\s+{FACILITY}{HOST}{IDENT}{INNER}"),
        head(
            "syslog-dated",
            "",
            rf"(?:<\d+>)?{stamp('dated', 'slashed', 'year_first', 'local')}(?:[.,]\d+)?\s+(?:<[a-z\d]+\.\w+> )?{HOST}{FACILITY}{IDENT}{INNER}",
            levels=ASL,
        ),
        head(
            "relayed",
            "",
            rf"(?:<\d+>)?(?:{RFC3164}|{ISO})\s+\S+\s+(?:<\d+>)?(?:1 )?{stamp('rfc3164', 'iso')}\s+{HOST}{FACILITY}{IDENT}{INNER}",
        ),
        head("compose", "local", rf"(?P<ident>racoon[\w.-]*)\s+\| (?P<stamp>{OWN_TIME}): {MARKS}{MAYBE_LEVELLED}", raw=True),
        head(
            "wrapped",
            "iso",
            rf"(?=\S{{0,127}}?[\d.:\[|/_-])(?:(?P<stamp>{ISO})\s+)?(?:{_WORD}\s+){{0,7}}?(?:{_WORD}[:|]?\s+)?(?P<inner>{OWN_TIME}): {MARKS}{LEVELLED}",
            raw=True,
            needs="known",
        ),
        head("console", "", rf"{MARKS}{LEVELLED}", raw=True),
        head("stderr", "", rf"(?P<ident>racoon[\w.-]*)(?:\[(?P<pid>\w+)\])?:{INNER}"),
    ),
    spellings=spelling(
        (r"\s{1,4}\((?=prop#)", "("),  # blanks that mail programs put in
        (r"\bDB\(prop#(\d{1,4})\s{0,4}:\s{0,4}trns#(\d{1,4})\)\s{0,4}:\s{0,4}Peer", r"DB(prop#\1:trns#\2):Peer"),
        (r"\s{0,4}(<=>|&lt;=&gt;)\s{0,4}", "<=>"),
        (r"\s{0,4}(->|-&gt;)\s{0,4}(?=\S{1,64}\[\d)", "->"),
        (r"(?<=\d)\s{1,4}\[(\d{1,5})\]", r"[\1]"),
        (r"\bspi\s{0,4}([:=])\s{0,4}", r"spi\1"),
    ),
)
