"""A state file under a changed configuration: each racoon goes with its source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine
from racoon_exporter.sa import Expectation, Knowledge, Limits
from racoon_exporter.serve.former_sources import MOST_SOURCES
from racoon_exporter.serve.loop import Follower
from racoon_exporter.serve.reconfiguration import fit_to_sources
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from tests.exporter.reading import I1, I2, I3, P, Q, sa, start, up
from tests.steps import grows_linearly

FILE = "2026-01-15 08:30:0{}: {}\n"
SYSLOG = "2026-01-15T08:30:0{}Z {} racoon: {}\n"
Key = tuple[str, str]


class Exporter:
    """Starts of one exporter with one state file, each with sources and their gateways."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def write(self, name: str, *messages: str, host: str = "") -> None:
        with (self.directory / name).open("a") as file:
            file.writelines(
                SYSLOG.format(second, host, message) if host else FILE.format(second, message)
                for second, message in enumerate(messages)
            )

    def run(self, sources: Mapping[str, str], knowledge: Knowledge | None = None) -> Follower:
        gateways = {self.path(name): gateway for name, gateway in sources.items()}
        inputs = Inputs(paths(*gateways))
        engine = Engine(UTC, knowledge=knowledge, gateway_of=lambda source: gateways.get(source, ""))
        follower = Follower(engine, inputs, state_file=self.directory / "state.json", wall=lambda: 1000.0)
        follower.restore()
        while follower.step():
            pass
        follower.save()
        inputs.close()
        return follower


def racoons(follower: Follower) -> dict[Key, list[str]]:
    """Peers with ISAKMP SAs, by gateway and stream."""
    found = follower.engine.state.racoons.values()
    return {(racoon.gateway, Path(racoon.stream).name): sorted(racoon.isakmp.of_peer) for racoon in found}


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    made = Exporter(tmp_path)
    made.write("racoon.log", start(), up(I1), sa(1), sa(2))
    return made


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param("", "", {("", "racoon.log"): [P]}, id="unchanged"),
        pytest.param("", "berlin", {("berlin", ""): [P]}, id="given"),
        pytest.param("berlin", "paris", {("paris", ""): [P]}, id="renamed"),
        pytest.param("berlin", "berlin", {("berlin", ""): [P]}, id="kept"),
        pytest.param("berlin", "", {}, id="taken away: lines may name a host"),
    ],
)
def test_a_racoon_goes_with_its_source(before: str, after: str, found: dict[Key, list[str]], exporter: Exporter) -> None:
    exporter.run({"racoon.log": before})
    follower = exporter.run({"racoon.log": after})
    assert racoons(follower) == found
    assert {record.gateway for record in follower.engine.state.history()["ipsec"]} <= {after}


def test_what_is_known_of_the_past_goes_with_its_gateway(exporter: Exporter) -> None:
    first = exporter.run({"racoon.log": ""}).engine.past.of("").first
    assert first is not None
    for gateway in ("berlin", "paris"):
        past = exporter.run({"racoon.log": gateway}).engine.past
        assert {name: log.first for name, log in past.gateways.items()} == {gateway: first}


def test_a_racoon_that_moved_goes_on(exporter: Exporter) -> None:
    exporter.run({"racoon.log": ""})
    exporter.write("racoon.log", up(I2, Q), f"INFO: ISAKMP-SA deleted 192.0.2.1[500]-{P}[500] spi:{I1}")
    assert racoons(exporter.run({"racoon.log": "berlin"})) == {("berlin", ""): [Q]}


def test_the_last_line_read_before_is_of_the_new_gateway(exporter: Exporter) -> None:
    """After a crash a record may be kept back in the state file."""
    follower = exporter.run({"racoon.log": ""})
    follower.engine.reader(exporter.path("racoon.log")).feed([FILE.format(9, up(I2, Q)).strip()])
    follower.save()
    assert racoons(exporter.run({"racoon.log": "berlin"})) == {("berlin", ""): sorted([P, Q])}


@pytest.mark.parametrize("gateway", ["", "berlin"])
def test_a_racoon_whose_source_is_read_no_longer_is_set_aside(
    gateway: str, exporter: Exporter, caplog: pytest.LogCaptureFixture
) -> None:
    exporter.run({"racoon.log": gateway})
    exporter.write("other.log", up(I2, Q))
    follower = exporter.run({"other.log": ""})
    assert racoons(follower) == {("", "other.log"): [Q]}
    assert exporter.path("racoon.log") not in follower.engine.readers
    assert "is set aside: it is read no longer" in caplog.text
    exporter.write("racoon.log", up(I3, Q))
    back = exporter.run({"racoon.log": gateway})
    assert racoons(back) == {(gateway, "" if gateway else "racoon.log"): sorted([P, Q])}
    (racoon,) = back.engine.state.racoons.values()
    established = [key for peer in racoon.peers.values() for key in peer.counters.elements() if key[0] == "phase1_established"]
    assert len(established) == 2  # each line once: the log is read on where it was left


