"""Who asks for a reload without pause keeps no line from being read."""

from __future__ import annotations

from racoon_exporter.serve.reload_requests import ReloadRequests
from tests.clock import Clock


def test_it_is_done_at_once_when_it_is_asked_for() -> None:
    requests = ReloadRequests(Clock())
    assert not requests.is_due()
    requests.ask()
    requests.ask()
    assert requests.is_due()
    with requests.answering():
        assert not requests.is_due()
    assert not requests.is_due(), "two that waited are one"


def test_what_is_asked_for_meanwhile_is_done_later_and_not_forgotten() -> None:
    clock = Clock()
    requests = ReloadRequests(clock)
    requests.ask()
    with requests.answering():
        clock.now += 2.0
        requests.ask()
    assert not requests.is_due()
    clock.now += 7.9
    assert not requests.is_due()
    clock.now += 0.2
    assert requests.is_due()


def test_it_takes_a_fifth_of_the_time_at_most() -> None:
    clock = Clock()
    requests = ReloadRequests(clock)
    busy = 0
    for _ in range(1000):
        requests.ask()
        if requests.is_due():
            with requests.answering():
                clock.now += 1.0
            busy += 1
        else:
            clock.now += 1.0
    assert busy == 200
