"""Whatever racoon does with several peers at once, nobody is blamed for another's time-out, and each is counted once.

The machine knows whose negotiations time out; racoon's lines do not say it. It prints what racoon would, and asks the state.
"""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from racoon_exporter.engine import Engine, restore, to_json
from tests.exporter.reading import L, block

PEERS = st.sampled_from(["198.51.100.7", "203.0.113.9", "2001:db8::1"])
ROLES = st.sampled_from(["initiate", "respond"])
PATIENCE = st.sampled_from([50, 51])
"""Seconds after which racoon gives a negotiation up: its times have whole seconds."""


class UnderWay(NamedTuple):
    """A negotiation, as racoon knows it."""

    gives_up: datetime
    peer: str
    role: str


class BlameMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(UTC)
        self.now = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
        self.under_way: list[UnderWay] = []
        self.failed: Counter[str] = Counter()
        self.lines = 0
        self.cookies = 0
        self.latest: dict[tuple[str, str], float] = {}

    def say(self, text: str) -> None:
        self.lines += 1
        self.engine.feed(block(f"{self.now:%Y-%m-%d %H:%M:%S}: {text}\n".encode(), first=self.lines))
        self.engine.flush()

    def new_cookies(self, *, answered: bool) -> str:
        self.cookies += 1
        return f"{self.cookies:016x}:{self.cookies if answered else 0:016x}"

    @initialize(one=PEERS, other=PEERS, role=ROLES)
    def two_begin(self, one: str, other: str, role: str) -> None:
        """As where traffic wants several peers at once: their time-outs are told apart by nothing but what else happens."""
        self.begins(peer=one, role=role, patience=51)
        self.begins(peer=other, role=role, patience=50)

    @rule(peer=PEERS, role=ROLES, patience=PATIENCE)
    def begins(self, peer: str, role: str, patience: int) -> None:
        self.under_way.append(UnderWay(self.now + timedelta(seconds=patience), peer, role))
        self.say(f"INFO: {role} new phase 1 negotiation: {L}[500]<=>{peer}[500]")

    def newest(self, peer: str) -> UnderWay | None:
        return next((one for one in reversed(self.under_way) if one.peer == peer), None)

    @rule(peer=PEERS)
    def comes_up(self, peer: str) -> None:
        if (one := self.newest(peer)) is not None:
            self.under_way.remove(one)
            self.say(f"INFO: ISAKMP-SA established {L}[500]-{peer}[500] spi:{self.new_cookies(answered=True)}")

    @rule(peer=PEERS)
    def fails_by_name(self, peer: str) -> None:
        if (one := self.newest(peer)) is not None:
            self.under_way.remove(one)
            self.failed[peer] += 1
            self.say(f"[{peer}] ERROR: phase1 negotiation failed.")

    @rule(seconds=st.sampled_from([1, 2, 20, 49, 50, 51]))
    def time_passes(self, seconds: int) -> None:
        """What is given up in the last of these seconds may still come up in it."""
        until = self.now + timedelta(seconds=seconds)
        while self.under_way and min(self.under_way).gives_up < until:
            self.now = min(self.under_way).gives_up
            self.gives_up()
        self.now = until
        self.say("INFO: received Vendor ID: DPD")

    @rule()
    def gives_up(self) -> None:
        if self.under_way and min(self.under_way).gives_up <= self.now:
            one = min(self.under_way)
            self.under_way.remove(one)
            self.failed[one.peer] += 1
            self.say(f"ERROR: phase1 negotiation failed due to time up. {self.new_cookies(answered=one.role == 'respond')}")

    @rule()
    def restarts(self) -> None:
        fresh = Engine.like(self.engine)
        restore(fresh, json.loads(json.dumps(to_json(self.engine))))
        self.engine = fresh

    def blamed(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for racoon in self.engine.state.racoons.values():
            for address, peer in racoon.peers.items():
                found[address] += sum(count for key, count in peer.counters.items() if key[0] == "phase1_failures")
        return found

    @invariant()
    def nobody_is_blamed_for_another(self) -> None:
        for address, count in self.blamed().items():
            assert address == "unattributed" or count <= self.failed[address]

    @invariant()
    def no_time_falls(self) -> None:
        for racoon in self.engine.state.racoons.values():
            for address, peer in racoon.peers.items():
                for name in ("phase1_last_failure", "phase1_last_established"):
                    value = getattr(peer, name) or 0.0
                    assert value >= self.latest.get((address, name), 0.0)
                    self.latest[address, name] = value

    @invariant()
    def what_is_over_stands_in_the_order_of_its_end(self) -> None:
        ends = [one.ended or 0.0 for one in self.engine.state.archive.negotiations]
        assert ends == sorted(ends)

    def teardown(self) -> None:
        self.engine.finish()
        assert sum(self.blamed().values()) == sum(self.failed.values())


BlameMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestBlame = BlameMachine.TestCase
