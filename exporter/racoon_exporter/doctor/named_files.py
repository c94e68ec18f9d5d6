"""The files that a configuration names, each with its line: opened as the user that will read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from racoon_exporter.config.file import read_config
from racoon_exporter.config.peers import RACOON
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.service_user import ServiceUser
from racoon_exporter.expected_peers import read_policies, read_racoon_conf
from racoon_exporter.source.files.patterns import files_of, is_pattern
from racoon_exporter.source.kinds import SOURCES
from racoon_exporter.yaml_document import Problem, Section, compose

_KAFKA: Final = (("tls", "ca"), ("tls", "certificate"), ("tls", "key"), ("tls", "key_password_file"), ("sasl", "password_file"))
"""Sections of a source `kafka`, and the keys in them that name files."""
_WITNESSES: Final = (("kernel", "state_file"), ("kernel", "policy_file"), ("racoon", "socket"), ("files", "racoon_config"))
"""Sections of `witnesses`, and the keys in them that name files."""


class Named(NamedTuple):
    """A file that a configuration names."""

    line: int | None
    key: str
    path: Path
    is_log: bool = False


def check_configuration(text: str, directory: Path, user: ServiceUser, *, logs: bool = True) -> Iterator[Problem]:
    """Say what is wrong in a configuration, and which files that it names `user`, who we are, cannot read.

    Without `logs` those are left alone: they may come later, and `serve` waits for them.
    """
    yield from read_config(text, directory)[1]
    for named in _named(text, directory):
        if not named.is_log or logs:
            yield from _unreadable(named, user)


def remarks(text: str, directory: Path) -> Iterator[str]:
    """Say what is not understood in the files of racoon that can be read: the rest of them is used."""
    for named in _named(text, directory):
        read = read_racoon_conf if named.key == "config" else read_policies if named.key == "policy_files" else None
        if read is None:
            continue
        try:
            problems = read(named.path).problems
        except OSError:
            continue  # told as a problem
        yield from (f"{problem.path}:{problem.line}: {problem.message}" for problem in problems)


def _unreadable(named: Named, user: ServiceUser) -> Iterator[Problem]:
    if is_pattern(str(named.path)):
        names = files_of(str(named.path))
        if not names:
            yield Problem(named.line, f"{named.key}: {named.path}: no file matches, for {user.name}")
    else:
        names = [str(named.path)]
    for name in names:
        refusal = readable(name, user)
        if refusal is not None:
            yield Problem(
                named.line, f"{named.key}: {name} {refusal.why}" if refusal.missing else f"{named.key}: {name}: {refusal.why}"
            )


def _named(text: str, directory: Path) -> Iterator[Named]:
    """Find the files. What is wrong beside them is told by who reads the configuration."""
    node, _ = compose(text)
    top = Section("the configuration", node, [])
    for source in top.sections("sources", (*(kind.key for kind in SOURCES), "gateway")):
        path = source.text("path")
        if path not in {None, "", "-"}:
            yield Named(source.line_at("path"), "path", directory / str(path), is_log=True)
        kafka = source.section("kafka")
        for section, key in _KAFKA:
            if path := kafka.section(section).text(key):
                yield Named(kafka.section(section).line_at(key), key, directory / path)
    for racoon in top.one_or_more("racoon", RACOON):
        if conf := racoon.text("config"):
            yield Named(racoon.line_at("config"), "config", directory / conf)
        for entry in racoon.entries("policy_files") or ():
            yield Named(entry.line, "policy_files", directory / entry.text)
    witnesses = top.section("witnesses")
    for section, key in _WITNESSES:
        witness = witnesses.section(section)
        if path := witness.text(key):
            yield Named(witness.line_at(key), key, directory / path)
