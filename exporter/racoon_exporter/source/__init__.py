"""Where log lines come from: files and globs that are followed, and logs that are read once."""

from racoon_exporter.source.contract import DEFAULT_LIMIT, Block, Source, SourceCounts, SourceStatus, StartAt
from racoon_exporter.source.files.fingerprint import Fingerprint
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.files.one_shot import STDIN, OneShotLog, blocks_of
from racoon_exporter.source.files.patterns import SourceSet
from racoon_exporter.source.files.position import Identity, Past, Position
from racoon_exporter.source.files.rotating import FileSource
from racoon_exporter.source.files.system import SYSTEM, System

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LINE",
    "STDIN",
    "SYSTEM",
    "Block",
    "FileSource",
    "Fingerprint",
    "Identity",
    "OneShotLog",
    "Past",
    "Position",
    "Source",
    "SourceCounts",
    "SourceSet",
    "SourceStatus",
    "StartAt",
    "System",
    "blocks_of",
]
