"""Which stream of lines a source belongs to. By names only."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_ROTATED: Final = re.compile(r"(?:\.\d{1,4}|[-.]\d{8}(?:-\d+)?|\.old)?(?:\.(?:gz|bz2|xz))?$")


@lru_cache(maxsize=1024)
def stream_of(source: str) -> str:
    """Name the stream of lines a source belongs to: rotated files go on one another's."""
    return _ROTATED.sub("", source)


__all__ = ["stream_of"]
