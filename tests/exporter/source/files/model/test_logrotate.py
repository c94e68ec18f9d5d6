"""logrotate itself, in all its manners, while lines are written and the exporter is stopped, killed and started again.

The model rotates as its author thinks that logrotate does; here logrotate does it. Each line counts once, in order, whatever
is kept; of what logrotate deleted unread nothing counts. PROGRAMS as for the model, SEED begins another row of programs.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.exporter.source.files.logs import Log, record
from tests.exporter.source.files.model.disk import content
from tests.exporter.source.files.model.exporter import Exporter
from tests.exporter.source.files.model.test_model import PROGRAMS, SEED

EACH = max(1, PROGRAMS // 200)
STEPS = 20
NUMBER = re.compile(rb"spi=(\d+)\n")
ALL, FEW = "rotate 99", "rotate 2"

MANNERS = {
    "create": f"{ALL}\ncreate 0640",
    "nocreate": f"{ALL}\nnocreate",
    "copytruncate": f"{ALL}\ncopytruncate",
    "copytruncate, compress": f"{ALL}\ncopytruncate\ncompress",
    "copytruncate, delaycompress": f"{ALL}\ncopytruncate\ncompress\ndelaycompress",
    "copy": f"{ALL}\ncopy",
    "compress": f"{ALL}\ncreate 0640\ncompress",
    "delaycompress": f"{ALL}\nnocreate\ncompress\ndelaycompress",
    "xz": f"{ALL}\nnocreate\ncompress\ncompresscmd /usr/bin/xz\ncompressext .xz",
    "bzip2": f"{ALL}\ncreate 0640\ncompress\ncompresscmd /bin/bzip2\ncompressext .bz2",
    "start 0": f"{ALL}\nnocreate\nstart 0\ncompress",
    "extension": f"{ALL}\nnocreate\nextension .log\ncompress\ndelaycompress",
    "dateext": f"{ALL}\ncreate 0640\ndateext\ncompress\ndelaycompress",
    "dateext, extension": f"{ALL}\nnocreate\ndateext\ndateformat -%Y-%m-%d\nextension .log",
    "dateext, copytruncate": f"{ALL}\ncopytruncate\ndateext\ndateformat .%Y%m%d\ncompress",
    "olddir below": f"{ALL}\nnocreate\nolddir old\ncreateolddir 0750",
    "olddir below, compress": f"{ALL}\ncreate 0640\nolddir old\ncreateolddir 0750\ncompress\ndelaycompress",
    "shred": f"{ALL}\nnocreate\nshred\nmaxage 3\ncompress",
    "scripts": f"{ALL}\ncreate 0640\nsharedscripts\nprerotate\ntrue\nendscript\npostrotate\nkill -0 $$\nendscript",
    "few": f"{FEW}\nnocreate",
    "few, copytruncate": f"{FEW}\ncopytruncate\ncompress\ndelaycompress",
    "few, compress": f"{FEW}\ncreate 0640\ncompress",
    "none": "rotate 0\nnocreate",
}


def logrotate() -> str:
    found = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found is not None, "logrotate is missing: apt-get install logrotate"
    return found


class Gateway:
    """A log that logrotate rotates, and an exporter that reads it.

    `held` is for a syslog daemon, which holds the log open until it is told to open it anew; racoon does so for each record.
    `pattern` has the exporter find the log by itself.
    """

    def __init__(self, root: Path, manner: str, *, held: bool, pattern: bool) -> None:
        self.root, self.keeps_all, self.held, self.pattern = root, ALL in manner, held, pattern
        self.folder = root / "log"
        self.folder.mkdir(parents=True)
        self.log = Log(self.folder / "racoon.log")
        self.settings = root / "logrotate.conf"
        self.settings.write_text(f"{self.log.name} {{\nmissingok\n{manner}\n}}\n")
        self.settings.chmod(0o600)
        self.written = 0
        self.file = self.log.path.open("ab", buffering=0)
        self.given: list[int] = []
        self.saved: list[int] = []
        self.exporter = self._started()
        self.write(1)
        self.look(1)
        self.save(1)

    def write(self, count: int) -> None:
        if not self.held:
            self._open()
        for number in range(self.written, self.written + count):
            self.file.write(record(number))
        self.written += count

    def rotate(self, late: int) -> None:
        self._let_a_day_pass()
        command = [logrotate(), "--force", "--state", str(self.root / "state"), str(self.settings)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if self.held:
            self.write(late - 1)
            self._open()

    def rotate_and_write(self, count: int) -> None:
        self.rotate(count)
        self.write(count)

    def look(self, _: int) -> None:
        while self._step():
            pass

    def read_a_little(self, count: int) -> None:
        self._step(count * len(record(0)))

    def save(self, _: int) -> None:
        self.exporter.save()
        self.saved = [*self.given]

    def term(self, _: int) -> None:
        self.save(1)
        self.kill(1)

    def kill(self, _: int) -> None:
        self.exporter.end()
        self.given = [*self.saved]
        self.exporter = self._started()

    def judge(self) -> None:
        """What was added to a rotated file that was read to its end is read at the next rotation."""
        for _ in range(3):
            self.write(1)
            self.look(1)
            self.rotate(1)
        self.write(1)
        self.look(1)
        assert len(self.given) == len(set(self.given)), "twice"
        assert self.held or self.given == sorted(self.given), "out of order"
        missing = set(range(self.written)) - set(self.given)
        assert not missing & self._there(), "on disk and not given"
        assert not self.keeps_all or not missing
        status = self.exporter.status
        assert status.counts.lost_bytes <= sum(len(record(number)) for number in missing)
        assert status.lag_bytes == 0

    def _started(self) -> Exporter:
        name = "racoon*" if self.pattern else self.log.path.name
        return Exporter(self.folder / name, self.root / "state.json")

    def _open(self) -> None:
        self.file.close()
        self.file = self.log.path.open("ab", buffering=0)

    def end(self) -> None:
        self.exporter.end()
        self.file.close()

    def _step(self, limit: int = 1 << 20) -> bool:
        more = self.exporter.step(limit)
        for block in self.exporter.taken():
            self.given += map(int, NUMBER.findall(block.data))
        return more

    def _there(self) -> set[int]:
        texts = (content(path) for path in self.folder.rglob("*") if path.is_file())
        return {int(number) for text in texts for number in NUMBER.findall(text)}

    def _let_a_day_pass(self) -> None:
        """Date rotated files earlier: with `dateext` logrotate rotates once a day."""
        for path in sorted(self.folder.rglob("racoon*20*")):
            earlier = re.sub(r"20\d\d", lambda year: str(int(year[0]) - 1), path.name, count=1)
            path.rename(path.with_name(earlier))


ACTIONS = {
    "write": 8,
    "rotate": 3,
    "rotate_and_write": 5,
    "look": 4,
    "read_a_little": 4,
    "save": 2,
    "term": 2,
    "kill": 2,
}


def _late_lines_stay(manner: str) -> bool:
    """Whether what a daemon writes to the renamed file is in some file afterwards: gzip has not read and removed it by then."""
    return manner.endswith("delaycompress") or "compress" not in manner


CASES = [
    pytest.param(manner, held, id=f"{name}, {'syslog' if held else 'racoon'}")
    for name, manner in MANNERS.items()
    for held in (False, True)
    if not held or _late_lines_stay(manner)
]


@pytest.mark.parametrize(("manner", "held"), CASES)
def test_each_line_counts_once_however_logrotate_rotates(tmp_path: Path, manner: str, held: bool) -> None:  # noqa: FBT001 - a case
    for number in range(SEED * 1_000_000, SEED * 1_000_000 + EACH):
        luck = random.Random(f"{number} {manner} {held}")
        actions = luck.choices(list(ACTIONS), list(ACTIONS.values()), k=STEPS)
        steps = [(name, luck.randint(1, 4)) for name in actions]
        gateway = Gateway(tmp_path / str(number), manner, held=held, pattern=luck.random() < 0.5)
        for name, count in steps:
            getattr(gateway, name)(count)
        gateway.judge()
        gateway.end()
