"""What a kernel says of its security associations (SAs) and policies, whichever way it is asked.

Key material has no field here: a reader drops it where it finds it, so that nothing behind a reader can show or store it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from racoon_parsers.racoon_conf.model import Problem

State = Literal["larval", "mature", "dying", "dead"]
"""As PF_KEY has it (RFC 2367, 3.1.1): reserved, in use, past its soft expiry, past its hard one."""


@dataclass(frozen=True, slots=True)
class KernelSa:
    """One SA of the SAD: one direction of traffic. Times are seconds since the epoch, by the clock of the one who looked."""

    source: str
    destination: str
    protocol: str
    """`esp`, `ah` or `ipcomp`."""
    spi: int
    mode: str = ""
    """`Transport`, `Tunnel` or "", as racoon's log spells them."""
    state: State = "mature"
    added: float | None = None
    """When it came into being."""
    hard_expiry: float | None = None
    """When the kernel removes it; None for never, or where the dump has no lifetimes."""
    bytes: int = 0
    packets: int = 0
    replay: int = 0
    """Packets dropped as repeated (`replay`)."""
    replay_window: int = 0
    """Packets dropped as too old to tell (`replay-window`)."""
    integrity: int = 0
    """Packets dropped as their integrity check failed."""
    encryption: str = ""
    """The kernel's name, such as `cbc(aes)` or `3des-cbc`; "" where there is none."""
    authentication: str = ""
    key_bits: int = 0
    """Length of the encryption key; 0 where the dump does not tell."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What names an SA within a kernel: protocol, destination and SPI (RFC 4301, 4.1)."""
        return self.protocol, self.destination, self.spi


@dataclass(frozen=True, slots=True)
class Sad:
    """The SAs of one look, and the lines that were not understood."""

    sas: tuple[KernelSa, ...] = ()
    problems: tuple[Problem, ...] = ()
    truncated: bool = False
    """Whether the look ended before the table did; what is missing from it then says nothing."""
    taken: float | None = None
    """When it was taken, where the text itself says so."""
