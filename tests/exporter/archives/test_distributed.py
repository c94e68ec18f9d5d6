"""Workers that share nothing with us, and files that are named by a URL; what needs no cluster."""

import os
import pickle
import subprocess
import sys
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

import fsspec  # type: ignore[import-untyped]
import pytest

from racoon_exporter import __version__
from racoon_exporter.archives import cluster
from racoon_exporter.archives.distributed import OtherVersionError, Portion, make, portions, rounds_apart
from racoon_exporter.archives.event_rows import EventRows
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.history_rows import SHOWN, HistoryRows
from racoon_exporter.archives.plan import Unit, units
from racoon_exporter.archives.pool import SMALL, Archives, Done, Work
from racoon_exporter.archives.reading import Reading
from racoon_exporter.archives.survey import Sample, survey
from racoon_exporter.source.files.remote import expanded, is_url, open_url, status_of
from racoon_exporter.zone import read_zone
from tests.exporter.archives.test_rounds import central_log, read_with
from tests.exporter.reading import LAB

UTC = read_zone("UTC")


@pytest.mark.parametrize("kind", ["history", "events"])
def test_workers_that_share_nothing_give_the_same(kind: str, tmp_path: Path) -> None:
    logs = [central_log(tmp_path / "central.log"), *LAB.glob("18-*/*.log*"), *LAB.glob("02-*/*.log")]
    planned = units(survey([str(log) for log in logs], UTC), lambda _path: "")
    reading = Reading(round_size=20_000)
    work: Work = (
        HistoryRows(reading, RowFormat("jsonl", SHOWN))
        if kind == "history"
        else EventRows(reading, RowFormat("jsonl", ("events",)))
    )
    told: list[Done] = []
    archives = Archives(work, planned, 3, told.append)
    with ThreadPoolExecutor(3) as threads:
        rows = [row[1:] for rows in rounds_apart(archives, threads, lambda future, _what: future.result()) for row in rows]
    assert rows == [row[1:] for row in read_with(work, planned, 1, None)]
    assert archives.heard
    assert told[-1].lines == sum(log.read_bytes().count(b"\n") for log in logs)


