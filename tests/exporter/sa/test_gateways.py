"""Which gateways have a state of their own, and under which name."""

import json
from datetime import UTC

import pytest

from racoon_exporter.config.file import Config
from racoon_exporter.config.knowledge import Flags, build
from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Knowledge, Limits
from racoon_exporter.sa.gateways import MOST_NAMES
from racoon_exporter.sa.state import IDLE_RACOON
from tests.exporter.reading import block, up


def said(host: str, *, day: int = 15, ident: str = "racoon", cookie: int = 1) -> str:
    return f"2026-01-{day}T08:30:00Z {host} {ident}: {up(f'{cookie:016x}:a1b2c3d4e5f60718')}\n"


def heard(*lines: str, named: tuple[str, ...] = (), limit: int = 2) -> Engine:
    config = Config(gateways={f"/log/{name}": name for name in named}, gateway_limit=limit)
    engine = Engine(UTC, knowledge=build(Flags(), config)[0])
    engine.feed(block("".join(lines).encode()))
    engine.flush()
    return engine


def gateways(engine: Engine) -> list[str]:
    return [racoon.gateway for racoon in engine.state.racoons.values()]


def own(engine: Engine, metric: str) -> dict[tuple[str, ...], float]:
    return dict(collect(engine, OwnState())[0].values[metric])


def test_invented_hosts_are_counted_under_one_name_and_once_each() -> None:
    engine = heard(*(said(f"host{number % 7}", cookie=number) for number in range(70)))
    assert gateways(engine) == ["host0", "host1", "other"]
    assert own(engine, "racoon_exporter_folded_gateways") == {("",): 5}
    established = own(engine, "racoon_phase1_established")
    assert {gateway: count for (gateway, *_), count in established.items()} == {"host0": 10, "host1": 10, "other": 50}


def test_a_long_name_takes_the_place_of_several_as_all_series_bear_it() -> None:
    long = [f"{letter * 63}.{'x' * 63}.example" for letter in "abc"]
    engine = heard(*(said(host) for host in (*long, "short", "shorter", *long)), limit=7)
    assert gateways(engine) == [*long[:2], "other", "short"]
    assert gateways(heard(said(long[0]), said("short"), limit=1)) == [long[0], "other"]
    silent = [said(long[0]), said(long[1], day=17), said("short", day=17), said("shorter", day=17)]
    assert gateways(heard(*silent, limit=3)) == [long[1], "other"]


def test_a_gateway_that_the_configuration_names_always_has_a_place() -> None:
    engine = heard(
        said("invented1"), said("invented2"), said("invented3"), said("berlin"), said("paris"), named=("berlin", "paris")
    )
    assert gateways(engine) == ["invented1", "invented2", "other", "berlin", "paris"]


def test_a_gateway_keeps_its_place_from_those_that_are_silent_for_a_day_and_from_none_else() -> None:
    lines = [said("berlin"), said("old", day=15), said("new", day=17), said("newer", day=17), said("newest", day=17)]
    assert IDLE_RACOON == 86400
    assert gateways(heard(*lines, named=("berlin",))) == ["berlin", "new", "newer", "other"]


def test_a_gateway_that_had_to_go_begins_anew_when_it_speaks_again() -> None:
    """What was looked up for its lines, said over and over, is forgotten with it."""
    before = [said("a", cookie=number) for number in range(5)]
    engine = heard(*before, said("b", day=17), limit=1)
    assert gateways(engine) == ["b"]
    engine.feed(block("".join(said("a", day=19, cookie=number) for number in range(3)).encode()))
    engine.flush()
    assert gateways(engine) == ["a"]
    assert [len(racoon.isakmp) for racoon in engine.state.racoons.values()] == [3]


@pytest.mark.parametrize(
    ("hosts", "named", "name"),
    [
        pytest.param(("gw-1", "GW-1", "Gw-1"), (), "gw-1", id="the first spelling holds"),
        pytest.param(("GW-1", "gw-1"), ("Gw-1",), "Gw-1", id="the configuration's holds"),
        pytest.param(("STRASSE", "straße"), (), "STRASSE", id="in any script"),
    ],
)
def test_a_gateway_is_one_however_its_name_is_spelled(hosts: tuple[str, ...], named: tuple[str, ...], name: str) -> None:
    engine = heard(*(said(host, cookie=number) for number, host in enumerate(hosts)), named=named)
    assert gateways(engine) == [name]
    assert sum(own(engine, "racoon_phase1_established").values()) == len(hosts)
    assert {gateway for gateway, _ in own(engine, "racoon_phase1_sas")} == {name}


def test_a_spelling_and_what_was_folded_outlive_a_restart() -> None:
    engine = heard(said("GW-1"), said("b"), said("c"))
    again = Engine.like(engine)
    restore(again, json.loads(json.dumps(to_json(engine))))
    again.feed(block((said("gw-1", cookie=2) + said("c", cookie=3) + said("d", cookie=4)).encode(), first=4))
    again.flush()
    assert gateways(again) == ["GW-1", "b", "other"]
    assert own(again, "racoon_exporter_folded_gateways") == {("",): 2}


def test_the_names_of_daemons_at_a_gateway_are_bounded_too() -> None:
    engine = heard(*(said("gw", ident=f"racoon-{number}", cookie=number) for number in range(3 * MOST_NAMES)))
    assert len(engine.state.racoons) <= MOST_NAMES + 1
    assert set(gateways(engine)) == {"gw"}


@pytest.mark.parametrize(
    ("doubtful", "key"),
    [
        pytest.param("racoon-0", ("gw", "racoon-0", ""), id="by its own name"),
        pytest.param(f"racoon-{2 * MOST_NAMES}", ("gw", "racoon", ""), id="among those that have no name of their own"),
    ],
)
def test_the_racoon_that_took_a_record_that_raised_is_made_anew(doubtful: str, key: tuple[str, str, str]) -> None:
    state = heard(*(said("gw", ident=f"racoon-{number}", cookie=number) for number in range(3 * MOST_NAMES))).state
    before = dict(state.racoons)
    state.doubt(("GW", doubtful, ""))
    state.mend()
    assert [each for each, racoon in before.items() if state.racoons[each] is not racoon] == [key]


def test_a_place_that_is_given_away_may_be_taken_under_another_spelling() -> None:
    engine = Engine(UTC, knowledge=Knowledge(limits=Limits(gateways=1)))
    engine.feed(block((said("gw", day=15) + said("other-host", day=17) + said("GW", day=19)).encode()))
    engine.flush()
    assert gateways(engine) == ["GW"]
