"""The page, the API and the metrics say the same of a peer, over every recording and at many of its moments."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa import Expectation
from racoon_exporter.status.api import bodies
from racoon_exporter.status.api.query import Parameters
from racoon_parsers.reasons import FAILURE_REASONS
from tests.exporter.status.engines import LAB, Gateway

#: Ends of the recordings' hosts, and friendly names of two of them.
EXPECTED = {
    "192.168.0.40": Expectation("bank-link"),
    "192.168.0.41": Expectation("supplier"),
    "192.168.0.42": Expectation("laptop", "roaming"),
}
LOGS = sorted(path for path in LAB.glob("*/*.log*") if re.fullmatch(r"\w\.log(\.gz)?", path.name))
SERIES = re.compile(r'^racoon_peer_reason\{(?:gateway="(.*?)",)?peer="(.*?)",phase="(\d)",reason="(\w+)"\} 1\.0$', re.MULTILINE)
STOPS = 8

Told = dict[tuple[str, str], tuple[int, str]]


def of_metrics(gateway: Gateway) -> list[tuple[tuple[str, str], tuple[int, str]]]:
    samples, gateways = collect(gateway.engine, OwnState())
    text = render(samples, gateways=gateways, openmetrics=False).decode()
    return [((host, peer), (int(phase), reason)) for host, peer, phase, reason in SERIES.findall(text)]


def of_api(gateway: Gateway) -> dict[tuple[str, str], str]:
    body = bodies.peers_body(gateway.view(), Parameters(), UTC)
    return {(peer["gateway"], peer["name"]): peer["reason"] for peer in body["peers"] if peer["reason"] is not None}


def agree_since_when(gateway: Gateway) -> None:
    """The metric is the time that the page and the API show; where a peer never was up it is that of the log's first line."""
    samples, _ = collect(gateway.engine, OwnState())
    shown = samples.values["racoon_phase2_state_since_timestamp_seconds"]
    body = bodies.peers_body(gateway.view(), Parameters(), UTC)
    told = {(peer["gateway"], peer["name"]): peer["since"] for peer in body["peers"] if peer["since"] is not None}
    assert {peer: time for peer, time in shown.items() if peer in told} == {
        peer: datetime.fromisoformat(time).timestamp() for peer, time in told.items()
    }
    begins = min(gateway.engine.first_line.values(), default=None)
    assert {time for peer, time in shown.items() if peer not in told} <= {begins}


def of_page(gateway: Gateway) -> Told:
    """Read a peer's reason where the page shows it at once, not folded."""
    cards = re.findall(r'<article id="\w+" class="peer \w+".*?</article>', gateway.page(), re.DOTALL)
    told: Told = {}
    for card in cards:
        found = re.search(r"<h5>Last failure</h5><p>Phase (\d): <strong>(\w+)</strong>", card)
        if found is not None:
            name = re.search(r'<h4 id="[^"]*">(.*?)</h4>', card)
            assert name is not None
            told["", name[1]] = int(found[1]), found[2]
    return told


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_page_api_and_metrics_name_the_same_reason(path: Path) -> None:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = data.splitlines(keepends=True)
    gateway = Gateway(EXPECTED)
    size = len(lines) // STOPS + 1
    for begin in range(0, len(lines), size):
        gateway.read(b"".join(lines[begin : begin + size]))
        series = of_metrics(gateway)
        told = dict(series)
        assert len(told) == len(series), "one reason of a peer at a time"
        assert {reason for _, reason in told.values()} <= set(FAILURE_REASONS)
        assert of_api(gateway) == {peer: reason for peer, (_, reason) in told.items()}
        assert of_page(gateway).items() <= told.items()
        agree_since_when(gateway)


def test_there_is_something_to_agree_on() -> None:
    gateway = Gateway(EXPECTED).read((LAB / "05-psk-mismatch-main" / "b.log").read_bytes())
    assert of_page(gateway)
