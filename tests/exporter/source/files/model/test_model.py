"""Whatever is done to a log and to the exporter: each line counts once, and what is lost is counted as far as it was known.

A program is a row of actions of those who write, rotate, truncate, switch, delete and restore, and of the exporter, which
looks, is killed, ended and started again from its state file. All files are real. PROGRAMS says how many there are: 200 in
each run of the suite, 5,000 in `make torture`; SEED begins another row of them. What fails is made as short as it goes.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from tests.exporter.source.files.model.life import Life

PROGRAMS = int(os.environ.get("PROGRAMS", "200"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 8
LONGEST = 40

Action = tuple[str, int]
Program = tuple[bool, int, tuple[Action, ...]]

OFTEN = 4
ACTIONS = {
    "write": 2 * OFTEN,
    "write_the_beginning_of_a_line": 2,
    "write_late": 1,
    "rename": OFTEN,
    "rename_and_create": 2,
    "copytruncate": OFTEN,
    "compress": 2,
    "truncate": 1,
    "refill": 1,
    "lose_power": 1,
    "delete": 1,
    "recreate": 1,
    "move_back": 2,
    "copy_back": 1,
    "switch": 2,
    "forbid": 1,
    "allow": 2,
    "move_the_folder": 1,
    "read_a_little": OFTEN,
    "look": OFTEN,
    "save": 2,
    "hup": 1,
    "term": 1,
    "kill": 2,
    "start": OFTEN,
}


def program(number: int) -> Program:
    luck = random.Random(number)
    names, weights = list(ACTIONS), list(ACTIONS.values())
    actions = [(name, luck.randint(1, 4)) for name in luck.choices(names, weights, k=luck.randint(4, LONGEST))]
    return luck.random() < 0.4, luck.choice([1, 2, 3, 9]), tuple(actions)


def complaint(told: Program) -> str | None:
    """Run a program; say what went wrong."""
    linked, keep, actions = told
    life = Life(Path(tempfile.mkdtemp()), linked=linked, keep=keep)
    try:
        for name, number in actions:
            getattr(life, name)(number)
            life.check()
        life.judge()
    except AssertionError as error:
        return str(error).split("\n")[0]
    finally:
        life.close()
    return None


def shortest(told: Program) -> Program:
    """Leave out actions one by one as long as it still goes wrong."""
    linked, keep, actions = told
    at = len(actions) - 1
    while at >= 0:
        fewer = actions[:at] + actions[at + 1 :]
        if complaint((linked, keep, fewer)) is not None:
            actions = fewer
        at -= 1
    return linked, keep, actions


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(
            (
                False,
                2,
                (
                    ("write_the_beginning_of_a_line", 4),
                    ("look", 1),
                    ("rename", 3),
                    ("read_a_little", 3),
                    ("copytruncate", 3),
                    ("recreate", 3),
                ),
            ),
            id="truncated before any of it was read, then deleted",
        ),
        pytest.param(
            (True, 1, (("write", 2), ("read_a_little", 2), ("copytruncate", 4), ("move_back", 3))),
            id="the copy of a truncated file is moved to the path",
        ),
        pytest.param(
            (
                False,
                3,
                (
                    ("write", 3),
                    ("rename", 3),
                    ("look", 2),
                    ("write", 3),
                    ("write", 4),
                    ("read_a_little", 4),
                    ("copytruncate", 1),
                    ("move_back", 4),
                    ("term", 2),
                ),
            ),
            id="so it is when the exporter starts",
        ),
        pytest.param(
            (
                True,
                3,
                (
                    ("switch", 4),
                    ("rename_and_create", 3),
                    ("copytruncate", 4),
                    ("copy_back", 4),
                    ("switch", 1),
                    ("write", 3),
                    ("look", 2),
                    ("move_back", 3),
                ),
            ),
            id="an older copy of what was read comes to the path, where the link led anew",
        ),
        pytest.param(
            (
                False,
                3,
                (
                    ("rename", 3),
                    ("look", 3),
                    ("write_the_beginning_of_a_line", 3),
                    ("copytruncate", 1),
                    ("copy_back", 4),
                    ("write", 4),
                    ("copytruncate", 3),
                ),
            ),
            id="one copy goes on where the other ends, within a line",
        ),
        pytest.param(
            (True, 1, (("write", 2), ("read_a_little", 2), ("copytruncate", 4), ("move_back", 3), ("switch", 2))),
            id="the copy is moved to where the link led, and the link elsewhere",
        ),
        pytest.param(
            (
                False,
                1,
                (
                    ("move_the_folder", 4),
                    ("write", 4),
                    ("read_a_little", 3),
                    ("copytruncate", 1),
                    ("move_back", 2),
                    ("look", 2),
                ),
            ),
            id="the copy is moved to the path in a folder that was renamed",
        ),
        pytest.param(
            (
                False,
                9,
                (
                    ("rename", 3),
                    ("look", 1),
                    ("copytruncate", 1),
                    ("move_back", 1),
                    ("write", 2),
                    ("rename_and_create", 3),
                    ("copy_back", 1),
                    ("write_the_beginning_of_a_line", 4),
                    ("rename_and_create", 1),
                ),
            ),
            id="two copies of a deleted file, of which one grew",
        ),
        pytest.param(
            (True, 9, (("write", 2), ("read_a_little", 2), ("copytruncate", 1), ("move_back", 2), ("switch", 4))),
            id="the same, and nothing was written since",
        ),
        pytest.param(
            (
                False,
                9,
                (("truncate", 3), ("look", 2), ("write", 3), ("save", 2), ("copytruncate", 2), ("kill", 3), ("rename", 3)),
            ),
            id="a restart from an empty file that was copied, truncated and renamed",
        ),
        pytest.param(
            (
                True,
                9,
                (("delete", 1), ("kill", 1), ("look", 4), ("copytruncate", 2), ("copytruncate", 2), ("rename_and_create", 2)),
            ),
            id="an empty file that was copied, truncated and renamed",
        ),
        pytest.param(
            (False, 2, (("copytruncate", 4), ("copytruncate", 3), ("delete", 4))), id="copied and truncated twice, then deleted"
        ),
        pytest.param(
            (
                True,
                9,
                (
                    ("rename", 4),
                    ("look", 3),
                    ("truncate", 1),
                    ("read_a_little", 1),
                    ("save", 4),
                    ("copy_back", 1),
                    ("copytruncate", 3),
                    ("kill", 1),
                ),
            ),
            id="a copy of what was read is no copy of an empty file that is gone",
        ),
        pytest.param(
            (
                False,
                1,
                (
                    ("write", 2),
                    ("rename", 1),
                    ("write_the_beginning_of_a_line", 2),
                    ("look", 1),
                    ("move_back", 1),
                    ("write", 2),
                    ("read_a_little", 3),
                    ("copytruncate", 3),
                    ("rename", 4),
                ),
            ),
            id="a file that came back was truncated before more of it was read",
        ),
        pytest.param(
            (
                False,
                9,
                (
                    ("rename_and_create", 3),
                    ("read_a_little", 2),
                    ("move_the_folder", 2),
                    ("copytruncate", 2),
                    ("compress", 4),
                    ("copytruncate", 3),
                    ("look", 1),
                ),
            ),
            id="the next copy after a compressed one, in a folder that was renamed",
        ),
        pytest.param(
            (
                False,
                3,
                (
                    ("write", 4),
                    ("read_a_little", 1),
                    ("copytruncate", 4),
                    ("forbid", 4),
                    ("move_back", 3),
                    ("look", 3),
                ),
            ),
            id="the copy is moved to the path, and nobody may read it yet",
        ),
        pytest.param(
            (
                False,
                1,
                (
                    ("move_the_folder", 3),
                    ("truncate", 1),
                    ("look", 1),
                    ("copytruncate", 4),
                    ("copytruncate", 2),
                    ("read_a_little", 1),
                ),
            ),
            id="an empty file that was copied and truncated in a folder that was renamed",
        ),
        pytest.param(
            (
                True,
                3,
                (
                    ("rename", 3),
                    ("look", 3),
                    ("copytruncate", 2),
                    ("forbid", 2),
                    ("switch", 4),
                    ("start", 1),
                    ("look", 3),
                    ("switch", 3),
                    ("copytruncate", 1),
                    ("rename", 4),
                    ("rename", 1),
                ),
            ),
            id="a shorter file has the inode of one that nobody could read",
        ),
        pytest.param(
            (True, 3, (("copytruncate", 3), ("forbid", 3), ("look", 3), ("compress", 1), ("rename_and_create", 4))),
            id="the next log has the inode of a copy that nobody could read",
        ),
        pytest.param(
            (
                False,
                9,
                (
                    ("write_the_beginning_of_a_line", 1),
                    ("rename_and_create", 1),
                    ("compress", 4),
                    ("look", 3),
                    ("term", 3),
                ),
            ),
            id="a line that is not given yet stands in the compressed copy of its file only",
        ),
        pytest.param(
            (
                True,
                3,
                (
                    ("copytruncate", 3),
                    ("recreate", 1),
                    ("forbid", 3),
                    ("look", 3),
                    ("compress", 1),
                    ("rename_and_create", 4),
                    ("rename", 4),
                ),
            ),
            id="a longer rotated file has the inode of a copy that nobody could read",
        ),
        pytest.param(
            (False, 9, (("refill", 4), ("copytruncate", 4), ("delete", 3), ("read_a_little", 1), ("move_back", 2))),
            id="a copy comes back as the log while the deleted log waits to be read",
        ),
        pytest.param(
            (
                True,
                1,
                (
                    ("switch", 4),
                    ("write_the_beginning_of_a_line", 1),
                    ("look", 3),
                    ("term", 2),
                    ("rename_and_create", 4),
                    ("delete", 3),
                    ("copytruncate", 4),
                    ("read_a_little", 4),
                    ("move_back", 4),
                ),
            ),
            id="a copy has the inode of a log of which nothing was read before its rest was lost",
        ),
    ],
)
def test_what_went_wrong_once_goes_right(told: Program) -> None:
    assert complaint(told) is None


@pytest.mark.parametrize("part", range(PARTS))
def test_each_line_counts_once_whatever_happens(part: int) -> None:
    for number in range(SEED * 1_000_000 + part, SEED * 1_000_000 + PROGRAMS, PARTS):
        told = program(number)
        if complaint(told) is not None:
            less = shortest(told)
            pytest.fail(f"program {number}: {less}: {complaint(less)}")
