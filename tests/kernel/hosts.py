"""Two hosts on a wire, within the booted kernel: network namespaces, SAs by `ip xfrm`, and what the kernel says of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

HERE, THERE = "192.0.2.1", "192.0.2.2"
KEY = {HERE: "a1" * 16, THERE: "b2" * 16}
"""Encryption keys, by destination."""
AUTH = {HERE: "c3" * 20, THERE: "d4" * 20}


def run(*command: str, host: str = "a", check: bool = True) -> str:
    """Run a command on a host."""
    inside = ("ip", "netns", "exec", host, *command)
    return subprocess.run(inside, check=check, capture_output=True, text=True, timeout=60).stdout


def wire() -> None:
    """Make the hosts and the wire."""
    for host in ("a", "b"):
        subprocess.run(["ip", "netns", "add", host], check=True)
        subprocess.run(["ip", "-n", host, "link", "set", "lo", "up"], check=True)
    subprocess.run(
        ["ip", "link", "add", "wire", "netns", "a", "type", "veth", "peer", "name", "wire", "netns", "b"], check=True
    )
    for host, address in (("a", HERE), ("b", THERE)):
        subprocess.run(["ip", "-n", host, "address", "add", f"{address}/24", "dev", "wire"], check=True)
        subprocess.run(["ip", "-n", host, "link", "set", "wire", "up"], check=True)


@dataclass(frozen=True)
class Pair:
    """An inbound and an outbound SA of host a, in transport mode."""

    inbound: int
    outbound: int
    protocol: str = "esp"
    hard: int = 3600

    def _directions(self) -> tuple[tuple[str, str, int], ...]:
        return (THERE, HERE, self.inbound), (HERE, THERE, self.outbound)

    def add(self) -> None:
        """Add them at both hosts."""
        limits = ["limit", "time-soft", str(self.hard * 4 // 5), "limit", "time-hard", str(self.hard)]
        for source, destination, spi in self._directions():
            algorithms = ["auth-trunc", "hmac(sha1)", f"0x{AUTH[destination]}", "96"]
            if self.protocol == "esp":
                algorithms += ["enc", "cbc(aes)", f"0x{KEY[destination]}"]
            self._state("add", source, destination, spi, "mode", "transport", "replay-window", "4", *algorithms, *limits)

    def delete(self) -> None:
        """Delete them at both hosts, without a word."""
        for direction in self._directions():
            self._state("delete", *direction)

    def _state(self, command: str, source: str, destination: str, spi: int, *more: str) -> None:
        name = ("src", source, "dst", destination, "proto", self.protocol, "spi", f"0x{spi:x}")
        for host in ("a", "b"):
            run("ip", "xfrm", "state", command, *name, *more, host=host)

    def lines(self) -> list[str]:
        """What racoon 0.9 prints of them: local->peer twice, the inbound one first."""
        word = self.protocol.upper()
        return [
            f"INFO: IPsec-SA established: {word}/Transport {HERE}[500]->{THERE}[500] spi={spi}(0x{spi:x})"
            for spi in (self.inbound, self.outbound)
        ]


def policies(protocol: str = "esp") -> None:
    """Ask for IPsec in both directions, at both hosts."""
    template = ("tmpl", "proto", protocol, "mode", "transport")
    for host, ours, theirs in (("a", HERE, THERE), ("b", THERE, HERE)):
        for direction, source, destination in (("out", ours, theirs), ("in", theirs, ours)):
            ends = ("src", f"{source}/32", "dst", f"{destination}/32", "dir", direction)
            run("ip", "xfrm", "policy", "add", *ends, *template, host=host)


_ECHO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("0.0.0.0", 7007)); s.settimeout(20); print("ready", flush=True)
    for _ in range({count}):
        data, peer = s.recvfrom(2000); s.sendto(data, peer)
"""
_ASK = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(20); back = 0
    for _ in range({count}):
        s.sendto(b"x" * 100, ("{there}", 7007)); back += len(s.recv(2000)) == 100
    print(back)
"""


def exchange(count: int) -> int:
    """Send datagrams from a to b, which sends them back; how many came."""
    command = ("ip", "netns", "exec", "b", sys.executable, "-c", _ECHO.format(count=count))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None
        echo.stdout.readline()
        return int(run(sys.executable, "-c", _ASK.format(count=count, there=THERE)))


def kernel_bytes() -> dict[int, int]:
    """What the kernel of host a counts, by SPI, by its own tool."""
    text = run("ip", "-s", "xfrm", "state")
    return {
        int(spi): int(count)
        for spi, count in re.findall(r"spi 0x[0-9a-f]+\((\d+)\).*?lifetime current:\s+(\d+)\(bytes\)", text, re.DOTALL)
    }


def note(out: str, **figures: object) -> None:
    """Write figures for the tests outside."""
    path = os.path.join(out, "figures.json")  # noqa: PTH118 - the folder is a mount of the host's
    known = json.loads(open(path).read()) if os.path.exists(path) else {}  # noqa: PTH110, PTH123, SIM115
    with open(path, "w") as file:  # noqa: PTH123
        json.dump(known | figures, file)
