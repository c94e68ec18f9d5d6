"""Looks come in the order of their times, and those of one time in the order in which they were set."""

from typing import Any

import pytest

from racoon_exporter.sa import timers as module
from racoon_exporter.sa.timers import NEVER, Timers


class Noted:
    """An owner that notes at what it looked, and may set more looks, or fail."""

    def __init__(self, timers: Timers) -> None:
        self.looked: list[Any] = []
        self._timers = timers

    def due(self, what: Any, now: float) -> None:
        self.looked.append(what)
        if what == "again":
            self._timers.at(now, self, "set meanwhile")
        if what == "fails":
            raise LookupError(what)

    def awaits(self, what: Any, when: float) -> bool:
        return bool(what == when)


def test_looks_of_one_time_come_in_the_order_in_which_they_were_set() -> None:
    timers = Timers()
    owner = Noted(timers)
    for when, what in ((3.0, "d"), (1.0, "a"), (2.0, "c"), (1.0, "b"), (4.0, "later")):
        timers.at(when, owner, what)
    assert (timers.next, len(timers)) == (1.0, 5)
    timers.run(3.0)
    assert owner.looked == ["a", "b", "c", "d"]
    assert (timers.next, len(timers)) == (4.0, 1)
    timers.run(4.0)
    assert (timers.next, len(timers)) == (NEVER, 0)


def test_what_a_look_sets_for_the_same_time_comes_at_once() -> None:
    timers = Timers()
    owner = Noted(timers)
    for what in ("again", "next"):
        timers.at(1.0, owner, what)
    timers.run(1.0)
    assert owner.looked == ["again", "next", "set meanwhile"]


def test_a_look_that_fails_takes_no_other_with_it() -> None:
    timers = Timers()
    owner = Noted(timers)
    for what in ("first", "fails", "third", "fourth"):
        timers.at(1.0, owner, what)
    with pytest.raises(LookupError):
        timers.run(2.0)
    assert len(timers) == 2
    timers.run(2.0)
    assert owner.looked == ["first", "fails", "third", "fourth"]
    assert len(timers) == 0


def test_looks_that_nobody_awaits_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 10)
    timers = Timers()
    owner = Noted(timers)
    for number in range(100):
        timers.at(1000.0 - number, owner, 1000.0 if number < 5 else "sooner")
    assert len(timers) <= 12
    timers.run(2000.0)
    assert owner.looked.count(1000.0) == 1
