"""Look for lines that cost more than their length, near the dearest that were found: fillers nobody thought of.

    python -m tests.bench.line_hunt [--seconds N] [--seed N] [--bound MILLISECONDS]

A line is a row of the catalogue behind one of its heads (`line_cost.py`), filled in one place with some pieces again and again.
The dearest are kept and changed: a piece more, less or another, another row, place or size. Prints the dearest, in milliseconds
of processor time for each 4 KiB, and fails beyond the bound.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from tests.bench.line_cost import UNIT, printed, rows_of, seconds

PIECES: Final = (
    *"=()[]<>:;,.|@/_-#\"'\\{}015axé\u017f\u212a\u2028",
    *(" ", "  ", "\t", "->", "<=>", "::", "://", "\\x", "\\u", "%41", "&#x", "a1", "ad", "aa", "aB3", "aB3d/+"),
    *("password", "passwd", "pass-key", "passkey", "psk", "pre-shared", "presharedkey", "secret", "senha", "keyid", "kennwort"),
    *(
        "credential",
        "community",
        "token",
        "otp",
        "pin",
        "bindpw",
        "authkey",
        "enckey",
        "key",
        "Key",
        "parse",
        "syntax",
        "error",
    ),
    *("authorization", "bearer", "cookie:", "-----BEGIN", "PRIVATE", "KEY", "-E", "-A", "is", "was", "line", "in"),
    *(
        "racoon.conf:27:",
        "isakmp.c:1:",
        "DEBUG:",
        "INFO:",
        "2026",
        "-01-15",
        "08:30:02",
        "192.0.2.1[500]",
        "192.0.2.1",
        "1.2.3.4[5",
    ),
    *("fe80::1", "spi=", "0x", "0s", "00", "dead", "deadbeef", "0123456789abcdef", "abcdefgh", "ABCDEF01", "http://u:"),
    *(
        "last",
        "message",
        "repeated",
        "times",
        "racoon:",
        "iked:",
        "message=",
        "msg=",
        "ph1",
        "phase2",
        "ESP/Tunnel",
        "ISAKMP-SA",
    ),
)
SIZES: Final = (512, 1016, 1024, 1200, 2048, 4096)
_DEAREST: Final = 60
"""Lines that are kept, and changed."""
_MOST_PIECES: Final = 9


@dataclass(frozen=True)
class Filled:
    """A line, by how it is made."""

    row: int
    place: int
    pieces: tuple[str, ...]
    size: int
    cut: bool
    """Whether it ends within the filler."""


class Hunt:
    """Makes lines and keeps the dearest."""

    def __init__(self, seed: int) -> None:
        """Begin with what the seed gives."""
        self._random = Random(seed)
        self._rows = rows_of(1)
        self._dearest: dict[Filled, float] = {}

    def line(self, filled: Filled) -> str:
        """Give the line."""
        wrap, row = self._rows[filled.row]
        pieces = [printed(piece) for piece in row.pieces]
        before, behind = "".join(pieces[: filled.place]), "".join(pieces[filled.place :])
        filler = "".join(filled.pieces)
        junk = before + filler * (filled.size // len(filler) + 1)
        return wrap(junk[: filled.size] if filled.cut else junk[: max(0, filled.size - len(behind))] + behind)

    def cost(self, filled: Filled, enough: float = 0.0) -> float:
        """Give the milliseconds of a line for each 4 KiB; of shorter ones, of the line."""
        return seconds(self.line(filled), enough / 1000) * 1000 / (max(filled.size, UNIT) / UNIT)

    def step(self) -> None:
        """Try another line."""
        filled = self._new() if len(self._dearest) < _DEAREST // 2 or self._random.random() < 0.3 else self._changed()
        least = min(self._dearest.values()) if len(self._dearest) == _DEAREST else 0.0
        cost = self.cost(filled, least)
        if cost > least:
            self._dearest[filled] = cost
            if len(self._dearest) > _DEAREST:
                del self._dearest[min(self._dearest, key=self._dearest.__getitem__)]

    def dearest(self) -> list[tuple[float, Filled]]:
        """Measure the kept ones once more, the dearest first."""
        return sorted(((self.cost(filled), filled) for filled in self._dearest), key=lambda pair: -pair[0])

    def template(self, filled: Filled) -> str:
        """Give the row a line was made of, behind its head."""
        wrap, row = self._rows[filled.row]
        return wrap(row.template)

    def _new(self) -> Filled:
        pieces = tuple(self._random.choices(PIECES, k=self._random.randint(1, 5)))
        return self._in_a_row(Filled(0, 0, pieces, self._random.choice(SIZES), self._random.random() < 0.4))

    def _in_a_row(self, filled: Filled) -> Filled:
        row = self._random.randrange(len(self._rows))
        return self._placed(replace(filled, row=row))

    def _placed(self, filled: Filled) -> Filled:
        return replace(filled, place=self._random.randint(0, len(self._rows[filled.row][1].pieces)))

    def _changed(self) -> Filled:
        filled = self._random.choice(list(self._dearest))
        pieces = list(filled.pieces)
        place = self._random.randrange(len(pieces))
        match self._random.randrange(7):
            case 0 if len(pieces) < _MOST_PIECES:
                pieces.insert(place, self._random.choice(PIECES))
            case 1 if len(pieces) > 1:
                del pieces[place]
            case 2:
                return self._in_a_row(filled)
            case 3:
                return self._placed(filled)
            case 4:
                return replace(filled, size=self._random.choice(SIZES))
            case 5:
                return replace(filled, cut=not filled.cut)
            case _:
                pieces[place] = self._random.choice(PIECES)
        return replace(filled, pieces=tuple(pieces))


def main() -> int:
    """Hunt, print, and hold the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="other lines")
    parser.add_argument("--bound", type=float, default=1.0, help="milliseconds for each 4 KiB")
    options = parser.parse_args()
    hunt = Hunt(options.seed)
    tried, end = 0, time.monotonic() + options.seconds
    while time.monotonic() < end:
        hunt.step()
        tried += 1
    dearest = hunt.dearest()
    print(f"{tried} lines tried; the dearest:")
    for cost, filled in dearest[:10]:
        pieces = "".join(filled.pieces)
        print(f"{cost:7.3f} ms for each 4 KiB, {filled.size:5} bytes of {pieces!r} in {hunt.template(filled)!r}")
    return int(dearest[0][0] > options.bound)


if __name__ == "__main__":
    sys.exit(main())
