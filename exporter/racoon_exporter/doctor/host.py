"""The machine that is looked at: where its files stand, what time it is, whether systemd runs it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Host:
    """A machine. `root` is where its root directory stands: elsewhere than at `/` if it is looked at from a container."""

    root: Path = Path("/")
    now: Callable[[], float] = time.time

    def path(self, path: str | Path) -> Path:
        """Say where a file of the system stands."""
        return self.root / str(path).lstrip("/")

    @property
    def has_systemd(self) -> bool:
        """Whether systemd runs here, and may be asked: of a machine elsewhere only the files are known."""
        return self.root == Path("/") and Path("/run/systemd/system").is_dir()

    def systemctl(self, *arguments: str) -> str:
        """Ask systemd; empty where it does not run or says nothing."""
        if not self.has_systemd:
            return ""
        try:
            done = subprocess.run(  # noqa: S603  our own arguments
                ("systemctl", *arguments),  # noqa: S607  found in the path, as an administrator would
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip()
