"""No two tests are given the same port, be they of one process or of several."""

import subprocess
import sys
from pathlib import Path

from tests.ports import free_ports

OTHERS = "from tests.ports import free_ports; print(*free_ports(20)); input()"
PROJECT = Path(__file__).parents[2]


def test_ports_are_given_once() -> None:
    ours = free_ports(20)
    assert len(set(ours)) == 20
    with subprocess.Popen(
        [sys.executable, "-c", OTHERS], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = {int(port) for port in other.stdout.readline().split()}
        assert len(theirs) == 20
        assert theirs.isdisjoint(ours)
        assert theirs.isdisjoint(free_ports(100))
        other.communicate("\n")
