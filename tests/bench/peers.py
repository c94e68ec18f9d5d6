"""Peers of the generated gateway: what each does from the first line to the last, as recorded hosts did.

A life is a generator. It says lines, and yields the seconds until it has more to say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from random import Random
from typing import Final, NamedTuple

from tests.bench import messages as say
from tests.bench.log import Log, Parameters
from tests.bench.messages import Kind

LOCAL: Final = "192.0.2.1"
RENEWALS: Final = 8
"""Rekeys of phase 2 in one life of an ISAKMP SA."""
SOFT: Final = 0.8
"""Share of its lifetime at which an SA comes to its soft expiry (`PFKEY_SOFT_LIFETIME_RATE`)."""
_RETRY_PHASE1: Final = 50.0
"""Seconds after which racoon gives a phase 1 up: five retries at ten seconds."""
_ACQUIRE: Final = 20.0
"""Seconds that the kernel waits for an SA (`net.core.xfrm_acq_expires` of the recorded hosts)."""


class Pair(NamedTuple):
    """The SPIs of a phase 2."""

    inbound: int
    outbound: int


class Speaker:
    """A peer as the gateway's log shows it: says lines, and tallies what they mean."""

    def __init__(self, log: Log, number: int, parameters: Parameters) -> None:
        self._log = log
        self._tally = log.tally
        self._host = "gateway" if parameters.gateways == 1 else f"gw{number % parameters.gateways}"
        self.random = Random(f"{parameters.seed}/{number}")
        self.lifetime = parameters.phase2_lifetime
        place = number if parameters.addresses is None else number % parameters.addresses
        self.address = f"198.{18 + place // 62_500}.{place // 250 % 250}.{place % 250 + 1}"
        self.initiator = self.random.random() < 0.5
        """Whether the gateway begins the negotiations with this peer."""
        self.natted = self.random.random() < 0.3
        self.certificate = self.random.random() < 0.7
        self.pair = Pair(0, 0)
        self.made = 0.0
        """When the pair was established."""
        self._values: dict[str, str | int] = {
            "local": LOCAL,
            "peer": self.address,
            "port": 4500 if self.natted else 500,
            "name": f"peer-{number}",
            "exchange": "Identity Protection",
            "cookies": "",
        }

    def say(self, *kinds: Kind, **values: str | int) -> None:
        """Say lines."""
        given = self._values | values if values else self._values
        self._log.host = self._host
        for kind in kinds:
            self._log.record(kind, given)

    def until(self, share: float) -> Iterator[float]:
        """Wait until a share of the pair's lifetime is over."""
        yield max(0.0, self.made + share * self.lifetime - self._log.now)

    def draw_cookies(self, *, answered: bool = True) -> None:
        """Draw the cookies of a negotiation."""
        responder = f"{self.random.getrandbits(64) | 1:016x}" if answered else "0" * 16
        self._values["cookies"] = f"{self.random.getrandbits(64):016x}:{responder}"

    def begin_phase1(self, *, initiator: bool, answered: bool = True) -> None:
        """Begin a phase 1."""
        self.draw_cookies(answered=answered)
        self.say(say.INITIATE_1 if initiator else say.RESPOND_1, say.MODE)
        self._log.debug("phase1_first_packets", self._values)

    def establish_phase1(self, *, first: bool = False) -> Iterator[float]:
        """Negotiate a phase 1 with success."""
        self.begin_phase1(initiator=self.initiator)
        yield self.random.random()
        if self.natted:
            self.say(say.VENDOR, vendor="RFC 3947")
        self.say(say.VENDOR, vendor="DPD")
        if self.natted:
            self._detect_nat(first=first)
        if self.random.random() < 0.05:
            yield 10.0
            self.say(say.RETRANSMITTED)
        self._log.debug("phase1_exchange", self._values)
        yield self.random.random() * 2
        if self.certificate:
            self.say(say.NO_CRL, say.NO_CRL_CA)
        self._log.debug("phase1_authenticated", self._values)
        self.say(say.ISAKMP_ESTABLISHED)
        self._tally.phase1_established[self.address] += 1
        self._tally.isakmp_alive.add(str(self._values["cookies"]))
        if first:
            self.say(say.INITIAL_CONTACT)

    def _detect_nat(self, *, first: bool) -> None:
        self.say(say.NATT_VERSION, say.HASH_REMOTE, say.HASH_LOCAL, say.NATD_PAYLOADS)
        self.say(say.HASH_LOCAL, say.NATD_VERIFIED, say.HASH_REMOTE, say.NATD_DIFFERS)
        self.say(say.NAT_DETECTED, say.KEEPALIVE if first else say.KEEPALIVE_FOUND)

    def expire_phase1(self) -> None:
        """End the phase 1 by its lifetime."""
        self.say(say.ISAKMP_EXPIRED, say.ISAKMP_DELETED)
        self._tally.isakmp_alive.discard(str(self._values["cookies"]))

    def establish_phase2(self) -> None:
        """Negotiate a pair of IPsec SAs, within a second as most are."""
        pair = Pair(self.random.getrandbits(28) | 0x10000000, self.random.getrandbits(28) | 0x20000000)
        self._log.debug("phase2_begin", self._values)
        self.say(say.INITIATE_2 if self.initiator else say.RESPOND_2)
        self._log.debug("phase2_first_packet", self._values)
        if self.natted:
            self.say(say.ENCAPSULATION, say.ENCMODE_OURS, say.ENCMODE_PEER)
        self._log.debug("phase2_exchange", self._values)
        self.say(say.IPSEC_ESTABLISHED, spi=pair.inbound)
        self.say(say.IPSEC_ESTABLISHED, spi=pair.outbound)
        self._tally.phase2_established[self.address] += 1
        self._tally.ipsec_alive |= set(pair)
        self.pair, self.made = pair, self._log.now

    def come_up(self) -> Iterator[float]:
        """Set both phases up from nothing."""
        if self.initiator:
            self._log.debug("acquire", self._values)
            self.say(say.QUEUED)
        yield from self.establish_phase1(first=True)
        yield 1.0
        self.establish_phase2()

    def rekey(self) -> Pair:
        """Let the pair come to its soft expiry and make the next; gives the old one."""
        old = self.pair
        self.say(say.INBOUND_EXPIRED, spi=old.inbound)
        self.establish_phase2()
        self.say(say.OUTBOUND_EXPIRED, spi=old.outbound)
        return old

    def end(self, kind: Kind, spi: int, cause: str) -> None:
        """End an IPsec SA."""
        self.say(kind, spi=spi)
        self._tally.ipsec_alive.discard(spi)
        self._tally.ipsec_ended[cause] += 1

    def die(self) -> None:
        """Find the peer dead."""
        self.say(say.DEAD, say.PURGING)
        self.end(say.PURGED_IPSEC, self.pair.outbound, "dead_peer")
        self.end(say.PURGED_IPSEC, self.pair.inbound, "dead_peer")
        self.say(say.PURGED_ISAKMP, say.ISAKMP_DELETED)
        self._tally.isakmp_alive.discard(str(self._values["cookies"]))
        self._tally.dead_peers[self.address] += 1

    def fail_phase1(self, reason: str, *kinds: Kind) -> None:
        """Fail in phase 1, with the lines that tell it."""
        self.say(*kinds)
        self._tally.phase1_failures[reason] += 1

    def fail_phase2(self, reason: str, *kinds: Kind) -> None:
        """Fail in phase 2, with the lines that tell it."""
        self.say(*kinds)
        self._tally.phase2_failures[reason] += 1


