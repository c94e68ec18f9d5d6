from __future__ import annotations

from itertools import pairwise

import pytest

from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.expected_peers import ExpectedPeer
from racoon_exporter.gateway_scope import scope_of
from racoon_exporter.sa import Expectation
from racoon_exporter.status.overview.view import STATES, totals
from tests.exporter.status.engines import PEER, Gateway, permanent, recording, status, until

STOP = "caught signal 15"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("05-psk-mismatch-main", "timeout"),
        ("06-ph1-proposal-mismatch", "proposal_mismatch"),
        ("10-cert-expired", "certificate_expired"),
        ("04-unreachable-no-host", "no_response"),
        ("08-no-policy", "timeout"),
    ],
)
def test_a_permanent_peer_that_fails_is_down_for_its_reason(name: str, reason: str) -> None:
    peer = Gateway(permanent()).read(until(name, STOP)).peer()
    assert (peer.name, peer.kind, peer.state) == ("branch", "permanent", "down")
    assert peer.last_failure is not None
    assert peer.last_failure.reason == reason


def test_the_phase_1_failure_speaks_where_phase_2_only_lacked_a_phase_1() -> None:
    peer = Gateway(permanent()).read(recording("03-peer-killed-dpd", lines=37)).peer()
    assert peer.last_failure is not None
    assert (peer.last_failure.phase, peer.last_failure.reason) == (1, "no_response")
    assert sum(peer.failures[2].values()) > 0


def test_a_peer_that_came_back_is_up_and_tells_how_it_went_down() -> None:
    peer = Gateway(permanent()).read(until("03-peer-killed-dpd", STOP)).peer()
    assert (peer.state, peer.phase2_up) == ("up", True)
    assert peer.last_end is not None
    assert peer.last_end.cause == "dead_peer"


def test_after_the_shutdown_it_is_down_because_of_that() -> None:
    gateway = Gateway(permanent()).read(recording("02-rekey"))
    peer = gateway.peer()
    assert peer.state == "down"
    assert peer.since is not None
    assert 0 <= gateway.now - peer.since <= 5
    assert peer.last_end is not None
    assert peer.last_end.cause == "restart"


def test_a_peer_that_nobody_configured_is_gone_and_not_down() -> None:
    assert Gateway().read(recording("02-rekey")).peer().state == "gone"


def test_a_roaming_peer_is_idle_when_it_left() -> None:
    gateway = Gateway({PEER: Expectation("laptop", "roaming")}).read(recording("02-rekey"))
    assert gateway.peer().state == "idle"


def test_a_failure_is_news_for_an_hour() -> None:
    gateway = Gateway({PEER: Expectation("laptop", "roaming")}).read(until("05-psk-mismatch-main", STOP))
    assert gateway.peer().state == "failing"
    assert gateway.peer(after=4000).state == "idle"


def test_a_refused_login_is_a_failure_although_phase_1_was_established() -> None:
    peer = Gateway().read(recording("21-xauth-modecfg", "b")).peer("192.168.0.40")
    assert peer.state == "failing"
    assert peer.last_failure is not None
    assert peer.last_failure.reason == "xauth_failed"


def test_a_scanner_is_a_stranger_and_comes_last() -> None:
    shown = Gateway(permanent()).read(until("15-anonymous-scan", STOP, "b")).view()
    assert [peer.kind for peer in shown.peers] == ["permanent", "stranger"]
    assert totals(shown.peers)["failing"] == 0


def test_a_peer_of_a_gateway_that_was_not_heard_of_is_shown() -> None:
    known = FleetKnowledge(peers=[ExpectedPeer("192.0.2.9", "far", scope=scope_of(["berlin"]))])
    peer = Gateway(known).read(until("02-rekey", STOP)).peer("192.0.2.9")
    assert (peer.gateway, peer.name, peer.state) == ("berlin", "far", "unknown")


