"""Where log lines come from: files and globs that are followed, and logs that are read once."""

from racoon_exporter.source.base import (
    DEFAULT_LIMIT,
    Block,
    Fingerprint,
    Identity,
    Past,
    Position,
    Source,
    SourceCounts,
    SourceStatus,
    StartAt,
)
from racoon_exporter.source.file import FileSource
from racoon_exporter.source.glob import SourceSet
from racoon_exporter.source.lines import MAX_LINE
from racoon_exporter.source.system import SYSTEM, System
from racoon_exporter.source.whole import STDIN, WholeLog, read_all

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LINE",
    "STDIN",
    "SYSTEM",
    "Block",
    "FileSource",
    "Fingerprint",
    "Identity",
    "Past",
    "Position",
    "Source",
    "SourceCounts",
    "SourceSet",
    "SourceStatus",
    "StartAt",
    "System",
    "WholeLog",
    "read_all",
]
