"""What is remembered of streams is bounded, however many there are and were: a pattern matches ever new files."""

from datetime import UTC

import pytest

from racoon_exporter import engine as module
from racoon_exporter.engine import Engine
from tests.exporter.reading import L, block

NAMES = [f"/var/log/gw-{number:04}-racoon.log" for number in range(600)]


def line(number: int, text: str = "INFO: caught signal 1") -> bytes:
    return f"2026-01-{15 + number // 300} 08:{number // 60 % 60:02}:{number % 60:02}: {text}\n".encode()


def read(engine: Engine, *, flushed: bool = True) -> Engine:
    for number, name in enumerate(NAMES):
        engine.feed(block(line(number), name))
        if flushed:
            engine.flush(name)
    return engine


def test_sources_that_are_read_no_longer_are_forgotten_but_for_the_last_few_and_the_beginning() -> None:
    engine = read(Engine(UTC))
    engine.forget_sources({NAMES[-1]})
    assert set(engine.last_line) == {NAMES[-1]}
    assert list(engine.readers) == NAMES[-257:]
    assert set(engine.first_line) == {NAMES[0], NAMES[-1]}
    assert min(engine.first_line.values()) == 1768464000.0


def test_a_few_that_were_read_are_kept_in_case_they_come_back() -> None:
    engine = read(Engine(UTC))
    engine.forget_sources(set(NAMES[200:]))
    assert list(engine.readers) == NAMES
    assert set(engine.first_line) == set(NAMES)


def test_a_record_that_is_kept_back_is_never_lost() -> None:
    engine = read(Engine(UTC), flushed=False)
    engine.forget_sources({NAMES[-1]})
    engine.flush()
    assert sum(engine.messages.values()) == len(NAMES)


def test_all_streams_together_remember_as_many_lines_as_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEMS", 1024)
    engine = Engine(UTC)
    texts = [f"INFO: respond new phase 1 negotiation: {L}[500]<=>10.0.{each // 200}.{each % 200}[500]" for each in range(1100)]

    data = b"".join(line(0, text) for text in texts)
    for number in (1, 2):
        for _ in range(4):  # the first time lets the others have less
            for name in NAMES[:number]:
                engine.feed(block(data, name))
        assert [len(reader._stems) for reader in engine.readers.values()] == [1024 // number] * number
