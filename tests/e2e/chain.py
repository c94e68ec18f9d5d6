"""The programs of the chain, started on free ports of loopback and ended by their own handles."""

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.dashboards.tools import DASHBOARDS, RULES, program
from tests.e2e.patience import shortened
from tests.e2e.waiting import until
from tests.ports import free_port

START_SECONDS = 200
STOP_SECONDS = 60
HOST = "127.0.0.1"
ALWAYS = "--storage.tsdb.retention.time=100y"
"""For a Prometheus of old samples, which keeps them."""


@dataclass
class Program:
    """A running program. Its output goes to a file, which is shown where it did not start."""

    name: str
    arguments: Sequence[str]
    folder: Path
    ready_url: str
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _trusted: ssl.SSLContext | None = field(default=None, init=False)

    def start(self, *, trusting: Path | None = None) -> None:
        """Start it and wait until it answers; over TLS with a CA that is trusted."""
        self._trusted = None if trusting is None else ssl.create_default_context(cafile=trusting)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self.arguments,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C is for us; we end it in our order
            )
        until(self._answers, f"{self.name} to answer at {self.ready_url}", START_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it has."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            raise AssertionError(f"{self.name} did not end within {STOP_SECONDS} s of {how.name}") from None
        finally:
            self._process = None

    @property
    def _output(self) -> Path:
        return self.folder / f"{self.name}.out"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} ended: {self._output.read_text(errors='replace')[-2000:]}"
        try:
            with urlopen(self.ready_url, timeout=5, context=self._trusted) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def exporter(folder: Path, port: int, log: Path, *, expect: Sequence[str] = (), options: Sequence[str] = ()) -> Program:
    """Return racoon-exporter over `log`."""
    arguments = [sys.executable, "-c", "from racoon_exporter.cli.program import main; main()", "serve"]
    arguments += [f"--web.listen-address={HOST}:{port}", f"--state.file={folder / 'state.json'}", "--time-zone=UTC"]
    arguments += [f"--expect-peer={peer}" for peer in expect]
    arguments += [*options, str(log)]
    return Program("racoon-exporter", arguments, folder, f"http://{HOST}:{port}/metrics")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an exporter is scraped, and the scenario it stands for."""

    port: int
    scenario: str


class Prometheus:
    """A Prometheus with its configuration, and what its API answers. Its data are in the folder `data`."""

    def __init__(self, folder: Path, config: Mapping[str, object], *options: str) -> None:
        address = f"{HOST}:{free_port()}"
        self.url = f"http://{address}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        arguments = [
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
            *options,
        ]
        self.program = Program("prometheus", arguments, folder, f"{self.url}/-/ready")

    def ask(self, path: str, **parameters: object) -> Any:
        """Return the data of an API answer; fail with Prometheus' own words where it refuses."""
        try:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=30) as answer:
                return json.load(answer)["data"]
        except HTTPError as refusal:
            raise AssertionError(f"{parameters}: {refusal.read().decode()}") from refusal

    def now(self, query: str) -> list[dict[str, Any]]:
        """Return the series of an instant query."""
        found: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return found

    def at(self, query: str, when: float) -> list[dict[str, Any]]:
        """Return the series of an instant query at a time."""
        found: list[dict[str, Any]] = self.ask("query", query=query, time=when)["result"]
        return found

    def since(self, query: str, start: float, end: float, step: float = 1) -> list[dict[str, Any]]:
        """Return the series of a range query."""
        found: list[dict[str, Any]] = self.ask("query_range", query=query, start=start, end=end, step=step)["result"]
        return found


def watching(folder: Path, targets: Sequence[Target], alertmanager_port: int) -> Prometheus:
    """Return a Prometheus that scrapes each second and evaluates the real rules with less patience."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = shortened(yaml.safe_load(RULES.read_text(encoding="utf-8")))
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    scrape = [{"targets": [f"{HOST}:{target.port}"], "labels": {"scenario": target.scenario}} for target in targets]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{alertmanager_port}"]}]}]},
        "scrape_configs": [{"job_name": "racoon", "static_configs": scrape}],
    }
    return Prometheus(folder, config)


class Alertmanager:
    """An Alertmanager with the shipped routes and inhibitions, whose receivers all are one webhook."""

    def __init__(self, folder: Path, webhook: str) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = yaml.safe_load((DASHBOARDS / "provisioning" / "alertmanager.yml").read_text(encoding="utf-8"))
        config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}", "send_resolved": True}]
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        arguments = [
            program("prometheus-alertmanager"),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        self.program = Program("alertmanager", arguments, folder, f"{self.url}/-/ready")


@dataclass(frozen=True, slots=True)
class Notified:
    """One alert as it reached the webhook: through which receiver, in which state, with which labels and texts."""

    receiver: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Webhook:
    """A receiver of Alertmanager's notifications that keeps what came."""

    def __init__(self) -> None:
        self._came = Condition()
        self._alerts: list[Notified] = []
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                keep(self.path.strip("/"), body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, name="webhook", daemon=True)
        self._thread.start()

    def alerts(self) -> list[Notified]:
        """Return what came so far."""
        with self._came:
            return list(self._alerts)

    def wait_for(self, wanted: Callable[[Notified], bool], seconds: float) -> Notified | None:
        """Return the first alert that is wanted, or nothing when the time is up."""
        with self._came:
            self._came.wait_for(lambda: any(map(wanted, self._alerts)), seconds)
            return next(filter(wanted, self._alerts), None)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(STOP_SECONDS)

    def _keep(self, receiver: str, alerts: list[dict[str, Any]]) -> None:
        with self._came:
            self._alerts += [Notified(receiver, alert["status"], alert["labels"], alert["annotations"]) for alert in alerts]
            self._came.notify_all()
