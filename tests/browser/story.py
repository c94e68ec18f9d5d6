"""A day of a gateway with several peers, told in racoon 0.9.1's own lines (as in `tests/scenarios/lab`) up to a given time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

LOCAL = "192.0.2.1"
HEADQUARTERS, BRANCH, DEPOT, LAPTOP, NEWCOMER, SCANNER = (
    "198.51.100.10",
    "198.51.100.20",
    "198.51.100.30",
    "203.0.113.40",
    "203.0.113.77",
    "203.0.113.99",
)
SOFT, HARD = 2880.0, 3600.0
DAY = 86400.0
HOSTILE_SUBJECT = '/CN=<img src=x onerror="document.title=1"></code></table><script>document.title="run"</script>'
HOSTILE_USER = '<script>document.body.remove()</script><svg onload=alert(1)>\x1b[31m\u202e" onmouseover="alert(1)'


@dataclass
class Story:
    """Lines with their times; `text` writes them in order."""

    end: float
    lines: list[tuple[float, int, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(0x0A000001))

    def say(self, time: float, text: str, level: str = "INFO", tag: str = "") -> None:
        if time <= self.end:
            self.lines.append((time, len(self.lines), f"{f'[{tag}] ' if tag else ''}{level}: {text}"))

    def text(self, *, shift: float = 0.0) -> str:
        ordered = sorted(self.lines)
        return "".join(f"{_stamp(time + shift)}: {line}\n" for time, _, line in ordered)

    def start(self, time: float) -> None:
        self.say(time, "@(#)ipsec-tools 0.9.1 (https://github.com/rdratlos/racoon-ipsec-tools)")
        self.say(time, "@(#)This product linked OpenSSL 3.0.20 7 Apr 2026 (http://www.openssl.org/)")
        self.say(time, f"{LOCAL}[500] used as isakmp port (fd=6)")

    def phase1(self, time: float, peer: str) -> str:
        cookies = f"{next(self.numbers):016x}:{next(self.numbers):016x}"
        self.say(time, f"initiate new phase 1 negotiation: {LOCAL}[500]<=>{peer}[500]")
        self.say(time, "begin Identity Protection mode.")
        self.say(time, f"ISAKMP-SA established {LOCAL}[500]-{peer}[500] spi:{cookies}")
        return cookies

    def pair(self, time: float, peer: str) -> tuple[int, int]:
        pair = next(self.numbers), next(self.numbers)
        self.say(time, f"initiate new phase 2 negotiation: {LOCAL}[500]<=>{peer}[500]")
        for spi in pair:
            self.say(time, f"IPsec-SA established: ESP/Tunnel {LOCAL}[500]->{peer}[500] spi={spi}(0x{spi:x})")
        return pair

    def expire(self, time: float, peer: str, pair: tuple[int, int]) -> None:
        for spi, (one, other) in zip(pair, ((peer, LOCAL), (LOCAL, peer)), strict=True):
            self.say(time, f"IPsec-SA expired: ESP/Tunnel {one}[500]->{other}[500] spi={spi}(0x{spi:x})")

    def up(self, begin: float, end: float, peer: str) -> None:
        """Keep phase 2 up with rekeys; it ends as the peer deletes its SAs."""
        cookies = self.phase1(begin, peer)
        time = begin + 1
        while time < end:
            pair = self.pair(time, peer)
            if time + SOFT >= end:
                for spi in pair:
                    self.say(end, f"purged IPsec-SA proto_id=ESP spi={spi}.")
                break
            self.expire(time + SOFT, peer, pair)
            self.expire(time + HARD, peer, pair)
            time += SOFT
        self.say(end, f"ISAKMP-SA expired {LOCAL}[500]-{peer}[500] spi:{cookies}")
        self.say(end, f"ISAKMP-SA deleted {LOCAL}[500]-{peer}[500] spi:{cookies}")

    def unanswered(self, time: float, peer: str) -> None:
        cookie = f"{next(self.numbers):016x}:{0:016x}"
        self.say(time, f"IPsec-SA request for {peer} queued due to no phase1 found.")
        self.say(time, f"initiate new phase 1 negotiation: {LOCAL}[500]<=>{peer}[500]")
        self.say(time, "begin Identity Protection mode.")
        self.say(time + 31, "phase2 negotiation failed due to time up waiting for phase1. ESP", "ERROR", peer)
        self.say(time + 50, f"phase1 negotiation failed due to time up. {cookie}", "ERROR")

    def certificate(self, time: float, peer: str, subject: str) -> None:
        self.say(time, f"respond new phase 1 negotiation: {LOCAL}[500]<=>{peer}[500]")
        self.say(time, "begin Identity Protection mode.")
        self.say(time, f"certificate has expired(10) at depth:0 SubjectName:{subject}", "ERROR")
        self.say(time, "the peer's certificate is not verified.", "ERROR", peer)
        self.say(time + 5, f"phase1 negotiation failed due to time up. {next(self.numbers):016x}:{9:016x}", "ERROR")

    def refused_login(self, time: float, peer: str, user: str) -> None:
        self.phase1(time, peer)
        self.say(time + 1, f'login failed for user "{user}"')

    def scan(self, time: float, peer: str) -> None:
        self.say(time, f"respond new phase 1 negotiation: {LOCAL}[500]<=>{peer}[500]")
        self.say(time, "begin Identity Protection mode.")
        self.say(time, "no suitable proposal found.", "ERROR", peer)
        self.say(time, "failed to get valid proposal.", "ERROR", peer)
        self.say(time, "failed to process ph1 packet (side: 1, status: 1).", "ERROR", peer)


def _stamp(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S}"


def calm(end: float) -> Story:
    """All is well: three sites up, one with a rekey every 48 minutes and a short outage in the night."""
    story = Story(end)
    begin = end - 0.9 * DAY
    story.start(begin)
    story.up(begin + 60, end + DAY, HEADQUARTERS)
    story.up(begin + 70, end - 0.55 * DAY, BRANCH)
    story.up(end - 0.55 * DAY + 1500, end + DAY, BRANCH)
    story.up(begin + 90, end + DAY, DEPOT)
    return story


def trouble(end: float) -> Story:
    """A site does not answer, another presents an expired certificate, a laptop has a wrong password, a scanner scans."""
    story = Story(end)
    begin = end - 0.9 * DAY
    story.start(begin)
    story.up(begin + 60, end + DAY, HEADQUARTERS)
    story.up(begin + 70, end - 0.3 * DAY, BRANCH)
    story.up(end - 0.3 * DAY + 900, end - 4000, BRANCH)
    for attempt in range(20):
        story.unanswered(end - 3900 + attempt * 190, BRANCH)
    story.up(begin + 90, end - 0.6 * DAY, NEWCOMER)
    story.certificate(end - 1180, DEPOT, HOSTILE_SUBJECT)
    story.refused_login(end - 700, LAPTOP, HOSTILE_USER)
    for number in range(5):
        story.scan(end - 9000 + number * 1000, SCANNER)
    return story
