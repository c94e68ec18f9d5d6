"""Responses in pieces: a large answer stands in memory once, and what is sent of it is cut into slices."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

#: Enough for a tenth of the size; the levels above cost several times the time for a few percent.
GZIP_LEVEL = 1

_SLICE = 64 * 1024


class PiecesResponse(Response):
    """A response sent in slices, so that a client that does not read costs a slice and not a copy of the whole."""

    def __init__(self, pieces: Sequence[bytes], headers: Mapping[str, str], media_type: str | None = None) -> None:
        length = {"Content-Length": str(sum(map(len, pieces)))}
        super().__init__(headers={**headers, **length}, media_type=media_type)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            for part in slices(self._pieces):
                # Let others have their turn; and if the client has gone, let the server hear of it before the next slice.
                await asyncio.sleep(0)
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress text that need not stand in memory as a whole: that of thousands of gateways is large."""
    stream = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    yield from filter(None, map(stream.compress, slices(pieces)))  # which lets other threads run each time
    yield stream.flush()


def slices(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut large pieces, and put small ones together; what is a slice already is given as it is."""
    kept = bytearray()
    for piece in pieces:
        if _SLICE <= len(piece) < 2 * _SLICE and not kept:
            yield piece
            continue
        view = memoryview(piece)
        for start in range(0, len(view), _SLICE):
            kept += view[start : start + _SLICE]
            if len(kept) >= _SLICE:
                yield bytes(kept)
                kept.clear()
    if kept:
        yield bytes(kept)


__all__ = ["GZIP_LEVEL", "PiecesResponse", "gzipped", "slices"]
