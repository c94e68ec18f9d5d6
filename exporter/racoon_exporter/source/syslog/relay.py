"""What whoever receives a syslog message adds to it (RFC 3164 4.3): its time and its host, where it names none. Pure.

RouterOS sends topics and text only, BusyBox the time without a host, and `racoon -F` through `nc` no more than racoon prints.
A line of which nobody says when and where it was written tells neither since when a tunnel is down nor at which gateway.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from time import gmtime, strftime
from typing import Final

from racoon_parsers.line import LEVELS, STAMPS

_PRIORITY: Final = r"(?P<priority><\d{1,3}>)?"
_TIMES: Final = "|".join(STAMPS[kind] for kind in ("rfc3164", "iso", "dated", "year_first", "slashed", "local"))
_HEAD: Final = re.compile(
    rf"{_PRIORITY}(?:(?P<version>1 )(?P<time>{STAMPS['iso']}|-) |"
    rf"(?:{_TIMES})(?:[.,]\d{{1,9}})?\s(?:<[a-z\d]+\.\w+> )?)".encode()
)
"""Priority and time, of RFC 5424 or older."""
_FACILITY: Final = r"(?:auth|authpriv|daemon|local\d|security|syslog|user|kern)\.\w+ "
_NAMED: Final = re.compile(rf"(?!{_FACILITY}|ipsec )(?:[^\s:\[\],]{{1,255}}|[0-9a-fA-F.]*:[0-9a-fA-F:.]+) ".encode())
"""A host: a program's name ends in a colon or its number, topics have commas."""
_LEVELS: Final = "|".join(map(re.escape, LEVELS))
_OWN: Final = rf"(?P<own>(?P<timed>{STAMPS['local']}: )?(?:\[[^\]]{{1,100}}\] )?(?:{_LEVELS}): )"
_TOPICS: Final = r"(?:echo: )?[a-z0-9-]{1,16}(?:, ?[a-z0-9!-]{1,16}){1,6}[ :]|ipsec |CEF:\d"
_PROGRAM: Final = r"[^\s:\[\]<>|()\"',]{1,64}(?:\[\w{1,10}\])?: "
_BARE: Final = re.compile(rf"{_PRIORITY}(?:{_OWN}|{_TOPICS}|{_PROGRAM})".encode())
"""What a message without a head begins with: racoon's own time and level, RouterOS' topics, a program's name."""
_NIL: Final = b"-"


@lru_cache(maxsize=1024)
def name_of(address: str) -> bytes:
    """Give the name of a gateway that sends from an address; nothing for this machine, which needs none."""
    try:
        sender = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return b""
    sender = getattr(sender, "ipv4_mapped", None) or sender
    return b"" if sender.is_loopback else str(sender).encode()


def complete(message: bytes, host: bytes, now: float) -> bytes:
    """Give a message with the host that sent it and the time it came, where it says neither, or not both."""
    head = _HEAD.match(message)
    if head is None:
        return _with_head(message, host, now)
    if head["version"]:
        return _complete_5424(message, head, host, now)
    if not host or _NAMED.match(message, head.end()):
        return message
    return b"%s%s %s" % (message[: head.end()], host, message[head.end() :])


def _complete_5424(message: bytes, head: re.Match[bytes], host: bytes, now: float) -> bytes:
    before, time, behind = message[: head.start("time")], head["time"], message[head.end() :]
    named, blank, rest = behind.partition(b" ")
    if time == _NIL:
        time = _written(now)
    if named == _NIL and host:
        named = host
    return b"%s%s %s%s%s" % (before, time, named, blank, rest)


def _with_head(message: bytes, host: bytes, now: float) -> bytes:
    found = _BARE.match(message)
    if found is None or (found["timed"] and not host):
        return message
    priority = found["priority"] or b""
    parts = (_written(now), host, b"racoon:" if found["own"] else b"", message[len(priority) :])
    return priority + b" ".join(part for part in parts if part)


def _written(now: float) -> bytes:
    """Write a time as a head has it: in whole seconds, as racoon does, so that lines of a second have one head."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(now)).encode()
