"""A running exporter under attack, with a scraper that comes each second: how long each scrape takes, and what is lost.

    python -m tests.bench.flood [--seconds 30] [--peers 1000] [--busy 2] [--forged 1500]

All at once: hostile datagrams, the dearest that are known, thirty a second; ClientHellos of strangers, as fast as they are
taken; clients that connect and say nothing, and clients that read nothing of what they asked for. Meanwhile racoon writes its
log. The scraper keeps its TLS connection, as Prometheus does. `--busy` adds processes that want a processor each, so that the
exporter gets a share of one only. With `--forged` the log grows by so many lines a second that somebody else made: each names
any of more gateways, peers and SAs than are let in, so that every limit is filled before it begins, and most series change
between two scrapes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.bench.catchup import percentile
from tests.bench.generate import write
from tests.bench.live import Exporter, running
from tests.bench.log import Parameters
from tests.exporter.web.certificates import Authority

PROMISED_MS: Final = 1000
DATAGRAMS_PER_SECOND: Final = 30
_LARGEST_DATAGRAM: Final = 60_000
_SLOW_CLIENTS: Final = 40
_QUIET_SECONDS: Final = 10
_LINES_A_SECOND: Final = 100
_FORGED_GATEWAYS: Final = 1200
_FORGED_BEFORE: Final = 60_000
"""Lines that fill every limit."""
_FILLERS: Final = (
    "(a",
    "->",
    "000",
    "check_sigreq(): ",
    "DB(prop#1:trns#1)->",
    "[[500]",
    "<a[b>[500]<=>",
    'user "\\n',
    "\x1b[31m",
    "\\x00",
    "key(x)",
    "cookie: KEY ",
    '2026-01-15"',
)
_TEXTS: Final = (
    "INFO: IPsec-SA established (",
    "INFO: initiate new phase 1 negotiation: ",
    "ERROR: rejected enctype: ",
    "INFO: @(#)ipsec-tools ",
    'INFO: login failed for user "',
    "ERROR: ",
)


@dataclass(slots=True)
class Attacks:
    """What is done to an exporter until it is over."""

    port: int
    syslog: int
    hello: bytes
    over: threading.Event = field(default_factory=threading.Event)
    done: dict[str, int] = field(default_factory=dict)

    def datagrams(self) -> None:
        """Send hostile syslog messages."""
        some = random.Random(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self.over.wait(1 / DATAGRAMS_PER_SECOND):
                text = some.choice(_TEXTS) + some.choice(_FILLERS) * (some.choice((2_000, 8_000, _LARGEST_DATAGRAM)) // 4)
                datagram = f"<30>Jan 15 08:30:02 gw{some.randrange(3000)} racoon: {text}".encode()[:_LARGEST_DATAGRAM]
                sender.sendto(datagram, ("127.0.0.1", self.syslog))
                self._count("hostile datagrams")

    def hellos(self) -> None:
        """Begin handshakes, each with random bytes of its own, and never go on."""
        while not self.over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                self._count("ClientHellos")
                client.sendall(self.hello[:11] + os.urandom(32) + self.hello[43:])
                client.recv(4096)

    def slow(self) -> None:
        """Keep connections open on which nothing, or half a ClientHello, is said."""
        with contextlib.ExitStack() as stack:
            for number in range(_SLOW_CLIENTS):
                with contextlib.suppress(OSError):
                    client = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=1))
                    client.sendall(self.hello[: number * 5])
                    self._count("slow clients")
            self.over.wait()

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def free_port() -> int:
    """Give a port for datagrams that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def options(folder: Path, authority: Authority, syslog: int) -> list[str]:
    """Give what lets `serve` speak TLS and listen for syslog."""
    served = authority.issue("server")
    web = folder / "web.yml"
    web.write_text(f"tls_server_config: {{cert_file: {served.certificate}, key_file: {served.key}}}\n")
    return ["--web.config.file", str(web), "--syslog.listen-address", f"udp://127.0.0.1:{syslog}"]


