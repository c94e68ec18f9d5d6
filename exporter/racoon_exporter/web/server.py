"""The web server: listens, reads the web configuration file, and serves routes from a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import resource
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from uvicorn.config import Config

from racoon_exporter.web.accepting import ConnectionRates, RatedSocket, everybody
from racoon_exporter.web.application import Guard
from racoon_exporter.web.config import RateLimit
from racoon_exporter.web.config_reload import LiveConfig
from racoon_exporter.web.connections import Connections, Limits
from racoon_exporter.web.gate import Gate, shrink_tls_buffers
from racoon_exporter.web.handshakes import Handshakes
from racoon_exporter.web.listen import BACKLOG, activated, listen
from racoon_exporter.web.problems import ListenError
from racoon_exporter.web.protocol import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.routing import BaseRoute

    from racoon_exporter.web.listen import Listener

#: Turns of the event loop behind which every connection that was accepted has its protocol.
_TURNS_TO_ADMIT = 4

#: Turns of the event loop in which all connections may come that there may be: each is a file descriptor before limits can
#: see it, and without any left asyncio takes none for a second. All of a turn wait for those that come in it, some 4 ms.
_TURNS_TO_FILL = 16
_LEAST_CONNECTIONS = 8
_LOGGER = logging.getLogger("racoon_exporter.web")


class WebServer:
    """Serves ``routes`` on every one of ``addresses`` (or on systemd's sockets) until stopped.

    uvicorn supplies the HTTP protocol. Its server class does not fit a thread of another program: it polls ten times a
    second and logs for a terminal. What is left of it is listening and stopping, both below.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        *,
        addresses: Sequence[str],
        config_file: Path | None,
        systemd_socket: bool = False,
        logger: logging.Logger = _LOGGER,
        health_without_auth: bool = False,
        limits: Limits | None = None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve nothing yet. ``on_failure`` is called, in the server's thread, where it ends by itself."""
        self._routes = routes
        self._addresses = addresses
        self._config_file = config_file
        self._systemd_socket = systemd_socket
        self._logger = logger
        self._health_without_auth = health_without_auth
        self._limits = limits or Limits()
        self._on_failure = on_failure
        self._handshakes = Handshakes(
            self._limits.max_handshakes, self._limits.max_stranger_handshakes, self._limits.max_strangers_handshakes
        )
        self._live: LiveConfig | None = None
        self._connections: Connections | None = None
        self._waiting: Connections | None = None
        self._urls: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stopping = asyncio.Event()
        self._grace = 0.0
        self._last_trouble = ""

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the server is reached, one for each address, with the real port where 0 was asked."""
        return self._urls

    @property
    def config_ok(self) -> bool:
        """False while the web configuration file on disk is broken and an older one is in force."""
        return self._live is None or self._live.ok

    @property
    def failure(self) -> BaseException | None:
        """Why it ended by itself, if it did."""
        return self._failure

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return sum(len(book) for book in (self._connections, self._waiting) if book is not None)

    def start(self) -> None:
        """Read the configuration, listen, and serve in the background.

        Raises WebConfigError or ListenError, each with one line of text, and leaves nothing open then.
        """
        live = LiveConfig(self._config_file, self._logger)
        listeners = activated() if self._systemd_socket else listen(self._addresses)
        scheme = "http"
        if live.current().context is not None:
            scheme = "https"
            shrink_tls_buffers()
        self._live = live
        self._urls = tuple(f"{scheme}://{listener.name}/" for listener in listeners)
        # A daemon: a thread that a stuck route keeps from ending must not keep the process from it.
        self._thread = threading.Thread(target=self._run, args=(live, listeners), name="web", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no thread left
            _close(listeners)
            raise ListenError(f"cannot serve: {error}") from error
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self, timeout: float = 5.0) -> None:
        """Let running requests finish for up to ``timeout`` seconds, close everything, and end the thread."""
        if self._thread is None or self._loop is None:
            return
        self._grace = timeout
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout + 1)
        if self._thread.is_alive():
            self._logger.warning("the web server did not end within %.0f s", timeout + 1)

    def _run(self, live: LiveConfig, listeners: Sequence[Listener]) -> None:
        try:
            asyncio.run(self._serve(live, listeners))
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits in start()
            self._failure = error
            if self._ready.is_set():
                self._logger.critical("the web server ended: %r", error)
                self._on_failure()
        finally:
            _close(listeners)
            self._ready.set()

    async def _serve(self, live: LiveConfig, listeners: Sequence[Listener]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._note_loop_error)
        endpoint = self._endpoint(live, self._loop)
        servers = []
        at_once = max(1, affordable(self._limits.max_connections) // _TURNS_TO_FILL)
        rates = self._rates(tls=live.current().context is not None)
        for listening in (sock for listener in listeners for sock in listener.sockets):
            sock = RatedSocket(listening, rates)
            servers.append(await self._loop.create_server(partial(Gate, endpoint), sock=sock, backlog=at_once))
            sock.listen(BACKLOG)  # the kernel's queue may be longer than what asyncio takes from it in one go
        self._ready.set()
        try:
            await self._stopping.wait()
            endpoint.ends = True
            await _stop_accepting(servers)
        finally:
            for server in servers:
                server.close()
        await self._finish(endpoint)

    def _rates(self, *, tls: bool) -> ConnectionRates:
        limits = self._limits
        return ConnectionRates(
            limits.max_new_connections,
            strangers=RateLimit(1 / limits.max_new_strangers, limits.max_new_strangers_at_once),
            visits=self._handshakes.visits,
            bounded=everybody if tls else self._handshakes.came_less_often,
        )

    def _endpoint(self, live: LiveConfig, loop: asyncio.AbstractEventLoop) -> Endpoint:
        app = Starlette(routes=list(self._routes))
        app.router.redirect_slashes = False  # a redirect would be built from the Host header, which the client chooses
        limits = self._limits
        guard = Guard(
            app,
            live,
            self._logger,
            health_without_auth=self._health_without_auth,
            max_head_bytes=limits.max_head_bytes,
            visits=self._handshakes.visits,
        )
        at_all = affordable(limits.max_connections)
        most = at_all if live.current().context is None else min(at_all, limits.max_tls_connections)
        config = Config(
            guard,
            interface="asgi3",
            http=Gate,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            workers=1,  # otherwise taken from the environment
            server_header=False,
            date_header=False,
            timeout_keep_alive=limits.keep_alive_timeout,  # type: ignore[arg-type]  # handed to call_later as it is
            h11_max_incomplete_event_size=limits.max_head_bytes,
        )
        config.load()
        visits = self._handshakes.visits
        self._connections = Connections(most, limits.max_stalled, limits.max_stalled_bytes, visits)
        self._waiting = Connections(at_all, limits.max_stalled, visits=visits)
        return Endpoint(config, live, limits, self._connections, self._waiting, self._handshakes, self._logger, loop)

    async def _finish(self, endpoint: Endpoint) -> None:
        endpoint.waiting.drop_all()
        endpoint.connections.finish_all()
        try:
            async with asyncio.timeout(self._grace):
                await endpoint.connections.empty.wait()
        except TimeoutError:
            self._logger.warning("%d connections cut at the end", len(endpoint.connections))
        endpoint.connections.drop_all()

    def _note_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log in one line, once, what asyncio prints with a traceback: accept() without file descriptors left, say."""
        del loop
        trouble = f"{context.get('message')}: {context.get('exception')!r}"
        log = self._logger.debug if trouble == self._last_trouble else self._logger.warning
        log("%s", trouble)
        self._last_trouble = trouble


async def _stop_accepting(servers: Sequence[asyncio.Server]) -> None:
    """Take no more connections, and let those that were taken have their protocol: a server that is closed cuts them."""
    for server in servers:
        for sock in server.sockets:
            server.get_loop().remove_reader(sock.fileno())
    for _ in range(_TURNS_TO_ADMIT):
        await asyncio.sleep(0)


def _close(listeners: Sequence[Listener]) -> None:
    for listener in listeners:
        for sock in listener.sockets:
            sock.close()


def affordable(connections: int) -> int:
    """Tell how many of so many connections there may be: a quarter of the open files that this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if soft == resource.RLIM_INFINITY else min(connections, max(_LEAST_CONNECTIONS, soft // 4))
