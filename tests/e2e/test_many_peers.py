"""A thousand peers are no burden."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from racoon_exporter.sa import Expectation
from tests.dashboards.boards import BOARDS, Range, panels
from tests.e2e.chain import Prometheus
from tests.e2e.past import DAY, END, Host, Played, played
from tests.e2e.world import World, knowing

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
MANY = 1000
LINES = """{at}: INFO: ISAKMP-SA established 192.0.2.1[500]-{peer}[500] spi:{spi:016x}:{spi:016x}
{at}: INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{peer}[500] spi={spi}(0x{spi:x})
{at}: INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{peer}[500] spi={other}(0x{other:x})
"""
OF_THE_FLEET = frozenset(
    {
        *("up", "racoon_peer_expected", "racoon_phase2_up", "racoon_peer_reason", "racoon_daemon_up", "racoon_log_level_quiet"),
        *("racoon_phase2_state_since_timestamp_seconds", "racoon_phase2_last_established_timestamp_seconds"),
        *("racoon_phase1_last_failure_timestamp_seconds", "racoon_phase2_last_failure_timestamp_seconds"),
        *("racoon_gateway_peers", "racoon_gateway_failures_total", "racoon_gateway_flaps_total", "racoon_exporter_build_info"),
        *("racoon_exporter_source_up", "racoon_exporter_source_last_line_timestamp_seconds"),
    }
)


def test_a_thousand_peers_are_no_burden(tmp_path: Path) -> None:
    """The fleet board asks for few samples and gets few bytes, in an hour as in a day: what it takes is in docs/grafana.md."""
    addresses = [f"10.{number // 250}.{number % 250}.1" for number in range(MANY)]
    text = "".join(
        LINES.format(at="2026-11-24 08:00:00", peer=peer, spi=2 * number + 2, other=2 * number + 3)
        for number, peer in enumerate(addresses)
        if number % 40
    )
    log = tmp_path / "many.log"
    log.write_text("2026-11-24 08:00:00: INFO: @(#)ipsec-tools 0.9.1 (http://ipsec-tools.sourceforge.net)\n" + text)
    expected = {peer: Expectation(f"site-{number:04}") for number, peer in enumerate(addresses)}
    past = played([Host("gw-big.example.org:10500", [Played(log, 3000)], expected, known_for=3600)], OF_THE_FLEET)
    with knowing(tmp_path / "prometheus", past) as prometheus:
        world = World(prometheus, past)
        state, *_ = world.ask("racoon-fleet", "What is not up", DAY)
        assert len(state) == MANY // 40
        ((up,),) = world.ask("racoon-fleet", "Permanent peers", DAY)
        assert (up["metric"]["up"], up["metric"]["all"]) == ("975", "1000")
        (bands,) = world.ask("racoon-fleet", "Permanent peers that were down in this range (20 at most)", DAY)
        assert len(bands) == 20
        sent = sum(_size(prometheus, panel) for panel in panels(BOARDS["racoon-fleet"]))
        assert sent < 400_000


def _size(prometheus: Prometheus, panel: dict[str, Any]) -> int:
    """Give the bytes of the answers to a panel's queries at a day."""
    asked = Range(END, DAY)
    step = asked.step(panel)
    sizes = 0
    for target in panel["targets"]:
        query = asked.bound(target["expr"], panel)
        way: dict[str, object] = {"time": END} if target["instant"] else {"start": asked.begin, "end": END, "step": step}
        path = "query" if target["instant"] else "query_range"
        with urlopen(f"{prometheus.url}/api/v1/{path}?{urlencode({'query': query, **way})}", timeout=60) as answer:
            body = answer.read()
        assert json.loads(body)["status"] == "success"
        sizes += len(body)
    return sizes
