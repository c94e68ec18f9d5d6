"""At which gateways something holds: at all, at those that are named, or at those whose names fit a pattern.

Names of hosts have no case (RFC 4343), so none is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

_MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Scope:
    """Some gateways, or all where nothing is said."""

    names: tuple[str, ...] = ()
    """As they are written."""
    patterns: tuple[str, ...] = ()
    """Shell patterns, such as `gw-*`."""

    @property
    def everywhere(self) -> bool:
        """Whether all gateways are meant."""
        return not self.names and not self.patterns

    def parts(self) -> Iterator[str | None]:
        """Give each name and pattern in the form in which equal ones are equal; None for all gateways."""
        if self.everywhere:
            yield None
        yield from map(same_name, (*self.names, *self.patterns))

    def fits(self, gateway: str) -> bool:
        """Whether the name of a gateway, in its one form, fits a pattern."""
        return any(_compiled(pattern).match(gateway) for pattern in self.patterns)


EVERYWHERE: Final = Scope()


def scope_of(texts: Iterable[str]) -> Scope:
    """Make the scope of names and patterns as somebody wrote them."""
    written = tuple(dict.fromkeys(texts))
    return Scope(
        tuple(text for text in written if not _MAGIC.search(text)), tuple(text for text in written if _MAGIC.search(text))
    )


def same_name(gateway: str) -> str:
    """Give the form that is one for all spellings of a gateway's name."""
    return gateway.casefold()


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(same_name(pattern)))


__all__ = ["EVERYWHERE", "Scope", "same_name", "scope_of"]
