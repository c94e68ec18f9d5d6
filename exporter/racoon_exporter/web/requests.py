"""What a request must be beyond what h11 asks for, and the one form of its target that routes know.

h11 reads heads and framing. Five things it leaves to its user: which versions are spoken, what a Host may be, that a message
which says its length in two ways is refused (RFC 9112, 6.1: the way one request is smuggled inside another), what may stand
behind a chunk's size, where others end a line at characters that h11 passes over (another such way), and in how many
pieces one may come: a header of two bytes and a chunk of one cost as much as long ones, and what is read at once holds forty
thousand of them.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

import h11

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = re.compile(rb"1\.[0-9]")  # RFC 9110, 2.5: a higher minor version is read like ours
#: uri-host [ ":" port ] of RFC 9110, 7.2, and RFC 3986, 3.2.2. May be empty.
_HOST = re.compile(
    rb"(?:\[(?:(?P<address>[0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)"
    rb"(?::[0-9]{0,5})?"
)
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://(?P<authority>[^/?#]*)(?P<rest>.*)")  # RFC 9112, 3.2.2


#: Lines that a head may have; browsers and proxies send some dozen.
MOST_LINES = 128
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
#: chunk-size [ chunk-ext ] of RFC 9112, 7.1, behind the end of the chunk before it, which h11 may have read in part.
_CHUNK_SIZE = re.compile(
    rb"(?:\r?\n)?+(?P<size>[0-9A-Fa-f]++)(?:[ \t]*+;[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?+)*+\r\n" % (_TOKEN, _TOKEN, _QUOTED)
)
_BEHIND_A_CHUNK = 2
#: Chunks that a body may have, and one more for each so many bytes.
_FEW_CHUNKS = 64
_USUAL_CHUNK = 1024


class StrictConnection(h11.Connection):
    """h11's connection, for a server: raises RemoteProtocolError also for the requests described above."""

    _lines = 0  # of a head, as far as it was looked at
    _looked_at = 0
    _chunks = 0
    _body = 0
    _at_size = False  # what comes next is the size of a chunk
    _in_trailers = False

    def receive_data(self, data: bytes) -> None:
        """Take bytes; empty lines before a request are passed over (RFC 9112, 2.2)."""
        if self.their_state is h11.IDLE and not self.trailing_data[0]:
            data = data.lstrip(b"\r\n")
        if data:  # none would say that the client has closed, which is seen elsewhere
            super().receive_data(data)

    def next_event(self) -> Any:
        """Return the next event; a request has a target that begins with a slash, or ``*``."""
        if self.their_state is h11.IDLE:
            self._check_lines(self.trailing_data[0])
        elif self._at_size:
            self._check_size(self.trailing_data[0])
        elif self._in_trailers:
            self._check_lines(b"\n" + self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._at_size = event.chunk_end
            self._count(event)
        elif isinstance(event, h11.Request):
            self._lines = self._looked_at = self._chunks = self._body = 0
            self._at_size = bool(_values(event, b"transfer-encoding"))
            return _checked(event)
        elif isinstance(event, h11.EndOfMessage):
            self._lines = self._looked_at = 0
            self._in_trailers = False
        return event

    def _check_lines(self, data: bytes) -> None:
        """Look at a head, or trailers, before they are read, as far as they have come: each byte once, but for two."""
        found = _END_OF_HEAD.search(data, max(0, self._looked_at - 2))
        self._lines += data.count(b"\n", self._looked_at, len(data) if found is None else found.start() + 1)
        self._looked_at = len(data)
        if self._lines > MOST_LINES:
            raise h11.RemoteProtocolError("head of too many lines")

    def _check_size(self, data: bytes) -> None:
        """Look at the line of a chunk's size when it is whole: h11 reads it then, before it has any of the chunk."""
        if data.find(b"\n", _BEHIND_A_CHUNK) >= 0:
            self._at_size = False
            found = _CHUNK_SIZE.match(data)
            if found is None:
                raise h11.RemoteProtocolError("chunk's size is none")
            if int(found["size"], 16) == 0:
                self._in_trailers = True
                self._check_lines(data[found.end() - 1 :])  # from the end of the line on: there may be none

    def _count(self, part: h11.Data) -> None:
        self._chunks += part.chunk_start
        self._body += len(part.data)
        if self._chunks > _FEW_CHUNKS + self._body // _USUAL_CHUNK:
            raise h11.RemoteProtocolError("body in too many chunks")


def _checked(request: h11.Request) -> h11.Request:
    if not _VERSION.fullmatch(request.http_version):
        raise h11.RemoteProtocolError("HTTP version is not 1")
    _check_framing(request)
    _check_host(_values(request, b"host"))
    if request.target.startswith(b"/") or (request.target == b"*" and request.method == b"OPTIONS"):
        return request
    return _with_target(request, _origin_form(request.target))


def _check_framing(request: h11.Request) -> None:
    if not _values(request, b"transfer-encoding"):
        return
    if _values(request, b"content-length"):
        raise h11.RemoteProtocolError("both Transfer-Encoding and Content-Length")
    if request.http_version == b"1.0":
        raise h11.RemoteProtocolError("Transfer-Encoding in HTTP/1.0")


def _check_host(hosts: Sequence[bytes]) -> None:
    if not all(map(_is_host, hosts)):
        raise h11.RemoteProtocolError("Host is none")


def _is_host(host: bytes) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and (found["address"] is None or _is_ipv6(found["address"].decode()))


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


def _origin_form(target: bytes) -> bytes:
    """Return the path and query of a target that names its server too."""
    found = _ABSOLUTE.fullmatch(target)
    if found is None or not found["authority"]:
        raise h11.RemoteProtocolError("target is no path and no address")
    _check_host([found["authority"]])
    return found["rest"] if found["rest"].startswith(b"/") else b"/" + found["rest"]


def _with_target(request: h11.Request, target: bytes) -> h11.Request:
    return h11.Request(method=request.method, headers=request.headers, target=target, http_version=request.http_version)


def _values(request: h11.Request, name: bytes) -> list[bytes]:
    return [value for key, value in request.headers if key == name]
