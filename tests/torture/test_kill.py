"""`kill -9` of a live exporter at random moments, while a writer appends and rotates: nothing is lost, nothing counts twice.

After the last restart every counter and the whole history must equal one reading of the same lines. KILLS says how often;
`make torture` takes 1,000.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from racoon_exporter import checkpoint, history
from racoon_exporter.engine import Engine, restore
from tests.exporter.reading import LAB, block, knowing
from tests.exporter.test_scenarios import exposition

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", "20261124"))
PEER = "192.168.0.41"
DEADLINE = 60.0
_NOT_OF_THE_LOG = ("racoon_exporter_checkpoint", "racoon_exporter_source_", "racoon_exporter_build_info")

pytestmark = [pytest.mark.torture, pytest.mark.timeout(7200)]


def recording() -> list[bytes]:
    return (LAB / "17-soak-chaos" / "a.log").read_bytes().splitlines(keepends=True)


class Writer:
    """Appends recorded lines as racoon does, in bursts cut anywhere, and rotates the log in the ways logrotate knows."""

    def __init__(self, log: Path, lines: list[bytes], luck: random.Random) -> None:
        self._log, self._lines, self._luck = log, lines, luck
        self._next = 0
        self._torn = b""
        self.rotations = 0

    @property
    def done(self) -> bool:
        return self._next >= len(self._lines) and not self._torn

    def begin(self) -> None:
        """Write the first line, so that the log is known before it is rotated: what was rotated away earlier is backfill."""
        self._log.write_bytes(self._lines[0])
        self._next = 1

    def write(self, count: int) -> None:
        """Write some lines; the last may come in two pieces."""
        data = self._torn + b"".join(self._lines[self._next : self._next + count])
        self._next += count
        self._torn = b""
        if self._luck.random() < 0.3 and not self.done and len(data) > 2:
            cut = self._luck.randrange(1, len(data))
            data, self._torn = data[:cut], data[cut:]
        with self._log.open("ab") as log:
            log.write(data)
        if self._luck.random() < 0.1:
            self._rotate()

    def _rotate(self) -> None:
        if self._torn:
            return  # racoon writes a record whole; only we tear them, and a rotated half could not be read
        self.rotations += 1
        for number in range(self.rotations, 1, -1):
            older = self._log.with_name(f"racoon.log.{number - 1}")
            if older.exists():
                older.rename(self._log.with_name(f"racoon.log.{number}"))
        self._log.rename(self._log.with_name("racoon.log.1"))


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A live exporter of its own process, and where it serves."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "racoon_exporter",
            "serve",
            "--web.listen-address=127.0.0.1:0",
            f"--state.file={folder / 'state.json'}",
            "--state.interval=0.05",
            "--time-zone=UTC",
            f"--expect-peer={PEER}",
            str(folder / "racoon.log"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        url = next(line.split('"')[1].removeprefix("serving on ") for line in process.stderr if "serving on" in line)
        yield process, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()


def lines_read(url: str) -> float:
    with urllib.request.urlopen(f"{url}metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "racoon_exporter_source_lines"
        for sample in family.samples
    )


def until(url: str, wanted: int) -> None:
    end = time.monotonic() + DEADLINE
    while lines_read(url) < wanted:
        assert time.monotonic() < end, f"only {lines_read(url)} of {wanted} lines were read"
        time.sleep(0.05)


def told(engine: Engine) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition(engine))
        if not family.name.startswith(_NOT_OF_THE_LOG)
        for sample in family.samples
    }


def one_shot(lines: list[bytes], log: Path) -> Engine:
    engine = Engine(UTC, knowledge=knowing(PEER))
    engine.feed(block(b"".join(lines), str(log)))
    engine.flush()
    return engine


def from_state_file(path: Path) -> Engine:
    content = checkpoint.read(path)
    assert content is not None
    engine = Engine(UTC, knowledge=knowing(PEER))
    restore(engine, json.loads(json.dumps(content["engine"])))
    return engine


def test_counters_and_history_survive_kills(tmp_path: Path) -> None:
    luck = random.Random(SEED)
    lines = recording()
    log = tmp_path / "racoon.log"
    writer = Writer(log, lines, luck)
    burst = len(lines) / (KILLS * 3)  # so that lines are written up to the last kill
    writer.begin()
    with running(tmp_path) as (process, url):
        until(url, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DEADLINE) == 0
    for _ in range(KILLS):
        with running(tmp_path) as (process, _url):
            for _ in range(3):
                if not writer.done:
                    writer.write(int(luck.uniform(0, 2 * burst) + luck.random()))
                time.sleep(luck.uniform(0.0, 0.12))  # the moment of the kill is the point of the test
            process.send_signal(signal.SIGKILL)
            process.wait()
    with running(tmp_path) as (process, url):
        while not writer.done:
            writer.write(200)
        until(url, len(lines))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DEADLINE) == 0
    survived, wanted = from_state_file(tmp_path / "state.json"), one_shot(lines, log)
    assert told(survived) == told(wanted)
    assert history.tables(survived.state) == history.tables(wanted.state)