def test_an_expected_peer_that_no_line_names_is_shown_as_down() -> None:
    expected = permanent() | {"192.0.2.9": Expectation("silent")}
    peer = Gateway(expected).read(until("02-rekey", STOP)).peer("192.0.2.9")
    assert (peer.state, peer.since, peer.last_seen) == ("down", None, None)


@pytest.mark.parametrize("log", [b"", recording("26-quiet-log-levels")])
def test_silence_is_not_read_as_no_sas(log: bytes) -> None:
    gateway = Gateway(permanent()).read(log)
    assert gateway.peer().state == "unknown"
    assert {span.state for span in gateway.view().timeline(gateway.peer())} == {"unknown"}


def test_failures_without_a_peer_are_told_openly() -> None:
    shown = Gateway(permanent()).read(recording("08-no-sainfo-initiator")).view()
    assert [(one.peer, one.failures[2]) for one in shown.unattributed] == [("unattributed", {"no_config": 1})]
    assert all(peer.address != "unattributed" for peer in shown.peers)


def test_peers_come_in_the_order_of_urgency() -> None:
    expected = {
        PEER: Expectation("up"),
        "192.0.2.1": Expectation("b"),
        "192.0.2.2": Expectation("a"),
        "192.0.2.3": Expectation("away", "roaming"),
    }
    shown = Gateway(expected).read(until("02-rekey", STOP)).view()
    assert [(peer.state, peer.name) for peer in shown.peers] == [("down", "a"), ("down", "b"), ("up", "up"), ("idle", "away")]
    assert totals(shown.peers) == dict.fromkeys(STATES, 0) | {"down": 2, "up": 1, "idle": 1}


def test_the_same_address_on_two_gateways_is_two_peers() -> None:
    syslog = "<30>Nov 24 04:01:00 {host} racoon: INFO: ISAKMP-SA established {me}[500]-192.0.2.9[500] spi:{one}:{one}\n"
    gateway = Gateway({"192.0.2.9": Expectation("shared")})
    for host, me in (("east", "198.51.100.1"), ("west", "198.51.100.2")):
        gateway.read(syslog.format(host=host, me=me, one="0123456789abcdef"))
    assert [(peer.gateway, len(peer.isakmp)) for peer in gateway.view().peers] == [("east", 1), ("west", 1)]


def test_a_timeline_shows_what_is_known_of_the_last_day() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    spans = gateway.view(after=10).timeline(gateway.peer())
    assert spans[0].begin == gateway.view().log_begins
    assert [span.state for span in spans[:2]] == ["before", "up"], "until its first SA it does not count"
    assert (spans[-1].state, spans[-1].begin) == ("up", gateway.peer().since)


@pytest.mark.parametrize("name", ["02-rekey", "17-soak-chaos", "11-delete-restart"])
def test_the_day_has_a_gap_for_each_time_phase_2_went_down_for_a_second_or_more(name: str) -> None:
    gateway = Gateway(permanent()).read(recording(name))
    spans = gateway.view(after=10).timeline(gateway.peer())
    falls = sum(1 for one, other in pairwise(spans) if one.state == "up" and other.state in {"down", "planned"})
    assert 0 < falls <= gateway.peer().flaps <= falls * 1.1 + 1


def test_a_source_that_cannot_be_read_ends_what_is_known() -> None:
    gateway = Gateway(permanent()).read(until("02-rekey", STOP))
    gateway.statuses = (status(up=False, error="Permission denied"),)
    spans = gateway.view(after=600).timeline(gateway.peer())
    assert spans[-1].state == "unknown"
    assert spans[-1].seconds == 600


def test_what_the_archive_lets_go_is_still_counted() -> None:
    full, short = (Gateway(permanent(), history=limit).read(until("02-rekey", STOP)) for limit in (None, 10))
    assert len(short.engine.state.archive.ipsec) < len(full.engine.state.archive.ipsec)
    assert short.view().known_from == full.view().known_from == full.view().log_begins
    assert short.view().timeline(short.peer()) == full.view().timeline(full.peer())
