"""From the bytes of a log to lines of text. Pure."""

from __future__ import annotations

from typing import Final

_BOM: Final = "\ufeff"
"""Before a file's text, as Windows saves it, and before the message of a syslog line (RFC 5424 6.4)."""


def decode(data: bytes) -> tuple[str, bool]:
    """Decode log bytes, and tell whether all of it was UTF-8. What is not stays visible as backslash escapes."""
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace"), False


def block_lines(data: bytes) -> tuple[list[str], bool]:
    r"""Split a block into lines without their ends; `\r\n`, NULs and byte order marks are the log's transport, not its text."""
    text, clean = decode(data)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    if _BOM in text:
        text = text.replace(_BOM, "")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines, clean


__all__ = ["block_lines", "decode"]
