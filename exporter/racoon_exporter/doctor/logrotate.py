"""logrotate's configuration: which rule rotates a log, and what it says. Follows logrotate.conf(5)."""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.host import Host

CONFIGURATION: Final = "/etc/logrotate.conf"
DIRECTORY: Final = "/etc/logrotate.d"
_TABOO: Final = (
    ",v", ".bak", ".cfsaved", ".disabled", ".dpkg-bak", ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".new", ".old",
    ".orig", ".rhn-cfg-tmp-*", ".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".ucf-dist", ".ucf-new", ".ucf-old", "~",
)  # fmt: skip
"""Ends of names that logrotate leaves out of an included directory."""
_SCRIPTS: Final = frozenset({"postrotate", "prerotate", "firstaction", "lastaction", "preremove"})
_END: Final = "endscript"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: the logs it is for, and its directives with their arguments. Later directives win, as in logrotate."""

    file: Path
    line: int
    patterns: tuple[str, ...]
    directives: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)
    """By directive that holds for all that follows: the file that says so."""

    def covers(self, log: Path) -> bool:
        """Whether it rotates a log."""
        return any(fnmatch.fnmatchcase(str(log), pattern) for pattern in self.patterns)

    def has(self, directive: str) -> bool:
        """Whether a switch is on: of `create` and `nocreate` the later holds."""
        words = list(self.directives)
        negated = f"no{directive}"
        return directive in words and (negated not in words or words.index(negated) < words.index(directive))


def rules(host: Host) -> tuple[list[Rule], list[Path]]:
    """Read all rules of a machine, and name the files that logrotate would ignore for their rights."""
    found: list[Rule] = []
    ignored: list[Path] = []
    defaults: dict[str, str] = {}
    places: dict[str, Path] = {}
    for file in _files(host, host.path(CONFIGURATION)):
        try:
            text, mode = file.read_text(encoding="utf-8", errors="replace"), file.stat().st_mode
        except OSError:
            continue
        if mode & 0o022:
            ignored.append(file)
        found += _Reader(file, defaults, places).read(text)
    return found, ignored


def _files(host: Host, main: Path) -> Iterator[Path]:
    """Give the main file, and what it includes; the directory also where there is no main file to say so."""
    yield main
    named = [host.path(DIRECTORY)]
    with suppress(OSError):  # then nothing is included by it
        words = [line.split() for line in main.read_text(encoding="utf-8", errors="replace").splitlines()]
        named += [host.path(line[1]) for line in words if len(line) > 1 and line[0] == "include"]
    for each in dict.fromkeys(named):
        try:
            names = sorted(file.name for file in each.iterdir())
        except OSError:
            yield each  # a file, or nothing
        else:
            yield from (each / name for name in names if not _is_taboo(name))


def _is_taboo(name: str) -> bool:
    return name.startswith(".") or any(fnmatch.fnmatchcase(name, f"*{end}") for end in _TABOO)


class _Reader:
    """Reads one file; `defaults` are the directives outside of rules, which hold for what follows."""

    def __init__(self, file: Path, defaults: dict[str, str], places: dict[str, Path]) -> None:
        self._file = file
        self._defaults = defaults
        self._places = places
        self._patterns: list[str] = []
        self._rule: Rule | None = None
        self._script: tuple[str, list[str]] | None = None

    def read(self, text: str) -> Iterator[Rule]:
        """Give the rules of a file."""
        for number, raw in enumerate(text.replace("\\\n", " ").splitlines(), start=1):
            line = raw.strip()
            if self._script is not None:
                self._in_script(line)
                continue
            if not line or line.startswith("#"):
                continue
            if self._rule is None:
                self._outside(line, number)
            elif line.startswith("}"):
                yield self._rule
                self._rule = None
            else:
                self._inside(line, self._rule)

    def _outside(self, line: str, number: int) -> None:
        before, brace, after = line.partition("{")
        if before.lstrip().startswith(("/", '"', "'", "~")) or self._patterns:
            self._patterns += _words(before)
            if brace:
                self._rule = Rule(self._file, number, tuple(self._patterns), dict(self._defaults), places=dict(self._places))
                self._patterns = []
                if after.strip():
                    self._inside(after.strip(), self._rule)
        else:
            _set(self._defaults, line)
            self._places[line.split(maxsplit=1)[0]] = self._file

    def _inside(self, line: str, rule: Rule) -> None:
        word = line.split(maxsplit=1)[0]
        if word in _SCRIPTS:
            self._script = (word, [])
        else:
            _set(rule.directives, line)
            rule.places.pop(word, None)

    def _in_script(self, line: str) -> None:
        assert self._script is not None
        name, lines = self._script
        if line == _END:
            if self._rule is not None:
                self._rule.scripts[name] = "\n".join(lines)
            self._script = None
        else:
            lines.append(line)


def _set(directives: dict[str, str], line: str) -> None:
    word, _, rest = line.partition("#")[0].strip().replace("=", " ").partition(" ")
    if word:
        directives.pop(word, None)  # what is said last stands last
        directives[word] = rest.strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
