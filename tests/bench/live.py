"""A running exporter under measurement: from a line's writing to its metric, idle CPU, memory."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.children import ROOT

LINES_PER_SECOND: Final = 50
SECONDS: Final = 10
_SCRAPE_EVERY: Final = 0.02
"""Seconds between scrapes: the grain of the latency, which counts against us."""
_SETTLE: Final = 12.0
"""Seconds after the last line until the exporter is idle: a checkpoint of it is written within ten."""
_PATIENCE: Final = 60.0
"""Seconds to come up, or for the last line to arrive."""
_URL: Final = re.compile(r"serving on https?://(?P<host>[\d.]+):(?P<port>\d+)")
_COUNT: Final = re.compile(rb'^racoon_log_messages_total\{[^}]*event="vendor_id"[^}]*\} (?P<count>[\d.e+]+)$', re.MULTILINE)
_SAYING: Final = "INFO: received Vendor ID: DPD"


@dataclass(frozen=True, slots=True)
class Live:
    """How a running exporter did."""

    latencies: tuple[float, ...]
    """Seconds from the write of each line to the end of the first scrape that counts it, sorted."""
    idle_cpu: float
    """Share of one core while nothing is written and nobody scrapes."""
    resident_bytes: int

    def percentile(self, share: float) -> float:
        """Give the latency that a share of the lines kept within."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    process: subprocess.Popen[str]
    connection: http.client.HTTPConnection

    def scrape(self) -> bytes:
        """Scrape."""
        self.connection.request("GET", "/metrics")
        return self.connection.getresponse().read()

    def counted(self) -> int:
        """Scrape, and give how many of our lines were counted."""
        found = _COUNT.search(self.scrape())
        return int(float(found["count"])) if found else 0

    def readiness(self) -> tuple[int, str]:
        """Ask whether what the log held at the start has been read; gives the status of the answer and its words."""
        self.connection.request("GET", "/-/ready")
        response = self.connection.getresponse()
        return response.status, response.read().decode()

    def cpu(self) -> float:
        """Give the seconds of CPU time it has used (proc(5): utime and stime, in ticks)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Give its resident set in bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(log: Path) -> Iterator[Exporter]:
    """Run `racoon-exporter serve` on a log that it has read, and end it."""
    with running(log) as exporter:
        _wait_until_ready(exporter)
        yield exporter


@contextmanager
def running(log: Path, *options: str, tls: ssl.SSLContext | None = None) -> Iterator[Exporter]:
    """Run `racoon-exporter serve` on a log, and end it; with `tls`, that of its client, where the options make it serve TLS."""
    command = [sys.executable, "-m", "racoon_exporter", "serve", "--web.listen-address", "127.0.0.1:0"]
    command += ["--time-zone", "UTC", "--state.file", str(log.with_suffix(".state")), *options, str(log)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        while (url := _URL.search(said)) is None:
            line = process.stderr.readline()
            if not line:
                raise SystemExit(f"the exporter ended before it served: {said}")
            said += line
        drain = threading.Thread(target=process.stderr.read, daemon=True)  # a full pipe would stop it
        drain.start()
        host, port = url["host"], int(url["port"])
        if tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
        else:
            connection = http.client.HTTPSConnection(host, port, context=tls, timeout=_PATIENCE)
        yield Exporter(process, connection)
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_PATIENCE)


def _wait_until_ready(exporter: Exporter) -> None:
    deadline = time.monotonic() + _PATIENCE
    while exporter.readiness()[0] != http.client.OK:
        if time.monotonic() > deadline:
            raise SystemExit("the exporter does not become ready")
        time.sleep(0.1)


def measure_live(log: Path) -> Live:
    """Append lines to a log under a running exporter, and watch them arrive."""
    with serving(log) as exporter:
        latencies = _latencies(exporter, log)
        time.sleep(_SETTLE)
        before = exporter.cpu()
        time.sleep(SECONDS)
        idle = round((exporter.cpu() - before) / SECONDS, 6)  # ticks are whole: 0.01 must not come out a hair below
        return Live(tuple(sorted(latencies)), idle, exporter.resident())


def _latencies(exporter: Exporter, log: Path) -> list[float]:
    written: list[float] = []
    known = exporter.counted()
    writer = threading.Thread(target=_write, args=(log, written))
    writer.start()
    latencies: list[float] = []
    total = LINES_PER_SECOND * SECONDS
    deadline = time.monotonic() + _PATIENCE
    while len(latencies) < total:
        arrived = exporter.counted() - known
        now = time.monotonic()
        latencies += [now - moment for moment in written[len(latencies) : arrived]]
        if now > deadline:
            raise SystemExit(f"{total - len(latencies)} of {total} lines did not arrive")
        time.sleep(_SCRAPE_EVERY)
    writer.join()
    return latencies


def _write(log: Path, written: list[float]) -> None:
    """Write lines as racoon does, which opens its log anew for each; note when each was begun."""
    begun = time.monotonic()
    for number in range(LINES_PER_SECOND * SECONDS):
        time.sleep(max(0.0, begun + number / LINES_PER_SECOND - time.monotonic()))
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        written.append(time.monotonic())
        with log.open("a", encoding="utf-8") as out:
            out.write(f"{stamp}: {_SAYING}\n")
