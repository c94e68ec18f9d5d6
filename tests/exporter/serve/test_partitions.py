"""Several engines in one process: partitions come with their state, are seen once they have caught up, and go."""

import logging
from datetime import UTC, datetime

import pytest

from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.engine import Engine
from racoon_exporter.expected_peers import ExpectedPeer
from racoon_exporter.exposition import render
from racoon_exporter.gateway_scope import scope_of
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Knowledge, Limits
from racoon_exporter.serve.partitions import SETTLING_SECONDS, Partitions
from racoon_exporter.source import Block, SourceStatus
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import overview
from tests.exporter.reading import I2, L, P, sa, start, up

ONE, TWO = "kafka:racoon/0", "kafka:racoon/1"


def block(partition: str, *lines: str, gateway: str = "gw-1") -> Block:
    text = "".join(f"2026-01-15T08:30:0{second}Z {gateway} racoon: {line}\n" for second, line in enumerate(lines))
    return Block(partition, text.encode(), 1, None)


class Instance:
    def __init__(self, *, history: int | None = None, gateways: int = 1000) -> None:
        self.now = 1000.0
        self.own = Engine(UTC, knowledge=Knowledge(limits=Limits(history=history, gateways=gateways)))
        self.partitions = Partitions(self.own, monotonic=lambda: self.now, wall=lambda: self.now)

    def feed(self, fed: Block) -> None:
        partition = self.partitions.of(fed.source)
        assert partition is not None
        partition.feed(fed)

    def catch_up(self, name: str) -> None:
        self.partitions.at_end(name, reached=True)
        self.partitions.let_time_pass()

    @property
    def scrape(self) -> str:
        united = self.partitions.united_with(self.own)
        sources = (SourceStatus("kafka:racoon", up=True, kept=True),)
        samples, gateways = collect(united, OwnState(sources, is_settling=self.partitions.is_settling))
        return render(samples, gateways=gateways, openmetrics=False).decode()


