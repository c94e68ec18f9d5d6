"""The dialects: one folder each, found by their folders, read by `line.py` and `messages`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from racoon_parsers.dialects.base import Dialect, Format, Spellings

BASE: Final = "ipsec_tools"
"""The dialect that the others lean on: its heads are the widest, so they are tried last."""


def _folders() -> list[str]:
    names = sorted(module.name for module in iter_modules(__path__) if module.ispkg)
    return [*(name for name in names if name != BASE), BASE]


def _dialect(name: str) -> Dialect:
    dialect: Dialect = import_module(f"{__name__}.{name}.dialect").DIALECT
    if dialect.name != name:
        raise ValueError(f"dialects/{name}/dialect.py: named {dialect.name}")
    return dialect


DIALECTS: Final[dict[str, Dialect]] = {name: _dialect(name) for name in _folders()}
"""Every dialect by its folder's name, ipsec-tools last."""


def _formats() -> Iterator[Format]:
    for dialect in DIALECTS.values():
        for one in dialect.formats:
            yield replace(one, dialect=dialect.name) if dialect.own else one


FORMATS: Final[tuple[Format, ...]] = tuple(sorted(_formats(), key=lambda one: one.needs != ""))
"""Every format; the first that fits a line is its format. Those that say too little by themselves stand last."""

SPELLINGS: Final[Spellings] = tuple(
    rule for dialect in reversed(DIALECTS.values()) if not dialect.own for rule in dialect.spellings
)
"""How texts are changed on their way by systems whose heads are those of others, and by what they pass through."""

__all__ = ["BASE", "DIALECTS", "FORMATS", "SPELLINGS", "Dialect", "Format", "Spellings"]
