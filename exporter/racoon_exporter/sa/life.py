"""The life of the daemon itself: when it runs, and what its version tells of its lines."""

from __future__ import annotations

import re
from typing import Any, Final

from racoon_exporter.sa.model import DaemonRun, from_json, to_json
from racoon_exporter.sa.shared_bounds import Share, whole
from racoon_parsers.dialects import BASE, DIALECTS, Dialect

_VERSION: Final = re.compile(r"\d+(?:\.\d+)*\S*")
_MOST_SOCKETS: Final = 1024
_FIRST_TO_KEEP: Final = (0, 7)
"""The first version that keeps its ISAKMP SAs when it reads its configuration again."""
_FIRST_LOCAL_TO_PEER: Final = (0, 8)
"""The first version whose established lines print local->peer for both directions."""
QUIET_AFTER: Final = 30.0
"""Seconds after its start in which a racoon that logs INFO says on which addresses it listens."""


class Life:
    """Whether the daemon runs, as far as its log tells."""

    __slots__ = ("_share", "_sockets", "dialect", "listens", "phase2_told", "run", "signalled", "stopped", "true_arrows")

    def __init__(self, ident: str, share: Share = whole) -> None:
        found = DIALECTS.get(ident)
        self.dialect: Final[Dialect] = found if found is not None and found.own else DIALECTS[BASE]
        """What writes its log."""
        self.phase2_told = not self.dialect.phase2_rule
        """Whether the log tells of phase 2; where it does not, no peer's phase 2 is up or down, but unknown."""
        self.run: DaemonRun | None = None
        """The run whose start was the last."""
        self.stopped = False
        """Whether its end was the last that was heard of a run."""
        self.listens = False
        """Whether this run got as far as to listen: what stops it before is no crash."""
        self.signalled = False
        """Whether a signal told this run to end."""
        self._share = share
        self._sockets: set[tuple[str, str]] = set()
        """What it said it listens on: the message, and the endpoint."""
        self.true_arrows: bool | None = self.dialect.true_arrows or None
        """Whether established lines print the true direction (0.5 to 0.7); None while unknown."""

    @property
    def up(self) -> bool:
        """Whether it runs: its start was heard, or nothing of an end."""
        return self.run is not None or not self.stopped

    def begin(self, gateway: str, at: float | None, banner: str) -> None:
        """A version banner: a run begins."""
        version = _VERSION.search(banner)
        self.run = DaemonRun(gateway, at, version=version[0] if version else banner)
        self.listens = self.stopped = False
        self._sockets.clear()
        self.true_arrows = self.dialect.true_arrows or _older_than(self.run.version, _FIRST_LOCAL_TO_PEER)

    def listens_on(self, message: str, endpoint: str) -> bool:
        """Take that it listens on a socket, and tell whether that says that it forgot its ISAKMP SAs.

        0.5 and 0.6 open all sockets again at SIGHUP, and say nothing else of it.
        """
        self.listens = True
        self.stopped = False
        again = (message, endpoint) in self._sockets
        if again or len(self._sockets) >= self._share(_MOST_SOCKETS):
            self._sockets.clear()
        self._sockets.add((message, endpoint))
        return again and self.run is not None and _older_than(self.run.version, _FIRST_TO_KEEP) is True

    def begin_anew(self, gateway: str, at: float | None) -> None:
        """The whole system started, which says nothing of a version."""
        self.run = DaemonRun(gateway, at)
        self.listens, self.stopped = True, False

    def end(self, gateway: str, at: float | None, how: str) -> DaemonRun:
        """End the run, whose start may not have been seen, and give it."""
        run, self.run = self.run or DaemonRun(gateway, None), None
        run.stopped, run.end = at, how
        self.stopped = True
        self.signalled = False
        return run

    def is_quiet(self, now: float | None) -> bool:
        """Whether it logs too little to see an SA: a start that says no address is one whose INFO lines are not written."""
        return self.quiet_since(now) is not None

    def quiet_since(self, now: float | None) -> float | None:
        """Give since when it logs too little to see an SA: minus infinity for ever, None where it logs enough."""
        run = self.run
        if not self.phase2_told:
            return float("-inf")
        if run is None or self.listens or run.started is None or now is None or now - run.started <= QUIET_AFTER:
            return None
        return run.started

    # keeping

    def to_json(self) -> dict[str, Any]:
        """Give everything, for a checkpoint."""
        return {
            "run": None if self.run is None else to_json(self.run),
            "run_listens": self.listens,
            "stopped": self.stopped,
            "signalled": self.signalled,
            "sockets": sorted(self._sockets),
            "true_arrows": self.true_arrows,
            "phase2_told": self.phase2_told,
        }

    def restore(self, given: dict[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self.run = None if given["run"] is None else from_json(DaemonRun, given["run"])
        self.listens = given["run_listens"]
        self.stopped = given["stopped"]
        self.signalled = given.get("signalled", False)
        self.true_arrows = given["true_arrows"]
        self._sockets = {(message, endpoint) for message, endpoint in given.get("sockets", ())}
        self.phase2_told = given.get("phase2_told", self.phase2_told)


def _older_than(version: str | None, bound: tuple[int, int]) -> bool | None:
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    return None if numbers is None else (int(numbers[1]), int(numbers[2])) < bound
