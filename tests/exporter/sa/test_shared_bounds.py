"""However many gateways somebody invents, little is kept of all together: those that have most give way."""

import json
from collections.abc import Callable, Sized
from datetime import UTC
from itertools import chain

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Limits, shared_bounds
from racoon_exporter.sa.gateways import MOST_NAMES
from racoon_exporter.sa.model import OTHER
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.serve.partitions import Partitions
from tests.exporter.reading import P, Q, block, knowing, sa, start, up

FOLLOWED = knowing(P, lifetime=3600.0, limits=Limits(history=100, gateways=1))
HOSTS = [f"gw{number}" for number in range(20)]
MANY = knowing(limits=Limits(history=2000, gateways=len(HOSTS)))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_bounds, "MOST", {"ipsec": 128, "isakmp": 128, "negotiations": 128})
    monkeypatch.setattr(shared_bounds, "_OF_A_GATEWAY", dict.fromkeys(("ipsec", "isakmp", "negotiations"), 0))


def said(host: str, text: str, second: int = 0, ident: str = "racoon") -> str:
    return f"2026-01-15T08:{30 + second // 60:02}:{second % 60:02}Z {host} {ident}: {text}\n"


def address(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


TEXTS: dict[str, Callable[[int], str]] = {
    "ipsec": lambda number: sa(number + 1, peer=address(number % 50)),
    "isakmp": lambda number: up(f"{number:016x}:1111111111111111", address(number)),
    "negotiations": lambda number: start("respond", address(number)),
}
FLOODS = pytest.mark.parametrize("part", TEXTS)


def flood(part: str, hosts: list[str], engine: Engine, number: int = 600) -> Engine:
    lines = [said(hosts[each % len(hosts)], TEXTS[part](each), each // 20) for each in range(number)]
    engine.feed(block("".join(lines).encode()))
    engine.flush()
    return engine


def racoon(engine: Engine, host: str) -> Racoon:
    return engine.state.racoons[host, "racoon", ""]


def numbers(engine: Engine, part: str) -> list[int]:
    return [len(getattr(one, part)) for one in engine.state.racoons.values()]


@FLOODS
@pytest.mark.usefixtures("few")
def test_of_all_gateways_together_few_are_kept_and_those_that_have_most_give_way(part: str) -> None:
    engine = Engine(UTC, knowledge=MANY)
    quiet = "".join(said("quiet", TEXTS[part](number)) for number in range(9000, 9004))
    engine.feed(block(quiet.encode()))
    flood(part, HOSTS[:9], engine)
    kept = numbers(engine, part)
    assert 100 < sum(kept) <= 128
    assert kept[0] == 4
    assert max(kept[1:]) - min(kept[1:]) <= 4


@pytest.mark.usefixtures("few")
def test_what_had_to_go_is_counted_and_seen_at_the_next_scrape() -> None:
    engine = flood("ipsec", HOSTS[:10], Engine(UTC, knowledge=MANY))
    samples, _ = collect(engine, OwnState())
    alive = sum(numbers(engine, "ipsec"))
    assert sum(samples.values["racoon_exporter_dropped_sas"].values()) == 600 - alive
    assert sum(samples.values["racoon_ipsec_sas"].values()) == alive


@FLOODS
@pytest.mark.usefixtures("few")
def test_a_restart_changes_nothing_of_who_gives_way(part: str) -> None:
    whole, again = Engine(UTC, knowledge=MANY), Engine(UTC, knowledge=MANY)
    for first in range(0, 400, 40):
        lines = [said(HOSTS[each % 7], TEXTS[part](each), each // 20) for each in range(first, first + 40)]
        for engine in (whole, again):
            engine.feed(block("".join(lines).encode()))
            engine.flush()
        kept = json.loads(json.dumps(to_json(again)))
        again = Engine(UTC, knowledge=MANY)
        restore(again, kept)
        assert kept == json.loads(json.dumps(to_json(whole)))
    assert sum(numbers(again, part)) <= 128


@FLOODS
@pytest.mark.usefixtures("few")
def test_partitions_of_a_topic_share_the_bounds(part: str) -> None:
    partitions = Partitions(Engine(UTC, knowledge=MANY))
    engines = []
    for number in range(4):
        partitions.begin(f"kafka:racoon/{number}", None)
        partition = partitions.of(f"kafka:racoon/{number}")
        assert partition is not None
        engines.append(flood(part, HOSTS[number * 4 : number * 4 + 4], partition.engine))
    kept = [sum(numbers(engine, part)) for engine in engines]
    assert sum(kept) <= 128 + 128 // 64 * len(engines)
    assert min(kept) > 10


@FLOODS
@pytest.mark.usefixtures("few")
def test_an_old_log_which_is_read_gateway_by_gateway_has_the_bounds_of_each(part: str) -> None:
    engine = flood(part, HOSTS[:4], Engine(UTC, knowledge=knowing(limits=Limits(gateways=20))))
    assert sum(numbers(engine, part)) == 600


def test_where_more_gateways_are_let_in_there_may_be_more() -> None:
    bounds = shared_bounds.SharedBounds()
    bounds.learn(Limits(history=1, gateways=1000))
    assert (bounds.ipsec.most, bounds.isakmp.most, bounds.negotiations.most) == (65_536, 32_768, 16_384)
    bounds.learn(Limits(history=1, gateways=10_000))
    assert (bounds.ipsec.most, bounds.isakmp.most, bounds.negotiations.most) == (640_000, 160_000, 160_000)


# what is remembered for lines to come


REMEMBERED: dict[str, tuple[Callable[[int], str], Callable[[Racoon], Sized]]] = {
    "cookies": (lambda number: up(f"{number:016x}:1111111111111111"), lambda one: one.peers._of_cookies),
    "own addresses": (lambda number: f"INFO: {address(number)}[500] used as isakmp port (fd=6)", lambda one: one.peers.locals),
    "sockets": (lambda number: f"INFO: {address(number)}[500] used as isakmp port (fd=6)", lambda one: one.life._sockets),
    "reasons": (lambda number: f"[{address(number)}] ERROR: HASH mismatched", lambda one: one.blame.refusals._reasons),
    "refusals": (
        lambda number: f"[{address(number)}] ERROR: exchange Identity Protection not allowed in any applicable rmconf.",
        lambda one: one.blame.refusals._refused,
    ),
    "teardowns": (
        lambda number: (
            f"[{address(number)}] INFO: DPD: remote (ISAKMP-SA spi={number:016x}:1111111111111111) seems to be dead."
        ),
        lambda one: one.blame.teardowns._causes,
    ),
    "pairs": (lambda number: sa(number + 1, peer=address(number)), lambda one: one.pairs._halves),
    "guessed ends": (lambda number: sa(number + 1, peer=address(number)), lambda one: one.peers.guesses.local_of),
    "SAs of guessed ends": (lambda number: sa(number + 1, peer=address(number)), lambda one: one.peers.guesses.sas),
    "folded peers": (lambda number: f"[{address(number)}] ERROR: phase1 negotiation failed.", lambda one: one.peers._folded),
}


@pytest.mark.parametrize("what", REMEMBERED)
def test_what_is_remembered_for_lines_to_come_is_a_share_for_each(what: str) -> None:
    text, remembered = REMEMBERED[what]
    engine = Engine(UTC, knowledge=knowing(limits=Limits(history=100, gateways=200, strangers=1)))
    for number in range(200):
        engine.feed(block(said(f"gw{number}", "INFO: caught signal 1").encode()))
    engine.feed(block("".join(said("gw7", text(number)) for number in range(5000)).encode()))
    engine.flush()
    number = len(remembered(racoon(engine, "gw7")))
    assert number <= max(shared_bounds.LEAST, 16_384 // 200)
    alone = Engine(UTC, knowledge=knowing(limits=Limits(history=100, strangers=1)))
    alone.feed(block("".join(said("gw7", text(number)) for number in range(5000)).encode()))
    alone.flush()
    assert len(remembered(racoon(alone, "gw7"))) > 10 * number // 2


def test_halves_of_pairs_that_never_come_do_not_pile_up() -> None:
    """Whoever writes inbound SAs of ever new peers made one for each, for good."""
    engine = Engine(UTC, knowledge=FOLLOWED)
    engine.feed(block("".join(said("gw", sa(number + 1, peer=address(number))) for number in range(6000)).encode()))
    engine.flush()
    one = racoon(engine, "gw")
    assert list(one.pairs._halves) == [address(number) for number in range(6000 - 4096, 6000)]


def test_names_of_daemons_are_bounded_at_all_gateways_together() -> None:
    engine = Engine(UTC, knowledge=MANY)
    lines = (said(host, "INFO: caught signal 1", ident=f"racoon{name}") for name in range(50) for host in HOSTS)
    engine.feed(block("".join(lines).encode()))
    engine.flush()
    assert len(engine.state.racoons) <= 2 * len(HOSTS) + len(HOSTS)
    alone = Engine(UTC, knowledge=MANY)
    alone.feed(block("".join(said("gw", "INFO: caught signal 1", ident=f"racoon{name}") for name in range(50)).encode()))
    alone.flush()
    assert len(alone.state.racoons) == MOST_NAMES + 1


def test_an_sa_of_guessed_ends_is_turned_round_though_its_true_peer_has_no_place() -> None:
    """It raised, and the record that told which end is ours was lost."""
    engine = Engine(UTC, knowledge=knowing(P, limits=Limits(history=100, strangers=0, peers=1)), strict=True)
    lines = [sa(1, peer=P), f"INFO: IPsec-SA established: ESP/Tunnel {Q}[500]->198.51.100.99[500] spi=7(0x7)"]
    lines.append("INFO: 198.51.100.99[500] used as isakmp port (fd=6)")
    engine.feed(block("".join(said("gw", line) for line in lines).encode()))
    engine.flush()
    one = racoon(engine, "gw")
    assert [(each.spi, each.peer) for each in one.ipsec] == [(1, P), (7, Q)]
    assert set(chain(one.peers)) == {P, OTHER}
