"""`make demo`: the chain on loopback over recordings that are played in a loop, until Ctrl-C.

Nothing is faked: racoon-exporter follows a log into which recorded lines of racoon are written anew, five times as fast as they
came, with the present time; Prometheus scrapes it and evaluates the shipped rules with a sixtieth of their patience;
Alertmanager has the shipped routes. Where Grafana is installed it is started with the shipped dashboards.
"""

import os
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

import yaml

from tests.dashboards.tools import DASHBOARDS
from tests.e2e.chain import HOST, Alertmanager, Program, Target, Webhook, exporter, watching
from tests.e2e.replay import Replay, recorded
from tests.e2e.scenarios import LAB, SHUTDOWN
from tests.ports import free_port

RECORDINGS = (
    "01-psk-main",
    "25-rekey-force",
    "03-peer-killed-dpd",
    "06-ph1-proposal-mismatch",
    "05-psk-mismatch-main",
    "02-rekey",
)
PEERS = ("192.168.0.41=branch", "192.168.0.77=laptop,roaming")
SPEED = 5
GRAFANA_HOME = Path("/usr/share/grafana")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Loop(Thread):
    """Plays one recording after the other, for ever."""

    def __init__(self, log: Path) -> None:
        super().__init__(name="demo", daemon=True)
        self._log, self._ended = log, Event()
        self._playing: Replay | None = None

    def run(self) -> None:
        for name in cycle(RECORDINGS):
            if self._ended.is_set():
                return
            _say(f"playing {name}")
            lines = list(recorded(LAB / name / "a.log", stop_before=SHUTDOWN))
            self._playing = Replay(lines, self._log, SPEED)
            self._playing.start()
            self._playing.join()

    def stop(self) -> None:
        """End the recording that is played, and play no other."""
        self._ended.set()
        if self._playing is not None:
            self._playing.stop()
        self.join(5)


def grafana(folder: Path, prometheus_url: str) -> Program | None:
    """Return Grafana with the shipped boards, read-only and without login, or nothing where it is not installed."""
    server = shutil.which("grafana-server")
    if server is None or not GRAFANA_HOME.is_dir():
        return None
    port = free_port()
    for kind in ("dashboards", "datasources"):
        (folder / "provisioning" / kind).mkdir(parents=True)
    (source,) = (DASHBOARDS / "provisioning" / "datasources").glob("*.yaml")
    sources = yaml.safe_load(source.read_text(encoding="utf-8"))
    sources["datasources"][0] |= {"url": prometheus_url, "jsonData": {"timeInterval": "1s"}}
    (folder / "provisioning" / "datasources" / source.name).write_text(yaml.safe_dump(sources), encoding="utf-8")
    (boards,) = (DASHBOARDS / "provisioning" / "dashboards").glob("*.yaml")
    provider = yaml.safe_load(boards.read_text(encoding="utf-8"))
    provider["providers"][0]["options"]["path"] = str(folder / "boards")
    (folder / "provisioning" / "dashboards" / boards.name).write_text(yaml.safe_dump(provider), encoding="utf-8")
    (folder / "boards").mkdir()
    for board in DASHBOARDS.glob("racoon-*.json"):
        shutil.copy(board, folder / "boards")
    settings = {
        "GF_PATHS_DATA": folder / "data",
        "GF_PATHS_LOGS": folder / "logs",
        "GF_PATHS_PROVISIONING": folder / "provisioning",
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": port,
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    }
    os.environ.update({name: str(value) for name, value in settings.items()})
    return Program("grafana", [server, "--homepath", str(GRAFANA_HOME)], folder, f"http://{HOST}:{port}/api/health")


def main() -> None:
    """Start everything, print where it is, and end it all at Ctrl-C."""
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="racoon-demo-")))
        log = root / "racoon.log"
        log.touch()
        webhook = Webhook()
        stack.callback(webhook.close)
        alertmanager = Alertmanager(root / "alertmanager", webhook.url)
        target = Target(free_port(), "demo")
        prometheus = watching(root / "prometheus", [target], alertmanager.port)
        source = exporter(root / "exporter", target.port, log, expect=PEERS)
        board = grafana(root / "grafana", prometheus.url)
        programs = [source, alertmanager.program, prometheus.program, *([board] if board is not None else [])]
        for program in programs:
            stack.callback(program.stop)
            program.start()
        loop = Loop(log)
        stack.callback(loop.stop)
        _say(f"racoon-exporter  http://{HOST}:{target.port}/")
        _say(f"Prometheus       {prometheus.url}/alerts")
        _say(f"Alertmanager     {alertmanager.url}/")
        if board is None:
            _say("Grafana          not installed; import dashboards/import/*.json into one that can reach this Prometheus")
        else:
            _say(f"Grafana          {board.ready_url.removesuffix('/api/health')}/d/racoon-fleet?from=now-15m&to=now")
        _say(f"log              {log}")
        _say("Ctrl-C ends it all.")
        loop.start()
        ended.wait()
        _say("ending")


if __name__ == "__main__":
    main()