def test_small_units_are_read_together_and_large_ones_shared() -> None:
    def unit(name: str, size: int, gateways: int = 1) -> Unit:
        return Unit((Sample(name, size, identity=(1, 1)),), gateways)

    work = HistoryRows(Reading(), RowFormat("jsonl", SHOWN))
    planned = [unit(str(number), SMALL // 4) for number in range(10)] + [unit("large", SMALL * 40, 7), unit("last", 9)]
    groups = list(portions(Archives(work, planned, 3, lambda _done: None)))
    assert [one.names for group in groups for one in group] == [
        "0 and 3 more",
        "4 and 3 more",
        "8 and 1 more",
        *["large"] * 3,
        "last",
    ]
    assert [one.share for one in groups[3]] == [0, 1, 2]


def test_what_could_not_be_read_is_told(tmp_path: Path) -> None:
    log = tmp_path / "racoon.log.gz"
    log.write_bytes(b"\x1f\x8b\x08junk")
    work = HistoryRows(Reading(), RowFormat("jsonl", SHOWN))
    planned = units(survey([str(log)], UTC), lambda _path: "")
    made = make(zlib.compress(pickle.dumps(work)), Portion(tuple(planned)), __version__)
    assert str(log) in made.told.problems[0]
    assert not made.told.heard


def test_a_worker_of_another_version_makes_nothing() -> None:
    with pytest.raises(OtherVersionError, match=f"racoon-exporter {__version__} there, 0.0 here"):
        make(b"", Portion(()), "0.0")


def test_logs_are_read_by_their_urls() -> None:
    whole = (LAB / "17-soak-chaos" / "b.log").read_bytes()
    half = whole.index(b"\n", len(whole) // 2) + 1
    store = fsspec.filesystem("memory")
    store.pipe({"/logs/racoon.log": whole[half:], "/logs/racoon.log.1": whole[:half]})
    assert expanded("memory://logs/racoon.log*") == ["memory:///logs/racoon.log", "memory:///logs/racoon.log.1"]
    work = HistoryRows(Reading(), RowFormat("jsonl", SHOWN))
    planned = units(survey(["memory://logs/racoon.log*"], UTC), lambda _path: "")
    assert [[log.path[-5:] for log in unit.logs] for unit in planned] == [["log.1", "n.log"]]
    local = units(survey([str(LAB / "17-soak-chaos" / "b.log")], UTC), lambda _path: "")
    assert read_with(work, planned, 1, None) == read_with(work, local, 1, None)


NAMES = [
    "racoon.log",
    "with space.log",
    "pct%41.log",
    "hash#1.log",
    "q?mark.log",
    "br[1].log",
    "a::b.log",
    "ünï;'.log",
    "-x.log",
]


def test_a_url_may_name_what_a_path_may(tmp_path: Path) -> None:
    whole = (LAB / "01-seed" / "b.log").read_bytes()
    for name in NAMES:
        (tmp_path / name).write_bytes(whole)
    found = expanded(f"{tmp_path.as_uri()}/*.log")
    assert found == sorted(f"file://{tmp_path}/{name}" for name in NAMES)
    for url in found:
        with open_url(url) as file:
            assert file.read() == whole
        assert status_of(url).size == len(whole)


def test_logs_in_an_archive_are_read_where_they_are(tmp_path: Path) -> None:
    whole = (LAB / "01-seed" / "b.log").read_bytes()
    with ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("berlin/racoon.log", whole)
    where = f"::file://{tmp_path}/logs.zip"
    (url,) = expanded(f"zip://*/racoon.log{where}")
    assert url == f"zip://berlin/racoon.log{where}"
    with open_url(url) as file:
        assert file.read() == whole


@pytest.mark.parametrize(
    ("path", "url"), [("s3://a/b", True), ("file:///a", True), ("/a/b", False), ("a:b", False), ("-", False)]
)
def test_what_is_a_url(path: str, url: bool) -> None:  # noqa: FBT001  a table
    assert is_url(path) == url


class Emptied:
    """A client of a cluster whose workers go."""

    status = "running"

    def __init__(self, *threads: dict[str, int]) -> None:
        self._threads = list(threads)

    def nthreads(self) -> dict[str, int]:
        return self._threads.pop(0) if self._threads else {}


def test_no_worker_is_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_LOOK", 0.0)
    times = iter(range(0, 1000, 10))
    with ThreadPoolExecutor(1) as threads:
        made = cluster.Cluster("tcp://h:1", Emptied({"w": 2}, {"w": 2}), threads, 30, lambda: next(times))
        with pytest.raises(cluster.ClusterError, match=r"no worker is left at tcp://h:1, for 30 seconds"):
            made.ask(Future(), "a.log")
    assert next(times) == 70


RELATIVE = os.path.relpath(LAB / "01-seed" / "b.log")
WITHOUT = "import sys; sys.modules[{0!r}] = None; from racoon_exporter.cli import run; run()"


@pytest.mark.parametrize(
    ("lacking", "arguments", "said"),
    [
        ("distributed", ("--dask", "tcp://127.0.0.1:1", str(LAB / "01-seed" / "b.log")), "--dask needs Dask: pip install"),
        ("fsspec", ("memory://a.log",), "memory://a.log: files named by a URL are read by fsspec: pip install"),
        ("s3fs", ("s3://bucket/a.log",), "s3://bucket/a.log: Install s3fs to access S3"),
        ("_", ("memory://nothing.log",), "memory://nothing.log: No such file or directory"),
        ("_", ("--dask", "tcp://127.0.0.1:1", "-"), "-: no file, so no Dask worker can read it"),
        ("_", ("--dask", "tcp://127.0.0.1:1", RELATIVE), f"{RELATIVE}: Dask workers run in folders of their own"),
    ],
    ids=["no Dask", "no fsspec", "no s3fs", "no such file", "standard input", "a path from here"],
)
def test_what_is_missing_is_one_line(lacking: str, arguments: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-c", WITHOUT.format(lacking), "history", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"racoon-exporter: {said}")
