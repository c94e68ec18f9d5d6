"""The table of kinds: each row is reachable from the configuration file, makes what it says, and is documented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter.config.file import read_config
from racoon_exporter.engine import Engine
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.source import kinds
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.journal.journalctl import JournalOptions
from racoon_exporter.source.kafka.settings import STATE_FILE, KafkaOptions
from racoon_exporter.source.kinds import HERE, SOURCES, Wanted, make
from racoon_exporter.source.syslog.receiver import MOST_CONNECTIONS

CONFIGURATION = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = {
    "path": ("path: racoon.log", kinds.paths("/etc/racoon.log")[0]),
    "journal": ("journal: {units: [racoon.service]}", kinds.journal(JournalOptions((), ("racoon.service",)))),
    "syslog": ("syslog: tcp://127.0.0.1:0", kinds.syslog("tcp://127.0.0.1:0")[0]),
    "kafka": (
        "kafka: {bootstrap: '127.0.0.1:1', topic: racoon, checkpoints: file}",
        Wanted("kafka", "kafka:racoon", KafkaOptions("127.0.0.1:1", ("racoon",), checkpoints=STATE_FILE)),
    ),
}
AROUND = replace(HERE, keeper=Partitions(Engine(UTC)))


def test_every_kind_has_an_example_here() -> None:
    wanted = "give EXAMPLES, in the order of SOURCES, an entry of the configuration file for each kind, and what it reads as"
    assert [kind.key for kind in SOURCES] == list(EXAMPLES), wanted


@pytest.mark.parametrize("key", EXAMPLES)
def test_a_row_reads_its_part_of_the_configuration_and_makes_what_reads_it(key: str) -> None:
    text, wanted = EXAMPLES[key]
    config, problems = read_config(f"sources:\n  - {text}\n", Path("/etc"))
    assert problems == []
    assert config.sources == (wanted,)
    assert kinds.groups(config.sources) == [config.sources]
    made = make(config.sources, AROUND)
    assert made.reads(wanted.name)
    assert not made.finished
    made.close()


@pytest.mark.parametrize("key", EXAMPLES)
def test_every_kind_is_in_the_documentation(key: str) -> None:
    assert f"- {key}:" in CONFIGURATION, f"the example of docs/configuration.md lacks a source `- {key}:`"


def test_what_is_wanted_twice_is_read_once(tmp_path: Path) -> None:
    log = str(tmp_path / "racoon.log")
    inputs = Inputs(kinds.paths(log, log))
    assert [status.name for status in inputs.statuses()] == [log]
    inputs.close()


def test_nothing_stays_open_where_one_thing_wanted_cannot_be() -> None:
    with pytest.raises(ValueError, match="syslog address"):
        Inputs((*kinds.syslog("tcp://127.0.0.1:0"), Wanted("syslog", "nowhere")))


def test_senders_that_connect_take_their_share_of_the_descriptors() -> None:
    (syslog,) = (kind for kind in SOURCES if kind.key == "syslog")
    taken = [syslog.connections(*kinds.syslog(address)) for address in ("tcp://:5514", "unix-stream:///a", "udp://:5514")]
    assert taken == [MOST_CONNECTIONS, MOST_CONNECTIONS, 0]
