"""Security policies, from a setkey script or from `setkey -DP`.

Pure; never raises on any text; keys of `add` lines are not kept. Grammar: setkey's parse.y and token.l, libipsec's
policy_parse.y, and pfkey_dump.c for the dump (Linux, NetBSD, FreeBSD).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from racoon_parsers.racoon_conf.model import Problem
from racoon_parsers.racoon_conf.syntax import Misread, Token, Words, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["IpsecRequest", "Policies", "Policy", "Selector", "parse_policies", "parse_setkey", "parse_spd_dump"]

DIRECTIONS: Final = ("in", "out", "fwd")
ACTIONS: Final = ("discard", "none", "ipsec", "bypass", "entrust")
PROTOCOLS: Final = ("esp", "ah", "ipcomp")
MODES: Final = ("transport", "tunnel", "any")
FOR_EVER: Final = 2**31
"""Seconds from which on a lifetime is none: FreeBSD and pfSense print 9223372036854775807 where others print 0."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One end of the traffic a policy is for. The address is as written, prefix included; `port` None for any."""

    address: str
    port: str | None = None

    @property
    def host(self) -> str | None:
        """The address without a prefix where it names one host, else None."""
        try:
            interface = ipaddress.ip_interface(self.address)
        except ValueError:
            return None if "/" in self.address else self.address  # a host name, which setkey looks up
        # ip_interface() forgets the scope, so the written form is kept
        return self.address.partition("/")[0] if interface.network.num_addresses == 1 else None


