"""Where the former files of a log were left: one that comes back, under whatever name or as a copy, is read on from there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from racoon_exporter.source.files.fingerprint import FINGERPRINT_SPAN, NOTHING, Fingerprint
from racoon_exporter.source.files.open_file import OpenFile
from racoon_exporter.source.files.position import Identity, Position

LEFT_KEPT = 32
"""Of so many files it is remembered where they were left: more than logrotate usually keeps."""

MARKED_KEPT = 2
"""Of so many of them the ends of lines before are remembered: what a host that loses power loses is no older."""

WHOLE_PROOF = 24
"""So many bytes of equal content at the same offset make two files the same log: a line with its time, to the second."""

PROOF_SPAN = 64
"""So many do if the file may have stood there before: a racoon line is about that long."""


class FormerFiles:
    """Positions of files that are read no more, the newest last.

    The same file may have been left several times, with other content each: its copies are known by that.
    """

    def __init__(self) -> None:
        """None was left yet."""
        self._positions: OrderedDict[tuple[Identity, Fingerprint], Position] = OrderedDict()

    def positions(self) -> tuple[Position, ...]:
        """Give all, to remember over a restart."""
        return tuple(self._positions.values())

    def resume(self, positions: Iterable[Position]) -> None:
        """Remember what an earlier process knew."""
        self._positions = OrderedDict(((each.identity, each.fingerprint), each) for each in positions)

    def leave(self, position: Position, *, rest_is_lost: bool = False) -> None:
        """Remember where a file was left; what was unread of it may have been counted as lost, and is not to be given then."""
        size = position.size if rest_is_lost else position.offset
        left = replace(position, size=size, ahead=NOTHING, past=None)
        self._positions[left.identity, left.fingerprint] = left
        self._positions.move_to_end((left.identity, left.fingerprint))
        if len(self._positions) > LEFT_KEPT:
            self._positions.popitem(last=False)
        for key in [key for key, each in self._positions.items() if each.marks][:-MARKED_KEPT]:
            self._positions[key] = replace(self._positions[key], marks=())

    def of(self, identity: Identity) -> Position | None:
        """Where the file with this identity was left last, if it was read once."""
        return next((each for each in reversed(self._positions.values()) if each.identity == identity), None)

    def stand(self, generation: OpenFile, leaving: OpenFile | None, *, grows: bool = False) -> Position | None:
        """Make a file stand where it, or what it is a copy of, was left, and give that; `leaving` is read until now.

        A file that `grows` may be more than a copy, although it ends where that was left. Raises OSError.
        """
        known = [*self._positions.values(), *([leaving.ending()] if leaving is not None else [])]
        found: Position | None = None
        for position in sorted(known, key=lambda each: each.offset):
            same = position.identity == generation.identity
            if same and position.offset and not position.fingerprint.length:  # it could not be read then
                # At the path another file has its inode, and so has one that ends no line there.
                if not grows and generation.stand_behind(position.offset, of_whole_lines=True):
                    found = position
            elif same and position.unread and not position.offset:  # nothing of it was read, and its rest is lost
                if not grows and generation.exactly(1, position.unread - 1) == b"\n" and generation.resume_at(position):
                    found = position
            elif (same or _proves(position, generation, grows=grows)) and generation.resume_at(position):
                found = position
        cut_off = False
        for position in known if generation.reader.plain else []:
            cut_off |= generation.resume_at_mark(position)
        if cut_off:
            return generation.position()
        if found is not None:
            generation.pass_over_lost(found.unread)
        return found

    def find(self, generation: OpenFile, leaving: OpenFile | None) -> None:
        """Make a file that lost its beginning stand behind what was read last, which stood elsewhere then. Raises OSError."""
        newest = leaving.ending() if leaving is not None else next(reversed(self._positions.values()), None)
        if newest is not None and newest.fingerprint.length == FINGERPRINT_SPAN:
            generation.find(newest)


def _proves(position: Position, generation: OpenFile, *, grows: bool) -> bool:
    return is_proof(position) and not generation.only_begins_alike(position.offset, goes_on=grows)


def is_proof(position: Position) -> bool:
    """Whether another file with the same content before the offset must be a copy."""
    return position.fingerprint.length >= WHOLE_PROOF
