"""A year of gateways whose every outage is scripted: `report` and `history` with one job and two, held against the script.

python -m tests.bench.year_run [--gateways 1] [--peers 2650] [--days 365]

So many peers of one gateway say 30 million lines, 90 say a million.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.exporter.archives.year import Script, write

WITHIN = 2.0
"""Seconds by which an outage may be misplaced."""
BOUND_MIB = 200.0
"""Memory of a worker."""
PAUSE = 0.2


class Run(NamedTuple):
    """What a run cost."""

    seconds: float
    processor: float
    peaks: list[float]
    """MiB of each process that read."""
    digest: str


def tree(pid: int) -> list[int]:
    """Give a process and all that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in tree(int(child)))]


def peak(pid: int) -> float:
    """Give the most memory a process ever had, in MiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def run(arguments: list[str], output: Path) -> Run:
    """Run a command, and watch its processes."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    peaks: dict[int, float] = {}
    with output.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "racoon_exporter", *arguments], stdout=file)
        while process.poll() is None:
            peaks |= {pid: max(peaks.get(pid, 0.0), peak(pid)) for pid in tree(process.pid)}
            time.sleep(PAUSE)
    assert process.returncode == 0, arguments
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with output.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Run(time.monotonic() - begun, spent, list(peaks.values()), digest)


def lines_of(log: Path) -> int:
    """Give the number of a log's lines."""
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def faults(script: Script, report: dict[str, Any]) -> list[str]:
    """Say what of the script the report has not, or not as it was."""
    told = {(peer["gateway"], peer["address"]): peer for peer in report["peers"]}
    found = []
    for gateway in range(script.gateways):
        for number in range(script.peers):
            wanted = script.of_peer(gateway, number)
            peer = told.get((wanted[0].gateway, wanted[0].peer))
            found += [f"{wanted[0].peer}: not there"] if peer is None else _of_peer(script, number, wanted, peer)
    return found


def _of_peer(script: Script, number: int, wanted: list[Any], peer: dict[str, Any]) -> list[str]:
    outages = peer["outages"]
    if len(outages) != len(wanted):
        return [f"{peer['peer']}: {len(outages)} outages, not {len(wanted)}"]
    found = []
    for one, outage in zip(wanted, outages, strict=True):
        begin, end = (datetime.fromisoformat(outage[name]).timestamp() for name in ("begin", "end"))
        if abs(begin - one.begin) > WITHIN or abs(end - one.end) > WITHIN or outage["reason"] != one.reason:
            found.append(f"{peer['peer']}: {one} told as {outage}")
    down = sum(one.end - one.begin for one in wanted)
    share = 1 - down / (peer["known_seconds"] - peer["planned_seconds"])
    if abs(peer["availability"] - share) > 5e-5:
        found.append(f"{peer['peer']}: availability {peer['availability']}, not {share} (from {script.begun(number)})")
    return found


def main() -> None:
    """Generate, run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gateways", type=int, default=1)
    parser.add_argument("--peers", type=int, default=2650)
    parser.add_argument("--days", type=int, default=365)
    given = parser.parse_args()
    script = Script(gateways=given.gateways, peers=given.peers, days=given.days)
    with tempfile.TemporaryDirectory(prefix="racoon-year-") as name:
        folder = Path(name)
        logs = write(script, folder)
        lines = sum(map(lines_of, logs))
        size = sum(log.stat().st_size for log in logs)
        print(f"{lines:,} lines, {size / 2**20:,.0f} MiB, {os.cpu_count()} cores", flush=True)
        wrong = []
        for command in (["report", "--format=json"], ["history", "--format=jsonl"]):
            runs = [
                run([*command, f"--jobs={jobs}", "--time-zone=UTC", *map(str, logs)], folder / f"{command[0]}{jobs}")
                for jobs in (1, 2)
            ]
            for jobs, one in enumerate(runs, 1):
                peaks = ", ".join(f"{mib:.0f}" for mib in one.peaks)
                rate = lines / one.processor
                print(
                    f"{command[0]} --jobs {jobs}: {one.seconds:.0f} s, {rate:,.0f} lines per CPU second, peaks {peaks} MiB",
                    flush=True,
                )
            wrong += [f"{command[0]}: one job and two differ"] * (runs[0].digest != runs[1].digest)
            wrong += [f"{command[0]}: more than {BOUND_MIB:.0f} MiB"] * any(
                mib > BOUND_MIB for one in runs for mib in one.peaks
            )
        wrong += faults(script, json.loads((folder / "report1").read_text()))
    scripted = script.gateways * script.peers * script.outages
    print("\n".join(wrong[:20]) or f"all {scripted} outages as scripted, the same from one job and two")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
