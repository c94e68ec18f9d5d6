"""The SAD as `setkey -D` and `racoonctl show-sa ipsec` print it: Linux, NetBSD and FreeBSD (libipsec, pfkey_dump.c).

Pure; never raises on any text. Keys (`E:`, `A:`, `C:`) are dropped here.
"""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.kernel.dump import MOST_SAS, SaLines, head_time, mode_name, number, protocol_name
from racoon_parsers.kernel.model import KernelSa, Sad, State
from racoon_parsers.racoon_conf.model import Problem

_ENDS: Final = re.compile(
    r"(?P<source>[^\s\[\]]{1,60})(?:\[[^\]\s]{0,8}\])? (?P<destination>[^\s\[\]]{1,60})(?:\[[^\]\s]{0,8}\])?\s*"
)
_ASSOCIATION: Final = re.compile(r"(?P<protocol>[\w-]{1,16}) mode=(?P<mode>\w{1,16}) spi=(?P<spi>\d{1,10})\(")
_ALGORITHM: Final = re.compile(r"(?P<kind>[EAC]): (?P<name>[\w()-]{1,64})")
_KEY: Final = re.compile(r"E: [\w()-]{1,64}\s+(?P<key>[0-9a-f ]{1,600})$")
_STATE: Final = re.compile(r"\bstate=(?P<state>larval|mature|dying|dead)\b")
_AGE: Final = re.compile(r"diff: (?P<age>\d{1,20})\(s\)\s+hard: (?P<hard>\d{1,20})\(s\)\s+soft: (?P<soft>\d{1,20})\(s\)")
_BYTES: Final = re.compile(r"current: (?P<bytes>\d{1,20})\(bytes\)")
_PACKETS: Final = re.compile(r"allocated: (?P<packets>\d{1,20})")
_END: Final = re.compile(r"sadb_seq=(?P<left>\d{1,10}) ")
_STATES: Final[dict[str, State]] = {"larval": "larval", "mature": "mature", "dying": "dying", "dead": "dead"}


def parse_setkey_sad(text: str, *, path: str = "sad.txt", taken: float | None = None) -> Sad:
    """Read the output of `setkey -D`, taken at a time. Of several dumps, each behind a line `=== TIME …`, the last counts."""
    dump = _Dump(path, taken)
    for line_number, line in enumerate(text.splitlines(), 1):
        dump.read(line_number, line)
    return dump.finish()


class _Dump:
    """One dump while its lines are read."""

    def __init__(self, path: str, taken: float | None) -> None:
        self._path = path
        self._taken = taken
        self._entry: SaLines | None = None
        self._sas: list[KernelSa] = []
        self._problems: list[Problem] = []
        self._left: int | None = None
        """How many SAs the kernel said were still to come behind the last one."""
        self._cut = False

    def read(self, line_number: int, line: str) -> None:
        if line.startswith("==="):
            self._begin_anew(line)
        elif line[:1] in {"\t", " "}:
            if self._entry is not None:
                self._detail(self._entry, line.strip())
        elif line.strip() and not line.startswith("No SAD entries"):
            self._finish_entry()
            self._begin(line_number, line)

    def finish(self) -> Sad:
        self._finish_entry()
        return Sad(tuple(self._sas), tuple(self._problems), self._cut or bool(self._left), self._taken)

    def _begin_anew(self, line: str) -> None:
        """Take the head of a dump: what stood before it is older."""
        self._taken = head_time(line) or self._taken
        self._entry, self._left, self._cut = None, None, False
        self._sas.clear()

    def _begin(self, line_number: int, line: str) -> None:
        match = _ENDS.fullmatch(line)
        if match is None:
            self._problems.append(Problem(self._path, line_number, "the two ends of an SA are expected"))
        elif len(self._sas) >= MOST_SAS:
            self._cut = True
        else:
            self._entry = SaLines(match["source"], match["destination"])

    def _detail(self, entry: SaLines, line: str) -> None:
        if (match := _ASSOCIATION.match(line)) is not None:
            entry.protocol = protocol_name(match["protocol"]) or ""
            entry.mode, entry.spi = mode_name(match["mode"]), number(match["spi"])
        elif (match := _ALGORITHM.match(line)) is not None:
            _take_algorithm(entry, match, line)
        elif (match := _AGE.match(line)) is not None:
            entry.age, entry.hard, entry.soft = number(match["age"]), number(match["hard"]), number(match["soft"])
        elif (match := _BYTES.match(line)) is not None:
            entry.bytes = number(match["bytes"])
        elif (match := _PACKETS.match(line)) is not None:
            entry.packets = number(match["packets"])
        elif (match := _END.match(line)) is not None:
            entry.complete, self._left = True, number(match["left"])
        elif (match := _STATE.search(line)) is not None:
            entry.state = _STATES[match["state"]]

    def _finish_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None:
            return
        sa = entry.sa(self._taken)
        self._cut = self._cut or not entry.complete
        if sa is not None and entry.complete:
            self._sas.append(sa)


def _take_algorithm(entry: SaLines, match: re.Match[str], line: str) -> None:
    if match["kind"] == "A":
        entry.authentication = match["name"]
    elif match["kind"] == "E":
        entry.encryption = match["name"]
        key = _KEY.match(line)
        entry.key_bits = 4 * len(key["key"].replace(" ", "")) if key else 0


__all__ = ["parse_setkey_sad"]
