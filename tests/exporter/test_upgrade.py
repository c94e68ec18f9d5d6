"""State files as each earlier exporter wrote them at its stop: today's goes on from them, and no line counts twice or is lost.

`state_files` has one for each layout there was, made by the exporter of its time from the first lines of a recording (they
cannot be made anew). Whoever changes the layout runs the last exporter that wrote the old one, and adds its file here.
"""

import gzip
import json
import zlib
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.engine import Engine
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from tests.exporter.reading import lab_logs
from tests.exporter.test_checkpoints import outcome

FILES = sorted((Path(__file__).parent / "state_files").glob("*.gz"))
READ = 260
LINES = b"".join(path.read_bytes() for path in lab_logs("17-soak-chaos", "b")).splitlines(keepends=True)
NAME = "/var/log/racoon.log"


def follow(log: Path, state: Path | None) -> Follower:
    """Start an exporter of today, and let it read all there is."""
    inputs = Inputs(paths(str(log)))
    follower = Follower(Engine(UTC), inputs, state_file=state, wall=lambda: 0.0)
    follower.restore()
    while follower.step():
        pass
    inputs.close()
    return follower


def moved_here(path: Path, log: Path) -> dict[str, object]:
    """Give what an old state file holds, as if it had been written on this machine of this log."""
    head, body, _ = gzip.decompress(path.read_bytes()).split(b"\n")
    assert f'"crc32": {zlib.crc32(body)}'.encode() in head
    content = checkpoint.load(body.replace(NAME.encode(), str(log).encode()))
    status = log.stat()
    content["positions"][str(log)] |= {"device": status.st_dev, "inode": status.st_ino}
    content["saved"] = 0.0
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_older_state_file_is_gone_on_from(path: Path, tmp_path: Path) -> None:
    log, state = tmp_path / "racoon.log", tmp_path / "state"
    log.write_bytes(b"".join(LINES[:READ]))
    checkpoint.write(state, moved_here(path, log), version=1)
    log.write_bytes(b"".join(LINES))
    upgraded = follow(log, state)
    whole = follow(log, None)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["racoon.log", "state"]
    (status,) = upgraded.statuses()
    assert status.counts.lines == len(LINES)
    upgraded.engine.finish()
    whole.engine.finish()
    assert outcome(upgraded.engine) == outcome(whole.engine)


def test_there_is_a_file_of_each_older_version_that_is_read() -> None:
    versions = {json.loads(gzip.decompress(path.read_bytes()).partition(b"\n")[0])["version"] for path in FILES}
    assert versions == set(checkpoint.READ) - {checkpoint.VERSION}
