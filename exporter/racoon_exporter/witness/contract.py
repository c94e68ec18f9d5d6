"""What a witness is: somebody beside the log who is asked now and then what is there.

A witness is right or silent. What it says never changes what happened and why: that stays the log's. It fills what the log
cannot tell (traffic, algorithms, expiry), ends what the log left open, and contradicts aloud.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from racoon_exporter.witness.certificates import Certificates
from racoon_exporter.witness.crypto import Crypto
from racoon_parsers.admin_socket import Event, Phase1, Phase2
from racoon_parsers.kernel import KernelSa
from racoon_parsers.setkey import Policy


class WitnessError(Exception):
    """A witness cannot be asked now; the text says why, without anything it read."""


@dataclass(frozen=True, slots=True)
class KernelLook:
    """The tables of the kernel. `complete`: what is not in them is not in the kernel either."""

    taken: float
    sas: tuple[KernelSa, ...] = ()
    policies: tuple[Policy, ...] | None = None
    """None where they were not asked for."""
    complete: bool = True
    new: bool = True
    """False where the file of a dump has not changed since the last look."""


@dataclass(frozen=True, slots=True)
class RacoonLook:
    """What racoon itself has of phase 1 and 2, and what it told its listeners since the last look."""

    taken: float
    phase1: tuple[Phase1, ...] = ()
    phase2: tuple[Phase2, ...] = ()
    events: tuple[Event, ...] = ()
    documented: bool = False
    """Whether the status document was had, which names algorithms and lifetimes; older daemons have none."""


@dataclass(frozen=True, slots=True)
class FilesLook:
    """Certificates and CRLs that racoon.conf names."""

    taken: float
    certificates: Certificates = field(default_factory=Certificates)
    configured: tuple[tuple[str, Crypto], ...] = ()
    """What racoon.conf proposes to each peer in phase 1, by address."""


Look: TypeAlias = KernelLook | RacoonLook | FilesLook


class Witness(Protocol):
    """Somebody to ask. `look` may take seconds: it runs in a thread of its own, and ends by its own bounds."""

    @property
    def name(self) -> str:
        """`kernel`, `racoon` or `files`: the label of its metrics."""

    @property
    def gateway(self) -> str | None:
        """The gateway it belongs to; None for the only one."""

    def look(self) -> Look:
        """Ask. Raises WitnessError when there is no answer."""

    def close(self) -> None:
        """Let go of what it holds open."""
