"""journalctl: how it is called, and a process of it.

journalctl knows how to read journals of every version, across rotation and vacuuming, and runs with the reader's own rights;
so it is run as a child instead of binding a library to its insides.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from racoon_exporter.source.contract import StartAt
from racoon_exporter.source.journal.entry import FIELDS
from racoon_exporter.source.reporting import LiveCounts
from racoon_exporter.source.streams.line_assembler import Assembler

MAX_ENTRY = 1024 * 1024
"""Longest entry read in bytes; a message of MAX_LINE bytes printed as an array of numbers is a third of it."""

END_SECONDS = 2.0
"""Seconds that journalctl has to end by itself."""

KILLED_SECONDS = 2.0
"""Seconds for a process that was killed to be gone; one that waits for a disk is not, and nothing can hurry it."""

_STDERR_KEPT = 4096
_ERROR_SHOWN = 300
_ALL_BOOTS = ("--merge", "--boot=all")
"""From 250 on `--follow` leaves out earlier boots. 250 to 253 are talked out of it by `--boot=all` alone, 254 to 256 by
`--merge` alone (systemd issues 24565 and 36102); both together do in all. Entries of other machines are then read as well."""


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Which entries are read: those of any of the identifiers and, if units are named, of any of the units too.

    Without either, those with the identifier `racoon`. `command` is how journalctl is called, perhaps with arguments of its
    own such as `--directory=/var/log/journal/remote`.
    """

    identifiers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    command: tuple[str, ...] = ("journalctl",)

    def arguments(self, *, cursor: str, since: int | None, start_at: StartAt, old: bool = False) -> list[str]:
        """Return the command line: behind the cursor, else from a time (seconds), else where a first start begins.

        `old` is for a journalctl before 242, which does not know `--boot=all`.
        """
        identifiers = self.identifiers or (() if self.units else ("racoon",))
        return [
            *self.command,
            "--output=json",
            f"--output-fields={','.join(FIELDS)}",
            "--all",  # else long and binary fields are null
            "--follow",
            *(() if old else _ALL_BOOTS),
            "--no-pager",
            *(f"--identifier={identifier}" for identifier in identifiers),
            *(f"--unit={unit}" for unit in self.units),
            *_beginning(cursor, since, start_at),
        ]


def _beginning(cursor: str, since: int | None, start_at: StartAt) -> Sequence[str]:
    if cursor:
        return ("--no-tail", f"--after-cursor={cursor}")
    if since is not None:
        return ("--no-tail", f"--since=@{since}")
    return ("--no-tail",) if start_at == "beginning" else ("--lines=0",)


class Journalctl:
    """A running journalctl. It is the only place that knows its process."""

    def __init__(self, arguments: Sequence[str], counts: LiveCounts) -> None:
        """Start it; entries that are too long are counted in `counts`.

        Raises OSError when there is no such program, ValueError for an argument that none can have.
        """
        environment = os.environ | {"LC_ALL": "C", "SYSTEMD_COLORS": "0"}
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the arguments are the operator's
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us, and we end it
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output, self._errors = self._process.stdout, self._process.stderr
        for pipe in (self._output, self._errors):
            os.set_blocking(pipe.fileno(), False)
        self._said = b""
        self._ending_since: float | None = None
        self._errors_open = True
        self.at_end = False
        """Whether its output has ended."""
        self.gave = False
        """Whether a good entry came from it."""
        self.assembler = Assembler(counts, longest=MAX_ENTRY)

    @property
    def complaint(self) -> str:
        """The last line it wrote on its standard error, control characters taken out."""
        lines = self._said.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return "".join(character if character.isprintable() else "?" for character in last)[:_ERROR_SHOWN]

    def read(self, size: int) -> bytes | None:
        """Return what there is of its output; nothing at the end, None when there is nothing now."""
        if self.at_end:
            return b""
        piece = _read_now(self._output.fileno(), size)
        self.at_end = piece == b""
        return piece

    def listen(self) -> bool:
        """Read its standard error; True if it said something new."""
        heard = False
        while self._errors_open and (piece := _read_now(self._errors.fileno(), _STDERR_KEPT)) is not None:
            self._errors_open = bool(piece)
            self._said = (self._said + piece)[-_STDERR_KEPT:]
            heard |= bool(piece)
        return heard

    def descriptors(self) -> Sequence[int]:
        """Return those that are still open at the other end."""
        output = () if self.at_end else (self._output.fileno(),)
        return (*output, *((self._errors.fileno(),) if self._errors_open else ()))

    def ending(self, now: float) -> int | None:
        """Return its exit status, None while it has not ended; what takes too long is killed."""
        status = self._process.poll()
        self._ending_since = now if self._ending_since is None else self._ending_since
        if status is None and now - self._ending_since >= END_SECONDS:
            status = self._killed()
        return status

    def close(self) -> None:
        """End it if it runs, and wait for it, though not for ever."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._killed()
        self._output.close()
        self._errors.close()

    def _killed(self) -> int | None:
        """Kill it; gives its exit status, or None if it is not gone yet."""
        self._process.kill()
        try:
            return self._process.wait(KILLED_SECONDS)
        except subprocess.TimeoutExpired:
            return None


def _read_now(descriptor: int, size: int) -> bytes | None:
    """Return what there is, nothing at the end, None when there is nothing now."""
    try:
        return os.read(descriptor, size)
    except BlockingIOError:
        return None
