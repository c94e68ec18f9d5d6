"""Which stream of lines a source belongs to. By names only."""

from __future__ import annotations

from functools import lru_cache

from racoon_exporter.source.rotated_names import AFTER, BEFORE_EXTENSION, BESIDE_CURRENT, COMPRESSED, CURRENT


@lru_cache(maxsize=8192)
def stream_of(source: str) -> str:
    """Name the stream of lines a source belongs to: rotated files go on one another's.

    A number before an extension is no rotation here: `gw.1.log` and `gw.2.log` may as well be the logs of two gateways.
    """
    folder, slash, name = source.rpartition("/")
    if after := AFTER.fullmatch(name):
        return f"{folder}{slash}{after['stem']}"
    if BESIDE_CURRENT.fullmatch(name):
        return f"{folder}{slash}{CURRENT}"
    before = BEFORE_EXTENSION.fullmatch(name)
    if before and before["date"] and before["extension"] not in COMPRESSED:
        return f"{folder}{slash}{before['stem']}{before['extension']}"
    return next((source.removesuffix(packed) for packed in COMPRESSED if source.endswith(packed)), source)


__all__ = ["stream_of"]
