"""What the boards say equals `history`, at a quarter of an hour, a day and a week; as all the recordings tell it.

The queries are those of the rendered boards with the macros' values as Grafana gives them (tests/dashboards/boards.py).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from racoon_dashboards import states
from racoon_dashboards.reasons import WHAT_TO_DO, WHY
from racoon_exporter.engine import Engine
from racoon_exporter.sa import Expectation
from racoon_exporter.wording.reasons import explain
from tests.dashboards.boards import BOARDS, NAMES, Range, is_of_one, panel_of, panels
from tests.e2e.past import DAY, END, Host, Played, played
from tests.e2e.scenarios import LAB, SHUTDOWN
from tests.e2e.world import Series, World, knowing
from tests.exporter.metrics.test_current import changes

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
BRANCH = {"192.168.0.41": Expectation("branch"), "192.168.0.40": Expectation("branch")}
SOAK = LAB / "17-soak-chaos" / "a.log"
REKEY = LAB / "02-rekey" / "a.log"
UP = Host("gw-up.example.org:10500", [Played(REKEY, 20, SHUTDOWN)], BRANCH)
CHAOS = Host("gw-chaos.example.org:10500", [Played(SOAK, ago) for ago in (3 * DAY, DAY / 2, 400)], BRANCH, known_for=3.2 * DAY)
DENIED = Host("gw-denied.example.org:10500", [Played(LAB / "05-psk-mismatch-main" / "a.log", 400, SHUTDOWN)], BRANCH)
WRONG = Host("gw-wrong.example.org:10500", [Played(LAB / "06-ph1-proposal-mismatch" / "a.log", 400, SHUTDOWN)], BRANCH)
STOPPED = Host("gw-stopped.example.org:10500", [Played(LAB / "11-delete-restart" / "a.log", 600)], BRANCH)
QUIET = Host("gw-quiet.example.org:10500", [Played(LAB / "26-quiet-log-levels" / "a.log", 30)], BRANCH)
LOST = Host("gw-lost.example.org:10500", [Played(LAB / "01-psk-main" / "a.log", 1300, SHUTDOWN)], BRANCH, lost_ago=1200)
ROAD = Host(
    "gw-road.example.org:10500",
    [Played(REKEY, 20, SHUTDOWN)],
    {"192.168.0.41": Expectation("laptop", "roaming"), "192.168.0.77": Expectation("nobody")},
)
OPEN = Host("gw-open.example.org:10500", [Played(REKEY, 20, SHUTDOWN)], {})
HOSTS = (UP, CHAOS, DENIED, WRONG, STOPPED, QUIET, LOST, ROAD, OPEN)
RANGES = {"15m": 900, "24h": DAY, "7d": 7 * DAY}
ranges = pytest.mark.parametrize("seconds", RANGES.values(), ids=RANGES)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    past = played(HOSTS)
    with knowing(tmp_path_factory.mktemp("past"), past) as prometheus:
        yield World(prometheus, past)


def of(series: Series, *labels: str) -> dict[tuple[str, ...], str]:
    """Give an instant answer by the values of some labels."""
    return {tuple(one["metric"].get(label, "") for label in labels): one["value"][1] for one in series}


def counted(series: Series, label: str) -> dict[str, float]:
    """Add up the bars of each series."""
    return {one["metric"].get(label, ""): sum(float(value) for _, value in one["values"]) for one in series}


def up_and_down(engine: Engine, peer: str) -> list[tuple[float, bool]]:
    """Say when a peer came up and went down, as the IPsec SAs of `history` tell it."""
    sas = (one for one in engine.state.history()["ipsec"] if one.peer == peer)
    return changes([(one.established, one.ended, one.direction or "") for one in sas if one.established], ["in", "out"])


def last_change(host: Host, world: World) -> tuple[float, bool]:
    return up_and_down(world.engine(host), "192.168.0.41")[-1]


@ranges
def test_what_is_not_up_is_a_row_with_its_state_time_and_reason(world: World, seconds: int) -> None:
    state, lasting, reason, last_up = world.ask("racoon-fleet", "What is not up", seconds)
    found = {key: states.STATES[value][0] for key, value in of(state, "instance", "peer").items()}
    assert found == {
        (CHAOS.instance, "branch"): "Down",
        (DENIED.instance, "branch"): "Never up",
        (WRONG.instance, "branch"): "Never up",
        (STOPPED.instance, "branch"): "Down",
        (QUIET.instance, "branch"): "Unknown",
        (ROAD.instance, "nobody"): "Never up",
        (LOST.instance, "all its peers"): "Exporter down",
    }
    down = of(lasting, "instance")
    for host in (CHAOS, STOPPED):
        went_down, is_up = last_change(host, world)
        assert not is_up
        assert float(down[host.instance,]) == END - went_down
        assert float(of(last_up, "instance")[host.instance,]) == 1000 * went_down
    for host in (DENIED, WRONG):
        assert float(down[host.instance,]) == END - host.log[0].after
        assert (host.instance,) not in of(last_up, "instance")
    assert float(down[LOST.instance,]) == 1200
    assert {key for key in of(reason, "instance", "reason") if key[0] != DENIED.instance} == {
        (CHAOS.instance, "racoon_stopped"),
        (WRONG.instance, "proposal_mismatch"),
        (STOPPED.instance, "racoon_stopped"),
        (QUIET.instance, "log_too_quiet"),
        (ROAD.instance, "nothing_logged"),
        (LOST.instance, "exporter_down"),
    }


@ranges
def test_the_reason_is_one_and_that_of_history(world: World, seconds: int) -> None:
    _, _, reason, _ = world.ask("racoon-fleet", "What is not up", seconds)
    failed = [one for one in world.engine(DENIED).state.history()["negotiations"] if one.outcome == "failed"]
    told = [key[1:] for key in of(reason, "instance", "phase", "reason") if key[0] == DENIED.instance]
    assert told == [("1", "timeout")]
    assert ("timeout", 1) in {(one.reason, one.phase) for one in failed}


@ranges
def test_the_numbers_are_those_of_now_whatever_the_range(world: World, seconds: int) -> None:
    ((permanent,),) = world.ask("racoon-fleet", "Permanent peers", seconds)
    assert (permanent["metric"]["up"], permanent["metric"]["all"], permanent["value"][1]) == ("1", "8", "7")
    ((down,),) = world.ask("racoon-fleet", "Exporters down", seconds)
    assert down["value"][1] == "1"
    ((silent,),) = world.ask("racoon-fleet", "Logs silent", seconds)
    assert silent["value"][1] == "0"
    stopped, running = world.ask("racoon-fleet", "racoon stopped", seconds)
    assert set(of(stopped, "instance")) == {(CHAOS.instance,), (STOPPED.instance,)}
    assert not running
    ((roaming,),) = world.ask("racoon-fleet", "Roaming peers", seconds)
    assert (roaming["metric"]["up"], roaming["metric"]["all"]) == ("1", "1")


@ranges
def test_bars_add_up_to_the_failures_of_history(world: World, seconds: int) -> None:
    (bars,) = world.ask("racoon-fleet", "Failed negotiations", seconds)
    panel = panel_of("racoon-fleet", "Failed negotiations")
    step = Range(END, seconds).step(panel)
    begin = (END - seconds) // step * step - step
    failed = Counter(
        str(one.reason)
        for host in HOSTS
        for one in world.engine(host).state.history()["negotiations"]
        if one.outcome == "failed" and one.ended is not None and begin < one.ended
    )
    assert counted(bars, "reason") == failed
    assert all(float(value).is_integer() for one in bars for _, value in one["values"])


@ranges
def test_bars_add_up_to_the_outages_of_history(world: World, seconds: int) -> None:
    (bars,) = world.ask("racoon-fleet", "Peers that went down", seconds)
    step = Range(END, seconds).step(panel_of("racoon-fleet", "Peers that went down"))
    begin = (END - seconds) // step * step - step
    fallen = Counter(
        host.instance
        for host in HOSTS
        for at, is_up in up_and_down(world.engine(host), "192.168.0.41")
        if not is_up and begin < at
    )
    found = counted(bars, "instance")
    # An SA that only its lifetime ended may turn out to live: that outage was none, but it was counted.
    assert found.pop(CHAOS.instance) >= fallen.pop(CHAOS.instance)
    assert found == fallen


@ranges
def test_the_timeline_shows_each_permanent_peer_that_was_down_and_every_outage(world: World, seconds: int) -> None:
    title = "Permanent peers that were down in this range (20 at most)"
    (bands,) = world.ask("racoon-fleet", title, seconds)
    shown = {one["metric"]["instance"]: {float(at): value for at, value in one["values"]} for one in bands}
    assert len(bands) == len(shown) <= 20
    begin = END - seconds
    down = {
        host.instance
        for host in (UP, CHAOS, DENIED, WRONG, STOPPED, QUIET)
        if any(not is_up and at > begin for at, is_up in up_and_down(world.engine(host), "192.168.0.41"))
        or not (up_and_down(world.engine(host), "192.168.0.41") or [(0.0, False)])[-1][1]
    }
    assert set(shown) == {*down, ROAD.instance}
    step = Range(END, seconds).step(panel_of("racoon-fleet", title))
    outages = up_and_down(world.engine(CHAOS), "192.168.0.41")
    for (fell, is_up), (rose, _) in pairwise(outages):
        scraped = [at for at in range(int(fell) // 15 * 15 + 15, int(rose), 15) if at < rose]
        if not is_up and fell > begin + step and scraped:
            seen = scraped[0] // step * step + (step if scraped[0] % step else 0)
            assert shown[CHAOS.instance][float(seen)] == "0"


@ranges
def test_roaming_peers_have_a_table_of_their_own(world: World, seconds: int) -> None:
    state, lasting, _ = world.ask("racoon-fleet", "Roaming and unexpected peers", seconds)
    found = {key: states.STATES[value][0] for key, value in of(state, "instance", "peer", "kind").items()}
    assert found == {
        (ROAD.instance, "laptop", "roaming"): "Up",
        (OPEN.instance, "192.168.0.41", "unexpected"): "Up",
    }
    went_up, is_up = last_change(ROAD, world)
    assert is_up
    assert float(of(lasting, "instance")[ROAD.instance,]) == END - went_up


def test_where_all_is_up_there_is_no_row(world: World) -> None:
    assert not any(world.ask("racoon-fleet", "What is not up", 900, instance=UP.instance))


def test_where_nobody_is_expected_the_table_says_so(world: World) -> None:
    state, *others = world.ask("racoon-fleet", "What is not up", 900, instance=OPEN.instance)
    assert [states.STATES[value][0] for value in of(state, "peer").values()] == ["Nobody expected"]
    assert not any(others)


@ranges
@pytest.mark.parametrize("host", [UP, CHAOS, DENIED, WRONG, STOPPED, QUIET], ids=lambda host: str(host.instance.split(".")[0]))
def test_the_board_of_a_peer_says_what_the_table_says(world: World, host: Host, seconds: int) -> None:
    """Peers of nine gateways have the same name: only this one's state, reason, bars and durations are shown."""
    chosen = {"job": "racoon", "instance": host.instance, "gateway": "", "peer": "branch"}
    state, *_ = world.ask("racoon-fleet", "What is not up", seconds)
    ((now,),) = world.ask("racoon-peer", "State", seconds, **chosen)
    assert now["value"][1] == of(state, "instance").get((host.instance,), str(states.UP))
    ((why,),) = world.ask("racoon-peer", "Why", seconds, **chosen)
    assert {WHY[why["metric"]["why"]][0], WHAT_TO_DO[why["metric"]["why"]][0]} != {""}
    engine = world.engine(host)
    failures = world.ask("racoon-peer", "Failures by reason", seconds, **chosen)
    step = Range(END, seconds).step(panel_of("racoon-peer", "Failures by reason"))
    first = (END - seconds) // step * step - step
    for phase, bars in enumerate(failures, start=1):
        failed = Counter(
            str(one.reason)
            for one in engine.state.history()["negotiations"]
            if one.outcome == "failed" and one.phase == phase and one.peer in BRANCH and (one.ended or 0) > first
        )
        assert counted(bars, "reason") == failed