def lines_read(text: str, log: Path) -> int:
    """Give how many lines of the log a scrape says were read."""
    found = re.search(rf'^racoon_exporter_source_lines_total{{source="{re.escape(str(log))}"}} (\S+)$', text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def client_hello(authority: Authority) -> bytes:
    """Give the ClientHello of a client that never said more."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def _each_second(exporter: Exporter, seconds: int, work: Callable[[], None]) -> Iterator[float]:
    for _ in range(seconds):
        work()
        begun = time.monotonic()
        exporter.scrape()
        took = time.monotonic() - begun
        yield took
        time.sleep(max(0.0, 1 - took))


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """Keep processors busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _usual(count: int) -> str:
    return "2026-01-15 23:59:59: INFO: received Vendor ID: DPD\n" * count


def _forged(some: random.Random, count: int) -> str:
    """Give lines that anybody may write who reaches a collector."""
    head = time.strftime("%b %d %H:%M:%S")
    return "".join(f"{head} gw{some.randrange(_FORGED_GATEWAYS)} racoon: {_forged_text(some)}\n" for _ in range(count))


def _forged_text(some: random.Random) -> str:
    peer = f"198.{some.randrange(18, 20)}.{some.randrange(256)}.{some.randrange(256)}"
    local = f"192.0.{some.randrange(256)}.{some.randrange(256)}"
    cookies, spi = f"{some.getrandbits(64):016x}:{some.getrandbits(64):016x}", some.getrandbits(32)
    return some.choice(
        (
            f"INFO: initiate new phase 1 negotiation: {local}[500]<=>{peer}[500]",
            f"INFO: ISAKMP-SA established {local}[500]-{peer}[500] spi:{cookies}",
            f"INFO: IPsec-SA established: ESP/Tunnel {local}[500]->{peer}[500] spi={spi}(0x{spi:x})",
            f"ERROR: phase1 negotiation failed due to time up. {cookies}",
        )
    )


def _append(log: Path, text: str) -> int:
    """Write to the log, and tell how many lines."""
    with log.open("a") as out:
        out.write(text)
    return text.count("\n")


def main() -> int:
    """Attack, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--peers", type=int, default=1000)
    parser.add_argument("--busy", type=int, default=0, help="processes beside that want a processor each")
    parser.add_argument("--forged", type=int, default=0, help="lines a second that name gateways, peers and SAs at random")
    given = parser.parse_args()
    some = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="racoon-flood-") as directory, _busy(given.busy):
        folder = Path(directory)
        log, authority = folder / "racoon.log", Authority.create(folder)
        write(replace(Parameters(), peers=given.peers, lines=100_000), log)
        if given.forged:
            _append(log, _forged(some, _FORGED_BEFORE))
        written = log.read_bytes().count(b"\n")
        syslog = free_port()
        with running(log, *options(folder, authority, syslog), tls=authority.client_context()) as exporter:
            while lines_read(exporter.scrape().decode(), log) < written:
                time.sleep(0.2)
            quiet = tuple(sorted(_each_second(exporter, min(given.seconds, _QUIET_SECONDS), lambda: None)))
            attacks = Attacks(exporter.connection.port, syslog, client_hello(authority))
            works: tuple[Callable[[], None], ...] = (attacks.datagrams, attacks.slow, attacks.hellos, attacks.hellos)
            threads = [threading.Thread(target=work) for work in works]
            for thread in threads:
                thread.start()
            before = exporter.cpu()
            grown: list[int] = []

            def grow() -> None:
                grown.append(_append(log, _forged(some, given.forged) if given.forged else _usual(_LINES_A_SECOND)))

            scrapes = tuple(sorted(_each_second(exporter, given.seconds, grow)))
            written += sum(grown)
            busy = (exporter.cpu() - before) / given.seconds
            attacks.over.set()
            for thread in threads:
                thread.join()
            last = ""
            for _ in range(50):
                last = exporter.scrape().decode()
                if lines_read(last, log) == written:
                    break
                time.sleep(0.1)
            alive = exporter.process.poll() is None
    print(", ".join(f"{count:,} {what}" for what, count in sorted(attacks.done.items())), f"in {given.seconds} s")
    for what, times in (("before", quiet), ("meanwhile", scrapes)):
        figures = ", ".join(f"p{share * 100:.0f} {percentile(times, share):.0f} ms" for share in (0.5, 0.9, 0.99))
        print(f"{len(times)} scrapes {what}: {figures}")
    print(f"the exporter used {busy:.0%} of a processor meanwhile")
    print(f"lines of the log: {written:,} written, {lines_read(last, log):,} read; the process {'lived' if alive else 'ENDED'}")
    print(
        *re.findall(
            r"^racoon_exporter_(?:record_errors_total|source_dropped_messages_total.*|source_lost_bytes_total.*) .*$",
            last,
            re.MULTILINE,
        ),
        sep="\n",
    )
    kept = percentile(scrapes, 0.99) < PROMISED_MS and alive and lines_read(last, log) == written
    print(f"promised: p99 below {PROMISED_MS} ms, no restart, nothing lost: {'kept' if kept else 'MISSED'}")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
