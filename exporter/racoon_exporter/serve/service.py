"""`serve`, put together: inputs, engine, web endpoint, signals, systemd."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from types import FrameType
from typing import Final

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from racoon_exporter.config import knowledge
from racoon_exporter.config.file import Config, ConfigError, load_config
from racoon_exporter.config.knowledge import Flags
from racoon_exporter.engine import Engine
from racoon_exporter.exposition_cache import ExpositionCache
from racoon_exporter.serve.loop import Follower
from racoon_exporter.serve.partitions import Partitions
from racoon_exporter.serve.reload_requests import ReloadRequests
from racoon_exporter.serve.systemd import Notifier
from racoon_exporter.source import StartAt, kinds
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import Surroundings, Wanted
from racoon_exporter.status.overview.event_ring import EventRing
from racoon_exporter.status.routes import status_routes
from racoon_exporter.text import visible
from racoon_exporter.web import WebServer
from racoon_exporter.web.pages import Format, health_routes, metrics_route
from racoon_exporter.witness import WitnessPanel

_LOGGER: Final = logging.getLogger("racoon_exporter")
_STATUS_SECONDS: Final = 5.0
_SWITCH_SECONDS: Final = 0.001
"""How long the reader keeps the interpreter from who answers, at each step of an answer; Python's own is 5 ms."""
_COLLECTED_AT: Final = (5_000, 5, 300)
"""At how many new objects Python looks for cycles among them, which stops all threads: of each connection that asyncio closes
one is left, of eight objects. Such a look is to take a fraction of a scrape, not twice as long; archives do with fewer. One at
all objects there are takes half a second where a flood fills all limits: it is for what connections of long leave, and rare."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asks for."""

    logs: tuple[str, ...]
    flags: Flags
    zone: tzinfo | None
    """Zone of the log where the command line gives one; else the configuration file's, else this machine's."""
    local_zone: tzinfo
    config_file: Path | None
    state_file: Path | None
    state_interval: float
    start_at: StartAt
    backfill: bool
    addresses: tuple[str, ...]
    web_config: Path | None
    telemetry_path: str
    journal: bool = False
    """Whether the systemd journal is read, even where the configuration file does not name it."""
    syslog: tuple[str, ...] = ()
    """Addresses to receive syslog at, besides those of the configuration file."""
    systemd_socket: bool = False
    health_without_auth: bool = False
    lifecycle: bool = False


