"""Witness `kernel` of Linux: the SAD and SPD by NETLINK_XFRM. Needs CAP_NET_ADMIN, and nothing else."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from racoon_exporter.witness.contract import KernelLook, WitnessError
from racoon_parsers.kernel.xfrm_messages import GET_POLICY, GET_SA, Dump, DumpError, request

_NETLINK_XFRM: Final = 6
_DATAGRAM: Final = 65536
SECONDS: Final = 10.0
"""A dump that takes longer is given up."""


class NetlinkKernel:
    """The kernel of this machine, in the network namespace of this process."""

    name = "kernel"

    def __init__(self, gateway: str | None = None, *, connect: Callable[[], socket.socket] | None = None) -> None:
        """Ask for what `connect` reaches; by default the kernel."""
        self.gateway = gateway
        self._connect = connect or _connect
        self._sequence = 0

    def look(self) -> KernelLook:
        """Dump both tables, over a socket that lives no longer."""
        now = time.time()
        try:
            with contextlib.closing(self._connect()) as netlink:
                sas = self._dump(netlink, GET_SA, now)
                policies = self._dump(netlink, GET_POLICY, now)
        except DumpError as error:
            raise WitnessError(f"the kernel refused: {error}") from error
        except OSError as error:
            raise WitnessError(f"netlink: {error.strerror or error}") from error
        return KernelLook(now, tuple(sas.sas), tuple(policies.policies), complete=not sas.cut)

    def close(self) -> None:
        """Nothing is held open."""

    def _dump(self, netlink: socket.socket, table: int, now: float) -> Dump:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        dump = Dump(self._sequence, now)
        netlink.send(request(table, self._sequence))
        until = time.monotonic() + SECONDS
        while not dump.done:
            left = until - time.monotonic()
            if left <= 0:
                raise WitnessError(f"the kernel's answer did not end within {SECONDS:.0f} s")
            netlink.settimeout(left)
            data = netlink.recv(_DATAGRAM)
            if not data:
                raise WitnessError("the kernel's answer ended early")
            dump.feed(data)
        return dump


def _connect() -> socket.socket:
    if not hasattr(socket, "AF_NETLINK"):
        raise WitnessError(f"{os.uname().sysname} has no netlink: give a file or a command that prints the SAD")
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_XFRM)
    netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    netlink.bind((0, 0))
    return netlink
