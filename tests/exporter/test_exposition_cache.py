"""A scrape that goes on from the last one tells the same as one that begins anew, and does only what changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter import exposition_cache
from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.engine import Engine
from racoon_exporter.exposition import render
from racoon_exporter.exposition_cache import ExpositionCache, Taken
from racoon_exporter.metrics import OwnState, Samples, collect
from racoon_exporter.metrics.state import Part, Site, samples_of_part
from racoon_exporter.sa import Expectation, Knowledge, Known, Limits
from racoon_exporter.sa.findings import Findings, UnloggedIpsec, take_findings
from racoon_exporter.serve.live_engine import LiveEngine
from racoon_exporter.source.contract import SourceCounts, SourceStatus
from tests.exporter.reading import BANNER, I1, I2, LAB, L, P, Q, block, lab_logs, sa, start, up
from tests.exporter.sa.test_two_ends import REFUSES, timed_out
from tests.exporter.test_fleet import central

BEGIN = datetime(2026, 1, 15, 8, 30, tzinfo=UTC).timestamp()
SOURCE = SourceStatus("central.log", up=True, counts=SourceCounts(lines=6))
PIECE = 4096


class Exporter:
    """An engine that is followed and scraped."""

    def __init__(self, knowledge: Known | None = None) -> None:
        self.clock = 0.0
        self.cache = ExpositionCache()
        engine = Engine(UTC, knowledge=knowledge, reference_of=lambda _: BEGIN + 86400 * 30)
        self.live = LiveEngine(engine, lambda: self.clock)
        self.own = OwnState((SOURCE,), checkpoint_time=1.7e9)

    @property
    def engine(self) -> Engine:
        return self.live.engine

    def look(self, copy: Callable[[Engine, OwnState], Taken]) -> Taken:
        self.engine.mend()
        return copy(self.engine, self.own)

    def scrape(self, *, openmetrics: bool = False) -> str:
        return b"".join(self.cache.answer(self.look, openmetrics=openmetrics)).decode()

    def feed(self, text: bytes, source: str = "central.log") -> None:
        self.live.feed(block(text, source))

    def tell(self, gateway: str, *texts: str, at: float = 0.0) -> None:
        stamp = datetime.fromtimestamp(BEGIN + at, UTC).strftime("%b %d %H:%M:%S")
        self.feed("".join(f"{stamp} {gateway} racoon: {text}\n" for text in texts).encode())
        self.live.flush()

    def wait(self, seconds: float) -> None:
        self.clock += seconds
        self.live.flush()
        self.live.let_time_pass()

    def restart(self) -> None:
        self.live = self.live.resumed(json.loads(json.dumps(self.live.to_json())), 0.0)

    def check(self) -> None:
        """Hold a scrape against one that begins anew, and against all samples taken at once."""
        written = self.scrape()
        anew = b"".join(ExpositionCache().answer(self.look, openmetrics=False)).decode()
        assert written == anew
        samples, gateways = collect(self.engine, self.own)
        at_once = render(samples, gateways=gateways, openmetrics=False).decode()
        assert sorted(written.splitlines()) == sorted(at_once.splitlines())


@pytest.mark.parametrize(
    "log",
    [LAB / "20-syslog" / "a.syslog", LAB / "01-seed-location" / "a.log", *lab_logs("17-soak-chaos", "a")],
    ids=lambda path: path.name,
)
def test_a_recording_that_is_scraped_all_the_time_reads_as_if_each_scrape_were_the_first(log: object) -> None:
    exporter = Exporter()
    data = (LAB / str(log)).read_bytes()
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin + 4 * PIECE) + 1 or len(data)
        exporter.feed(data[begin:end])
        exporter.check()
        begin = end
    for _ in range(3):
        exporter.wait(3600.0)
        exporter.check()


def test_both_formats_are_made_of_the_same_text() -> None:
    exporter = Exporter()
    exporter.tell("gw-1", start(), up())
    text = exporter.scrape()
    written = exporter.cache.written
    lines = [line for line in exporter.scrape(openmetrics=True).splitlines() if not line.startswith("#")]
    assert lines == [line for line in text.splitlines() if not line.startswith("#")]
    assert exporter.cache.written == written


def fleet(number: int = 60) -> Exporter:
    exporter = Exporter(Knowledge(limits=Limits(gateways=number)))
    exporter.feed("".join(central(number)).encode())
    exporter.live.flush()
    exporter.wait(0.0)
    return exporter


def test_what_says_nothing_is_neither_copied_nor_written_again() -> None:
    exporter = fleet()
    exporter.scrape()
    assert exporter.cache.copied == 60
    assert exporter.cache.written == 60 * (1 + 3)
    exporter.scrape()
    assert (exporter.cache.copied, exporter.cache.written) == (60, 240)


def test_of_a_gateway_that_says_something_only_the_names_it_speaks_of_are_written() -> None:
    exporter = fleet()
    exporter.scrape()
    exporter.tell("gw-3", sa(77, peer="198.51.3.2"), sa(78, peer="198.51.3.2"), at=60.0)
    exporter.check()
    assert (exporter.cache.copied, exporter.cache.written) == (61, 241)


def test_peers_that_are_as_they_were_are_not_copied_again() -> None:
    exporter = fleet()
    exporter.scrape()
    (site,) = [each for each in exporter.cache._sites.values() if each.site is not None and each.site.gateway == "gw-3"]
    (before,) = site.racoons
    exporter.tell("gw-3", sa(77, peer="198.51.3.2"), sa(78, peer="198.51.3.2"), at=60.0)
    exporter.scrape()
    (after,) = site.racoons
    assert before.peers.keys() == after.peers.keys()
    assert [address for address, peer in after.peers.items() if peer is not before.peers[address]] == ["198.51.3.2"]


def test_time_that_passes_is_copied_where_it_changes_something() -> None:
    exporter = Exporter(Knowledge(lifetime=600.0))
    for number in range(20):
        exporter.tell(f"gw-{number}", sa(number * 2 + 1), sa(number * 2 + 2), at=number * 600.0)
    exporter.scrape()
    exporter.wait(700.0)  # as long as its SAs live, seen from its own last line, for every gateway
    exporter.check()
    assert exporter.cache.copied == 40
    exporter.wait(700.0)
    exporter.check()
    assert exporter.cache.copied == 40


def test_nothing_is_written_while_the_reader_waits() -> None:
    exporter = fleet()
    written: list[int] = []

    def look(copy: Callable[[Engine, OwnState], Taken]) -> Taken:
        taken = exporter.look(copy)
        written.append(exporter.cache.written)
        return taken

    for _ in range(2):
        list(exporter.cache.answer(look, openmetrics=False))
    assert written == [0, 240]


def test_what_the_other_end_tells_is_shown_of_a_gateway_that_said_nothing() -> None:
    exporter = Exporter()
    exporter.wait(0.0)
    ends = ("gw-1", L, P), ("gw-2", P, L)
    for gateway, local, _ in ends:
        exporter.tell(gateway, f"INFO: {local}[500] used as isakmp port (fd=6)")
    exporter.tell("gw-1", f"INFO: initiate new phase 1 negotiation: {L}[500]<=>{P}[500]", at=60.0)
    exporter.tell("gw-1", timed_out(), at=110.0)
    exporter.check()
    exporter.tell("gw-2", f"INFO: respond new phase 1 negotiation: {P}[500]<=>{L}[500]", *REFUSES, at=60.0)
    exporter.check()
    assert f'racoon_phase1_failures_total{{gateway="gw-1",peer="{P}",reason="proposal_mismatch"}} 1.0' in exporter.scrape()


def test_a_cause_that_the_other_end_tells_late_is_the_reason_from_then_on() -> None:
    exporter = Exporter()
    exporter.wait(0.0)
    for gateway, local in (("gw-1", L), ("gw-2", P)):
        exporter.tell(gateway, f"INFO: {local}[500] used as isakmp port (fd=6)")
    exporter.tell("gw-1", f"INFO: initiate new phase 1 negotiation: {L}[500]<=>{P}[500]", at=60.0)
    exporter.tell("gw-1", timed_out(), at=110.0)
    exporter.tell("gw-1", "INFO: caught signal 1", at=240.0)
    assert f'racoon_peer_reason{{gateway="gw-1",peer="{P}",phase="1",reason="no_response"}} 1.0' in exporter.scrape()
    exporter.tell("gw-2", f"INFO: respond new phase 1 negotiation: {P}[500]<=>{L}[500]", *REFUSES, at=60.0)
    exporter.check()
    assert f'racoon_peer_reason{{gateway="gw-1",peer="{P}",phase="1",reason="proposal_mismatch"}} 1.0' in exporter.scrape()


def test_what_waited_for_the_other_logs_is_counted_once_all_are_read() -> None:
    exporter = Exporter()
    exporter.tell("gw-1", f"INFO: initiate new phase 1 negotiation: {L}[500]<=>{P}[500]", at=60.0)
    exporter.tell("gw-1", timed_out(), at=110.0)
    assert "racoon_phase1_failures_total{" not in exporter.scrape()
    exporter.wait(0.0)
    exporter.check()
    assert f'racoon_phase1_failures_total{{gateway="gw-1",peer="{P}",reason="no_response"}} 1.0' in exporter.scrape()


def test_a_name_that_a_network_gives_is_shown_once_it_is_configured() -> None:
    exporter = Exporter()
    exporter.tell("gw-1", up())
    exporter.scrape()
    _learned(exporter, Knowledge(networks=((ip_network("198.51.100.0/24"), Expectation("branches")),)))
    exporter.check()
    assert 'racoon_phase1_up{gateway="gw-1",peer="branches"} 1.0' in exporter.scrape()


def test_a_gateway_that_is_gone_has_no_text_any_more() -> None:
    exporter = Exporter(Knowledge(limits=Limits(gateways=2)))
    for day, gateway in enumerate(("gw-1", "gw-2", "gw-3", "gw-4")):
        exporter.tell(gateway, up(), at=day * 90_000.0)
        exporter.check()
    assert 'gateway="gw-1"' not in exporter.scrape()
    assert 'gateway="gw-4"' in exporter.scrape()


def test_the_first_line_that_names_a_gateway_changes_the_labels_of_all() -> None:
    exporter = Exporter()
    exporter.feed(f"2026-01-15 08:30:04: {up()}\n".encode(), "racoon.log")
    exporter.live.flush()
    assert f'racoon_phase1_up{{peer="{P}"}} 1.0' in exporter.scrape()
    exporter.tell("gw-1", up())
    exporter.check()
    assert f'racoon_phase1_up{{gateway="",peer="{P}"}} 1.0' in exporter.scrape()


def test_names_that_look_like_patterns_and_escapes_are_written_as_they_are() -> None:
    names = {P: Expectation('50% of "a\\b"'), Q: Expectation("%s %(gateway)s")}
    exporter = Exporter(Knowledge(names))
    exporter.tell("gw%d", start(), up(), start(peer=Q), up(I2, Q))
    exporter.check()
    assert 'peer="50% of \\"a\\\\b\\""' in exporter.scrape()


def test_a_part_that_cannot_be_taken_leaves_its_family_out_until_it_can(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = fleet(9)
    whole = exporter.scrape()

    def broken(gateway: str, name: str | None, part: Part) -> Samples:
        if (gateway, name) == ("gw-3", "198.51.3.2"):
            raise KeyError("unheard_of")
        return samples_of_part(gateway, name, part)

    exporter.tell("gw-3", sa(77, peer="198.51.3.2"), at=60.0)
    exporter.tell("gw-5", up(I2, "198.51.5.1"), at=60.0)
    monkeypatch.setattr(exposition_cache, "_PARTED", {**exposition_cache._PARTED, "state": broken})
    for _ in range(2):
        text = exporter.scrape()
        assert "racoon_phase1_up{" not in text
        assert 'racoon_exporter_family_ok{family="state"} 0.0' in text
        assert 'racoon_exporter_family_ok{family="reasons"} 1.0' in text
        assert 'racoon_exporter_source_lines_total{source="central.log"} 6.0' in text
    assert [record.getMessage() for record in caplog.records] == ["the metrics of state cannot be taken; the others are served"]
    monkeypatch.undo()
    exporter.check()
    assert len(exporter.scrape().splitlines()) >= len(whole.splitlines())


def test_gateways_that_cannot_be_copied_leave_state_and_reasons_out_until_they_can(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = fleet(9)
    exporter.scrape()
    exporter.tell("gw-3", sa(77, peer="198.51.3.2"), at=60.0)
    with monkeypatch.context() as patched:
        patched.setattr(Site, "copied", lambda *_: 1 // 0)
        text = exporter.scrape()
    assert "racoon_phase1_up{" not in text
    assert {f'racoon_exporter_family_ok{{family="{family}"}} 0.0' for family in ("state", "reasons")} <= set(text.splitlines())
    exporter.check()


PEERS = (P, Q, "198.51.100.8")
GATEWAYS = ("gw-1", "gw-2", "GW-3", "gw\x1b4")
KNOWN: tuple[Known, ...] = (
    Knowledge(limits=Limits(gateways=3, strangers=1)),
    Knowledge({P: Expectation("hub"), Q: Expectation("hub")}, lifetime=600.0),
    Knowledge({P: Expectation("branch", kind="roaming")}, gateways=("gw-9",), own={P: Expectation("branch")}),
    FleetKnowledge(flags=(f"{Q}=far",), gateways=("gw-1", "gw-7"), limits=Limits(gateways=3)),
)


def _lines(peer: str) -> tuple[tuple[str, ...], ...]:
    return (
        (start(peer=peer), up(I1, peer)),
        (up(I2, peer),),
        (sa(11, peer=peer), sa(12, peer=peer)),
        (sa(11, event="expired", peer=peer, inbound=True), sa(11, event="expired", peer=peer, inbound=True)),
        (f"INFO: ISAKMP-SA expired {L}[500]-{peer}[500] spi:{I1}", f"INFO: ISAKMP-SA deleted {L}[500]-{peer}[500] spi:{I1}"),
        (f"[{peer}] INFO: DPD: remote (ISAKMP-SA spi={I1}) seems to be dead.",),
        (
            start("respond", peer),
            f"[{peer}] ERROR: failed to get valid proposal.",
            f"[{peer}] ERROR: phase1 negotiation failed.",
        ),
        (start(peer=peer), timed_out()),
        (BANNER, f"INFO: {L}[500] used as isakmp port (fd=6)"),
        (BANNER,),
        ("INFO: racoon process 4711 shutdown",),
        (f"INFO: {peer}[500] used as isakmp port (fd=6)",),
        ("INFO: NAT detected: ME",),
        (f"ERROR: {peer} give up to get IPsec-SA due to time up to wait.",),
        ("INFO: something that nobody knows",),
    )


def _said(exporter: Exporter, at: float, gateway: str, peer: str, number: int) -> None:
    exporter.tell(gateway, *_lines(peer)[number], at=at)


def _found(exporter: Exporter, peer: str) -> None:
    """A witness finds an SA that no line told of, and that another has gone."""
    racoon = next(iter(exporter.engine.state.racoons.values()), None)
    if racoon is not None:
        unlogged = UnloggedIpsec("ESP", "Tunnel", L, peer, 99, peer, "out", racoon.now)
        take_findings(racoon, Findings(racoon.gateway, {("ESP", 11): BEGIN}, (unlogged,)))
        exporter.live.look_at(racoon)


def _learned(exporter: Exporter, known: Known) -> None:
    exporter.engine.learn(known)
    exporter.live.look_anew()


def _doubted(exporter: Exporter, gateway: str) -> None:
    """A record raised, and may have left a racoon half changed: it is made anew before anybody looks."""
    exporter.engine.state.doubt((gateway, "racoon", ""))


_steps = st.one_of(
    st.tuples(st.just("said"), st.sampled_from(GATEWAYS), st.sampled_from(PEERS), st.integers(0, len(_lines(P)) - 1)),
    st.tuples(st.just("wait"), st.sampled_from((1.0, 70.0, 4000.0, 90_000.0))),
    st.tuples(st.just("learned"), st.sampled_from(KNOWN)),
    st.tuples(st.just("found"), st.sampled_from(PEERS)),
    st.tuples(st.just("doubted"), st.sampled_from(GATEWAYS)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("gone")),
)


@given(st.lists(_steps, max_size=25))
def test_whatever_happens_between_two_scrapes_the_second_reads_as_if_it_were_the_first(steps: list[tuple[object, ...]]) -> None:
    exporter = Exporter(KNOWN[0])
    at = 0.0
    for what, *more in steps:
        at += 20.0
        match (what, *more):
            case ("said", str(gateway), str(peer), int(number)):
                _said(exporter, at, gateway, peer, number)
            case ("wait", float(seconds)):
                at += seconds
                exporter.wait(seconds)
            case ("learned", known):
                _learned(exporter, known)  # type: ignore[arg-type]
            case ("found", str(peer)):
                _found(exporter, peer)
            case ("doubted", str(gateway)):
                _doubted(exporter, gateway)
            case ("restart",):
                exporter.restart()
            case _:
                exporter.engine.state.forget(list(exporter.engine.state.racoons)[:1])
        exporter.own = replace(exporter.own, checkpoint_time=exporter.own.checkpoint_time + 1)
        exporter.check()