@dataclass(frozen=True, slots=True)
class IpsecRequest:
    """One `protocol/mode/source-destination/level`. Ends None where not written; `reqid` is that of level `unique`."""

    protocol: str
    mode: str
    source: str | None = None
    destination: str | None = None
    level: str = "default"
    reqid: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A security policy. `protocol` is the upper layer's (name, number or any); `lifetime` in seconds, 0 for ever.

    racoon gives the policies it generates (`generate_policy`) the lifetime of their SAs; those of setkey have none.
    """

    path: str
    line: int
    direction: str
    source: Selector
    destination: Selector
    protocol: str
    action: str
    requests: tuple[IpsecRequest, ...] = ()
    lifetime: int = 0

    @property
    def generated(self) -> bool:
        """Whether racoon made this policy for a peer that came by."""
        return self.lifetime > 0

    @property
    def peer(self) -> str | None:
        """The other end of the SAs: of a tunnel its far end, else the host of the far selector; None for a network."""
        if self.action != "ipsec" or not self.requests:
            return None
        outbound = self.direction == "out"
        for request in self.requests:
            end = request.destination if outbound else request.source
            if request.mode == "tunnel" and end is not None:
                return end
        return (self.destination if outbound else self.source).host


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies in the order of the text, and what was not understood."""

    path: str
    policies: tuple[Policy, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_policies(text: str, *, path: str = "setkey.conf") -> Policies:
    """Read a setkey script or the output of `setkey -DP`, whichever it is."""
    dump = _DUMP_SIGN.search(text) and not _SCRIPT_SIGN.search(text)
    return parse_spd_dump(text, path=path) if dump else parse_setkey(text, path=path)


# --- requests, the same in both ---

_ENDS = re.compile(r"(?P<source>[^\s\[\]/-]++)(?:\[[^\]]*+\])?+-(?P<destination>[^\s\[\]/]++)(?:\[[^\]]*+\])?+")
_LEVEL = re.compile(r"(?P<level>default|use|require|unique)(?:[:#](?P<reqid>\d{1,10}))?")
_PORTED = re.compile(r"(?P<address>[^\s\[\]]++)(?:\[(?P<port>[^\s\[\]]*+)\])?+")


def _request(text: str) -> IpsecRequest:
    """Read `esp/tunnel/192.0.2.1[4500]-192.0.2.2[4500]/unique:7`; what is left out at the end has its default."""
    protocol, *rest = text.split("/")
    mode, ends, level = (*rest, "", "", "")[:3]
    if protocol not in PROTOCOLS or mode not in {*MODES, ""} or len(rest) > 3:
        raise Misread("an IPsec request protocol/mode/source-destination/level is expected")
    level_match = _LEVEL.fullmatch(level or "default")
    ends_match = _ENDS.fullmatch(ends)
    if level_match is None:
        raise Misread("the level of an IPsec request is default, use, require or unique")
    if ends and ends_match is None:
        raise Misread("the ends of an IPsec request are source-destination")
    return IpsecRequest(
        protocol=protocol,
        mode=mode or "any",
        source=ends_match["source"] if ends_match else None,
        destination=ends_match["destination"] if ends_match else None,
        level=level_match["level"],
        reqid=int(level_match["reqid"]) if level_match["reqid"] else None,
    )


def _policy_head(words: Words) -> tuple[str, str]:
    """Take `out prio high + 5 ipsec`, giving direction and action; the priority is passed over."""
    direction = words.one_of(*DIRECTIONS)
    if words.skip("prio") or words.skip("priority"):
        while (token := words.peek()) is not None and token.text not in ACTIONS:
            words.take()
    if words.peek() is None:
        return direction, ACTIONS[0]  # `spddelete … -P out`; type 0, discard, in policy_parse.y
    return direction, words.one_of(*ACTIONS)


def _selector(words: Words) -> Selector:
    match = _PORTED.fullmatch(words.word())
    if match is None:
        raise Misread("an address is expected")
    address, port = match["address"], match["port"]
    token = words.peek()
    if token is not None and token.text.startswith("/"):  # `10.0.0.0 /8`
        address, port = _prefixed(address, words.word())
    token = words.peek()
    if port is None and token is not None and token.text.startswith("["):  # `192.0.2.1 [500]`
        port = words.word().strip("[]")
    return Selector(address, None if port in {None, "any", "0"} else port)


def _prefixed(address: str, prefix: str) -> tuple[str, str | None]:
    match = _PORTED.fullmatch(prefix)
    if match is None:
        raise Misread("a prefix is expected")
    return address + match["address"], match["port"]


# --- setkey scripts ---

_SCRIPT_TOKEN = re.compile(
    r'(?P<newline>\n)|[^\S\n]+|(?P<comment>#[^\n]*)|(?P<string>"[^"\n]*"?)|(?P<end>;)|(?P<word>[^\s;"#]+)'
)
_COMMANDS: Final = frozenset(
    {
        *("add", "delete", "deleteall", "get", "getspi", "flush", "dump", "update", "exit", "quit", "bye"),
        *("spdadd", "spdupdate", "spddelete", "spdflush", "spddump"),
    }
)
_FLAGS = re.compile(r"-[n46]+")


def _script_commands(text: str, report: Callable[[int, str], None]) -> Iterator[tuple[Token, ...]]:
    """Yield the words of each command. A command that lacks its `;` ends before a line that begins with another."""
    line = 1
    words: list[Token] = []
    for match in _SCRIPT_TOKEN.finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind == "newline":
            line += 1
        elif kind == "string":
            words.append(Token("string", value.strip('"'), line))
        elif kind == "word":
            if words and line > words[-1].line and value in _COMMANDS:
                report(words[-1].line, f"; is missing after {shown(words[0].text)}")
                yield tuple(words)
                words.clear()
            words.append(Token("word", value, line))
        elif kind == "end" and words:
            yield tuple(words)
            words.clear()
    if words:
        report(words[-1].line, f"; is missing after {shown(words[0].text)}")
        yield tuple(words)


@dataclass(slots=True)
class _Script:
    """The policies as they are after the commands so far: spdflush and spddelete take away what earlier lines added."""

    path: str
    policies: dict[tuple[object, ...], Policy] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.path, line, message))

    def command(self, tokens: tuple[Token, ...]) -> None:
        words = Words(tokens[1:])
        match tokens[0].text:
            case "spdadd" | "spdupdate":
                self._add(words, tokens[0].line)
            case "spddelete":
                self._delete(words, tokens[0].line)
            case "spdflush":
                self.policies.clear()
            case known if known in _COMMANDS:
                pass  # the SAD, with keys
            case _:
                raise Misread("no such command")

    def _add(self, words: Words, line: int) -> None:
        policy = self._policy(words, line)
        if policy is not None:
            self.policies[_same(policy)] = policy

    def _delete(self, words: Words, line: int) -> None:
        policy = self._policy(words, line)
        if policy is not None:
            self.policies.pop(_same(policy), None)

    def _policy(self, words: Words, line: int) -> Policy | None:
        """Read what stands behind spdadd or spddelete; None for one `tagged` by a packet filter, which has no ends."""
        if words.skip("tagged"):
            return None
        while (token := words.peek()) is not None and _FLAGS.fullmatch(token.text):
            words.take()
        source, destination = _selector(words), _selector(words)
        protocol = words.word()
        while not words.skip("-P"):  # icmp6 136,0 and -ctx 1 1 "label"
            words.take()
        direction, action = _policy_head(words)
        requests = tuple(_requests(words))
        return Policy(self.path, line, direction, source, destination, protocol, action, requests)


