"""Asks the witnesses, each in a thread of its own, and keeps what they last said."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from racoon_exporter.text import visible
from racoon_exporter.witness.contract import Look, Witness, WitnessError
from racoon_parsers.record_errors import kind_of

_LOGGER: Final = logging.getLogger("racoon_exporter")
INTERVAL: Final = 15.0
"""Seconds between two looks of a witness."""


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """How a witness is doing."""

    name: str
    gateway: str | None
    up: bool = False
    """Whether the last look gave an answer."""
    last_success: float | None = None
    """When it last did, in seconds since the epoch."""
    trouble: str = "not asked yet"
    """Why it did not; "" while it does."""


class Poller:
    """Asks one witness at an interval, from `start` to `stop`. What it said goes to `heard`, in the poller's thread."""

    def __init__(
        self,
        witness: Witness,
        heard: Callable[[Witness, Look], None],
        *,
        interval: float = INTERVAL,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Make a poller that asks nothing yet."""
        self._witness = witness
        self._heard = heard
        self._interval = interval
        self._wall = wall
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"witness-{witness.name}", daemon=True)
        self.status = WitnessStatus(witness.name, witness.gateway)

    def start(self) -> None:
        """Begin to ask."""
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no thread left
            self._note(str(error))

    def stop(self) -> None:
        """Ask no more. A look that is under way ends by its own bounds and is not waited for."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until a stopped poller has asked for the last time."""
        self._thread.join()

    def ask(self) -> None:
        """Ask once. Trouble is kept, and told when it begins, changes and ends."""
        try:
            self._heard(self._witness, self._witness.look())
        except WitnessError as error:
            self._note(visible(str(error)))
        except Exception as error:  # noqa: BLE001  whatever it is: it is shown, and the witness is asked again
            self._note(f"an error of this program's own, {kind_of(error)}")
        else:
            self._note("")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.ask()
            self._stopping.wait(self._interval)
        self._witness.close()

    def _note(self, trouble: str) -> None:
        before = self.status
        last = before.last_success if trouble else self._wall()
        self.status = WitnessStatus(before.name, before.gateway, not trouble, last, trouble)
        if trouble and trouble != before.trouble:
            _LOGGER.warning("witness %s cannot be asked: %s", before.name, trouble)
        elif not trouble and not before.up:
            _LOGGER.info("witness %s answers", before.name)
