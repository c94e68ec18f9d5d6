"""A journalctl that prints what a test tells it to, and entries as the real one prints them."""

from __future__ import annotations

import json
import os
import select
from pathlib import Path

from racoon_exporter.source import Block
from racoon_exporter.source.contract import Source
from racoon_exporter.source.journal.journalctl import JournalOptions

EPOCH = 1_768_465_802
"""2026-01-15 08:30:02 UTC."""

PATIENCE_MS = 20_000
"""So long a child may take to answer on the slowest machine; a test that passes does not wait so long."""

_SCRIPT = """#!/bin/sh
printf '%s\\n' "$@" > {home}/arguments
echo $$ > {home}/pid
for argument; do
    case "$argument" in --after-cursor=*) cursor="${{argument#--after-cursor=}}" ;; esac
done
if [ -n "$cursor" ]; then sed "0,/$cursor/d" {home}/stored; else cat {home}/stored; fi
exec cat {home}/live
"""


def cursor(number: int) -> str:
    return f"s=0a;i={number:x};b=0b;m=1f;t={(EPOCH + number) * 1_000_000:x};x=0c"


def entry(number: int, message: object, *, transport: str = "syslog", at: float | None = None, **fields: object) -> bytes:
    """One line of `journalctl -o json`; `at` is in seconds after EPOCH, else `number` is."""
    content = {
        "__CURSOR": cursor(number),
        "__REALTIME_TIMESTAMP": str(int((EPOCH + (number if at is None else at)) * 1_000_000)),
        "_BOOT_ID": "0b",
        "_HOSTNAME": "gw",
        "_PID": "1234",
        "_SYSTEMD_UNIT": "racoon.service",
        "_TRANSPORT": transport,
        "SYSLOG_IDENTIFIER": "racoon",
        "MESSAGE": message,
    }
    return json.dumps(content | fields).encode() + b"\n"


class FakeJournal:
    """What journalctl will print: first what is stored (behind a cursor, if asked so), then what is written live."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.stored = home / "stored"
        self.stored.touch()
        os.mkfifo(home / "live")
        self._live = -1
        self.script(_SCRIPT.format(home=home))

    @property
    def options(self) -> JournalOptions:
        return JournalOptions(command=(str(self.home / "journalctl"),))

    @property
    def arguments(self) -> list[str]:
        return (self.home / "arguments").read_text().splitlines()

    @property
    def pid(self) -> int:
        return int((self.home / "pid").read_text())

    def script(self, text: str) -> None:
        path = self.home / "journalctl"
        path.write_text(text)
        path.chmod(0o755)

    def store(self, *entries: bytes) -> None:
        with self.stored.open("ab") as file:
            file.writelines(entries)

    def write(self, raw: bytes) -> None:
        """Print live; waits until the child reads."""
        if self._live < 0:
            self._live = os.open(self.home / "live", os.O_WRONLY)
        os.write(self._live, raw)

    def end(self) -> None:
        """Let the child end."""
        if self._live < 0:
            self._live = os.open(self.home / "live", os.O_WRONLY)
        os.close(self._live)
        self._live = -1

    def close(self) -> None:
        if self._live >= 0:
            os.close(self._live)


def ready(source: Source, patience_ms: int = PATIENCE_MS) -> bool:
    """Wait until one of the descriptors has something."""
    poller = select.poll()
    for descriptor in source.descriptors():
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(patience_ms))


def awaited(source: Source) -> Block:
    """Return the next block, waiting for the descriptors as the loop does."""
    block = source.read()
    while block is None:
        assert ready(source)
        block = source.read()
    return block


def messages(source: Source, count: int) -> list[str]:
    """Return the messages of so many lines, however they come."""
    found: list[str] = []
    while len(found) < count:
        found += [json.loads(line)["MESSAGE"] for line in awaited(source).data.splitlines()]
    return found
