"""The web configuration in force: read anew when its files change, kept when the new one is broken.

A file that is written in place is there in halves for a moment, and half a configuration may ask for no password. So it is used
at once only if it has no problem and lets in whoever was let in before, on the same terms; else when nobody has written to it
for a second. What then asks for less than before is not used if it is cut off within a line, and else only if it is the same at
the next try, ten seconds later. A file that takes the place of another is whole.
Certificate and key need no such care: halves of these are none, or do not fit together.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from racoon_exporter.web.config import ClientAuth, WebConfig
from racoon_exporter.web.config_file import parse_web_config
from racoon_exporter.web.problems import WebConfigError
from racoon_exporter.web.tls import TlsError, server_context
from racoon_exporter.yaml_document import Problem

if TYPE_CHECKING:
    import logging
    import ssl
    from collections.abc import Callable

#: Longest configuration file that is read, in bytes. Inline certificates make the largest honest ones a few tens of KiB.
MAX_BYTES = 1024 * 1024
_RETRY_SECONDS = 10.0
#: Seconds without a change after which a file that is written in place is read.
_SETTLED_SECONDS = 1.0
_LESS = (
    f"it asks for less than before and was written in place: it is used if it is the same {_RETRY_SECONDS:.0f} seconds later"
)
_CUT = "it asks for less than before and its last line has no end: put a new file in its place, or restart"


class _Seen(NamedTuple):
    """What changes whenever a file is replaced or written."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


_Signature = _Seen | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be served. ``context`` is None where plain HTTP is served."""

    config: WebConfig
    context: ssl.SSLContext | None = None


def check_web_config(text: str, directory: Path) -> list[Problem]:
    """Return everything wrong with a web configuration file; certificates and keys it names are opened too.

    ``directory`` is that of the file: relative paths start there.
    """
    return _load(text, directory)[1]


class LiveConfig:
    """What `current` returns is the newest usable configuration; safe to use from several threads.

    The toolkit reads its file on every request. Here a few stat calls tell whether it or a file it names changed.
    """

    def __init__(
        self,
        path: Path | None,
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read the file; raises WebConfigError. Without a path the defaults hold for ever. Files are dated by ``now``."""
        self._path = path
        self._logger = logger
        self._clock = clock
        self._now = now
        self._again = 0.0
        self._written: dict[Path, _Seen] = {}
        self._written_since = 0.0
        self._tried: tuple[_Signature, ...] = ()
        self._is_in_place = False
        self._ends_a_line = False
        self._less: tuple[_Signature, ...] = ()
        self._lock = threading.Lock()
        self._watched: tuple[Path, ...] = () if path is None else (path,)
        self._pair: frozenset[Path] = frozenset()
        self._signatures = self._sign()
        self._loaded = Loaded(WebConfig())
        self._problems: list[Problem] = []
        if path is not None:
            self._loaded, self._problems = self._read(path)
            if self._problems:
                raise WebConfigError(path, self._problems)

    @property
    def ok(self) -> bool:
        """False while the file on disk is broken and an older configuration is in force."""
        return not self._problems

    def current(self) -> Loaded:
        """Return the configuration for a new connection or request."""
        with self._lock:
            if self._path is not None:
                self._look(self._path)
            return self._loaded

    def _look(self, path: Path) -> None:
        """Read the file where it is to be read."""
        found = self._sign()
        if found == self._signatures:
            if self._is_to_be_tried_again():
                self._refresh(path)
        elif self._is_settled(found):
            self._refresh(path)
        elif found != self._tried:  # each state of a file that is being written is tried once
            self._tried = found
            self._use_if_whole(path)

    def _is_settled(self, found: tuple[_Signature, ...]) -> bool:
        """Tell whether what changed was replaced, or written in place and left alone since."""
        written = {
            path: new
            for path, new, old in zip(self._watched, found, self._signatures, strict=True)
            if new is not None and new != old and path not in self._pair and _is_same_file(new, old)
        }
        if written != self._written:
            self._written, self._written_since = written, self._clock()
        long_ago = self._now() - _SETTLED_SECONDS
        return self._clock() - self._written_since >= _SETTLED_SECONDS or all(
            one.modified_ns / 10**9 <= long_ago for one in written.values()
        )

    def _use_if_whole(self, path: Path) -> None:
        """Use what stands in a file that is being written if it is whole by all signs, else wait."""
        if set(self._written) != {path}:  # half a bundle of client CAs looks like a whole one
            return
        seen = self._watched, self._pair, self._signatures
        loaded, problems = self._read(path)
        if problems or not self._takes_the_place_of(loaded):
            self._watched, self._pair, self._signatures = seen
        else:
            self._is_in_place = True
            self._use(loaded, path)

    def _takes_the_place_of(self, loaded: Loaded) -> bool:
        """Tell whether a configuration lets in whoever was let in before, on the same terms or stricter ones."""
        new, old = loaded.config, self._loaded.config
        same_scheme = (loaded.context is None) == (self._loaded.context is None)
        return same_scheme and set(old.users) <= set(new.users) and not _asks_for_less(new, old)

    def _use(self, loaded: Loaded, path: Path) -> None:
        self._problems = []
        self._loaded = loaded
        self._logger.info("web configuration %s read anew", path)

    def _is_to_be_tried_again(self) -> bool:
        """Whether what could not be used may be usable though no file changed: descriptors or memory were missing, say."""
        return bool(self._problems) and self._clock() >= self._again

    def _refresh(self, path: Path) -> None:
        self._again = self._clock() + _RETRY_SECONDS
        before, signature = self._problems, self._signatures[0]
        loaded, problems = self._read(path)
        if self._signatures[0] != signature:
            self._is_in_place = _is_same_file(self._signatures[0], signature)
        if not problems and (loaded.context is None) != (self._loaded.context is None):
            problems = [Problem(None, "TLS cannot be switched on or off without a restart")]
        if not problems and self._is_in_place and _asks_for_less(loaded.config, self._loaded.config):
            problems = self._doubts()
        if not problems:
            self._use(loaded, path)
            return
        self._problems = problems
        if problems != before:
            self._logger.error("web configuration kept as it was: %s", WebConfigError(path, problems))

    def _doubts(self) -> list[Problem]:
        """Give what keeps a file from being used that was written in place and asks for less than before."""
        if not self._ends_a_line:
            return [Problem(None, _CUT)]
        seen, self._less = self._less, self._signatures
        return [] if seen == self._less else [Problem(None, _LESS)]

    def _read(self, path: Path) -> tuple[Loaded, list[Problem]]:
        """Read the file and the files it names, and remember what they looked like before they were read."""
        self._watched = (path,)
        before = self._sign()
        try:
            text = _read_text(path)
        except OSError as error:
            self._signatures = before
            return Loaded(WebConfig()), [Problem(None, f"cannot read the file: {error.strerror}")]
        except ValueError as error:
            self._signatures = before
            return Loaded(WebConfig()), [Problem(None, str(error))]
        self._ends_a_line = text.endswith("\n")
        config, problems = parse_web_config(text, path.parent)
        self._watched = (path, *_named_files(config))
        self._pair = _pair(config)
        self._signatures = before + tuple(map(_signature, self._watched[1:]))
        return _complete(config, problems)

    def _sign(self) -> tuple[_Signature, ...]:
        return tuple(map(_signature, self._watched))


