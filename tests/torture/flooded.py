"""An exporter as a process, into which a flood of lines is poured."""

import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 3600.0


class Flooded:
    """A running exporter that reads standard input."""

    def __init__(self, state: Path) -> None:
        command = [sys.executable, "-m", "racoon_exporter", "serve", "-", "--web.listen-address", "127.0.0.1:0"]
        command += ["--expect-peer", "198.51.100.7", "--state.file", str(state)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        line = next(line for line in self.process.stderr if b"serving on" in line).decode()
        host, _, port = line.split("serving on http://")[1].rstrip('/"\n').partition(":")
        self.address = host, int(port)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # so that it never waits for us

    def take(self, pieces: Iterator[bytes], until: str) -> str:
        """Let it read, and return the metrics as soon as they hold a line."""
        assert self.process.stdin is not None
        for piece in pieces:
            self.process.stdin.write(piece)
        self.process.stdin.flush()
        deadline = time.monotonic() + SECONDS
        while True:
            metrics = self.get("/metrics").decode()
            if until in metrics:
                return metrics
            assert time.monotonic() < deadline, f"{until} is not in\n{metrics}"

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://{self.address[0]}:{self.address[1]}{path}", timeout=60) as answer:
            return bytes(answer.read())

    def memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


@pytest.fixture
def flooded(tmp_path: Path) -> Iterator[Flooded]:
    exporter = Flooded(tmp_path / "state")
    with exporter.process:
        yield exporter
        exporter.process.kill()
