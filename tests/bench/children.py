"""Child processes under measurement: one core, their CPU time, their time on the clock and their peak memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = {
    "mtail, a chain": Path(__file__).with_name("racoon.mtail"),
    "mtail, a rule a message": Path(__file__).with_name("plain.mtail"),
}
"""mtail programs that count the same: the first that fits ends a line, and every rule is held against every line."""
_BYTE_CODE: Final = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".work" / "byte-code")}
"""As an installed package has it, which is compiled once; who measures a checkout may have told Python to keep none."""
_SAMPLE: Final = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\d+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took from its start to its end."""

    cpu: float
    """Seconds of user and system time."""
    wall: float
    """Seconds."""
    peak_bytes: int
    """Largest resident set."""


def measure(command: Sequence[str], output: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end on the core that this process is bound to. Raises SystemExit if it fails."""
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        begun = time.perf_counter()
        variables = {**os.environ, **_BYTE_CODE, **(environment or {})}
        child = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for; Popen must not try again
    if child.returncode:
        raise SystemExit(f"{command[0]} ended with {child.returncode}:\n{output.with_suffix('.err').read_text()[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a program counted in a log."""

    messages: Counter[tuple[str, str]]
    """Records by level and event class, debug ones left out."""
    phase1_established: Counter[str]
    """By peer."""


def python(module: str, *arguments: str) -> list[str]:
    """Give the command that runs a module of this benchmark as a program."""
    return [sys.executable, "-m", f"tests.bench.{module}", *arguments]


def run_cli(arguments: Sequence[str], scratch: Path) -> Cost | None:
    """Run a command of the exporter; None where this version does not know it."""
    output = scratch / "cli.txt"
    try:
        return measure([sys.executable, "-m", "racoon_exporter", *arguments], output)
    except SystemExit as ended:
        if "No such option" in str(ended):
            return None
        raise


def mtail_version() -> str:
    """Give the version of mtail that is installed."""
    said = subprocess.run(["mtail", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\S+).*go version (\S+)", said.stdout + said.stderr)
    return f"{found[1]} ({found[2]})" if found else "of unknown version"


def run_engine(log: Path, scratch: Path) -> tuple[Cost, Counts, dict[str, Any]]:
    """Let our engine read a log once."""
    output = scratch / "engine.json"
    cost = measure(python("engine_run", str(log)), output)
    result = json.loads(output.read_text(encoding="utf-8"))
    messages = Counter({(level, event): count for level, event, count in result["messages"] if level != "DEBUG"})
    return cost, Counts(messages, Counter(result["phase1_established"])), result


def run_mtail(program: Path, log: Path, scratch: Path) -> tuple[Cost, Counts]:
    """Let mtail read a log once."""
    output = scratch / "mtail.txt"
    command = ["mtail", "--one_shot", "--one_shot_format", "prometheus", "--progs", str(program), "--logs", str(log)]
    cost = measure([*command, "--address", "127.0.0.1", "--port", "0", "--logtostderr"], output, {"GOMAXPROCS": "1"})
    counts = Counts(Counter(), Counter())
    for sample in _SAMPLE.finditer(output.read_text(encoding="utf-8")):
        labels = dict(_LABEL.findall(sample["labels"]))
        if sample["name"] == "racoon_log_messages_total":
            counts.messages[labels["level"], labels["event"]] += int(sample["value"])
        elif sample["name"] == "racoon_phase1_established_total":
            counts.phase1_established[labels["peer"]] += int(sample["value"])
    return cost, counts
