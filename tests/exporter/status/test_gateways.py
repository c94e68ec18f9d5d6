"""The list of gateways: each in the state of its worst peer, the worst first; page and API show the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from racoon_exporter.config.fleet_knowledge import FleetKnowledge
from racoon_exporter.expected_peers import ExpectedPeer
from racoon_exporter.gateway_scope import scope_of
from racoon_exporter.status import status_routes
from racoon_exporter.status.overview.gateway_list import GatewayList, look_at_gateways, sorted_gateways
from racoon_exporter.status.pages.gateway_page import ROWS, WantedGateways, gateway_page, headline
from racoon_exporter.status.pages.sections import MOST_DAEMONS, MOST_DOUBTS
from racoon_exporter.web import WebServer
from tests.exporter.status.engines import ASSETS, LAB, PEER, Gateway, permanent, recording, until

HEAD = "<30>1 2026-01-15T08:{minute:02}:00Z {host} racoon - - - "
BOTH = (
    "INFO: IPsec-SA established: ESP/Tunnel 10.0.0.1[500]->192.0.2.1[500] spi=1(0x1)",
    "INFO: IPsec-SA established: ESP/Tunnel 10.0.0.1[500]->192.0.2.1[500] spi=2(0x2)",
)
FAILED = "ERROR: phase1 negotiation failed due to time up. 0123456789abcdef:0000000000000000"
BEGUN = "INFO: initiate new phase 1 negotiation: 10.0.0.1[500]<=>192.0.2.1[500]"
STOPPED = "INFO: racoon process 77 shutdown"


def line(host: str, text: str, minute: int = 30) -> str:
    return f"{HEAD.format(host=host, minute=minute)}{text}\n"


def fleet() -> Gateway:
    known = FleetKnowledge(
        peers=[
            ExpectedPeer("192.0.2.1", "hub", scope=scope_of(["gw-*"])),
            ExpectedPeer("192.0.2.2", "spare", scope=scope_of(["gw-3"])),
            ExpectedPeer("192.0.2.9", "never", scope=scope_of(["silent"])),
        ]
    )
    gateway = Gateway(known)
    for host in ("gw-1", "gw-2", "gw-10", "free"):
        gateway.read("".join(line(host, text) for text in BOTH))
    gateway.read(line("gw-3", BEGUN) + line("gw-3", FAILED, 31))
    gateway.read(line("gw-4", BOTH[0]) + line("gw-4", STOPPED, 32))
    return gateway


def listed(gateway: Gateway) -> GatewayList:
    now = gateway.now
    return sorted_gateways(look_at_gateways(gateway.engine, gateway.statuses, now), now)


def test_a_gateway_is_as_its_worst_peer_is_and_the_worst_come_first() -> None:
    shown = listed(fleet())
    assert [(one.name, one.state, dict(one.peers)) for one in shown.gateways] == [
        ("gw-4", "down", {"down": 1}),
        ("gw-3", "down", {"down": 2}),
        ("silent", "unknown", {"unknown": 1}),
        ("free", "up", {"up": 1}),
        ("gw-1", "up", {"up": 1}),
        ("gw-2", "up", {"up": 1}),
        ("gw-10", "up", {"up": 1}),
    ]
    assert [one.daemon for one in shown.gateways] == ["stopped", "running", "unheard", *["running"] * 4]


def test_the_worst_peer_is_told_with_its_reason() -> None:
    worst = {one.name: one.worst for one in listed(fleet()).gateways}["gw-3"]
    assert worst is not None
    assert (worst.name, worst.state) == ("hub", "down")
    assert worst.trouble is not None
    assert (worst.trouble.phase, worst.trouble.reason) == (1, "no_response")


@pytest.mark.parametrize("name", sorted(path.parent.name for path in LAB.glob("*/a.log"))[::7])
def test_a_gateway_has_the_peers_and_states_of_the_overview(name: str) -> None:
    """The list is worked out in a way of its own: both must say the same of any recording."""
    gateway = Gateway(permanent()).read(recording(name))
    (one,) = listed(gateway).gateways
    peers = [peer for peer in gateway.view().peers if peer.kind != "stranger"]
    assert sum(one.peers.values()) == len(peers)
    assert dict(one.peers) == {state: number for state in one.peers if (number := sum(peer.state == state for peer in peers))}
    assert one.strangers == len(gateway.view().peers) - len(peers)
    assert one.state == peers[0].state
    assert one.worst is not None
    assert (one.worst.address, one.worst.trouble) == (peers[0].address, peers[0].trouble)


def test_of_several_racoons_of_a_gateway_the_one_with_which_a_peer_is_up_is_believed() -> None:
    gateway = (
        Gateway(permanent()).read(until("02-rekey", "caught signal 15")).read(until("05-psk-mismatch-main", "x"), "other.log")
    )
    (one,) = listed(gateway).gateways
    assert dict(one.peers) == {"up": 1}
    assert one.worst is not None
    assert one.worst.address == PEER


def test_nothing_of_it_costs_more_than_once_for_each_peer() -> None:
    """Ten thousand gateways must be answered at once: each peer is looked at once, and names are compared when sorting."""
    gateway = fleet()
    asked: list[str] = []
    for racoon in gateway.engine.state.racoons.values():
        racoon.peers.knowledge = _Counting(racoon.peers.knowledge, asked)  # type: ignore[assignment]
    look_at_gateways(gateway.engine, gateway.statuses, gateway.now)
    peers = sum(len(racoon.peers) for racoon in gateway.engine.state.racoons.values())
    assert len(asked) <= peers + 2 * len(gateway.engine.state.racoons) + 1


class _Counting:
    def __init__(self, knowledge: object, asked: list[str]) -> None:
        self._knowledge = knowledge
        self._asked = asked

    def __getattr__(self, name: str) -> object:
        if name == "expected":
            self._asked.append(name)
        return getattr(self._knowledge, name)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    gateway = fleet()
    routes = status_routes(
        gateway.take, now=lambda: gateway.now, zone=gateway.zone, telemetry_path="/metrics", ring=gateway.ring
    )
    with ExitStack() as opened:
        server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=None)
        server.start()
        opened.callback(server.stop)
        yield opened.enter_context(httpx.Client(base_url=server.urls[0], trust_env=False))


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ({}, ["gw-4", "gw-3", "silent", "free", "gw-1", "gw-2", "gw-10"], 7),
        ({"q": "GW-1"}, ["gw-1", "gw-10"], 2),
        ({"state": "down"}, ["gw-4", "gw-3"], 2),
        ({"gateway": "free"}, ["free"], 1),
        ({"limit": "2", "offset": "1"}, ["gw-3", "silent"], 7),
        ({"q": "nobody"}, [], 0),
    ],
)
def test_the_api_searches_and_pages(client: httpx.Client, query: dict[str, str], names: list[str], total: int) -> None:
    given = client.get("/api/v1/gateways", params=query).json()
    assert ([one["gateway"] for one in given["gateways"]], given["total"]) == (names, total)
    assert given["states"]["down"] == 2


@pytest.mark.parametrize("query", [{"state": "sleepy"}, {"limit": "0"}, {"peer": "192.0.2.1"}])
def test_the_api_refuses_what_it_does_not_know(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get("/api/v1/gateways", params=query)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_the_page_lists_searches_and_leads_to_the_peers_of_a_gateway(client: httpx.Client) -> None:
    answer = client.get("/gateways", params={"q": "gw-", "state": "down", "offset": "nonsense"})
    assert re.findall(r'<a href="\./\?gateway=([^"]*)">', answer.text) == ["gw-4", "gw-3"]
    assert "2 gateways of 7 have an expected peer that is down." in answer.text
    assert "<script" not in answer.text
    assert "no_response" in answer.text


def test_a_page_holds_so_many_rows_and_leads_to_those_before_and_after() -> None:
    gateway = Gateway().read("".join(line(f"gw-{number}", BOTH[0]) for number in range(2 * ROWS + 1)))
    shown = listed(gateway)
    middle = gateway_page(shown, WantedGateways("gw", offset=ROWS), gateway.zone, ASSETS)
    assert middle.count('href="./?gateway=') == ROWS
    assert f"{ROWS + 1} to {2 * ROWS} of {2 * ROWS + 1} gateways" in middle
    assert 'href="./gateways?q=gw" rel="prev"' in middle
    assert f'href="./gateways?q=gw&amp;offset={2 * ROWS}" rel="next"' in middle


def test_a_gateway_may_call_itself_anything() -> None:
    gateway = Gateway().read(line("<script>alert(1)</script>", BOTH[0]) + line("a&b=c", BOTH[0]))
    text = gateway_page(listed(gateway), WantedGateways('"><script>'), gateway.zone, ASSETS)
    assert "<script" not in text
    text = gateway_page(listed(gateway), WantedGateways(), gateway.zone, ASSETS)
    assert "<script" not in text


def test_nothing_is_said_to_be_well_where_nothing_is_known() -> None:
    assert headline(sorted_gateways([], 0.0)) == "No gateway was heard of, and none is configured."
    unheard = Gateway(FleetKnowledge(peers=[ExpectedPeer("192.0.2.9", scope=scope_of(["a", "b"]))]))
    assert "nothing is known" in headline(listed(unheard))


def test_too_many_gateways_to_choose_from_are_looked_for_on_their_own_page() -> None:
    few, many = (Gateway().read("".join(line(f"gw-{n}", BOTH[0]) for n in range(number))) for number in (2, 101))
    assert '<option value="gw-1">gw-1</option>' in few.page()
    assert "<option" not in many.page().partition('id="gateway"')[2]
    assert '<a href="gateways">' in many.page()
    assert '<option value="gw-1" selected>gw-1</option>' in many.page("", "", "gw-1")


def test_the_page_of_peers_stays_short_however_many_gateways_there_are() -> None:
    """Daemons and doubts stand once for each gateway: beyond a few the list of gateways has them."""
    gateway = Gateway().read("".join(line(f"gw-{number}", STOPPED) for number in range(150)))
    page = gateway.page()
    assert page.count('class="banner serious"') == MOST_DOUBTS
    assert f"{150 - MOST_DOUBTS + 1} more doubts" in page
    assert page.partition('id="daemons"')[2].count("not running") == MOST_DAEMONS
    assert gateway.page("", "", "gw-149").partition('id="daemons"')[2].count("not running") == 1
