"""A log of racoon 0.9.1 as a busy gateway writes it, made from a seed: the same parameters give the same bytes.

The peers talk in turn, each when its next step is due, as racoon's own scheduler has it.

    python -m tests.bench.generate racoon.log --peers 1000 --lines 400000
    python -m tests.bench.generate debug.log --lines 1000000 --debug
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from tests.bench import messages as say
from tests.bench.log import START, Log, Parameters, Tally
from tests.bench.peers import LOCAL, Speaker, life_of


def generate(parameters: Parameters, out: TextIO) -> Tally:
    """Write a log, and tell what is in it."""
    log = Log(parameters, out)
    log.at(START)
    _start(log)
    _live(log, parameters, range(parameters.peers), parameters.lines, float("inf"))
    return log.tally


def generate_in_turn(parameters: Parameters, out: TextIO, addresses: int, seconds: float) -> Tally:
    """Write the same lives, each of so many seconds, a few at a time and under the addresses of those few.

    So the lines are the same as those of all peers side by side, and differ in how many peers a reader knows at once.
    """
    log = Log(parameters, out)
    log.at(START)
    _start(log)
    few = replace(parameters, addresses=addresses)
    for first in range(0, parameters.peers, addresses):
        _live(log, few, range(first, first + addresses), parameters.lines * 2, log.now + seconds)
    return log.tally


def _live(log: Log, parameters: Parameters, numbers: range, lines: int, until: float) -> None:
    """Let peers talk until the log has so many lines, or a time is come."""
    start = log.now
    lives = [life_of(Speaker(log, number, parameters)) for number in numbers]
    due = [(start + next(life), place) for place, life in enumerate(lives)]
    heapq.heapify(due)
    while log.tally.lines < lines and due[0][0] < until:
        now, place = due[0]
        log.at(now)
        heapq.heapreplace(due, (now + next(lives[place]), place))
    log.flush()


def _start(log: Log) -> None:
    log.record(say.PROVIDER, {"provider": "legacy"})
    log.record(say.PROVIDER, {"provider": "default"})
    for kind in (say.BANNER, say.OPENSSL, say.READING, say.NATT_PORT):
        log.record(kind, {"local": LOCAL})
    for port, descriptor in ((4500, 6), (500, 7)):
        log.record(say.PORT, {"local": LOCAL, "port": port, "fd": descriptor})


def write(parameters: Parameters, path: Path) -> Tally:
    """Write a log to a file."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        return generate(parameters, out)


def main() -> None:
    """Write the log that the command line asks for, and print what is in it."""
    default = Parameters()
    parser = argparse.ArgumentParser(description="Write a generated log of racoon 0.9.1.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--peers", type=int, default=default.peers)
    parser.add_argument("--lines", type=int, default=default.lines)
    parser.add_argument("--seconds", type=int, default=default.seconds, help="log time to fill")
    parser.add_argument("--gateways", type=int, default=default.gateways)
    parser.add_argument("--format", choices=("file", "syslog"), default=default.format)
    parser.add_argument("--debug", action="store_true", help="with debug lines, as racoon -d writes them")
    given = vars(parser.parse_args())
    path = given.pop("path")
    tally = write(Parameters(**given), path)
    print(f"{tally.lines} lines, {tally.debug_lines} of them debug")
    for (level, event), count in sorted(tally.messages.items(), key=lambda item: -item[1]):
        print(f"{count:8} {level:8} {event}")


if __name__ == "__main__":
    main()
