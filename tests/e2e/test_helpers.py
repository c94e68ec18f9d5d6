"""What plays recordings and shortens patience is itself tested, in the quick suite."""

from pathlib import Path

import pytest

from tests.e2e.patience import seconds, shortened
from tests.e2e.replay import Line, Replay, at_present, merged, recorded
from tests.e2e.waiting import until

NOW = 1795502858.5


def test_a_recording_is_read_with_seconds_since_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("2026-11-24 04:01:00: INFO: one\n\tgoes on\n2026-11-24 04:01:07: INFO: two\nINFO: caught signal 15\n")
    assert list(recorded(log, stop_before="caught signal")) == [
        Line(0, "2026-11-24 04:01:00: INFO: one"),
        Line(0, "\tgoes on"),
        Line(7, "2026-11-24 04:01:07: INFO: two"),
    ]


def test_recordings_are_merged_by_time(tmp_path: Path) -> None:
    for name, second in (("a", 3), ("b", 1)):
        first = f"2026-11-24T04:01:00.5+00:00 {name} racoon: INFO: start\n"
        (tmp_path / name).write_text(first + f"2026-11-24T04:01:0{second}.5+00:00 {name} racoon: INFO: next\n")
    lines = merged([tmp_path / "a", tmp_path / "b"])
    assert [(line.after, line.text.split()[1]) for line in lines] == [(0, "a"), (0, "b"), (1, "b"), (3, "a")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-24 04:01:00: INFO: one", "2026-11-24 06:47:38: INFO: one"),
        ("2026-11-24T04:01:00.25+00:00 a racoon: INFO: one", "2026-11-24T06:47:38.500000+00:00 a racoon: INFO: one"),
        ("\tgoes on", "\tgoes on"),
    ],
    ids=["racoon", "syslog", "continued"],
)
def test_a_line_is_stamped_with_the_present(line: str, expected: str) -> None:
    assert at_present(line, NOW) == expected


def test_a_replay_writes_every_line_in_order(tmp_path: Path) -> None:
    replay = Replay([Line(0, "one"), Line(0.5, "two"), Line(1, "three")], tmp_path / "log", speed=100)
    replay.start()
    replay.join(10)
    assert (tmp_path / "log").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(("duration", "expected"), [("5s", 5), ("3m", 180), ("2h", 7200), ("1d", 86400)])
def test_durations_are_read(duration: str, expected: int) -> None:
    assert seconds(duration) == expected


def test_patience_is_shortened_and_nothing_else() -> None:
    rule = {"alert": "A", "expr": "x[15m] > 1", "for": "3m", "keep_firing_for": "2h", "labels": {"severity": "info"}}
    assert shortened({"groups": [{"name": "g", "rules": [rule]}]}) == {
        "groups": [{"name": "g", "rules": [{**rule, "for": "3s", "keep_firing_for": "120s"}]}]
    }


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(AssertionError, match="in vain for the moon"):
        until(lambda: None, "the moon", 0)