def test_partitions_are_seen_as_one() -> None:
    instance = Instance()
    for name, gateway in ((ONE, "gw-1"), (TWO, "gw-2")):
        instance.partitions.begin(name, None)
        instance.feed(block(name, start(), up(), gateway=gateway))
        instance.catch_up(name)
    for gateway in ("gw-1", "gw-2"):
        assert f'racoon_phase1_established_total{{gateway="{gateway}",peer="{P}",role="initiator"}} 1.0' in instance.scrape
    for name in (ONE, TWO):
        counted = f'racoon_log_messages_total{{event="phase1_established",level="INFO",severity="info",source="{name}"}} 1.0'
        assert counted in instance.scrape
    series = [line.split()[0] for line in instance.scrape.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_an_instance_without_partitions_says_nothing_of_any_gateway() -> None:
    assert "racoon_daemon_starts_total" not in [line.split("{")[0].split(" ")[0] for line in Instance().scrape.splitlines()]


def test_a_checkpoint_of_a_partition_may_grow_with_its_gateways() -> None:
    few, many = (Partitions(Engine(UTC, knowledge=Knowledge(limits=Limits(gateways=limit)))) for limit in (1000, 5000))
    assert few.most_bytes == 64 * 1024 * 1024
    assert many.most_bytes == few.most_bytes + 4000 * 32 * 1024


def test_a_partition_goes_on_at_another_instance_and_is_seen_once_that_has_caught_up() -> None:
    first, second = Instance(), Instance()
    first.partitions.begin(ONE, None)
    first.feed(block(ONE, start(), up()))
    kept = first.partitions.content(ONE)
    second.partitions.begin(ONE, kept)
    assert "gw-1" not in second.scrape
    second.feed(block(ONE, start(), up(I2)))
    assert "gw-1" not in second.scrape
    second.catch_up(ONE)
    assert f'racoon_phase1_established_total{{gateway="gw-1",peer="{P}",role="initiator"}} 2.0' in second.scrape
    first.partitions.end(ONE)
    assert "gw-1" not in first.scrape


def test_the_limit_of_gateways_is_that_of_the_instance() -> None:
    instance = Instance(gateways=3)
    for number, name in enumerate((ONE, TWO)):
        instance.partitions.begin(name, None)
        for gateway in range(2):
            instance.feed(block(name, start(), up(), gateway=f"gw-{number}-{gateway}"))
        instance.catch_up(name)
    known = [f"gw-{number}-{gateway}" for number in range(2) for gateway in range(2)]
    assert [f'gateway="{gateway}"' in instance.scrape for gateway in known] == [True, True, True, False]
    assert f'racoon_exporter_folded_gateways_total{{source="{TWO}"}} 1.0' in instance.scrape
    kept = instance.partitions.content(TWO)
    instance.partitions.end(ONE)
    instance.partitions.begin(TWO, kept)
    instance.feed(block(TWO, start(), up(), gateway="gw-1-1"))
    instance.catch_up(TWO)
    assert 'gateway="gw-1-1"' in instance.scrape


def test_a_gateway_that_moved_to_another_partition_is_known_in_parts_for_an_hour() -> None:
    """Though the one that it left says nothing more, and so writes no checkpoint that would tell."""
    instance = Instance()
    for name in (ONE, TWO):
        instance.partitions.begin(name, None)
        instance.feed(block(name, start(), up()))
    for name in (ONE, TWO):
        instance.partitions.content(name)
    assert instance.partitions.torn("kafka:racoon/") == 1
    assert instance.partitions.torn("kafka:other/") == 0
    instance.feed(Block(TWO, f"2026-01-15T09:30:02Z gw-1 racoon: {up(I2)}\n".encode(), 1, None))
    instance.catch_up(TWO)
    instance.partitions.content(TWO)
    assert instance.partitions.torn("kafka:racoon/") == 0


def test_of_two_partitions_of_which_one_is_given_back_none_is_known_in_parts() -> None:
    instance = Instance()
    for name in (ONE, TWO):
        instance.partitions.begin(name, None)
        instance.feed(block(name, start(), up()))
        instance.partitions.content(name)
    instance.partitions.end(ONE)
    assert instance.partitions.torn("kafka:racoon/") == 0


def test_of_a_gateway_that_may_be_on_its_way_nothing_is_said_by_configuration_alone() -> None:
    """Else its counters would fall, and its peers be down, in the name of the instance that had it."""
    instance = Instance()
    instance.partitions.learn(FleetKnowledge(peers=[ExpectedPeer(P, scope=scope_of(["gw-1", "gw-2"]))]))
    told = [[f'racoon_peer_expected{{gateway="{gateway}"' in instance.scrape for gateway in ("gw-1", "gw-2")]]
    instance.now += SETTLING_SECONDS
    told.append([f'racoon_peer_expected{{gateway="{gateway}"' in instance.scrape for gateway in ("gw-1", "gw-2")])
    instance.partitions.begin(ONE, None)
    instance.feed(block(ONE, start(), up()))
    instance.catch_up(ONE)
    assert f'racoon_phase1_established_total{{gateway="gw-1",peer="{P}",role="initiator"}} 1.0' in instance.scrape
    instance.partitions.end(ONE)
    told.append([f'racoon_peer_expected{{gateway="{gateway}"' in instance.scrape for gateway in ("gw-1", "gw-2")])
    instance.now += SETTLING_SECONDS
    told.append([f'racoon_peer_expected{{gateway="{gateway}"' in instance.scrape for gateway in ("gw-1", "gw-2")])
    assert told == [[False, False], [True, True], [False, True], [True, True]]


def test_what_is_no_state_of_a_partition_is_refused_and_leaves_nothing() -> None:
    instance = Instance()
    for kept in ({}, {"saved": 1.0, "engine": {}, "seen": []}, {"saved": 1.0, "engine": [], "seen": [[1]]}):
        with pytest.raises(ValueError, match=r"required|Expected|holds what"):
            instance.partitions.begin(ONE, kept)
        assert instance.partitions.of(ONE) is None


def test_new_knowledge_holds_for_partitions_held_and_for_those_to_come() -> None:
    instance = Instance()
    instance.partitions.begin(ONE, None)
    known = Knowledge(lifetime=60.0)
    instance.partitions.learn(known)
    instance.partitions.begin(TWO, None)
    for name in (ONE, TWO):
        partition = instance.partitions.of(name)
        assert partition is not None
        assert partition.engine.state.knowledge is known


def test_a_gateway_of_two_partitions_is_told_once_and_its_lines_all_count(caplog: pytest.LogCaptureFixture) -> None:
    instance = Instance()
    for name in (ONE, TWO):
        instance.partitions.begin(name, None)
        instance.feed(block(name, start(), up()))
        instance.catch_up(name)
    with caplog.at_level(logging.WARNING):
        for name in (ONE, TWO, ONE):
            instance.partitions.content(name)
    (told,) = caplog.messages
    assert "gw-1" in told
    assert ONE in told
    assert TWO in told
    assert f'racoon_phase1_established_total{{gateway="gw-1",peer="{P}",role="initiator"}} 2.0' in instance.scrape


def test_ended_records_of_partitions_stand_in_the_order_of_their_ends_as_far_back_as_all_of_them_reach() -> None:
    instance = Instance(history=10)
    for name, gateway, number in ((ONE, "gw-1", 4), (TWO, "gw-2", 30)):
        instance.partitions.begin(name, None)
        lines = (
            f"2026-01-15T08:{minute:02d}:00Z {gateway} racoon: INFO: "
            f"ISAKMP-SA {what} {L}[500]-{P}[500] spi:{minute:016x}:{'1' * 16}\n"
            for minute in range(number)
            for what in ("established", "deleted")
        )
        instance.feed(Block(name, "".join(lines).encode(), 1, None))
        instance.catch_up(name)
    rows = instance.partitions.united_with(instance.own, history=True).state.archive.phase1
    assert [row.ended for row in rows] == sorted(row.ended or 0.0 for row in rows)
    assert {row.gateway for row in rows} == {"gw-2"}
    assert len(rows) >= 9


def test_what_the_united_archive_passes_over_is_counted_nevertheless() -> None:
    instance = Instance(history=10)
    for name, gateway, number in ((ONE, "gw-1", 4), (TWO, "gw-2", 40)):
        instance.partitions.begin(name, None)
        for minute in range(number):
            pair = (sa(2 * minute + 1), sa(2 * minute + 2))
            over = [sa(2 * minute - 1, event="expired", inbound=True), sa(2 * minute, event="expired")] if minute else []
            said = [*pair, *over, *over]
            lines = "".join(f"2026-01-15T08:{minute:02d}:00Z {gateway} racoon: {line}\n" for line in said)
            instance.feed(Block(name, lines.encode(), 1, None))
        instance.catch_up(name)
    facts = take_facts(instance.partitions.united_with(instance.own, history=True), ())
    begin = datetime(2026, 1, 15, 8, tzinfo=UTC).timestamp()
    shown = overview(facts, begin + 39 * 60)
    shares = {peer.gateway: shown.kept.availability(peer, None, begin + 180) for peer in shown.peers}
    assert {gateway: counted and (counted.up, counted.down) for gateway, counted in shares.items()} == {
        "gw-1": (180.0, 0.0),
        "gw-2": (180.0, 0.0),
    }


def test_partitions_are_behind_until_each_has_caught_up() -> None:
    instance = Instance()
    instance.partitions.begin(ONE, None)
    instance.partitions.begin(TWO, None)
    told = [instance.partitions.behind]
    for name in (ONE, TWO):
        instance.catch_up(name)
        told.append(instance.partitions.behind)
    assert told == [True, True, False]
