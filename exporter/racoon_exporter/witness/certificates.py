"""What the files say that racoon.conf names: values only, no library. `x509.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["certificate", "ca", "peer", "crl"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate file: its dates, in seconds since the epoch. Its subject is not kept."""

    file: str
    kind: Kind
    not_before: float
    not_after: float


@dataclass(frozen=True, slots=True)
class Crl:
    """A certificate revocation list. `next_update` None: it promises none."""

    file: str
    last_update: float
    next_update: float | None
    expected: str = ""
    """Name under which racoon would look for it, where its own differs: it is then never found."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a file, in words that hold nothing of what stands in it."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Certificates:
    """What is there, and what is not."""

    certificates: tuple[Certificate, ...] = ()
    crls: tuple[Crl, ...] = ()
    missing_crls: tuple[str, ...] = ()
    """Files that racoon looks for and warns about: `unable to get certificate CRL(3)`."""
    faults: tuple[Fault, ...] = ()
