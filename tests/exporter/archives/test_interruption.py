"""A signal that ends a command: what was written is valid wherever it comes, and nothing that is ignored ends anything."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from racoon_exporter.archives.interruption import Interruption, taken, whole_rounds
from racoon_exporter.archives.sinks import Document, Lines, Sink, WholeRows

ROUNDS = [
    [([number], "ab"[number % 2], json.dumps({"row": number, "text": "x" * size})) for number in range(3)] for size in (9, 9000)
]
"""Rows shorter and longer than what a pipe takes as one."""


class Reader:
    """Takes a third of what is written, as a pipe may; the n-th time a signal comes before it is known how much was taken."""

    def __init__(self, signalled: int, number: int = signal.SIGINT) -> None:
        self.taken = b""
        self.times = 0
        self._signalled = signalled
        self._number = number

    def write(self, _descriptor: int, data: bytes) -> int:
        part = data[: len(data) // 3 + 1]
        self.taken += part
        self.times += 1
        if self.times == self._signalled:
            signal.raise_signal(self._number)
        return len(part)


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Begin as a program does that nobody started in the background."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def written(make: Callable[[WholeRows], Sink], reader: Reader, monkeypatch: pytest.MonkeyPatch) -> type[BaseException] | None:
    """Write all rounds; gives what ended it."""
    monkeypatch.setattr(os, "write", reader.write)
    try:
        with taken() as interruption, whole_rounds(make(WholeRows(1)), interruption) as take:
            for rows in ROUNDS:
                take(rows)
    except (KeyboardInterrupt, SystemExit) as error:
        return type(error)
    return None


def document(out: WholeRows) -> Sink:
    return Document(out, ["a", "b"])


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_document_is_one_wherever_a_signal_comes(
    number: signal.Signals, ends: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Reader(0)
    assert written(document, whole, monkeypatch) is None
    assert whole.times > 20
    for place in range(1, whole.times + 1):
        reader = Reader(place, number)
        assert written(document, reader, monkeypatch) is ends
        assert set(json.loads(reader.taken)) == {"a", "b"}


def test_lines_are_whole_wherever_a_signal_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Reader(0)
    assert written(Lines, whole, monkeypatch) is None
    for place in range(1, whole.times + 1):
        reader = Reader(place)
        assert written(Lines, reader, monkeypatch) is KeyboardInterrupt
        assert reader.taken.endswith(b"\n")
        assert all(json.loads(line) for line in reader.taken.splitlines())


def test_a_second_signal_does_not_wait_for_a_reader_that_has_stopped() -> None:
    reached = []

    def write() -> None:
        interruption = Interruption()
        with interruption.held():
            interruption.handle(signal.SIGINT)
            reached.append("the first")
            interruption.handle(signal.SIGTERM)
            reached.append("the second")

    with pytest.raises(SystemExit) as ended:
        write()
    assert (reached, ended.value.code) == (["the first"], 128 + signal.SIGTERM)


def test_between_rounds_a_signal_ends_us_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        Interruption().handle(signal.SIGINT)


def test_what_is_ignored_stays_ignored_and_all_else_is_as_it_was_afterwards() -> None:
    """`nohup` has SIGHUP ignored, a shell without job control SIGINT in the background."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with taken():
        ignored = signal.getsignal(signal.SIGHUP)
        ours = signal.getsignal(signal.SIGINT)
    after = signal.signal(signal.SIGHUP, before)
    assert ignored == after == signal.SIG_IGN
    assert ours != signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
