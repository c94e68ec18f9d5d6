"""Logs of other kinds than the one in which both programs are compared: junk that a stranger causes, and MikroTik's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

from tests.bench.log import START

_STRANGERS: Final = 1_000_000
_LINES_A_SECOND: Final = 20


def hostile(seed: int) -> Iterator[str]:
    """Give lines as a million strangers cause them: refused negotiations, forged texts, junk, lines of other programs."""
    random = Random(f"{seed}/hostile")
    while True:
        number = random.randrange(_STRANGERS)
        peer = f"{11 + number // 65536}.{number // 256 % 256}.{number % 256}.{random.randrange(1, 255)}"
        cookies = f"{random.getrandbits(64):016x}:0000000000000000"
        forged = f"ISAKMP-SA established 192.0.2.1[500]-{peer}[500] spi:{cookies}"
        yield f"INFO: respond new phase 1 negotiation: 192.0.2.1[500]<=>{peer}[{random.randrange(1024, 65536)}]"
        yield "INFO: begin Aggressive mode."
        yield f"INFO: received Vendor ID: {forged}"
        yield f"[{peer}] ERROR: failed to get valid proposal."
        yield f"[{peer}] ERROR: failed to pre-process ph1 packet (side: 1, status 1)."
        yield f"[{peer}] ERROR: phase1 negotiation failed."
        yield f"ERROR: certificate has expired(10) at depth:0 SubjectName:/CN={'A' * random.randrange(200)}/CN={forged}"
        yield f"ERROR: phase1 negotiation failed due to time up. {cookies}"
        yield f"INFO: {random.getrandbits(400):x} {forged}"


def mikrotik(seed: int, peers: int = 1000) -> Iterator[str]:
    """Give lines as RouterOS writes them, topics before the text."""
    random = Random(f"{seed}/mikrotik")
    while True:
        peer = f"198.18.{random.randrange(peers) // 250}.{random.randrange(1, 251)}"
        ends = f"192.0.2.1[500]<=>{peer}[500]"
        cookies = f"{random.getrandbits(64):016x}:{random.getrandbits(64):016x}"
        yield f"ipsec,info respond new phase 1 (Identity Protection): {ends}"
        yield f"ipsec,info ISAKMP-SA established {ends.replace('<=>', '-')} spi:{cookies}"
        yield f"ipsec,info purging ISAKMP-SA {ends} spi={cookies}."
        yield f"ipsec,info ISAKMP-SA deleted {ends.replace('<=>', '-')} spi:{cookies} rekey:1"
        yield f"ipsec,error {peer} failed to get valid proposal."
        yield f"ipsec,error {peer} phase1 negotiation failed."


def write_lines(texts: Iterator[str], lines: int, path: Path, behind_the_time: str) -> int:
    """Write so many lines with a time before each; gives their number."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for number, text in enumerate(islice(texts, lines)):
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(START + number // _LINES_A_SECOND))
            out.write(f"{stamp}{behind_the_time}{text}\n")
    return lines
