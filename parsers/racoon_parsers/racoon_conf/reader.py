"""racoon.conf -> RacoonConf: looks each statement up in the tables of `grammar`, and collects what does not fit."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from racoon_parsers.racoon_conf import grammar
from racoon_parsers.racoon_conf.model import (
    Listen,
    Problem,
    Proposal,
    RacoonConf,
    RemoteSection,
    SainfoSection,
    Timers,
)
from racoon_parsers.racoon_conf.syntax import Misread, Statement, Words, shown, split_at_keywords, statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from racoon_parsers.racoon_conf.grammar import Fields, ReadWords

IncludeHook: TypeAlias = Callable[[str, str], Sequence[tuple[str, str | None]]]
"""(pattern as written, directory it is relative to) -> (path, text) of each file that fits, in racoon's order.

The text is None where a file can not be read.
"""

MAX_INCLUDE_DEPTH = 10  # as in cftoken.l
MAX_FILES = 1000  # reads, not names: a file that includes itself twice would otherwise be read 2 ** MAX_INCLUDE_DEPTH times
MAX_INCLUDED_TEXT = 8 * 1024 * 1024  # characters of all of them: large files may include themselves as well
MAX_PROBLEMS = 1000


def _no_include(_pattern: str, _directory: str) -> Sequence[tuple[str, str | None]]:
    return ()


def parse_racoon_conf(text: str, *, path: str = "racoon.conf", include: IncludeHook = _no_include) -> RacoonConf:
    """Read the text of a racoon.conf.

    `path` is the name for problems, and relative includes are looked for beside it unless `path include` says where.
    `include` gives the text of included files. Never raises because of the text: what is not understood is in
    `problems`, the rest is used.
    """
    reader = _Reader(include)
    reader.read_file(path, text, depth=0)
    return reader.result(path)


@dataclass(slots=True)
class _Reader:
    """What has been read so far; `_path` is the file being read."""

    _include: IncludeHook
    _path: str = ""
    _depth: int = 0
    _paths: dict[str, str] = field(default_factory=dict)
    _remotes: list[RemoteSection] = field(default_factory=list)
    _sainfos: list[SainfoSection] = field(default_factory=list)
    _sections: dict[tuple[object, ...], RemoteSection] = field(default_factory=dict)
    _listen: Fields = field(default_factory=dict)
    _timers: Fields = field(default_factory=dict)
    _log_level: str | None = None
    _files: dict[str, int] = field(default_factory=dict)
    """Each file, and which it was in the order of their reading."""
    _included: int = 0
    _included_text: int = 0
    _problems: list[Problem] = field(default_factory=list)
    _unlisted: int = 0
    """Problems beyond those that are kept."""

    def result(self, path: str) -> RacoonConf:
        order = self._files
        problems = sorted(self._problems, key=lambda problem: (order[problem.path], problem.line))
        if self._unlisted:
            problems.append(Problem(path, 1, f"{self._unlisted:,} more problems are not listed"))
        return RacoonConf(
            path=path,
            paths=MappingProxyType(dict(self._paths)),
            remotes=tuple(self._remotes),
            sainfos=tuple(self._sainfos),
            listen=Listen(**_frozen(self._listen)),
            timers=Timers(**self._timers),
            log_level=self._log_level,
            files=tuple(self._files),
            problems=tuple(problems),
        )

    def read_file(self, path: str, text: str, *, depth: int) -> None:
        including = self._path, self._depth
        self._path, self._depth = path, depth
        self._files.setdefault(path, len(self._files))
        keywords = grammar.SECTIONS | {"include", "mode_cfg"}
        for statement in split_at_keywords(statements(text, grammar.SECTIONS, self._report), keywords, self._report):
            self._guard(statement, self._statement)
        self._path, self._depth = including

    def _report(self, line: int, message: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(self._path, line, message))
        else:
            self._unlisted += 1

    def _guard(self, statement: Statement, read: Callable[[Statement], None]) -> None:
        """Turn a statement that does not fit into a problem, so that the next one is read."""
        try:
            read(statement)
        except Misread as misread:
            self._report(statement.line, f"{shown(statement.words[0].text)}: {misread}")

    def _statement(self, statement: Statement) -> None:
        readers: dict[str, Callable[[Statement], None]] = {
            "path": self._path_statement,
            "include": self._include_statement,
            "log": self._log_statement,
            "remote": self._remote,
            "sainfo": self._sainfo,
            "listen": self._listen_section,
            "timer": self._timer_section,
            **dict.fromkeys(grammar.UNKEPT, self._unkept),
            **dict.fromkeys(("complex_bundle", "gss_id_enc", "pfkey_buffer"), lambda _statement: None),
        }
        reader = readers.get(statement.keyword)
        if reader is None:
            raise Misread("no such statement or section")
        reader(statement)

    # --- statements outside of sections ---

    def _path_statement(self, statement: Statement) -> None:
        words = _words(statement)
        kind = words.one_of(*grammar.PATHS)
        value = words.string()
        words.finish()
        self._paths[kind] = value

    def _log_statement(self, statement: Statement) -> None:
        words = _words(statement)
        level = words.one_of(*grammar.LOG_LEVELS)
        words.finish()
        self._log_level = level

    def _include_statement(self, statement: Statement) -> None:
        words = _words(statement)
        pattern = words.string()
        words.finish()
        if self._depth + 1 >= MAX_INCLUDE_DEPTH:
            raise Misread(f"more than {MAX_INCLUDE_DEPTH} files deep")
        self._bound_includes()  # nothing is looked for beyond it
        directory = posixpath.dirname(self._path)
        if "include" in self._paths:
            directory = posixpath.join(directory, self._paths["include"])
        found = self._include(pattern, directory)
        if not found:
            raise Misread("no file fits")
        for path, text in found:
            self._bound_includes()
            self._included += 1
            self._included_text += len(text or "")
            if text is None:
                self._report(statement.line, f"{path} can not be read")
            else:
                self.read_file(path, text, depth=self._depth + 1)

    def _bound_includes(self) -> None:
        if self._included >= MAX_FILES or self._included_text >= MAX_INCLUDED_TEXT:
            raise Misread(f"{MAX_FILES} files, or {MAX_INCLUDED_TEXT:,} characters, are included already")

    # --- sections ---

    def _fields(self, block: tuple[Statement, ...], table: Mapping[str, ReadWords]) -> Fields:
        """Return all fields that the statements of a section set."""
        fields: Fields = {}
        self._collect(fields, block, table)
        return _frozen(fields)

    def _collect(self, fields: Fields, block: tuple[Statement, ...], table: Mapping[str, ReadWords]) -> None:
        for statement in split_at_keywords(block, table, self._report):
            self._guard(statement, lambda part: _merge(fields, self._read(part, table)))

    def _read(self, statement: Statement, table: Mapping[str, ReadWords]) -> Fields:
        read = table.get(statement.keyword)
        if read is None:
            raise Misread("not known in this section")
        if statement.block is not None:
            raise Misread("no { is expected here")
        words = _words(statement)
        fields = read(words)
        words.finish()
        for complaint in words.complaints:
            self._report(statement.line, f"{shown(statement.keyword)}: {complaint}")
        return fields

    def _unkept(self, statement: Statement) -> None:
        self._fields(_block(statement), grammar.UNKEPT[statement.keyword])

    def _listen_section(self, statement: Statement) -> None:
        self._collect(self._listen, _block(statement), grammar.LISTEN)  # several sections add up

    def _timer_section(self, statement: Statement) -> None:
        self._collect(self._timers, _block(statement), grammar.TIMER)

    def _sainfo(self, statement: Statement) -> None:
        block = _block(statement)
        words = _words(statement)
        key = grammar.sainfo_key(words)
        words.finish()
        section = SainfoSection(self._path, statement.line, **key, **self._fields(block, grammar.SAINFO))
        for name in ("encryption", "authentication", "compression"):
            if not getattr(section, f"{name}_algorithms"):
                self._report(statement.line, f'"sainfo": no {name}_algorithm')  # racoon refuses such a section
        self._sainfos.append(section)

    def _remote(self, statement: Statement) -> None:
        words = _words(statement)
        key = grammar.remote_key(words)
        parent_key = grammar.remote_key(words) if words.skip("inherit") else None
        words.finish()
        if parent_key is None and statement.block is None:
            raise Misread("a section { … } is missing")
        parent = RemoteSection(self._path, statement.line) if parent_key is None else self._parent(parent_key, statement)
        base = replace(
            parent,
            path=self._path,
            line=statement.line,
            friendly_name=statement.name,
            inherits=None if parent_key is None else str(parent_key.get("name", parent_key.get("address"))),
            **{"name": None, "address": None, "anonymous": False, **key},
        )
        section = self._filled(base, statement.block or ())
        for missing in self._lacks(section):
            self._report(statement.line, f'"remote": {missing}')
        self._remotes.append(section)
        self._sections[_selection(key)] = section

    def _filled(self, base: RemoteSection, block: tuple[Statement, ...]) -> RemoteSection:
        """Fill in the statements of a remote section; its own proposals replace inherited ones (duprmconf_finish())."""
        proposals: list[Statement] = []
        others: list[Statement] = []
        for statement in split_at_keywords(block, {*grammar.REMOTE, "proposal"}, self._report):
            (proposals if statement.keyword == "proposal" else others).append(statement)
        fields = self._fields(tuple(others), grammar.REMOTE)
        if proposals:
            fields["proposals"] = tuple(
                Proposal(**self._fields(statement.block or (), grammar.PROPOSAL)) for statement in proposals
            )
        return replace(base, **fields)

    def _parent(self, key: Fields, statement: Statement) -> RemoteSection:
        section = self._sections.get(_selection(key))
        if section is None:
            self._report(statement.line, '"remote": the section to inherit from does not exist')
            return RemoteSection(self._path, statement.line)
        return section

    def _lacks(self, section: RemoteSection) -> list[str]:
        """Why racoon would refuse this section (cfparse.y: process_rmconf())."""
        lacks = []
        if not section.exchange_modes:
            lacks.append("no exchange_mode")
        if not section.proposals:
            lacks.append("no proposal")
        if section.name is not None and _selection({"name": section.name}) in self._sections:
            lacks.append("a section of this name already exists")
        return lacks


def _words(statement: Statement) -> Words:
    return Words(statement.words[1:])


def _block(statement: Statement) -> tuple[Statement, ...]:
    if statement.block is None:
        raise Misread("a section { … } is missing")
    return statement.block


def _merge(fields: Fields, read: Fields) -> None:
    """Add what a statement sets; fields that add up are lists until `_frozen`, so that many take no more time than few."""
    for name, value in read.items():
        if name in grammar.APPENDED:
            fields.setdefault(name, []).extend(value)
        else:
            fields[name] = value


def _frozen(fields: Fields) -> Fields:
    return {name: tuple(value) if name in grammar.APPENDED else value for name, value in fields.items()}


def _selection(key: Fields) -> tuple[object, ...]:
    """Return what selects a remote section as a key to look it up."""
    return tuple(sorted(key.items()))
