"""A flood that fills every limit there is by default, then everything is asked for at once: what the unit allows is enough."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.torture.flooded import Flooded, flooded  # noqa: F401  a fixture

UNIT = Path(__file__).parents[2] / "packaging/systemd/racoon-exporter.service"
GATEWAYS, PEERS = 1000, 10
"""`limits.gateways`, and peers of each: `limits.peers` in all."""
LONG = "x" * 40
"""A name of a host that takes one gateway's place, and makes every series longer."""
SLOW = 12
"""Clients that read nothing of what they asked for; more than are let."""
ASKED = ("/metrics", "/", "/gateways", "/api/v1/peers", "/api/v1/sas", "/api/v1/gateways", "/api/v1/events", "/metrics")

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]


def memory_high() -> int:
    """What systemd lets the service take before it slows it down, in KiB."""
    found = re.search(r"^MemoryHigh=(\d+)M$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def lines_of(gateway: int, number: int, place: int) -> Iterator[str]:
    """Everything that a peer can make series and state of."""
    ip = f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
    head = f"Nov 26 08:{place // 600 % 60:02}:{place // 10 % 60:02} gateway-{gateway:04}-{LONG} racoon: "
    for text in (
        f"INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>{ip}[500]",
        f"INFO: ISAKMP-SA established 192.0.2.1[500]-{ip}[500] spi:{place:016x}:{place + 7:016x}",
        f"INFO: respond new phase 2 negotiation: 192.0.2.1[500]<=>{ip}[500]",
        f"INFO: IPsec-SA established: ESP/Tunnel {ip}[0]->192.0.2.1[0] spi={place + 1000}(0x{place + 1000:x})",
        f"INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[0]->{ip}[0] spi={place + 9_000_000}(0x{place + 9_000_000:x})",
        f"[{ip}] ERROR: notification NO-PROPOSAL-CHOSEN received in informational exchange.",
        f"[{ip}] ERROR: notification INVALID-ID-INFORMATION received in informational exchange.",
        f"INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>{ip}[500]",
        f"[{ip}] ERROR: failed to get valid proposal.",
        f"[{ip}] ERROR: phase1 negotiation failed.",
        f"WARNING: unable to get certificate CRL(3) at depth:{number % 4} SubjectName:/C=XX/CN=peer-{place}",
    ):
        yield f"{head}{text}\n"


def flood() -> Iterator[bytes]:
    for number in range(PEERS):
        for gateway in range(GATEWAYS):
            yield "".join(lines_of(gateway, number, gateway * PEERS + number)).encode()


def test_full_limits_and_clients_that_do_not_read_stay_within_what_the_unit_allows(flooded: Flooded) -> None:  # noqa: F811
    labels = f'gateway="gateway-0999-{LONG}",peer="10.0.39.15",role="responder"'
    metrics = flooded.take(flood(), f"racoon_phase1_established_total{{{labels}}} 1.0")
    assert metrics.count("racoon_phase1_up{") >= GATEWAYS * PEERS
    answers = {path: flooded.get(path) for path in ASKED}
    assert answers["/api/v1/peers"].count(b'"address": ') >= GATEWAYS * PEERS
    asked = flooded.memory("VmHWM")
    with ExitStack() as clients:
        for path in ("/api/v1/sas", "/metrics"):
            for _ in range(SLOW):
                client = clients.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(flooded.address)
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
                clients.callback(client.close)
            flooded.get(path)  # answers are made one after the other: those of the clients before it are made by now
    peak = flooded.memory("VmHWM")
    print(f"scrape {len(metrics) >> 10} KiB, peak {asked} KiB, with clients that do not read {peak} KiB")
    assert peak <= memory_high()
