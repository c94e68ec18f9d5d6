from __future__ import annotations

from racoon_exporter.status.overview.trust import BEHIND_BYTES, FUTURE_SECONDS, SILENT_SECONDS, doubts
from tests.exporter.status.engines import Gateway, permanent, recording, status, until

STOP = "caught signal 15"


def titles(gateway: Gateway, after: float = 0.0) -> list[str]:
    shown = gateway.view(after)
    return [doubt.title for doubt in doubts(shown.facts, shown.now)]


def test_a_log_that_is_written_and_read_leaves_no_doubt() -> None:
    assert titles(Gateway(permanent()).read(until("02-rekey", STOP))) == []


def test_a_racoon_that_logs_too_little_is_told() -> None:
    gateway = Gateway(permanent()).read(recording("26-quiet-log-levels"))
    assert titles(gateway) == ["racoon logs too little to see SAs"]


def test_a_racoon_that_stopped_is_told_and_its_silence_is_not() -> None:
    gateway = Gateway(permanent()).read(recording("02-rekey"))
    assert titles(gateway, after=SILENT_SECONDS + 60) == ["racoon is not running"]


def test_a_silent_log_is_told_with_its_silence() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    assert titles(gateway, after=SILENT_SECONDS) == []
    assert titles(gateway, after=SILENT_SECONDS + 60) == ["racoon has written nothing for 8 h 1 min"]


def test_a_log_in_the_wrong_zone_is_told() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    assert titles(gateway, after=-FUTURE_SECONDS) == []
    assert titles(gateway, after=-7200.0) == ["The log of racoon is 2 h ahead of our clock"]


def test_a_source_that_cannot_be_read_comes_with_its_error() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    gateway.statuses = (status(), status("old.log", up=False, error="Permission denied"))
    shown = gateway.view()
    (doubt,) = doubts(shown.facts, shown.now)
    assert doubt.title == "The log old.log cannot be read"
    assert doubt.text.startswith("Permission denied.")


def test_a_source_that_is_behind_is_told() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    gateway.statuses = (status(lag_bytes=BEHIND_BYTES),)
    assert titles(gateway) == []
    gateway.statuses = (status(lag_bytes=BEHIND_BYTES + 1),)
    assert titles(gateway) == ["The log racoon.log has not been read to its end"]


def test_a_log_without_a_line_of_racoon_is_told() -> None:
    assert titles(Gateway(permanent()).read(b"Nov 24 04:01:00 gw sshd[1]: hello\n")) == ["No line of racoon was read yet"]


def test_without_expected_peers_that_is_said_last_and_is_not_serious() -> None:
    shown = Gateway().read(recording("02-rekey")).view()
    found = doubts(shown.facts, shown.now)
    assert [(doubt.serious, doubt.title) for doubt in found] == [
        (True, "racoon is not running"),
        (False, "No expected peers are configured"),
    ]