def test_the_words_of_a_reason_are_those_of_the_page(world: World) -> None:
    ((why,),) = world.ask("racoon-peer", "Why", 900, job="racoon", instance=WRONG.instance, gateway="", peer="branch")
    told = explain("proposal_mismatch", 1)
    assert WHY[why["metric"]["why"]][0] == f"Phase 1: {told.gloss}"
    assert WHAT_TO_DO[why["metric"]["why"]][0] == told.advice


@ranges
def test_sas_that_are_gone_are_none_and_no_gap(world: World, seconds: int) -> None:
    chosen = {"job": "racoon", "instance": CHAOS.instance, "gateway": "", "peer": "branch"}
    answers = world.ask("racoon-peer", "SAs alive", seconds, **chosen)
    assert [series[0]["values"][-1][1] for series in answers] == ["0", "0", "0"]
    assert len({len(series[0]["values"]) for series in answers}) == 1


@ranges
def test_there_is_one_row_for_each_gateway(world: World, seconds: int) -> None:
    state, _, crashes, quiet, *_ = world.ask("racoon-health", "Gateways", seconds)
    found = {key[0]: states.RUNNING[value][0] for key, value in of(state, "instance").items()}
    assert set(found) == {host.instance for host in HOSTS}
    assert {instance for instance, word in found.items() if word == "Stopped"} == {CHAOS.instance, STOPPED.instance}
    assert found[LOST.instance] == "Exporter down"
    assert [instance for (instance,), value in of(quiet, "instance").items() if value == "1"] == [QUIET.instance]
    daemons = world.engine(STOPPED).state.history()["daemon"]
    crashed = sum(1 for one in daemons if one.end == "crash" and (one.stopped or one.started or 0) > END - seconds)
    assert of(crashes, "instance")[STOPPED.instance,] == str(crashed)


@ranges
@pytest.mark.parametrize("name", NAMES)
def test_no_query_of_a_board_is_refused(world: World, name: str, seconds: int) -> None:
    chosen = {"job": "racoon", "instance": CHAOS.instance, "gateway": "", "peer": "branch"} if is_of_one(name) else {}
    for panel in panels(BOARDS[name]):
        world.ask(name, panel["title"], seconds, **chosen)


@ranges
@pytest.mark.parametrize("name", NAMES)
def test_annotations_mark_the_starts(world: World, name: str, seconds: int) -> None:
    chosen = {"job": "racoon", "instance": CHAOS.instance, "gateway": ""} if is_of_one(name) else {}
    asked = Range(END, seconds, chosen=chosen)
    annotations = {one["name"]: asked.bound(one["expr"], {}) for one in BOARDS[name]["annotations"]["list"]}
    step = asked.step({})
    told = {
        float(value) / 1000
        for one in world.prometheus.since(annotations["racoon started"], asked.begin, END, step)
        if one["metric"]["instance"] == CHAOS.instance
        for _, value in one["values"]
    }
    starts = {one.started for one in world.engine(CHAOS).state.history()["daemon"] if one.started}
    assert told
    assert told <= starts
