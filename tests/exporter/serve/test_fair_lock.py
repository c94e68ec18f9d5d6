"""Who wants to look has a turn after the block that is being read, however fast the reader comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from racoon_exporter.serve.fair_lock import MOST_SPARED, FairLock
from tests.clock import Clock


class Noticed(FairLock):
    """Tells when somebody begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        wait_for = self._changed.wait_for

        def told(predicate: object) -> bool:
            self._changed.notify_all()
            return wait_for(predicate)  # type: ignore[arg-type]

        self.wait_for, self._changed.wait_for = wait_for, told  # type: ignore[assignment, method-assign]


def test_those_who_wait_come_before_the_next_block() -> None:
    lock, order = Noticed(), list[str]()

    def look(name: str) -> None:
        with lock.looking():
            order.append(name)

    lookers = [threading.Thread(target=look, args=(f"look {number}",)) for number in range(3)]
    with lock.reading():
        for count, looker in enumerate(lookers, 1):
            looker.start()
            with lock._changed:
                lock.wait_for(lambda count=count: lock._waiting == count)  # type: ignore[misc]
        order.append("block 1")
    with lock.reading():
        order.append("block 2")
    for looker in lookers:
        looker.join()
    assert order[0] == "block 1"
    assert order[-1] == "block 2"
    assert sorted(order[1:-1]) == ["look 0", "look 1", "look 2"]


def test_nobody_waits_where_nobody_looks() -> None:
    lock = FairLock()
    for _ in range(3):
        with lock.reading():
            pass
    with lock.looking():
        pass
    with lock.reading():
        pass


def test_an_error_in_a_turn_ends_it() -> None:
    lock = FairLock()
    for turn in (lock.reading, lock.looking):
        with pytest.raises(ZeroDivisionError), turn():
            print(1 // 0)
    with lock.reading():
        pass


def noted(lock: FairLock, clock: Clock) -> list[float]:
    """Let time pass instead of waiting, and note how long the reader stood back each time."""
    stood_back = list[float]()

    def wait_for(done: Callable[[], bool], timeout: float | None = None) -> bool:
        if timeout is not None and not done():
            stood_back.append(timeout)
            clock.now += timeout
        return done()

    lock._changed.wait_for = wait_for  # type: ignore[method-assign, assignment]
    return stood_back


def test_the_reader_stands_back_while_somebody_is_answered_as_long_as_it_has_read_before() -> None:
    clock = Clock()
    lock = FairLock(clock)
    stood_back = noted(lock, clock)

    def read(seconds: float) -> None:
        with lock.reading():
            clock.now += seconds

    read(0.1)
    with lock.answering():
        for _ in range(3):
            read(0.01)
    read(1.0)
    assert stood_back == pytest.approx([0.1, 0.01, 0.01])
    with lock.answering():
        read(0.0)
    assert stood_back[-1] == MOST_SPARED


def test_work_beside_the_lock_is_done_in_the_order_of_need_too() -> None:
    clock = Clock()
    lock = FairLock(clock)
    stood_back = noted(lock, clock)

    def work() -> Iterator[int]:
        for number in range(4):
            clock.now += 0.02
            yield number

    assert list(lock.beside_answers(work())) == [0, 1, 2, 3]
    assert stood_back == []
    with lock.answering():
        assert list(lock.beside_answers(work())) == [0, 1, 2, 3]
    assert stood_back == pytest.approx([0.1, 0.02, 0.02, 0.02])
    assert list(lock.beside_answers(())) == []


def test_the_reader_goes_on_as_soon_as_the_answer_is_given() -> None:
    lock, begun = FairLock(), threading.Event()

    def answer() -> None:
        with lock.answering():
            begun.set()
            with lock.looking():
                pass

    with lock.reading():
        answering = threading.Thread(target=answer)
        answering.start()
        assert begun.wait(60)
    with lock.reading():
        pass
    answering.join()
    assert lock._answering == 0
