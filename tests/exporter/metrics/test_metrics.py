"""Which series exist, and under which labels, before and after the first line."""

from datetime import UTC

import pytest

from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.engine import Engine
from racoon_exporter.expected_peers import ExpectedPeer
from racoon_exporter.exposition import render
from racoon_exporter.gateway_scope import scope_of
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation, Knowledge, Limits
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.source.contract import SourceStatus
from tests.exporter.reading import P, block, knowing, sa, told, up

STARTED = b"2026-01-15 08:30:02: INFO: @(#)ipsec-tools 0.8.2 (http://ipsec-tools.sourceforge.net)\n"
BERLIN = "/var/log/berlin/racoon.log"
KNOWN_IN_ADVANCE = (
    "racoon_daemon_starts_total",
    "racoon_daemon_crashes_total",
    "racoon_config_errors_total",
    "racoon_kernel_errors_total",
    'racoon_xauth_logins_total{result="failure"}',
    'racoon_phase1_negotiation_duration_seconds_count{role="initiator"}',
)


def own(*names: str) -> OwnState:
    return OwnState(tuple(SourceStatus(name, up=True) for name in names))


def metrics(engine: Engine, *sources: str) -> str:
    samples, gateways = collect(engine, own(*sources))
    return render(samples, gateways=gateways, openmetrics=False).decode()


def gateway_of(source: str) -> str:
    return "berlin" if source == BERLIN else ""


def expecting(gateway: str | None) -> FleetKnowledge:
    return FleetKnowledge(peers=[ExpectedPeer("10.0.0.2", "branch", scope=scope_of([gateway] if gateway else []))])


@pytest.mark.parametrize("series", KNOWN_IN_ADVANCE)
def test_a_daemon_that_was_never_heard_has_its_counters_at_0(series: str) -> None:
    """Series that begin with their first event would hide it from increase()."""
    assert f"{series} 0.0\n" in metrics(Engine(UTC), "racoon.log")


def test_nothing_is_said_about_a_daemon_that_was_never_heard() -> None:
    written = metrics(Engine(UTC), "racoon.log")
    assert "\nracoon_daemon_up" not in written
    assert "\nracoon_daemon_info" not in written


def test_sas_of_peers_that_have_no_place_are_the_others() -> None:
    """Whoever may send a packet, or write a line, names as many addresses as he likes: their SAs add no series."""
    lines = [
        line
        for number in range(50)
        for line in (
            f"08:30:00 {up(f'{number:016x}:{1:016x}', f'203.0.113.{number}')}",
            f"08:30:01 {sa(2 * number + 1, peer=f'203.0.113.{number}')}",
            f"08:30:01 {sa(2 * number + 2, peer=f'203.0.113.{number}')}",
        )
    ]
    limits = Limits(peers=10, gateways=1, history=100)
    engine = told(*lines, f"08:30:02 {up()}", knowledge=knowing(P, limits=limits))
    written = metrics(engine, "racoon.log").splitlines()
    own = {line.partition('peer="')[2].partition('"')[0] for line in written if line.startswith("racoon_phase1_up{")}
    assert own == {P, *(f"203.0.113.{number}" for number in range(10))}
    named = {line.partition('peer="')[2].partition('"')[0] for line in written if 'peer="' in line}
    assert named == {*own, "other"}
    assert 'racoon_phase1_sas{peer="other"} 40.0' in written
    assert 'racoon_ipsec_sas{peer="other",protocol="esp",state="mature"} 80.0' in written
    assert sum(float(line.rpartition(" ")[2]) for line in written if line.startswith("racoon_phase1_sas{")) == 51


def test_a_gateway_of_the_configuration_has_its_counters_before_its_first_line() -> None:
    engine = Engine(UTC, gateway_of=gateway_of)
    written = metrics(engine, BERLIN)
    assert 'racoon_daemon_starts_total{gateway="berlin"} 0.0\n' in written
    assert 'gateway=""' not in written


