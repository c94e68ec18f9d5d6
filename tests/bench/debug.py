"""Debug lines of a real negotiation, to be set around the lines of a generated one.

`debug-blocks.txt` holds what racoon 0.9.1 wrote with `-d` between its other lines while it set up one tunnel. Digits of
hexadecimal dumps are drawn anew, for a log of a thousand equal dumps would compress, and cache, as no real one does.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

_BLOCKS: Final = Path(__file__).with_name("debug-blocks.txt")
_POOL: Final = 1024
"""Dump lines drawn; more would not read differently."""
_GROUPS: Final = 8
"""Groups of eight digits in a full dump line (`plog.c: plogdump()`)."""


def read_blocks(text: str) -> dict[str, list[str]]:
    """Give the blocks by the step they belong to."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            lines = blocks[line[1:-1]] = []
        elif not line.startswith("# "):
            lines.append(line)
    return blocks


class DebugBlocks:
    """Gives the debug lines of a step."""

    def __init__(self, seed: int) -> None:
        self._blocks = read_blocks(_BLOCKS.read_text(encoding="utf-8"))
        self._random = Random(f"{seed}/dumps")
        self._pool = [" ".join(f"{self._random.getrandbits(32):08x}" for _ in range(_GROUPS)) for _ in range(_POOL)]

    def lines(self, step: str, stamp: str, values: dict[str, str | int]) -> list[str]:
        """Give the lines of a step, at a time and for a peer, with their newlines."""
        cookies = str(values["cookies"])
        known = {"{local}": values["local"], "{peer}": values["peer"], "{cookies}": cookies, "{icookie}": cookies[:16]}
        return [self._line(line, stamp, known) for line in self._blocks[step]]

    def _line(self, line: str, stamp: str, known: dict[str, str | int]) -> str:
        if line.startswith("#"):
            return f"{self._random.choice(self._pool)[: len(line)]}\n"
        line = line.replace("@: ", f"{stamp}: ")
        if "{" in line:
            for name, value in known.items():
                line = line.replace(name, str(value))
        return f"{line}\n"
