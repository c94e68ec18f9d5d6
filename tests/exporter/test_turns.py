"""Who wants to look has a turn after the block that is being read, however fast the reader comes back."""

from __future__ import annotations

import threading

import pytest

from racoon_exporter.turns import Turns


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