def _requests(words: Words) -> Iterator[IpsecRequest]:
    while words.peek() is not None:
        yield _request(words.word())


def _same(policy: Policy) -> tuple[object, ...]:
    """Return what makes two policies one to the kernel."""
    return policy.direction, policy.source, policy.destination, policy.protocol


def parse_setkey(text: str, *, path: str = "setkey.conf") -> Policies:
    """Read a setkey script: the policies that stand when it has run, and the lines not understood."""
    script = _Script(path)
    for tokens in _script_commands(text, script.report):
        if tokens[0].text in {"exit", "quit", "bye"}:
            break
        try:
            script.command(tokens)
        except Misread as misread:
            script.report(tokens[0].line, f"{shown(tokens[0].text)}: {misread}")
    return Policies(path, tuple(script.policies.values()), tuple(script.problems))


# --- setkey -DP ---

_DUMP_SIGN = re.compile(r"^[ \t]++(?:in|out|fwd)(?:\(socket\))?+[ \t][^;\n]*+$|^No SPD entries\.", re.MULTILINE)
_SCRIPT_SIGN = re.compile(r"^[ \t]*+(?:spdadd|spdupdate|spddelete|spdflush|flush|add)\b", re.MULTILINE)
_SAMPLE = re.compile(r"===.*setkey -D?P")
_SOCKET_POLICY = re.compile(r"\((?:per-socket policy|no selector, probably per-socket policy)\)|tagged\b")
_ANY_PROTOCOL: Final = "255"  # IPSEC_ULPROTO_ANY, which getprotobynumber() does not know
_DETAIL = re.compile(r"(?:created:|spid=|refcnt=|security context|Policy:\[)")
_LIFETIME = re.compile(r"lifetime:\s*+(?P<seconds>\d{1,20})\(s\)")


@dataclass(slots=True)
class _Entry:
    """One policy of a dump while its lines are read; `direction` empty until its line came."""

    line: int
    source: Selector
    destination: Selector
    protocol: str
    direction: str = ""
    action: str = ""
    requests: list[IpsecRequest] = field(default_factory=list)
    lifetime: int = 0


@dataclass(slots=True)
class _Dump:
    """The entries of one dump. `entry` None: not inside one that counts."""

    path: str
    entry: _Entry | None = None
    policies: list[Policy] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self, number: int, line: str) -> None:
        if _SAMPLE.match(line):
            self.entry = None
            self.policies.clear()  # a later dump stands for now
        elif line[:1] in {"\t", " "}:
            self._detail(line.strip())
        elif line:
            self._finish()
            self.entry = self._head(number, line)

    def finish(self) -> Policies:
        self._finish()
        return Policies(self.path, tuple(self.policies), tuple(self.problems))

    def _head(self, number: int, line: str) -> _Entry | None:
        if _SOCKET_POLICY.match(line) or line.startswith("No SPD entries"):
            return None
        words = Words(tuple(Token("word", word, number) for word in line.split()))
        source, destination, protocol = _selector(words), _selector(words), words.word()
        return _Entry(number, source, destination, "any" if protocol == _ANY_PROTOCOL else protocol)

    def _detail(self, line: str) -> None:
        entry = self.entry
        if entry is None or not line or _DETAIL.match(line):
            return
        lifetime = _LIFETIME.match(line)
        if lifetime:
            seconds = int(lifetime["seconds"])
            entry.lifetime = seconds if seconds < FOR_EVER else 0
        elif not entry.direction:
            words = Words(tuple(Token("word", word, entry.line) for word in line.split()))
            entry.direction, entry.action = _policy_head(words)
        else:
            entry.requests.append(_request(line.split(maxsplit=1)[0]))

    def _finish(self) -> None:
        entry, self.entry = self.entry, None
        if entry is None or not entry.direction:
            return
        self.policies.append(
            Policy(
                self.path,
                entry.line,
                entry.direction,
                entry.source,
                entry.destination,
                entry.protocol,
                entry.action,
                tuple(entry.requests),
                entry.lifetime,
            )
        )


def parse_spd_dump(text: str, *, path: str = "spd.txt") -> Policies:
    """Read the output of `setkey -DP`. Of several dumps, each behind a line `=== … setkey -DP`, the last one counts."""
    dump = _Dump(path)
    for number, line in enumerate(text.split("\n"), 1):
        try:
            dump.read(number, line.rstrip())
        except Misread as misread:
            dump.problems.append(Problem(path, number, str(misread)))
    return dump.finish()
