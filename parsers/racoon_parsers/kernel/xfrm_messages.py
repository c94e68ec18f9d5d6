"""Messages of NETLINK_XFRM: the requests for the SAD and SPD of Linux, and the answers (linux/xfrm.h, linux/netlink.h).

Pure: bytes in, values out; the socket is elsewhere. Of an algorithm only the name and the length of its key are read.
Truncated or nonsensical messages give nothing and are counted, they never raise.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6
from typing import Final

from racoon_parsers.kernel.dump import MOST_SAS
from racoon_parsers.kernel.model import KernelSa, State
from racoon_parsers.setkey import FOR_EVER, IpsecRequest, Policy, Selector

GET_SA: Final = 0x12
"""XFRM_MSG_GETSA."""
GET_POLICY: Final = 0x15
"""XFRM_MSG_GETPOLICY."""
_NEW_SA: Final = 0x10
_NEW_POLICY: Final = 0x13
_ERROR: Final = 2
_DONE: Final = 3
_REQUEST_DUMP: Final = 0x1 | 0x300
"""NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH."""
_INTERRUPTED: Final = 0x10
"""NLM_F_DUMP_INTR: the table changed while it was dumped, so that entries may be missing."""

_HEADER: Final = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
_ATTRIBUTE: Final = struct.Struct("=HH")
_SA: Final = struct.Struct("=56x16s4sB3x16s64s32sIIIIIHBBB7x")
"""struct xfrm_usersa_info: selector passed over; id (destination, SPI, protocol), source, lifetimes, use, statistics."""
_LIFETIMES: Final = struct.Struct("=8Q")
"""struct xfrm_lifetime_cfg: bytes soft and hard, packets, seconds from creation, seconds from first use."""
_USE: Final = struct.Struct("=4Q")
"""struct xfrm_lifetime_cur: bytes, packets, time of creation, time of first use."""
_SELECTOR: Final = struct.Struct("=16s16s4s4sHBBB3x8x")
"""struct xfrm_selector: destination, source, ports, family, prefix lengths, upper layer."""
_POLICY: Final = struct.Struct("=56s64s32sIIBBBB4x")
"""struct xfrm_userpolicy_info: selector, lifetimes, use, priority, index, direction, action, flags, share."""
_TEMPLATE: Final = struct.Struct("=16s4sB3xH2x16sIBBBxIII")
"""struct xfrm_user_tmpl: id, family, source, reqid, mode, share, optional, algorithms."""
_ALGORITHM: Final = struct.Struct("=64sI")

_ALGORITHM_KINDS: Final = {1: "auth", 2: "enc", 3: "comp", 18: "enc", 20: "auth"}
"""XFRMA_ALG_AUTH, _CRYPT, _COMP, _AEAD, _AUTH_TRUNC."""
_TEMPLATES: Final = 5
"""XFRMA_TMPL."""
_PROTOCOLS: Final = {50: "esp", 51: "ah", 108: "ipcomp"}
_MODES: Final = {0: "Transport", 1: "Tunnel"}
_DIRECTIONS: Final = {0: "in", 1: "out", 2: "fwd"}
_PER_SOCKET: Final = 8
"""A policy's index modulo this names its direction; from 3 on it is a socket's own (net/xfrm/xfrm_policy.c)."""


def request(kind: int, sequence: int) -> bytes:
    """Make the request for a whole table, `GET_SA` or `GET_POLICY`."""
    body = bytes(_SA.size if kind == GET_SA else _POLICY.size)
    return _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, sequence, 0) + body


_MOST_ERRORS: Final = 4096
"""Above all numbers of errors (`MAX_ERRNO`, include/linux/err.h)."""


class DumpError(Exception):
    """The kernel refused a dump; the text says why."""


@dataclass(slots=True)
class Dump:
    """What the answers to one request have given so far."""

    sequence: int
    now: float
    """Seconds since the epoch, when the request was made."""
    sas: list[KernelSa] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    malformed: int = 0
    """Messages that could not be read."""
    cut: bool = False
    """Whether entries may be missing: the table changed meanwhile, or is larger than what is taken."""
    done: bool = False

    def feed(self, data: bytes) -> None:
        """Read one datagram. Raises DumpError where the kernel answers with an error."""
        for kind, flags, body in self._messages(data):
            self.cut = self.cut or bool(flags & _INTERRUPTED)
            if kind == _DONE:
                self.done = True
            elif kind == _ERROR:
                self._refused(body)
            elif kind == _NEW_SA:
                self._take_sa(body)
            elif kind == _NEW_POLICY:
                self._take_policy(body)

    def _messages(self, data: bytes) -> Iterator[tuple[int, int, memoryview]]:
        view, position = memoryview(data), 0
        while position + _HEADER.size <= len(view):
            length, kind, flags, sequence, _ = _HEADER.unpack_from(view, position)
            end = position + length
            if length < _HEADER.size or end > len(view):
                self._note_malformed()
                return
            if sequence == self.sequence:
                yield kind, flags, view[position + _HEADER.size : end]
            position = position + ((length + 3) & ~3)

    def _refused(self, body: memoryview) -> None:
        if len(body) < 4:
            self.malformed += 1
            raise DumpError("an error without a number")
        (number,) = struct.unpack_from("=i", body)
        if number == 0:
            return
        code = -number
        hint = {
            errno.EPERM: "the right CAP_NET_ADMIN is missing",
            errno.EINVAL: "this kernel has no such table",
        }.get(code)
        if not 0 < code < _MOST_ERRORS:
            raise DumpError(f"an error that is none ({number})")
        raise DumpError(f"{os.strerror(code)}{f' ({hint})' if hint else ''}")

    def _take_sa(self, body: memoryview) -> None:
        sa = read_sa(body, self.now)
        if len(body) < _SA.size:
            self._note_malformed()
        elif sa is None:  # of another protocol
            return
        elif len(self.sas) < MOST_SAS:
            self.sas.append(sa)
        else:
            self.cut = True

    def _note_malformed(self) -> None:
        """Count a message that cannot be read: what it told of is in the kernel all the same."""
        self.malformed += 1
        self.cut = True

    def _take_policy(self, body: memoryview) -> None:
        policy = read_policy(body)
        if len(body) < _POLICY.size:
            self._note_malformed()
        elif policy is None:  # of a socket
            return
        elif len(self.policies) < MOST_SAS:
            self.policies.append(policy)
        else:
            self.cut = True


def read_sa(body: memoryview | bytes, now: float) -> KernelSa | None:
    """Read a struct xfrm_usersa_info and its attributes; None for another protocol, or if it is too short."""
    if len(body) < _SA.size:
        return None
    unpacked = _SA.unpack_from(body)
    destination, spi, protocol, source, lifetimes, use, replay_window, replay, integrity, _, _, family, mode, _, _ = unpacked
    name = _PROTOCOLS.get(protocol)
    if name is None:
        return None
    _, _, _, _, soft, hard, _, _ = _LIFETIMES.unpack(lifetimes)
    bytes_, packets, added, _ = _USE.unpack(use)
    algorithms = _algorithms(memoryview(body)[_SA.size :])
    encryption, key_bits = algorithms.get("enc", ("", 0))
    authentication, _ = algorithms.get("auth", ("", 0))
    known = bool(algorithms)
    state: State = "larval" if not known else "dying" if 0 < soft < FOR_EVER and now >= added + soft else "mature"
    return KernelSa(
        _address(family, source),
        _address(family, destination),
        name,
        int.from_bytes(spi, "big"),
        _MODES.get(mode, ""),
        state,
        float(added),
        float(added + hard) if 0 < hard < FOR_EVER else None,
        bytes_,
        packets,
        replay,
        replay_window,
        integrity,
        encryption,
        authentication,
        key_bits,
    )


def _algorithms(attributes: memoryview) -> dict[str, tuple[str, int]]:
    """Read the names of algorithms, and the lengths of their keys in bits. The keys behind them are never copied."""
    found: dict[str, tuple[str, int]] = {}
    for kind, value in _attributes(attributes):
        role = _ALGORITHM_KINDS.get(kind)
        if role is not None and len(value) >= _ALGORITHM.size:
            name, bits = _ALGORITHM.unpack_from(value)
            found[role] = name.split(b"\0", 1)[0].decode("ascii", "replace"), bits
    return found


def _attributes(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    position = 0
    while position + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < _ATTRIBUTE.size or position + length > len(data):
            return
        yield kind, data[position + _ATTRIBUTE.size : position + length]
        position += (length + 3) & ~3


def read_policy(body: memoryview | bytes) -> Policy | None:
    """Read a struct xfrm_userpolicy_info and its templates; None for a socket's own policy, or if it is too short."""
    if len(body) < _POLICY.size:
        return None
    selector, lifetimes, _, _, index, direction, action, _, _ = _POLICY.unpack_from(body)
    if direction not in _DIRECTIONS or index % _PER_SOCKET >= len(_DIRECTIONS):
        return None
    destination, source, destination_port, source_port, family, to, of, upper = _SELECTOR.unpack(selector)
    requests = tuple(_requests(memoryview(body)[_POLICY.size :]))
    hard = _LIFETIMES.unpack(lifetimes)[5]
    return Policy(
        "kernel",
        0,
        _DIRECTIONS[direction],
        Selector(f"{_address(family, source)}/{of}", _port(source_port)),
        Selector(f"{_address(family, destination)}/{to}", _port(destination_port)),
        str(upper) if upper else "any",
        "discard" if action else "ipsec" if requests else "none",
        requests,
        hard if hard < FOR_EVER else 0,
    )


def _requests(attributes: memoryview) -> Iterator[IpsecRequest]:
    for kind, value in _attributes(attributes):
        if kind != _TEMPLATES:
            continue
        for place in range(0, len(value) - _TEMPLATE.size + 1, _TEMPLATE.size):
            destination, _, protocol, family, source, reqid, mode, _, optional, *_ = _TEMPLATE.unpack_from(value, place)
            name = _PROTOCOLS.get(protocol)
            if name is not None:
                level = "use" if optional else "unique" if reqid else "require"
                ends = (_end(family, source), _end(family, destination))
                yield IpsecRequest(name, _MODES.get(mode, "any").lower(), *ends, level, reqid or None)


def _end(family: int, address: bytes) -> str | None:
    return _address(family, address) if any(address) else None


def _port(pair: bytes) -> str | None:
    """Read a port and its mask, both in network order; None for any."""
    port, mask = struct.unpack("!HH", pair)
    return str(port) if mask else None


def _address(family: int, data: bytes) -> str:
    if family == AF_INET6:
        return str(IPv6Address(data))
    return str(IPv4Address(data[:4])) if family in {AF_INET, 0} else ""


__all__ = ["GET_POLICY", "GET_SA", "Dump", "DumpError", "read_policy", "read_sa", "request"]
