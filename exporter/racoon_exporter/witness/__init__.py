"""Beside the log: what racoon's own socket, the kernel and the files on disk know.

All are off unless configured. Each is asked in a thread of its own; a witness that fails changes nothing that the log says.
"""

from racoon_exporter.witness import metrics
from racoon_exporter.witness.contract import FilesLook, KernelLook, Look, RacoonLook, Witness, WitnessError
from racoon_exporter.witness.panel import Shown, WitnessPanel
from racoon_exporter.witness.poller import WitnessStatus

__all__ = [
    "FilesLook",
    "KernelLook",
    "Look",
    "RacoonLook",
    "Shown",
    "Witness",
    "WitnessError",
    "WitnessPanel",
    "WitnessStatus",
    "metrics",
]
