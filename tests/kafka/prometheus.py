"""A real Prometheus with the rules for gateways that move."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.ports import free_ports

_RULES: Final = Path(__file__).parents[2] / "dashboards" / "rules"
_PATIENCE: Final = 300


class Prometheus:
    """One that scrapes some exporters."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Give what a query finds."""
        with urllib.request.urlopen(f"{self.url}api/v1/query?{urlencode({'query': query})}", timeout=20) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def values(self, query: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Give the values of what a query finds, by labels."""
        return {tuple(each["metric"].get(label, "") for label in labels): float(each["value"][1]) for each in self.ask(query)}

    def until(self, reached: Callable[[], object]) -> None:
        """Wait until it answers, and something is so."""
        until = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if reached():
                    return
            assert time.monotonic() < until, "it did not happen"


@contextlib.contextmanager
def prometheus(directory: Path, targets: list[str], seconds: int = 2) -> Iterator[Prometheus]:
    """Run one that scrapes targets every so many seconds, and evaluates the rules as often."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {
        "global": {"scrape_interval": f"{seconds}s", "scrape_timeout": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [str(_RULES / "fleet" / "racoon-fleet.yaml")],
        "scrape_configs": [{"job_name": "racoon", "static_configs": [{"targets": targets}]}],
    }
    configuration = directory / "prometheus.yml"
    configuration.write_text(json.dumps(settings))
    command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={directory / 'prometheus'}"]
    with (directory / "prometheus.log").open("ab") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        running = Prometheus(f"http://{address}/")
        running.until(lambda: running.ask("1"))
        yield running
    finally:
        process.terminate()
        process.wait()
