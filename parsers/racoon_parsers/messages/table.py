"""What the rows of messages may hold; what is wrong in one is said with its file and line."""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.fields import FIELDS
from racoon_parsers.tsv import TableError

SEVERITIES: Final = frozenset({"critical", "error", "warning", "notice", "info"})
TAGS: Final = frozenset({"yes", "no", "mixed", "local"})
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_CONSTANT: Final = re.compile(r"[a-z_0-9]+=\S+")


def check_message(row: dict[str, str], file: str, line: int) -> None:
    """Check what a row of messages may hold. Raises TableError."""
    empty = [column for column in ("event", "severity", "tag") if not row[column].strip()]
    if empty:
        raise TableError(file, line, f"{empty[0]} is empty")
    if row["severity"] not in SEVERITIES:
        raise TableError(file, line, f"no severity: {row['severity']}; one of {' '.join(sorted(SEVERITIES))}")
    if row["tag"] not in TAGS:
        raise TableError(file, line, f"no tag: {row['tag']}; one of {' '.join(sorted(TAGS))}")
    for name in _HOLE.findall(row["template"]):
        if name.partition(":")[0] not in FIELDS and re.fullmatch(r"[a-z_0-9]+(?::[^{}]*)?", name):
            raise TableError(file, line, f"no field: {{{name}}}")
    for item in row["constants"].split():
        if item != "-" and not _CONSTANT.fullmatch(item):
            raise TableError(file, line, f"no constant: {item}; written name=value")