def _load(text: str, directory: Path) -> tuple[Loaded, list[Problem]]:
    return _complete(*parse_web_config(text, directory))


def _complete(config: WebConfig, problems: list[Problem]) -> tuple[Loaded, list[Problem]]:
    """Add the TLS context to a configuration, or what prevents it."""
    if config.tls is None:
        return Loaded(config), problems
    try:
        return Loaded(config, server_context(config.tls)), problems
    except TlsError as error:
        return Loaded(config), [*problems, error.problem]


def _named_files(config: WebConfig) -> tuple[Path, ...]:
    if config.tls is None:
        return ()
    named = (config.tls.certificate, config.tls.key, config.tls.client_ca)
    return tuple(pem.path for pem in named if pem is not None and pem.path is not None)


def _pair(config: WebConfig) -> frozenset[Path]:
    named = () if config.tls is None else (config.tls.certificate, config.tls.key)
    return frozenset(pem.path for pem in named if pem.path is not None)


def _asks_for_less(new: WebConfig, old: WebConfig) -> bool:
    """Tell whether a configuration asks clients for no password, certificate or name any more."""
    if old.users and not new.users:
        return True
    if old.tls is None or new.tls is None:
        return False
    required = ClientAuth.REQUIRED
    return (old.tls.client_auth is required and new.tls.client_auth is not required) or (
        old.tls.client_allowed_sans is not None and new.tls.client_allowed_sans is None
    )


def _read_text(path: Path) -> str:
    """Return the text of a regular file: opening a FIFO would wait for its writer, and with it every client."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error


def _signature(path: Path) -> _Signature:
    """Look at a file; None for one that is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- on every request; Path.stat costs twice as much
    except (OSError, ValueError):
        return None
    return _Seen(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _is_same_file(one: _Signature, other: _Signature) -> bool:
    return one is not None and other is not None and one[:2] == other[:2]
