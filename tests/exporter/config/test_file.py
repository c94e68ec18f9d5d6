"""`--config.file`: what is understood, and the line of everything that is not."""

from pathlib import Path

import pytest

from racoon_exporter.config.file import Config, ConfigError, load_config, read_config
from racoon_exporter.config.peers import RacoonFiles
from racoon_exporter.gateway_scope import EVERYWHERE, Scope
from racoon_exporter.source import kinds
from racoon_exporter.source.journal.journalctl import JournalOptions

HERE = Path("/etc/racoon-exporter")
ONE_OF = f"one of {', '.join(kind.key for kind in kinds.SOURCES[:-1])} and {kinds.SOURCES[-1].key}"
DOCUMENTED = Path(__file__).parents[3] / "docs" / "configuration.md"


def read(text: str) -> Config:
    config, problems = read_config(text, HERE)
    assert problems == []
    return config


def test_the_documented_example_is_read_whole() -> None:
    config = read(DOCUMENTED.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0])
    assert config.paths == ("/var/log/racoon.log", "/var/log/remote/berlin/racoon.log")
    assert kinds.journal(JournalOptions(("racoon",), ("racoon.service",))) in config.sources
    assert set(kinds.syslog("udp://192.0.2.1:5514")) <= {*config.sources}
    assert [(peer.address, peer.name, peer.kind) for peer in config.peers] == [
        ("198.51.100.7", "branch", "permanent"),
        ("203.0.113.9", None, "roaming"),
        ("203.0.113.9", "hub", "permanent"),
    ]
    assert config.peers[1].phase1_lifetime == 28800
    assert config.peers[1].phase2_lifetime == 3600
    assert [peer.scope for peer in config.peers] == [EVERYWHERE, Scope(names=("berlin",)), Scope(("paris",), ("gw-*",))]
    assert [(str(one.network), one.name) for one in config.networks] == [("192.0.2.0/24", "road-warriors")]
    assert config.racoons == (
        RacoonFiles("/etc/racoon/racoon.conf", ("/etc/ipsec-tools.conf",)),
        RacoonFiles("/etc/racoon-exporter/branch.conf", (), 1800, Scope(patterns=("gw-*",))),
    )
    assert str(config.zone) == "Europe/Berlin"
    assert (config.lifetime, config.strangers, config.peer_limit, config.gateway_limit) == (3600, 100, 10_000, 1000)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n"], ids=["empty", "a comment", "a document", "no keys"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert read(text) == Config()


def test_paths_are_relative_to_the_file() -> None:
    config = read("sources: [{path: log/*.log}, {path: '-'}]\nracoon: {config: racoon.conf, policy_files: [a, /b]}\n")
    assert config.paths == ("/etc/racoon-exporter/log/*.log", "-")
    assert config.racoons == (RacoonFiles("/etc/racoon-exporter/racoon.conf", ("/etc/racoon-exporter/a", "/b")),)


