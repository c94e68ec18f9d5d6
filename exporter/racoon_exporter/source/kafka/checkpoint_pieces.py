"""A checkpoint as records: compressed, and cut to what a broker takes. Pure."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from racoon_exporter.checkpoint import MOST_BYTES, load

PIECE_BYTES: Final = 512 * 1024
"""Half of what brokers take in a message (`message.max.bytes`) where nobody changed it."""
_LEVEL: Final = 1


def cut(content: dict[str, Any], size: int = PIECE_BYTES) -> list[bytes]:
    """Give a checkpoint in pieces of at most so many bytes."""
    data = zlib.compress(json.dumps(content, separators=(",", ":")).encode("ascii"), _LEVEL)
    return [data[start : start + size] for start in range(0, len(data), size)]


def joined(pieces: list[bytes], most: int = MOST_BYTES) -> dict[str, Any]:
    """Put a checkpoint together again. Raises ValueError for what is none, or would fill the memory."""
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(b"".join(pieces), most)
    except zlib.error as error:
        raise ValueError("it is damaged") from error
    if not reader.eof:
        raise ValueError("it is cut off, or too large")
    content = load(text)
    if not isinstance(content, dict):
        raise ValueError("it is damaged")  # noqa: TRY004  what a topic holds is a value
    return content
