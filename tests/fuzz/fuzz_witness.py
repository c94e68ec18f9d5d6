"""Whatever the kernel, its tools or racoon's socket answer, reading it gives a result or the one error that is promised.

    python -m tests.fuzz.fuzz_witness [--seconds 60] [--seed N]

Valid answers are changed in some places: bits, lengths, pieces that are missing, doubled or of another answer.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from racoon_parsers.admin_socket import AdminError, read_event, read_head, read_show_sa, read_status
from racoon_parsers.kernel import parse_policies, parse_sad
from racoon_parsers.kernel.xfrm_messages import Dump, DumpError
from tests.parsers.kernel.test_dumps import POLICY
from tests.parsers.kernel.test_xfrm_messages import ALGORITHMS, message, policy_message, sa_message
from tests.parsers.test_admin_socket import DOCUMENT, dumped

from .lines import NASTY

_SAMPLES: Final = Path(__file__).parents[1] / "samples" / "kernel"


def _dump(data: bytes) -> None:
    Dump(sequence=1, now=1010.0).feed(data)


def _text(read: Callable[[str], object]) -> Callable[[bytes], None]:
    return lambda data: (read(data.decode("utf-8", "backslashreplace")), None)[1]


Answer = tuple[str, Callable[[bytes], object], bytes]
"""What is read, by what, and the bytes."""
SA: Final = sa_message(attributes=ALGORITHMS)
ANSWERS: Final[tuple[Answer, ...]] = (
    ("netlink", _dump, message(16, SA) + message(16, SA) + message(3, b"")),
    ("netlink policy", _dump, message(19, policy_message()) + message(2, struct.pack("=i", -1))),
    ("admin socket, head", read_head, struct.pack("=HHi", 16, 2, 0)),
    ("admin socket, dump", read_show_sa, dumped() + dumped(seconds="i", bsd=True)),
    ("admin socket, status", read_status, json.dumps(DOCUMENT).encode()),
    ("admin socket, event", read_event, json.dumps({"event": "ph1_up", "remote": "192.0.2.1", "timestamp": 7}).encode()),
    ("policies", _text(parse_policies), POLICY.encode()),
    *(("SAs", _text(parse_sad), path.read_bytes()) for path in sorted(_SAMPLES.glob("*.txt"))),
)
"""Valid answers."""


def _flip(data: bytearray, at: int, some: random.Random) -> None:
    data[at] ^= 1 << some.randrange(8)


def _cut(data: bytearray, at: int, _some: random.Random) -> None:
    del data[at:]


def _leave_out(data: bytearray, at: int, some: random.Random) -> None:
    del data[at : at + some.choice((1, 2, 4, 40, 400))]


def _double(data: bytearray, at: int, some: random.Random) -> None:
    data[at:at] = data[at : at + some.choice((1, 4, 40, 400))] * some.choice((1, 2, 99))


def _extreme(data: bytearray, at: int, some: random.Random) -> None:
    data[at : at + 4] = some.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\1\0\0\0"))


def _nasty(data: bytearray, at: int, some: random.Random) -> None:
    data[at : at + some.choice((0, 1, 9))] = some.choice(NASTY).encode("utf-8", "surrogatepass")


CHANGES: Final = (_flip, _cut, _leave_out, _double, _extreme, _nasty)


def changed(seed: int, answers: Sequence[Answer]) -> Answer:
    """Give one of some valid answers, changed by a seed: in its own places, or by a piece of another."""
    some = random.Random(seed)
    what, read, good = some.choice(answers)
    data = bytearray(good)
    while data and some.random() < 0.8:
        at = some.randrange(len(data))
        if some.random() < 1 / 7:
            other = some.choice(answers)[2]
            start = some.randrange(len(other))
            data[at:at] = other[start : start + 400]
        else:
            some.choice(CHANGES)(data, at, some)
    return what, read, bytes(data)


def check_one(seed: int, answers: Sequence[Answer], *promised: type[Exception]) -> None:
    """Read one of some answers, changed by a seed. Raises whatever is raised that is not promised."""
    what, read, data = changed(seed, answers)
    try:
        read(data)
    except promised:
        return
    except BaseException as error:
        error.add_note(f"seed {seed}: {what}: {data!r}")
        raise


def check(seed: int) -> None:
    """Read the answer of a seed. Raises whatever is raised that is not promised."""
    check_one(seed, ANSWERS, AdminError, DumpError)


def check_until_over(description: str, check: Callable[[int], None]) -> int:
    """Check seed after seed until the time is over that the command line gives, or the one seed that it names."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="check this seed only")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with; 0 takes one from the clock")
    options = parser.parse_args()
    if options.seed is not None:
        check(options.seed)
        return 0
    seed = first = options.first or time.time_ns() // 1_000_000
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        check(seed)
        seed += 1
    print(f"{seed - first} seeds from {first} on")
    return 0


if __name__ == "__main__":
    sys.exit(check_until_over(__doc__ or "", check))
