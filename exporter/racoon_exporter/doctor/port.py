"""The address on which the exporter serves: whether the service's user may have it, and who has it now."""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import Finding, Findings, error, ok
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.source.syslog.listen import ListenAddress
from racoon_exporter.web.listen import listen, split_address
from racoon_exporter.web.problems import ListenError

_TAKEN: Final = os.strerror(errno.EADDRINUSE)
_OURS: Final = re.compile(r"(?:(?:^|[ /])racoon-exporter|-m racoon_exporter) (?:serve|demo)\b")
"""The exporter, however it was started. A path alone says nothing: other programs live in directories of that name too."""
_SHOWN: Final = 80
"""Letters of a command."""
_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")
_LISTENING: Final = frozenset({"0A", "07"})
"""States of sockets that wait for others: TCP's LISTEN, and UDP's only one."""
_PRIVILEGED: Final = 1024
_NO_START: Final = "The exporter does not start: nobody gets a scrape."


def check_rights(setup: Setup) -> Findings:
    """Try to listen, as the service's user. Who holds a taken port only root can see: `holders` tells it beforehand."""
    if setup.settings.systemd_socket:
        return
    for address in setup.settings.addresses:
        try:
            for listener in listen([address]):
                for sock in listener.sockets:
                    sock.close()
        except ListenError as refused:
            why = str(refused).removeprefix(f"cannot listen on {address}: ")
            yield _taken(address, setup) if why == _TAKEN else _refused(address, why)
        else:
            yield ok("port", address, f"free for {setup.user.name}")


def _taken(address: str, setup: Setup) -> Finding:
    _, port = split_address(address)
    program = setup.holders.get(port, "")
    if _OURS.search(program):
        return ok("port", address, "the exporter serves there")
    return error(
        "port",
        address,
        "taken" + (f" by {program[:_SHOWN]}" if program else " by another program"),
        _NO_START,
        f"ss -ltnp 'sport = :{port}'    # end that program, or take another --web.listen-address",
    )


def _refused(address: str, why: str) -> Finding:
    host, _, port = address.rpartition(":")
    if port.isdecimal() and 0 < int(port) < _PRIVILEGED and "ermission" in why:
        return error(
            "port",
            address,
            f"{why}: ports below {_PRIVILEGED} are root's",
            _NO_START,
            "cp examples/socket-activation.conf /etc/systemd/system/racoon-exporter.service.d/    # or a port such as 10500",
        )
    return error(
        "port",
        address,
        why,
        _NO_START,
        f"ip address; getent ahosts {shlex.quote(host or 'localhost')}    # is that address ours?",
    )


def wanted(setup: Setup) -> set[int]:
    """Give the ports that the exporter wants."""
    ports: set[int] = set()
    for address in setup.settings.addresses:
        with suppress(ListenError):
            ports.add(split_address(address)[1])
    for each in setup.wanted:
        if each.kind == "syslog":
            with suppress(ValueError):
                ports.add(ListenAddress.read(each.name).port)
    return ports - {0}


def holders(ports: set[int]) -> dict[int, str]:
    """Tell which program has each of these ports, as far as we may see it (Linux)."""
    inodes = {inode: port for inode, port in _listening() if port in ports}
    programs: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    port = inodes.get(str(descriptor.readlink()))
                    if port is not None:
                        programs[port] = command or process.name
    return programs


def _listening() -> Iterator[tuple[str, int]]:
    for table in _TABLES:
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] in _LISTENING:
                    yield f"socket:[{words[9]}]", int(words[1].rpartition(":")[2], 16)


def _is_ours(address: ListenAddress, setup: Setup) -> bool:
    """Whether an exporter is who listens there. Who has a unix socket is not known: then that one runs must do."""
    programs = setup.holders.values() if address.path else (setup.holders.get(address.port, ""),)
    return any(map(_OURS.search, programs))


def check_syslog(setup: Setup) -> Findings:
    """Try to listen for syslog, as the service's user."""
    for each in setup.wanted:
        if each.kind != "syslog":
            continue
        try:
            address = ListenAddress.read(each.name)
            for sock in address.listen():
                sock.close()
        except ValueError:
            continue  # told where sources are looked at
        except OSError as refused:
            if refused.strerror == _TAKEN and _is_ours(address, setup):
                yield ok("port", each.name, "the exporter receives there")
                continue
            yield error(
                "port",
                each.name,
                refused.strerror or str(refused),
                "No message arrives: nothing is known of the gateways that send here.",
                f"ss -lnp | grep {address.port or address.path}    # a free port above 1023, or CAP_NET_BIND_SERVICE",
            )
        else:
            yield ok("port", each.name, f"free for {setup.user.name}")