def test_a_series_keeps_its_labels_when_the_first_line_comes() -> None:
    engine = Engine(UTC, gateway_of=gateway_of, knowledge=expecting(None))
    before = metrics(engine, BERLIN)
    engine.feed(block(STARTED, BERLIN))
    engine.finish()
    after = metrics(engine, BERLIN)
    series = {line.rsplit(" ", 1)[0] for line in before.splitlines() if not line.startswith("#")}
    assert series <= {line.rsplit(" ", 1)[0] for line in after.splitlines()}
    assert 'racoon_daemon_starts_total{gateway="berlin"} 1.0\n' in after
    assert 'racoon_phase2_up{gateway="berlin",peer="branch"} 0.0\n' in after


def test_a_rotated_file_of_before_belongs_to_the_gateway_of_its_log() -> None:
    engine = Engine(UTC, gateway_of=gateway_of)
    engine.feed(block(STARTED, f"{BERLIN}.1"))
    engine.finish()
    assert 'racoon_daemon_starts_total{gateway="berlin"} 1.0\n' in metrics(engine, BERLIN)


def test_a_peer_of_one_gateway_is_expected_there_before_anything_is_heard_of_it() -> None:
    written = metrics(Engine(UTC, knowledge=expecting("berlin")), "racoon.log")
    assert 'racoon_phase2_up{gateway="berlin",peer="branch"} 0.0\n' in written
    assert 'racoon_peer_expected{gateway="berlin",kind="permanent",peer="branch"} 1.0\n' in written


def test_no_label_holds_what_a_terminal_obeys() -> None:
    """Whoever may write the log names hosts, addresses and versions; files of a glob are named by who makes them."""
    told = "ISAKMP-SA established 192.0.2.1[500]-198.51.100\x1b.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
    log = "".join(
        f"<30>1 2026-01-15T08:30:00Z a\u202eb racoon - - - {text}\n"
        for text in (
            f"INFO: {told}",
            "INFO: @(#)ipsec-tools 0.9\x1b[31m (http://ipsec-tools.sourceforge.net)",
            "INFO: @(#)This product linked OpenSSL 3\x1b (http://www.openssl.org/)",
        )
    )
    engine = Engine(UTC, knowledge=Knowledge({"198.51.100.7": Expectation("a\tname")}))
    engine.feed(block(log.encode(), source="gateways/\x1b[2J.log"))
    engine.flush()
    written = metrics(engine, "gateways/\x1b[2J.log")
    assert 'peer="198.51.100\\\\x1b.7"' in written
    assert 'gateway="a\\\\u202eb"' in written
    assert 'source_last_line_timestamp_seconds{source="gateways/\\\\x1b[2J.log"}' in written
    assert not [line for line in written.split("\n") if not line.isprintable()]


def test_lines_of_the_other_protocol_are_counted_as_a_class_of_their_own() -> None:
    engine = Engine(UTC)
    line = (
        "jan/15 08:30:02 ipsec,info new ike2 SA (I): 192.0.2.1[4500]-198.51.100.7[4500] spi:eb06a6a0c0bd0d1a:7dfcf5ad75a6ba4d\n"
    )
    for first in (1, 2):
        engine.feed(block(line.encode(), first=first))
    assert engine.messages["INFO", "info", "ikev2"] == 2


def test_a_source_has_the_gateway_whose_log_it_is_and_none_where_it_is_that_of_many() -> None:
    live = LiveEngine(Engine(UTC, gateway_of=gateway_of, reference_of=lambda _: 1.8e9), lambda: 0.0)
    line = "Jan 15 08:30:04 {} racoon: INFO: caught signal 1\n"
    told = {
        BERLIN: "2026-01-15 08:30:04: INFO: caught signal 1\n",
        "one.log": line.format("gw-1"),
        "central.log": line.format("gw-1") + line.format("gw-2"),
        "nameless.log": "2026-01-15 08:30:04: INFO: caught signal 1\n",
    }
    for source, text in told.items():
        live.feed(block(text.encode(), source))
    live.flush()
    owners = {BERLIN: "berlin", "one.log": "gw-1", "central.log": "", "nameless.log": "", "quiet.log": ""}
    written = [line for line in metrics(live.engine, *owners).splitlines() if line.startswith("racoon_exporter_source_info{")]
    wanted = [f'racoon_exporter_source_info{{gateway="{owner}",source="{source}"}} 1.0' for source, owner in owners.items()]
    assert written == wanted
