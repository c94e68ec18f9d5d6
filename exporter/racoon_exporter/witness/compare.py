"""What the log believes beside what a witness sees. Pure: both come in, differences go out.

A difference is one after two looks in a row, as either side may be a moment behind the other: an SA is in the kernel before
its line is written, and gone before its last line is read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Differences(Generic[Key]):
    """Where log and witness differ, by the second look in a row."""

    vanished: dict[Key, float] = field(default_factory=dict)
    """In the log's belief alive, and not there: with the time of the first look that lacked it."""
    unlogged: dict[Key, float] = field(default_factory=dict)
    """There, and not in the log's belief: with the time of the first look that had it."""


class Comparison(Generic[Key]):
    """Two looks at the SAs of one gateway, of one kind."""

    def __init__(self) -> None:
        """Begin without a look."""
        self._missing: dict[Key, float] = {}
        self._surplus: dict[Key, float] = {}

    def look(self, believed: Iterable[Key], seen: Iterable[Key], taken: float, *, complete: bool = True) -> Differences[Key]:
        """Compare. A look that is not complete proves what it has, and nothing by what it lacks."""
        believed, seen = set(believed), set(seen)
        missing = believed - seen if complete else set()
        surplus = seen - believed
        differences = Differences(
            {key: since for key, since in self._missing.items() if key in missing},
            {key: since for key, since in self._surplus.items() if key in surplus},
        )
        self._missing = {key: taken for key in missing if key not in differences.vanished}
        self._surplus = {key: taken for key in surplus if key not in differences.unlogged}
        return differences

    def forget(self) -> None:
        """Begin anew: the log was not followed to its end when this look was taken."""
        self._missing.clear()
        self._surplus.clear()