class Service:
    """The running exporter.

    Making it raises ConfigError, ValueError (a bad value on the command line) or OSError (a file of racoon); `start` raises
    what `WebServer.start` does.
    """

    def __init__(self, settings: Settings, notifier: Notifier | None = None) -> None:
        self._settings = settings
        self._notifier = notifier or Notifier.from_environment()
        config = self._load()
        known, remarks = knowledge.build(settings.flags, config)
        _tell(remarks)
        self._config = config
        wanted = wanted_by(settings, config)
        if not wanted:
            raise ValueError(
                "nothing to read: name racoon's log file, a glob, - for standard input, --journal, --syslog.listen-address,"
                " or a configuration file with sources"
            )
        zone = settings.zone or config.zone or settings.local_zone
        ring = EventRing(int(time.time() * 1000) * 1000)  # cursors grow over restarts: clients learn what they missed
        engine = Engine(
            zone,
            knowledge=known,
            gateway_of=config.gateway_of,
            reference_of=lambda _source: time.time(),
            on_record=ring.add,
        )
        partitions = Partitions(engine, state_file=settings.state_file)
        self._inputs = _inputs(wanted, settings, partitions)
        self._witnesses = _witnesses(config, settings.local_zone)
        self.follower = Follower(
            engine,
            self._inputs,
            state_file=settings.state_file,
            checkpoint_seconds=settings.state_interval,
            on_turn=self._turn,
            witnesses=self._witnesses,
            partitions=partitions,
        )
        self._expositions = ExpositionCache()
        self._reloads = ReloadRequests()
        self._told = 0.0
        self._server = WebServer(
            self._routes(zone, ring),
            addresses=settings.addresses,
            config_file=settings.web_config,
            systemd_socket=settings.systemd_socket,
            health_without_auth=settings.health_without_auth,
            on_failure=self.follower.stop,
        )
        self.follower.web_config_ok = lambda: self._server.config_ok

    @property
    def urls(self) -> tuple[str, ...]:
        """Where it is reached."""
        return self._server.urls

    @property
    def failure(self) -> BaseException | None:
        """What ended the web server, and `run` with it: a process without it would look alive, and be of no use."""
        return self._server.failure

    def _load(self) -> Config:
        path = self._settings.config_file
        return Config() if path is None else load_config(path)

    def _routes(self, zone: tzinfo, ring: EventRing) -> list[BaseRoute]:
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        telemetry_path = self._settings.telemetry_path
        routes: list[BaseRoute] = [
            metrics_route(telemetry_path, registry, self._own_metrics),
            *health_routes(self.follower.ready, self.follower.stuck),
            *status_routes(
                self.follower.take,
                now=time.time,
                zone=zone,
                telemetry_path=telemetry_path,
                ring=ring,
                glance=self.follower.glance,
                witnessed=lambda: None if self._witnesses is None else self._witnesses.shown(),
            ),
        ]
        if self._settings.lifecycle:
            routes.insert(0, Route("/-/reload", self._reload_endpoint, methods=["POST", "PUT"]))
        return routes

    def _own_metrics(self, chosen: Format) -> Iterator[bytes]:
        with self.follower.lock.answering():
            yield from self._expositions.answer(self.follower.look, openmetrics=chosen is Format.OPENMETRICS)

    # life

    def start(self) -> None:
        """Take signals, go on from the state file, and listen."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._ask_reload)
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.set_threshold(*_COLLECTED_AT)
        self.follower.restore()
        self._server.start()
        if self._witnesses is not None:
            self._witnesses.start()
        for url in self.urls:
            _LOGGER.info("serving on %s", url)
        if self._settings.state_file is None:
            _LOGGER.info("no state directory: counters start anew with each start (see --state.file)")
        self._notifier.ready()

    def run(self) -> None:
        """Follow the inputs until SIGTERM or SIGINT, until all of them have ended, or the web server has by itself."""
        try:
            self.follower.run()
        finally:
            self._notifier.stopping()
            if self._witnesses is not None:
                self._witnesses.stop()
            self._server.stop()
            self._inputs.close()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.follower.stop()

    def _turn(self) -> None:
        """Do what stands beside reading, once in each turn of the loop."""
        self._notifier.watchdog()
        if self._reloads.is_due():
            with self._reloads.answering():
                self._notifier.reloading()
                self.reload()
                self._notifier.ready()
        now = time.monotonic()
        if now - self._told >= _STATUS_SECONDS:
            self._told = now
            self._notifier.status(self.follower.ready()[1])

    # reload

    def _ask_reload(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        self._reloads.ask()
        self._inputs.wake()

    async def _reload_endpoint(self, _request: Request) -> Response:
        self._ask_reload()
        return PlainTextResponse("Reloading.\n", status_code=202)

    def reload(self) -> bool:
        """Read the configuration anew; a bad one is reported and leaves the old one in force."""
        try:
            config = self._load()
            known, remarks = knowledge.build(self._settings.flags, config)
        except (ConfigError, OSError, ValueError) as error:
            _LOGGER.warning("the configuration was not taken over: %s", visible(str(error)))
            self.follower.config_ok = False
            return False
        _tell(remarks)
        if (config.zone, config.witnesses) != (self._config.zone, self._config.witnesses):
            _LOGGER.warning("witnesses and the time zone change with a restart, not with a reload")
        if not self._take_over(config):
            self.follower.config_ok = False
            return False
        self.follower.learn(known)
        self.follower.config_ok = True
        _LOGGER.info("the configuration was read anew")
        return True

    def _take_over(self, config: Config) -> bool:
        """Read the sources of a configuration, where they are others than before; if they cannot be, those of before."""
        before, wanted = self._config, wanted_by(self._settings, config)
        try:
            if not wanted:
                raise ValueError("nothing to read")  # noqa: TRY301  as for any other source that cannot be
            if (wanted, config.gateways) != (wanted_by(self._settings, before), before.gateways):
                self.follower.change(wanted, config.gateway_of, kinds.most_open(wanted))
        except (OSError, ValueError) as error:
            _LOGGER.warning("the configuration was not taken over: %s", visible(str(error)))
            return False
        self._config = replace(config, zone=before.zone, witnesses=before.witnesses)
        return True


def _witnesses(config: Config, zone: tzinfo) -> WitnessPanel | None:
    """Make those that the configuration names. Dumps of `ip xfrm` are in this machine's zone, whatever the log's is."""
    witnesses = tuple(config.witnesses.witnesses(zone))
    return WitnessPanel(witnesses, interval=config.witnesses.interval) if witnesses else None


def wanted_by(settings: Settings, config: Config) -> tuple[Wanted, ...]:
    """Return what the command line and the configuration file want to be read; the file has more to say of the journal."""
    asked = (*kinds.paths(*settings.logs), *kinds.syslog(*settings.syslog), *((kinds.journal(),) if settings.journal else ()))
    told = {(each.kind, each.name) for each in config.sources}
    return (*(each for each in asked if (each.kind, each.name) not in told), *config.sources)


def _inputs(wanted: tuple[Wanted, ...], settings: Settings, partitions: Partitions) -> Inputs:
    state = settings.state_file
    around = Surroundings(
        settings.start_at,
        settings.backfill,
        kinds.most_open(wanted),
        keeper=partitions,
        partition_directory=None if state is None else state.with_name(f"{state.name}.partitions"),
        checkpoint_seconds=settings.state_interval,
    )
    return Inputs(wanted, around)


def _tell(remarks: list[str]) -> None:
    for remark in remarks:
        _LOGGER.warning("%s", visible(remark))