def test_of_two_logs_of_a_gateway_one_may_go(exporter: Exporter) -> None:
    exporter.write("other.log", up(I2, Q))
    exporter.run({"racoon.log": "berlin", "other.log": "berlin"})
    assert racoons(exporter.run({"other.log": "berlin"})) == {("berlin", ""): sorted([P, Q])}


def test_logs_that_come_to_one_gateway_cannot_be_put_together(exporter: Exporter) -> None:
    exporter.write("other.log", up(I2, Q))
    exporter.run({"racoon.log": "", "other.log": "berlin"})
    assert racoons(exporter.run({"racoon.log": "berlin", "other.log": "berlin"})) == {("berlin", ""): [Q]}


def test_hosts_that_lines_name_stay_while_a_source_may_name_them(exporter: Exporter) -> None:
    exporter.write("all.log", up(I2, Q), host="east")
    exporter.write("all.log", up(I3, Q), host="west")
    exporter.run({"racoon.log": "", "all.log": ""})
    assert racoons(exporter.run({"all.log": ""})) == {("east", ""): [Q], ("west", ""): [Q]}
    assert racoons(exporter.run({"racoon.log": ""})) == {("", "racoon.log"): [P]}


def test_the_only_host_takes_the_name_that_its_source_is_given(exporter: Exporter) -> None:
    exporter.write("all.log", up(I2, Q), host="east")
    exporter.run({"all.log": ""})
    assert racoons(exporter.run({"all.log": "berlin"})) == {("berlin", ""): [Q]}


def test_a_rotated_log_is_still_that_log(exporter: Exporter) -> None:
    exporter.run({"racoon.log-20260115": ""})
    exporter.write("racoon.log-20260115", up(I1))
    exporter.run({"racoon.log-20260115": ""})
    assert racoons(exporter.run({"racoon.log-20260115": ""})) == {("", "racoon.log"): [P]}


def test_a_peer_that_is_configured_at_a_restart_is_no_stranger(exporter: Exporter) -> None:
    exporter.write("scan.log", start("respond", Q), "INFO: begin Aggressive mode.")
    exporter.run({"scan.log": ""})
    known = Knowledge({Q: Expectation("branch", phase2_lifetime=600)}, None, Limits(strangers=0))
    peer = next(iter(exporter.run({"scan.log": ""}, known).engine.state.racoons.values())).peers[Q]
    assert (peer.stranger, peer.phase2_lifetime) == (False, 600)


@pytest.mark.parametrize("state", ["read", "read no longer", "read again", "given a gateway"])
def test_the_work_at_a_start_grows_with_the_number_of_logs_not_with_its_square(exporter: Exporter, state: str) -> None:
    """The exporter answers nobody before that: a thousand logs took it half a minute."""
    exporter.run({"racoon.log": ""})
    content = checkpoint.read(exporter.directory / "state.json")
    assert content is not None
    (racoon,), (position,), (counts,) = (
        content["engine"]["state"]["racoons"],
        content["positions"].values(),
        content["sources"].values(),
    )

    def fit(count: int) -> None:
        names = [f"/var/log/{count}/{number}.log" for number in range(count)]
        engine = content["engine"] | {"readers": {}, "last_line": dict.fromkeys(names, 0.0), "first_line": {}}
        engine["state"] = engine["state"] | {"racoons": [racoon | {"stream": name} for name in names]}
        many = content | {
            "engine": engine,
            "gateways": dict.fromkeys(names, ""),
            "positions": dict.fromkeys(names, position),
            "sources": dict.fromkeys(names, counts),
            "seen": [["", racoon["ident"], name, 0.0, 0.0] for name in names],
            "aside": {},
        }
        inputs = Inputs(paths(*names))
        is_read = inputs.reads if state != "read no longer" else lambda _: False
        if state == "read again":
            fit_to_sources(many, lambda _: False, lambda _: "")
        fit_to_sources(many, is_read, lambda name: name if state == "given a gateway" else "")
        kept = min(count, MOST_SOURCES) if state == "read again" else 0 if state == "read no longer" else count
        assert len(many["engine"]["state"]["racoons"]) == kept
        inputs.close()

    assert grows_linearly(fit)