@pytest.mark.parametrize(
    ("source", "gateway"),
    [
        ("/var/log/racoon.log", ""),
        ("/var/log/berlin/racoon.log", "berlin"),
        ("/var/log/branches/a.log", "branches"),
        ("/var/log/branches/a/racoon.log", "deeper"),
        ("/var/log/branches/.hidden", ""),
        ("/var/log/branches/exactly.log", "one"),
        ("journal", "here"),
        ("udp://127.0.0.1:514", "remote"),
    ],
)
def test_a_source_has_the_gateway_of_its_name_or_of_the_pattern_it_was_found_by(source: str, gateway: str) -> None:
    config = read(
        """
sources:
  - path: /var/log/racoon.log
  - {path: /var/log/berlin/racoon.log, gateway: berlin}
  - {path: /var/log/branches/*, gateway: branches}
  - {path: /var/log/branches/**/*.log, gateway: deeper}
  - {path: /var/log/branches/exactly.log, gateway: one}
  - {journal: {}, gateway: here}
  - {syslog: 'udp://127.0.0.1:514', gateway: remote}
"""
    )
    assert config.gateway_of(source) == gateway


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("lifetime: 3600\npears: []\n", 2, "pears"),
        ("lifetime: 3600\nlifetime: 1\n", 2, "lifetime"),
        ("lifetime: soon\n", 1, "lifetime"),
        ("lifetime: 0\n", 1, "at least 1"),
        ("lifetime: 1000000001\n", 1, "at most 1000000000"),
        ("limits:\n  strangers: -1\n", 2, "at least 0"),
        ("limits:\n  peers: 0\n", 2, "at least 1"),
        ("time_zone: Europe/Nowhere\n", 1, "Europe/Nowhere"),
        ("sources:\n  - path: /a\n    syslog: udp://127.0.0.1:1\n", 2, ONE_OF),
        ("sources:\n  - gateway: berlin\n", 2, ONE_OF),
        ("sources:\n  - path: ''\n", 2, "must not be empty"),
        ("sources:\n  - syslog: udp://nowhere\n", 2, "nowhere"),
        ("sources:\n  - path:\n", 2, "must not be empty"),
        ("sources:\n  - path: /a\n  - {path: /a, gateway: b}\n", 3, "twice"),
        ("sources:\n  - syslog: udp://:5514\n  - syslog: udp://:5514\n", 3, "twice"),
        ("sources:\n  - journal: {}\n  - journal: {}\n", 3, "twice"),
        ('sources:\n  - path: /a\n    gateway: "a\\nb"\n', 3, "control characters"),
        ("sources:\n  - journal:\n      unit: [a]\n", 3, "unit"),
        ("sources: /var/log/racoon.log\n", 1, "sources"),
        ("peers:\n  - name: branch\n", 2, "address or a network"),
        ("peers:\n  - address: 10.0.0.1\n    network: 10.0.0.0/8\n", 2, "address or a network"),
        ("peers:\n  - address: 10.0.0.1\n    kind: sometimes\n", 3, "permanent, roaming"),
        ("peers:\n  - address: 10.0.0.0/8\n", 2, "no address"),
        ("peers:\n  - address: 10.0.0.300\n", 2, "no address"),
        ("peers:\n  - address: 10.0.0.1:500\n", 2, "no address"),
        ("peers:\n  - address: 10.0.0.1\n  - address: 10.0.0.1\n", 3, "twice"),
        ('peers:\n  - address: 10.0.0.1\n    name: "a\\eb"\n', 3, "control characters"),
        ("peers:\n  - network: 10.0.0.0/8\n    name: other\n", 3, "no peer of its own"),
        ("peers: [{address: 10.0.0.1}, {address: 10.0.0.1}]\n", 1, "twice"),
        (
            "peers:\n  - {address: 10.0.0.1, gateway: a}\n  - {address: 10.0.0.1, gateways: [b, A]}\n",
            3,
            "10.0.0.1 is given twice at 'a', first in line 2",
        ),
        ("peers:\n  - {address: 10.0.0.1, gateways: [a*]}\n  - {address: 10.0.0.1, gateways: [A*]}\n", 3, "twice"),
        ("peers:\n  - {network: 10.0.0.0/8, gateway: a}\n  - {network: 10.0.0.0/8, gateway: a}\n", 3, "twice"),
        ("peers:\n  - {address: 10.0.0.1, gateway: a, gateways: [b]}\n", 2, "either gateway or gateways"),
        ("peers:\n  - {address: 10.0.0.1, gateways: []}\n", 2, "one at least"),
        ('peers:\n  - address: 10.0.0.1\n    gateways:\n      - a\n      - ""\n', 5, "a gateway has a name"),
        ('peers:\n  - address: 10.0.0.1\n    gateways:\n      - "a\\eb"\n', 4, "control characters"),
        ("peers:\n  - {address: 10.0.0.1, gatewys: [a]}\n", 2, "did you mean gateways?"),
        ("racoon:\n  - config: a\n  - config: b\n", 3, "racoon is given twice, first in line 2"),
        ("racoon:\n  - config: a\n  - {config: b, gateway: x, lifetime: 0}\n", 3, "at least 1"),
        ("limits:\n  gateways: 0\n", 2, "at least 1"),
        ("peers:\n  - network: 10.0.0.0/8\n    phase1_lifetime: two\n", 3, "whole number"),
        ("peers:\n  - network: 10.0.0.1/8\n", 2, "no network"),
        ("peers:\n  - network: 10.0.0.0/8\n    kind: permanent\n", 3, "roaming"),
        ("peers:\n  - address: 10.0.0.1\n    phase1_lifetime: 0\n", 3, "at least 1"),
        ("racoon:\n  conf: /etc/racoon.conf\n", 2, "conf"),
        ("peers: [\n", 2, ""),
        ("- a\n- b\n", 1, "mapping"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, line: int, said: str) -> None:
    _, problems = read_config(text, HERE)
    assert [problem.line for problem in problems] == [line]
    assert said in problems[0].message


def test_one_network_may_be_told_for_each_gateway() -> None:
    config = read(
        "peers: [{network: 10.0.0.0/8, name: a, gateway: x, phase2_lifetime: 9}, {network: 10.0.0.0/8, name: b, gateway: y}]"
    )
    assert [(one.name, one.scope.names, one.phase2_lifetime) for one in config.networks] == [
        ("a", ("x",), 9),
        ("b", ("y",), None),
    ]


def test_the_journal_needs_no_more_than_its_name() -> None:
    assert read("sources:\n  - journal:\n").sources == (kinds.journal(),)


def test_all_faults_are_named_at_once_in_the_order_of_their_lines() -> None:
    _, problems = read_config("peers:\n  - name: a\nlifetime: no\nsources:\n  - {}\n", HERE)
    assert [problem.line for problem in problems] == [2, 3, 5]


def test_a_misspelt_key_is_answered_with_the_one_that_was_meant() -> None:
    _, problems = read_config("limit:\n  peers: 1\n", HERE)
    assert "limits" in str(problems[0])


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)
