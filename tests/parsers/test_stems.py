"""What was said before is remembered within bounds that no log can break."""

from __future__ import annotations

from racoon_parsers.messages import catalogue
from racoon_parsers.stems import Stem, Stems

TEXT = "IPsec-SA expired: ESP/Tunnel 192.0.2.1[500]->198.51.100.{}[500] spi=7(0x7)"


def meet(stems: Stems, number: int, times: int = 1) -> str:
    text = TEXT.format(number)
    lead, mark, ending = f"INFO: {text}".partition(" spi")
    found = catalogue().recognise(text)
    assert found is not None
    for _ in range(times):
        if lead not in stems.begun:
            stems.meet(lead, mark, ending, Stem("INFO", "", found[0], text, found[1]))
        else:
            stems.begun[lead].used = True
    return lead


def test_a_stem_is_kept_from_the_second_time_on() -> None:
    stems = Stems()
    lead = meet(stems, 1)
    assert not stems.begun
    meet(stems, 1)
    assert list(stems.begun) == [lead]


def test_a_stem_gives_the_values_and_the_text_of_each_of_its_lines() -> None:
    stems = Stems()
    stem = stems.begun[meet(stems, 1, 2)]
    assert stem.text("=9(0x9)") == TEXT.format(1).replace("=7(0x7)", "=9(0x9)")
    assert stem.event(9) == catalogue().read(stem.text("=9(0x9)")).event  # type: ignore[union-attr]


def test_there_are_never_more_than_there_is_room_for() -> None:
    stems = Stems(most=64)
    for number in range(1000):
        meet(stems, number, 2)
        assert len(stems.begun) <= 64


def test_what_comes_once_pushes_nothing_out_that_is_in_use() -> None:
    stems = Stems(most=64)
    useful = {meet(stems, number, 2) for number in range(32)}
    for number in range(64, 10_000):
        meet(stems, number)
        meet(stems, number % 32)
    assert useful <= stems.begun.keys()


def test_more_stems_than_fit_leave_those_that_are_kept_where_they_are() -> None:
    """As many peers again as there is room for, in turn: half of the lines are still read the short way."""
    stems = Stems(most=64)
    known = 0
    for _ in range(20):
        for number in range(128):
            known += sum(f"198.51.100.{number}[" in lead for lead in stems.begun)
            meet(stems, number)
    assert known >= 20 * 128 * 0.4


def test_stems_of_peers_that_fell_silent_make_room_for_others() -> None:
    stems = Stems(most=64)
    gone = {meet(stems, number, 2) for number in range(64)}
    for _ in range(10):
        for number in range(100, 140):
            lead = meet(stems, number)
    assert lead in stems.begun
    assert not gone & stems.begun.keys()


def test_junk_that_comes_once_is_not_kept() -> None:
    """However much of it comes: what is kept because it was taken for another is less than one in a thousand."""
    stems = Stems()
    for number in range(60_000):
        meet(stems, number)
    assert len(stems) < 60_000 // 1000
