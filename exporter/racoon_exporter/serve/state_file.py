"""The state file of `serve`: read once at the start, written again and again. Trouble with it is counted, and logged once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from racoon_exporter import checkpoint
from racoon_exporter.serve.restore_marker import RestoreCrashError, RestoreMarker, version_of
from racoon_exporter.text import visible

_LOGGER: Final = logging.getLogger("racoon_exporter")


class StateFile:
    """Reads and writes checkpoints; without a path it does neither."""

    def __init__(self, path: Path | None, seconds: float, monotonic: Callable[[], float]) -> None:
        """Write to `path` every so many seconds, less often where that takes long or only time passed."""
        self._path = path
        self._seconds = seconds
        self._monotonic = monotonic
        self._marker = RestoreMarker(path)
        self._written = monotonic()
        self._took = 0.0
        self._trouble = ""
        self.saved_at = 0.0
        """When what it holds was the state; 0 where it holds none."""
        self.failures = 0

    def restore(self, most_bytes: int, resume: Callable[[dict[str, Any]], None]) -> None:
        """Give the content to `resume`. A file that cannot be used is set aside with a message; reading then starts anew."""
        path = self._path
        if path is None:
            return
        try:
            with self._marker.restoring(str(path), version_of(path)):
                content = checkpoint.read(path, most_bytes)
                if content is not None:
                    resume(content)
                    self.saved_at = float(content["saved"])
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail(f"cannot read the state file {path}: {error.strerror or error}")
        except checkpoint.StateFileError as error:
            self._set_aside(path, str(error))
        except RestoreCrashError as error:
            self._set_aside(path, f"{path} is not used: {error}")
        except Exception as error:  # noqa: BLE001  whatever it is: a file that cannot be used stops no start
            self._set_aside(path, f"{path} holds what no exporter writes ({type(error).__name__}: {visible(str(error))[:200]})")

    def is_due(self, *, only_time_passed: bool) -> bool:
        """Whether it is time to write again."""
        pause = checkpoint.pause(self._seconds, self._took, only_time_passed=only_time_passed)
        return self._monotonic() >= self._written + pause

    def save(self, content: Callable[[], dict[str, Any]]) -> bool:
        """Write what `content` gives, and tell whether it is written; if not, that is tried again later."""
        begun = self._written = self._monotonic()
        if self._path is None:
            return False
        try:
            given = content()
            checkpoint.write(self._path, given)
        except OSError as error:
            self._fail(f"cannot write the state file {self._path}: {error.strerror or error}")
            return False
        except Exception as error:  # noqa: BLE001  too little memory, say: the file that is there stands, and reading goes on
            self._fail(f"cannot write the state file {self._path}: {type(error).__name__}: {visible(str(error))[:200]}")
            return False
        self._written = self._monotonic()
        self._took = self._written - begun
        self.saved_at = given["saved"]
        if self._trouble:
            _LOGGER.info("state file %s is written again", self._path)
            self._trouble = ""
        return True

    def _set_aside(self, path: Path, why: str) -> None:
        try:
            aside = checkpoint.set_aside(path)
            self._fail(f"{why}; it was moved to {aside}, reading starts anew")
        except OSError as error:
            self._fail(f"{why}, and it cannot be moved away: {error.strerror or error}; reading starts anew")

    def _fail(self, text: str) -> None:
        self.failures += 1
        if text != self._trouble:
            _LOGGER.error("%s", text)
            self._trouble = text
