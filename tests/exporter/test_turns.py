"""Who wants to look has a turn after the block that is being read, however fast the reader comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from racoon_exporter.turns import MOST_SPARED, Turns


class Noticed(Turns):
    """Tells when somebody begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        wait_for = self._changed.wait_for

        def told(predicate: object) -> bool:
            self._changed.notify_all()
            return wait_for(predicate)  # type: ignore[arg-type]

        self.wait_for, self._changed.wait_for = wait_for, told  # type: ignore[assignment, method-assign]


def test_those_who_wait_come_before_the_next_block() -> None:
    turns, order = Noticed(), list[str]()

    def look(name: str) -> None:
        with turns.looking():
            order.append(name)

    lookers = [threading.Thread(target=look, args=(f"look {number}",)) for number in range(3)]
    with turns.reading():
        for count, looker in enumerate(lookers, 1):
            looker.start()
            with turns._changed:
                turns.wait_for(lambda count=count: turns._waiting == count)  # type: ignore[misc]
        order.append("block 1")
    with turns.reading():
        order.append("block 2")
    for looker in lookers:
        looker.join()
    assert order[0] == "block 1"
    assert order[-1] == "block 2"
    assert sorted(order[1:-1]) == ["look 0", "look 1", "look 2"]


def test_nobody_waits_where_nobody_looks() -> None:
    turns = Turns()
    for _ in range(3):
        with turns.reading():
            pass
    with turns.looking():
        pass
    with turns.reading():
        pass


def test_an_error_in_a_turn_ends_it() -> None:
    turns = Turns()
    for turn in (turns.reading, turns.looking):
        with pytest.raises(ZeroDivisionError), turn():
            print(1 // 0)
    with turns.reading():
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_reader_stands_back_while_somebody_is_answered_as_long_as_it_has_read_before() -> None:
    clock = Clock()
    turns = Turns(clock)
    stood_back = list[float]()

    def wait_for(done: Callable[[], bool], timeout: float | None = None) -> bool:
        if timeout is not None and not done():
            stood_back.append(timeout)
            clock.now += timeout
        return done()

    turns._changed.wait_for = wait_for  # type: ignore[method-assign, assignment]

    def read(seconds: float) -> None:
        with turns.reading():
            clock.now += seconds

    read(0.1)
    with turns.answering():
        for _ in range(3):
            read(0.01)
    read(1.0)
    assert stood_back == pytest.approx([0.1, 0.01, 0.01])
    with turns.answering():
        read(0.0)
    assert stood_back[-1] == MOST_SPARED


def test_the_reader_goes_on_as_soon_as_the_answer_is_given() -> None:
    turns, begun = Turns(), threading.Event()

    def answer() -> None:
        with turns.answering():
            begun.set()
            with turns.looking():
                pass

    with turns.reading():
        answering = threading.Thread(target=answer)
        answering.start()
        assert begun.wait(60)
    with turns.reading():
        pass
    answering.join()
    assert turns._answering == 0