Life = Callable[[Speaker], Iterator[float]]


def healthy(peer: Speaker) -> Iterator[float]:
    """Keep a tunnel up: rekeys, a new phase 1 now and then; rarely die, and come back."""
    while True:
        yield from peer.come_up()
        while (yield from _outlives_its_phase1(peer)):
            peer.expire_phase1()
            peer.say(say.RENEGOTIATE)
            yield from peer.establish_phase1()
        yield 1.0
        yield from _unanswered(peer)


def _outlives_its_phase1(peer: Speaker) -> Generator[float, None, bool]:
    """Live as long as an ISAKMP SA does; false if the peer died before."""
    for _ in range(RENEWALS):
        if peer.random.random() < 0.01:
            yield from peer.until(SOFT * 0.75)
            peer.die()
            return False
        yield from peer.until(SOFT)
        old = peer.rekey()
        outbound_expires = peer.random.random() > 0.03
        if not outbound_expires:
            yield from peer.until(0.05)
            peer.end(say.DELETED_BY_PEER, old.outbound, "deleted_by_peer")
        yield from peer.until(1 - SOFT)
        if outbound_expires:
            peer.end(say.OUTBOUND_EXPIRED, old.outbound, "expired")
        peer.end(say.INBOUND_EXPIRED, old.inbound, "expired")
    return True


