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

from racoon_parsers.dialects.base import FACILITIES, LEVELS, STAMPS

_PRIORITY: Final = re.compile(rb"\A<\d{1,3}>")
_TIMES: Final = "|".join(STAMPS[kind] for kind in ("rfc3164", "iso", "dated", "year_first", "slashed", "local"))
_HEAD: Final = re.compile(
    rf"(?P<version>1 )(?P<time>{STAMPS['iso']}|-) |(?:{_TIMES})(?:[.,]\d{{1,9}})?\s(?:<[a-z\d]+\.\w+> )?".encode()
)
"""The time behind the priority, of RFC 5424 or older."""
_FACILITY: Final = rf"{FACILITIES}\.\w+ "
_NAMED: Final = re.compile(rf"(?!{_FACILITY}|ipsec )(?:[^\s:\[\],]{{1,255}}|[0-9a-fA-F.]*:[0-9a-fA-F:.]+) ".encode())
"""A host: a program's name ends in a colon or its number, topics have commas."""
_LEVELS: Final = "|".join(map(re.escape, LEVELS))
_OWN: Final = rf"(?P<own>(?P<timed>{STAMPS['local']}: )?(?:\[[^\]]{{1,100}}\] )?(?:{_LEVELS}): )"
_TOPICS: Final = r"(?:echo: )?[a-z0-9-]{1,16}(?:, ?[a-z0-9!-]{1,16}){1,6}[ :]|ipsec |CEF:\d"
_PROGRAM: Final = r"(?!\d+: )[^\s:\[\]<>|()\"',]{1,64}(?:\[\w{1,10}\])?: "
_SAID: Final = re.compile(rf"(?:{_FACILITY})?(?:{_OWN}|{_TOPICS}|{_PROGRAM})".encode())
"""What racoon, RouterOS or a program's name begins with."""
_BOXES: Final = re.compile(
    rf"(?:[\w -]{{1,60}} )?\[(?:VPN\]|(?:{STAMPS['asctime']})|(?:{STAMPS['local']}))|"
    rf"(?:(?:{STAMPS['asctime']})|(?:{STAMPS['local']})|(?:{STAMPS['year_first']})) ?:? ?\[[\w .-]{{1,40}}\] ?\[".encode()
)
"""What TeamF1 begins with, its time among it: another head may stand before it, and nothing between."""
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
    text = _PRIORITY.sub(b"", message)
    return message[: len(message) - len(text)] + _completed(text, host, now)


def _completed(text: bytes, host: bytes, now: float) -> bytes:
    if host and _BOXES.match(text):
        return b"%s %s %s" % (_written(now), host, text)
    head = _HEAD.match(text)
    if head is None:
        return _with_head(text, host, now)
    if head["version"]:
        return _complete_5424(head, text[head.end() :], host, now)
    if not host or _NAMED.match(text, head.end()) or not _SAID.match(text, head.end()):
        return text
    return b"%s%s %s" % (head[0], host, text[head.end() :])


def _complete_5424(head: re.Match[bytes], behind: bytes, host: bytes, now: float) -> bytes:
    named, blank, rest = behind.partition(b" ")
    time = _written(now) if head["time"] == _NIL else head["time"]
    return b"1 %s %s%s%s" % (time, host if named == _NIL and host else named, blank, rest)


def _with_head(text: bytes, host: bytes, now: float) -> bytes:
    said = _SAID.match(text)
    if said is None or (said["timed"] and not host):
        return text
    parts = (_written(now), host, b"racoon:" if said["own"] else b"", text)
    return b" ".join(part for part in parts if part)


def _written(now: float) -> bytes:
    """Write a time as a head has it: in whole seconds, as racoon does, so that lines of a second have one head."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(now)).encode()
