"""Witness `kernel` by text: the output of `ip -s xfrm state` or `setkey -D`, and of `ip xfrm policy` or `setkey -DP`.

From a file that something else writes (no right of our own is needed), or from a command.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final, Protocol

from racoon_exporter.witness.contract import KernelLook, WitnessError
from racoon_parsers.kernel import parse_policies, parse_sad

MOST_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a dump that are read: about 100,000 SAs."""
COMMAND_SECONDS: Final = 10.0
"""A command that takes longer is ended."""
STALE_SECONDS: Final = 300.0
"""A dump file older than this says nothing of now."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A text, and when it was printed. `version` differs when the text may."""

    text: str
    taken: float
    version: object
    cut: bool = False


class Printer(Protocol):
    """Where a text comes from."""

    def printed(self) -> Printed:
        """Give it. Raises WitnessError."""


class DumpFile:
    """A file that something else writes, best by renaming it into place."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path

    def printed(self) -> Printed:
        """Read it; its age is that of the dump."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise WitnessError(f"{self._path}: {error.strerror or error}") from error
        if time.time() - status.st_mtime > STALE_SECONDS:
            raise WitnessError(f"{self._path} was last written {round(time.time() - status.st_mtime)} s ago")
        version = status.st_mtime_ns, status.st_ino, status.st_size
        return Printed(_text(data), status.st_mtime, version, len(data) > MOST_BYTES)


class DumpCommand:
    """A command that prints it, run without a shell."""

    def __init__(self, command: Sequence[str]) -> None:
        """Name the program and its arguments."""
        self._command = tuple(command)

    def printed(self) -> Printed:
        """Run it. It is ended when it takes too long; what it says on stderr may hold anything and is not read."""
        taken = time.time()
        name = self._command[0]
        try:
            done = subprocess.run(  # noqa: S603 - the administrator's own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise WitnessError(f"{name} did not end within {COMMAND_SECONDS:.0f} s") from error
        except OSError as error:
            raise WitnessError(f"{name}: {error.strerror or error}") from error
        if done.returncode != 0:
            raise WitnessError(f"{name} ended with status {done.returncode}")
        return Printed(_text(done.stdout), taken, taken, len(done.stdout) > MOST_BYTES)


def _text(data: bytes) -> str:
    return data[:MOST_BYTES].decode("ascii", "replace")


class PrintedKernel:
    """The kernel's tables as text; policies are optional."""

    name = "kernel"

    def __init__(self, state: Printer, policy: Printer | None = None, *, gateway: str | None = None, zone: tzinfo) -> None:
        """Take the SAD from `state` and the SPD from `policy`; times of `ip -s xfrm state` are of `zone`."""
        self.gateway = gateway
        self._state = state
        self._policy = policy
        self._zone = zone
        self._version: object = None

    def look(self) -> KernelLook:
        """Read both. A SAD that did not change is not taken apart again: nothing is made of it."""
        state = self._state.printed()
        policy = None if self._policy is None else self._policy.printed()
        if state.version == self._version:
            return KernelLook(state.taken, new=False)
        sad = parse_sad(state.text, taken=state.taken, zone=self._zone)
        if sad.problems and not sad.sas:
            raise WitnessError(f"the SAD cannot be read: {sad.problems[0].message}")
        policies = None if policy is None else parse_policies(policy.text).policies
        self._version = state.version
        complete = not (sad.truncated or sad.problems or state.cut)
        return KernelLook(sad.taken or state.taken, sad.sas, policies, complete=complete)

    def close(self) -> None:
        """Nothing is held open."""