def silent(peer: Speaker) -> Iterator[float]:
    """Never answer."""
    while True:
        yield from _unanswered(peer)
        yield peer.random.uniform(200, 400)


def _unanswered(peer: Speaker) -> Iterator[float]:
    """Try a phase 1 that nobody answers, while the kernel asks for an SA again and again."""
    peer.say(say.QUEUED)
    peer.begin_phase1(initiator=True, answered=False)
    for _ in range(2):
        yield _ACQUIRE
        peer.fail_phase2("no_phase1", say.LARVAL_EXPIRED, say.STOPPED)
        peer.say(say.QUEUED_BEHIND)
    yield _RETRY_PHASE1 - 2 * _ACQUIRE
    peer.fail_phase1("no_response", say.TIME_UP)
    yield 3 * _ACQUIRE - _RETRY_PHASE1
    peer.fail_phase2("no_phase1", say.LARVAL_EXPIRED, say.STOPPED)


def wrong_key(peer: Speaker) -> Iterator[float]:
    """Answer, and stop when it comes to the pre-shared key: racoon only sees packets come again, and its time run out."""
    while True:
        peer.begin_phase1(initiator=peer.initiator)
        peer.say(say.VENDOR, vendor="DPD")
        for _ in range(4):
            yield 10.0
            peer.say(say.RETRANSMITTED)
        yield 10.0
        peer.fail_phase1("timeout", say.TIME_UP)
        yield peer.random.uniform(200, 400)


def without_key(peer: Speaker) -> Iterator[float]:
    """Ask for a phase 1 for which the gateway has no pre-shared key."""
    while True:
        peer.begin_phase1(initiator=False)
        peer.say(say.VENDOR, vendor="DPD")
        peer.fail_phase1("psk_missing", say.NO_KEY, say.PROCESS_1, say.PHASE1_FAILED)
        yield peer.random.uniform(60, 120)


def other_phase1_proposal(peer: Speaker) -> Iterator[float]:
    """Offer phase 1 proposals that the gateway does not take, five times at ten seconds."""
    while True:
        for _ in range(5):
            peer.begin_phase1(initiator=False)
            peer.say(say.VENDOR, vendor="DPD")
            peer.fail_phase1("proposal_mismatch", say.NO_SUITABLE, say.NO_VALID, say.PRE_PROCESS_1, say.PHASE1_FAILED)
            yield 10.0
        yield peer.random.uniform(200, 400)


def other_phase2_proposal(peer: Speaker) -> Iterator[float]:
    """Agree on phase 1 and never on phase 2."""
    yield from peer.establish_phase1(first=True)
    while True:
        yield 1.0
        if peer.initiator:
            peer.say(say.INITIATE_2, say.REFUSED_BY_PEER)
            yield 10.0
            peer.say(say.REFUSED_BY_PEER)
            yield 5.0
            peer.fail_phase2("proposal_mismatch", say.GIVE_UP)
            yield 5.0
            peer.say(say.LARVAL_EXPIRED)
        else:
            peer.say(say.RESPOND_2, say.TRANSFORM, say.NO_TRANSFORM, say.NOT_MATCHED, say.NO_SUITABLE_POLICY)
            peer.fail_phase2("proposal_mismatch", say.NO_PROPOSAL, say.PRE_PROCESS_2)
        yield peer.random.uniform(200, 400)


MIXTURE: Final[tuple[tuple[float, Life], ...]] = (
    (0.010, silent),
    (0.010, other_phase1_proposal),
    (0.010, other_phase2_proposal),
    (0.005, wrong_key),
    (0.005, without_key),
)
"""Share of the peers that lead each life; the others are healthy. Peers with trouble fill a log out of all proportion."""


def life_of(peer: Speaker) -> Iterator[float]:
    """Choose a peer's life, to begin some time within the first lifetime."""
    yield peer.random.random() * peer.lifetime
    draw = peer.random.random()
    for share, life in MIXTURE:
        draw -= share
        if draw < 0:
            yield from life(peer)
    yield from healthy(peer)
