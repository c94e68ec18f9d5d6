"""A dump whose form is not known in advance: the text itself tells."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from typing import Final

from racoon_parsers.kernel.ip_xfrm import parse_ip_policy, parse_ip_state
from racoon_parsers.kernel.model import Sad
from racoon_parsers.kernel.setkey_sad import parse_setkey_sad
from racoon_parsers.racoon_conf.model import Problem
from racoon_parsers.setkey import Policies
from racoon_parsers.setkey import parse_policies as parse_setkey_policies

_IP: Final = re.compile(r"^src \S{1,60} dst \S{1,60}", re.MULTILINE)
_IP_HEAD: Final = re.compile(r"^===[^\n]{0,80}\bip (?:-s )?(?:-d )?xfrm\b", re.MULTILINE)
_SETKEY: Final = re.compile(
    r"^No SAD entries|^[^\s=]{1,80} [^\s]{1,80}\s*\n[ \t]+(?:ah|esp|esp-udp|ipcomp) mode=", re.MULTILINE
)
_SETKEY_HEAD: Final = re.compile(r"^===[^\n]{0,80}\b(?:setkey -D|racoonctl [^\n]{0,20}show-sa)", re.MULTILINE)


def parse_sad(text: str, *, path: str = "sad.txt", taken: float | None = None, zone: tzinfo = UTC) -> Sad:
    """Read a SAD that `setkey -D`, `racoonctl show-sa ipsec` or `ip -s xfrm state` printed.

    An empty text is an empty table: `ip xfrm state` prints just that. Text in neither form is a problem, and its table
    counts as cut, as nothing follows from what it lacks.
    """
    setkey, iproute = _last(_SETKEY, text, _SETKEY_HEAD), _last(_IP, text, _IP_HEAD)
    if setkey < 0 and iproute < 0:
        if any(line and not line.startswith("===") for line in map(str.strip, text.splitlines())):
            return Sad((), (Problem(path, 1, "neither `setkey -D` nor `ip -s xfrm state`"),), truncated=True, taken=taken)
        return Sad(taken=taken)
    return parse_setkey_sad(text, path=path, taken=taken) if setkey > iproute else parse_ip_state(text, taken=taken, zone=zone)


def parse_policies(text: str, *, path: str = "spd.txt") -> Policies:
    """Read an SPD that `setkey -DP` or `ip xfrm policy` printed, or a setkey script."""
    return parse_ip_policy(text, path=path) if _IP.search(text) else parse_setkey_policies(text, path=path)


def _last(sign: re.Pattern[str], text: str, head: re.Pattern[str]) -> int:
    """Give the place of the last sign of a form, so that of dumps in both forms the last one counts; -1 without any."""
    places = [match.start() for pattern in (sign, head) for match in pattern.finditer(text)]
    return max(places, default=-1)


__all__ = ["parse_policies", "parse_sad"]
