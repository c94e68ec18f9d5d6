"""Archives on a real Dask scheduler: two workers write what this machine writes, also where one is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE

import pytest
from distributed import Client

from racoon_exporter.archives.availability_rows import AvailabilityRows
from racoon_exporter.archives.backfill_rows import BackfillRows
from racoon_exporter.archives.cluster import ClusterError, dask_cluster
from racoon_exporter.archives.distributed import rounds_apart
from racoon_exporter.archives.event_rows import EventRows
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.history_rows import SHOWN, HistoryRows
from racoon_exporter.archives.plan import units
from racoon_exporter.archives.pool import Archives, Work
from racoon_exporter.archives.reading import Reading, Row
from racoon_exporter.archives.survey import survey
from racoon_exporter.zone import read_zone
from tests.dask.dying import Dying
from tests.e2e.waiting import until
from tests.exporter.archives.year import Script, write

pytestmark = [
    pytest.mark.dask,
    pytest.mark.timeout(900),
    # Of Dask and tornado as a connection to a killed process breaks.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::pytest.PytestWarning"),
]
HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
UTC = read_zone("UTC")
PATIENCE = 200
"""Seconds until what should have happened has not, however busy the machine is."""


@dataclass
class Cluster:
    """A scheduler and its workers, each a process of its own."""

    folder: Path
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def _file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        address: str = json.loads(self._file.read_text())["address"]
        return address

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{module}-{len(self._processes)}.out").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{module}", f"--scheduler-file={self._file}", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
            )
        self._processes.append(process)
        return process

    def scheduler(self) -> None:
        self.start("scheduler", f"--host={HOST}", "--port=0", "--no-dashboard", "--dashboard-address=:0")
        until(lambda: self._file.exists() and self._file.read_text().endswith("}"), "the scheduler", PATIENCE)

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        arguments = (f"--name={name}", "--no-nanny", "--nthreads=1", "--memory-limit=0", "--no-dashboard", f"--host={HOST}")
        return self.start("worker", *arguments)

    def stop(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        made.scheduler()
        yield made
    finally:
        made.stop()


@pytest.fixture
def logs(tmp_path: Path) -> list[str]:
    """A central log of several gateways, which is shared, and a log for each of two, by path and by URL."""
    (tmp_path / "central").mkdir()
    gateways = write(Script(gateways=2, peers=2, days=10), tmp_path)
    (central,) = write(Script(gateways=3, peers=4, days=20, seed=2), tmp_path / "central", central=True)
    central.write_text(central.read_text().replace(" gw", " central"))
    return [str(central), *(log.as_uri() for log in gateways)]


def archives(work: Work, logs: list[str]) -> Archives:
    return Archives(work, units(survey(logs, UTC), lambda _path: ""), 2, lambda _done: None)


def here(work: Work, logs: list[str]) -> list[Row]:
    return [row for rows in Archives(work, archives(work, logs).units, 1, lambda _done: None).rounds() for row in rows]


def there(work: Work, logs: list[str], cluster: Cluster) -> list[Row]:
    with dask_cluster(cluster.address, connected=PATIENCE, patience=PATIENCE) as made:
        return [row for rows in rounds_apart(archives(work, logs), made.executor, made.ask) for row in rows]


def test_two_workers_make_what_this_machine_makes_also_where_they_are_killed(cluster: Cluster, logs: list[str]) -> None:
    workers = [cluster.worker("stopped"), cluster.worker("other")]
    reading = Reading(round_size=100_000)
    works: list[Work] = [
        EventRows(reading, RowFormat("csv", ("events",))),
        AvailabilityRows(reading),
        BackfillRows(reading, 300),
        HistoryRows(reading, RowFormat("jsonl", SHOWN)),
    ]
    with Client(cluster.address, set_as_default=False) as watch:  # type: ignore[no-untyped-call]
        until(lambda: len(watch.nthreads()) == len(workers), "both workers", PATIENCE)
        known = watch.scheduler_info()["workers"]
        address = next(address for address, worker in known.items() if worker["name"] == "stopped")
        for work in works:
            assert there(work, logs, cluster) == here(work, logs)
        workers[0].send_signal(signal.SIGSTOP)  # so that it has work, and has not done it, whatever else this machine does
        command = [sys.executable, "-m", "racoon_exporter", "history", "--format=jsonl", "--time-zone=UTC"]
        with subprocess.Popen([*command, "--dask", cluster.address, *logs], stdout=PIPE, stderr=PIPE) as process:
            until(lambda: watch.processing().get(address), "the worker to have work", PATIENCE)
            workers[0].send_signal(signal.SIGKILL)
            output, said = process.communicate()
        assert (process.returncode, said) == (0, b"")
        assert output.decode().splitlines() == [
            text for _, _, text in here(HistoryRows(Reading(), RowFormat("jsonl", SHOWN)), logs)
        ]
        cluster.worker("third")
        until(lambda: len(watch.nthreads()) == len(workers), "a worker in its place", PATIENCE)
        with pytest.raises(ClusterError, match="died") as raised:
            there(Dying(), logs[1:2], cluster)
    assert logs[1] in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(ClusterError, match="has no worker"), dask_cluster(cluster.address, connected=PATIENCE, patience=0.2):
        pass
