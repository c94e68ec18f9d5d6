"""A central place: hundreds of gateways in one log, of several dialects, with clocks that differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.engine import Engine, restore, to_json
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Knowledge, Limits
from racoon_exporter.sa.gateways import Key
from racoon_exporter.serve.loop import Follower
from racoon_exporter.serve.silent_time import SilentTime
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from tests.exporter.reading import block, up

GATEWAYS = 300
BEGIN = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


def ipsec_tools(gateway: int, peer: int) -> Iterator[str]:
    """racoon 0.9 behind rsyslog."""
    ends = f"192.0.2.1[500]-198.51.{gateway % 250}.{peer}[500]"
    yield f"racoon: INFO: ISAKMP-SA established {ends} spi:{gateway:08x}{peer:08x}:a1b2c3d4e5f60718"
    for way in (1, 2):
        arrow = ends.replace("]-", "]->")
        yield f"racoon: INFO: IPsec-SA established: ESP/Tunnel {arrow} spi={gateway * 100 + peer * 10 + way}"


def f5(gateway: int, peer: int) -> Iterator[str]:
    """BIG-IP: racoon 0.8 as a daemon of its own name, with a process number."""
    for text in ipsec_tools(gateway, peer):
        yield text.replace("racoon: ", f"racoon[{4000 + gateway}]: ")


def mikrotik(gateway: int, peer: int) -> Iterator[str]:
    """RouterOS with topics: it logs phase 1 only by default."""
    ends = f"192.0.2.1[500]-198.51.{gateway % 250}.{peer}[500]"
    yield f"ipsec,info ISAKMP-SA established {ends} spi:{gateway:08x}{peer:08x}:a1b2c3d4e5f60718"


DIALECTS = (ipsec_tools, f5, mikrotik)


def central(gateways: int = GATEWAYS, peers: int = 3, *, skew: float = 0.0) -> list[str]:
    """One log of all, their lines in turn; each gateway's clock is up to `skew` seconds off."""
    lines: list[str] = []
    spoken = [[text for peer in range(1, peers + 1) for text in DIALECTS[one % 3](one, peer)] for one in range(gateways)]
    for turn in range(max(map(len, spoken))):
        for one, texts in enumerate(spoken):
            if turn < len(texts):
                off = skew * (one % 7 - 3) / 3
                stamp = datetime.fromtimestamp(BEGIN.timestamp() + turn * 10 + off, UTC).strftime("%b %d %H:%M:%S")
                lines.append(f"{stamp} gw-{one} {texts[turn]}\n")
    return lines


def fed(lines: list[str], gateways: int = GATEWAYS) -> Engine:
    engine = Engine(
        UTC, knowledge=Knowledge(limits=Limits(gateways=gateways)), reference_of=lambda _: BEGIN.timestamp() + 86400 * 30
    )
    for first in range(0, len(lines), 200):
        engine.feed(block("".join(lines[first : first + 200]).encode(), first=first + 1))
    engine.finish()
    return engine


@pytest.mark.parametrize("skew", [0.0, 300.0], ids=["clocks agree", "clocks differ by minutes"])
def test_mixed_dialects_in_one_log_are_each_read_as_their_own(skew: float) -> None:
    """Neither another gateway's dialect nor its clock changes what is known of one."""
    engine = fed(central(skew=skew))
    racoons = {racoon.gateway: racoon for racoon in engine.state.racoons.values()}
    assert len(racoons) == GATEWAYS
    assert engine.unparsed == Counter(dict.fromkeys(engine.unparsed, 0))
    for one in range(GATEWAYS):
        racoon = racoons[f"gw-{one}"]
        speaks = DIALECTS[one % 3]
        assert sum(map(len, racoon.isakmp.of_peer.values())) == 3
        assert sum(peer.phase2_up for peer in racoon.peers.values()) == (0 if speaks is mikrotik else 3)
        assert racoon.life.phase2_told == (speaks is not mikrotik)


def test_each_gateway_of_one_log_is_as_if_it_had_a_log_of_its_own() -> None:
    together = fed(central(60, skew=240.0))
    samples, _ = collect(together, OwnState())
    for one in range(0, 60, 7):
        alone = fed([line for line in central(60, skew=240.0) if f" gw-{one} " in line])
        own, _ = collect(alone, OwnState())
        name = f"gw-{one}"
        for metric, values in own.values.items():
            if not metric.startswith(("racoon_exporter_", "racoon_log_messages")):
                mine = {labels: value for labels, value in samples.values[metric].items() if labels[0] == name}
                assert mine == values, (name, metric)


