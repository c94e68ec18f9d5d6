"""The dialects: one folder each, found by their folders, read by `line.py` and `messages`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from traceback import extract_tb
from typing import Final

from racoon_parsers.dialects.base import Dialect, Format, Spellings
from racoon_parsers.tsv import TableError

BASE: Final = "ipsec_tools"
"""The dialect that the others lean on: its heads are the widest, so they are tried last."""


def _folders() -> list[str]:
    names = sorted(module.name for module in iter_modules(__path__) if module.ispkg)
    return [*(name for name in names if name != BASE), BASE]


def _file(name: str) -> str:
    return str(files(__name__).joinpath(name, "dialect.py"))


def _dialect(name: str) -> Dialect:
    """Read a dialect. Raises TableError where its folder is wrong."""
    file = _file(name)
    try:
        module = import_module(f"{__name__}.{name}.dialect")
    except ModuleNotFoundError as error:
        raise TableError(file, 1, f"{error}; a dialect's folder holds a dialect.py") from error
    except (ValueError, TypeError) as error:
        raise TableError(file, _line(error, file), str(error)) from error
    dialect = getattr(module, "DIALECT", None)
    if not isinstance(dialect, Dialect):
        raise TableError(file, 1, "no DIALECT; the file holds one, made with Dialect(...)")
    if dialect.name != name:
        raise TableError(file, 1, f"the dialect is named {dialect.name}, its folder {name}; both have one name")
    return dialect


def _line(error: BaseException, file: str) -> int:
    """Give the line of a file that an error comes from."""
    return next((frame.lineno or 1 for frame in reversed(extract_tb(error.__traceback__)) if frame.filename == file), 1)


DIALECTS: Final[dict[str, Dialect]] = {name: _dialect(name) for name in _folders()}
"""Every dialect by its folder's name, ipsec-tools last."""


def _formats() -> Iterator[Format]:
    first: dict[str, str] = {}
    for dialect in DIALECTS.values():
        for one in dialect.formats:
            if one.name in first:
                raise TableError(
                    _file(dialect.name), 1, f"{first[one.name]} has a head named {one.name} already; name it otherwise"
                )
            first[one.name] = dialect.name
            yield replace(one, dialect=dialect.name) if dialect.own else one


FORMATS: Final[tuple[Format, ...]] = tuple(sorted(_formats(), key=lambda one: one.needs != ""))
"""Every format; the first that fits a line is its format. Those that say too little by themselves stand last."""

SPELLINGS: Final[Spellings] = tuple(
    rule for dialect in reversed(DIALECTS.values()) if not dialect.own for rule in dialect.spellings
)
"""How texts are changed on their way by systems whose heads are those of others, and by what they pass through."""

__all__ = ["BASE", "DIALECTS", "FORMATS", "SPELLINGS", "Dialect", "Format", "Spellings"]