def test_an_engine_of_many_gateways_goes_on_from_its_state_file() -> None:
    engine = fed(central())
    again = Engine.like(engine)
    restore(again, json.loads(json.dumps(to_json(engine))))
    assert collect(again, OwnState())[0].values == collect(engine, OwnState())[0].values


def test_a_state_holds_little_for_each_gateway_beside_its_peers() -> None:
    """What a gateway costs is what it said, not tables of a size of their own."""
    few, many = (len(json.dumps(to_json(fed(central(gateways)))["state"]["racoons"])) for gateways in (30, 300))
    assert many < 10.5 * few


def test_a_block_of_one_gateway_costs_nothing_at_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With thousands of gateways there is a line of one of them all the time."""
    log = tmp_path / "central.log"
    log.write_text("".join(central()))
    inputs = Inputs(paths(str(log)))
    follower = Follower(Engine(UTC, knowledge=Knowledge(limits=Limits(gateways=GATEWAYS))), inputs)
    while follower.step():
        pass
    looked: list[str] = []
    plan = SilentTime._plan

    def counting(silent_time: SilentTime, key: Key, *rest: Any, **more: Any) -> None:
        looked.append(key[0])
        plan(silent_time, key, *rest, **more)

    monkeypatch.setattr(SilentTime, "_plan", counting)
    with log.open("a") as file:
        file.write("Jan 15 08:40:00 gw-0 racoon: INFO: received Vendor ID: DPD\n")
    while follower.step():
        pass
    inputs.close()
    assert set(looked) <= {"gw-0"}
    assert len(looked) < 10


def test_time_passes_for_those_of_which_something_is_due_and_for_no_others() -> None:
    engine = fed(central(50))
    racoons = engine.state.racoons
    silent_time = SilentTime({key: (racoon.now or 0.0, 1000.0) for key, racoon in racoons.items()}, racoons)
    due = min(racoon.next_look - (racoon.now or 0.0) for racoon in racoons.values())
    assert list(silent_time.due(racoons, 1000.0 + due - 1)) == []
    for key, racoon, until in silent_time.due(racoons, 1000.0 + due + 100_000):
        racoon.pass_time(until)
        assert racoons[key] is racoon
    assert not any(racoon.ipsec for racoon in racoons.values() if racoon.next_look < float("inf"))


@pytest.mark.parametrize("reference", [datetime(2027, 1, 1, 0, 10, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)])
def test_clocks_that_differ_over_new_year_do_not_count_years(reference: datetime) -> None:
    """Lines name no year; of two gateways one is still in the old one, turn by turn."""
    engine = Engine(UTC, reference_of=lambda _: reference.timestamp())
    lines = [
        f"{stamp}:{second:02} {host} racoon: {up(f'{second:016x}:a1b2c3d4e5f60718')}\n"
        for second in range(0, 60, 5)
        for host, stamp in (("slow", "Dec 31 23:57"), ("fast", "Jan  1 00:02"))
    ]
    engine.feed(block("".join(lines).encode()))
    engine.finish()
    times = {racoon.gateway: datetime.fromtimestamp(racoon.now or 0.0, UTC) for racoon in engine.state.racoons.values()}
    assert times == {
        "slow": datetime(2026, 12, 31, 23, 57, 55, tzinfo=UTC),
        "fast": datetime(2027, 1, 1, 0, 2, 55, tzinfo=UTC),
    }


def test_the_past_is_kept_of_all_gateways_that_have_a_place_and_of_no_invented_ones() -> None:
    """Beyond the limit each line would else let the past of one go, and look for the oldest of all."""
    gateways = 1500
    lines = [
        f"Jan 15 08:30:{turn:02} gw-{one} {next(ipsec_tools(one, 1))}\n" for turn in (1, 2) for one in range(gateways + 200)
    ]
    engine = fed(lines, gateways)
    assert engine.past.gateways.keys() == {*(f"gw-{one}" for one in range(gateways)), "other"}
    assert engine.past.bounds is not None
    assert engine.past.bounds.gateways > gateways
    engine.learn(Knowledge(limits=Limits(gateways=5000)))
    assert engine.past.bounds.gateways > 5000
