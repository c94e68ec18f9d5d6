"""The state tables: what happens to negotiations and SAs, and which events tell why a negotiation fails.

`docs/sa-states.md` is drawn from these. `move` executes them; a test lets every event class and every timer meet every state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final, Literal, Protocol, TypeVar, cast

from racoon_parsers.event_classes import EVENT_CLASSES

NegotiationState = Literal["waiting", "negotiating", "established", "failed", "abandoned"]
IsakmpState = Literal["established", "dying", "purging", "ended"]
IpsecState = Literal["mature", "dying", "ended"]

NegotiationEvent = Literal[
    "begun", "came_up", "failed", "login_refused", "half_failed", "half_left", "daemon_ended", "silence", "crowded_out"
]
IsakmpEvent = Literal[
    "rekeying",
    "teardown",
    "purged",
    "expired",
    "deleted",
    "flushed",
    "login_refused",
    "daemon_ended",
    "silence",
    "lifetime",
    "vanished",
    "crowded_out",
    "heard_of",
]
IpsecEvent = Literal[
    "soft_expired", "hard_expired", "purged", "deleted", "daemon_ended", "lifetime", "vanished", "crowded_out", "heard_of"
]

State = TypeVar("State", bound=str)
Happening = TypeVar("Happening", bound=str)
Table = Mapping[State, Mapping[Happening, State]]
"""State, what happens: the next state. A pair that is not here changes nothing."""


class Stateful(Protocol[State]):
    """What has a state."""

    state: State


Function = TypeVar("Function", bound=Callable[..., Any])


def with_own_code(function: Function) -> Function:
    """Copy a function for those who call it for one kind of thing: Python fits code to the class that it meets (PEP 659)."""
    assert isinstance(function, FunctionType)
    copied = FunctionType(function.__code__.replace(), function.__globals__, function.__name__, function.__defaults__)
    return cast("Function", copied)


def move(table: Table[State, Happening], thing: Stateful[State], happening: Happening) -> bool:
    """Move a negotiation or an SA as its table says, and tell whether it moved. Nothing else sets a state."""
    following = table[thing.state].get(happening)
    if following is None:
        return False
    thing.state = following
    return True


NEGOTIATION: Final[Table[NegotiationState, NegotiationEvent]] = {
    "waiting": {
        "begun": "negotiating",
        "failed": "failed",
        "daemon_ended": "abandoned",
        "silence": "abandoned",
        "crowded_out": "abandoned",
    },
    "negotiating": {
        "came_up": "established",
        "failed": "failed",
        "half_failed": "failed",
        "half_left": "abandoned",
        "daemon_ended": "abandoned",
        "silence": "abandoned",
        "crowded_out": "abandoned",
    },
    "established": {"login_refused": "failed"},
    "failed": {},
    "abandoned": {},
}
"""A phase 2 waits until there is a phase 1."""

ISAKMP: Final[Table[IsakmpState, IsakmpEvent]] = {
    "established": {
        "rekeying": "dying",
        "teardown": "purging",
        "expired": "ended",
        "deleted": "ended",
        "flushed": "ended",
        "login_refused": "ended",
        "daemon_ended": "ended",
        "lifetime": "ended",
        "vanished": "ended",
        "crowded_out": "ended",
    },
    "dying": {
        "teardown": "purging",
        "expired": "ended",
        "deleted": "ended",
        "flushed": "ended",
        "login_refused": "ended",
        "daemon_ended": "ended",
        "lifetime": "ended",
        "vanished": "ended",
        "crowded_out": "ended",
    },
    "purging": {
        "purged": "ended",
        "expired": "ended",
        "deleted": "ended",
        "flushed": "ended",
        "login_refused": "ended",
        "daemon_ended": "ended",
        "silence": "ended",
        "vanished": "ended",
        "crowded_out": "ended",
    },
    "ended": {"heard_of": "established"},
}
"""`purged` without `purging` before it is another SA's: the peer reuses cookies, or lines are missing."""

IPSEC: Final[Table[IpsecState, IpsecEvent]] = {
    "mature": {
        "soft_expired": "dying",
        "hard_expired": "ended",
        "purged": "ended",
        "deleted": "ended",
        "daemon_ended": "ended",
        "lifetime": "ended",
        "vanished": "ended",
        "crowded_out": "ended",
    },
    "dying": {
        "hard_expired": "ended",
        "purged": "ended",
        "deleted": "ended",
        "daemon_ended": "ended",
        "lifetime": "ended",
        "vanished": "ended",
        "crowded_out": "ended",
    },
    "ended": {"heard_of": "mature"},
}
"""The first expiry is the soft one, the second the end (RFC 2367, section 2.3.3)."""


@dataclass(frozen=True, slots=True)
class Cause:
    """How what happens is known: by lines of these classes, by the passing of time, by either, or by a witness."""

    classes: tuple[str, ...]
    because: str
    """What racoon does then, or why it must have happened."""
    by_time: bool = False
    by_witness: bool = False
    """Whether a witness beside the log tells it (`findings.py`)."""


NEGOTIATION_EVENTS: Final[dict[NegotiationEvent, Cause]] = {
    "begun": Cause(("phase2_start",), "quick mode takes up the wish that waited for phase 1"),
    "came_up": Cause(
        ("phase1_established", "ipsec_sa_established"),
        "phase 1: its SA is there; phase 2: so is the outbound SA, the second of the pair",
    ),
    "failed": Cause(
        ("phase1_failed", "phase2_failed", "phase2_expired", "phase2_rekey", "no_config", "phase1_established"),
        "racoon gave it up. A time-out that names only cookies waits until other lines tell whose it is, an established "
        "phase 1 of another peer among them",
    ),
    "login_refused": Cause(("xauth_login_failed",), "phase 1 was up, and the login that was asked for then is refused"),
    "half_failed": Cause(
        ("ipsec_sa_established",),
        "its outbound SA never came, and a line told why: a later pair comes, or nothing is heard of it for 10 minutes",
        by_time=True,
    ),
    "half_left": Cause(("ipsec_sa_established",), "a later pair comes, and its outbound SA never did"),
    "daemon_ended": Cause(
        ("daemon_shutdown", "daemon_start", "daemon_listen", "config_error"),
        "the daemon stopped, crashed, could not start, or (0.5, 0.6) was told to read its configuration again",
    ),
    "silence": Cause((), "nothing was heard of it for 10 minutes", by_time=True),
    "crowded_out": Cause(
        ("phase1_start", "phase2_start"),
        "more negotiations are under way than are kept: the one of the longest-waiting peer goes",
    ),
}
ISAKMP_EVENTS: Final[dict[IsakmpEvent, Cause]] = {
    "rekeying": Cause(("phase1_rekey",), "80 % of its lifetime are over, and there is phase 2 to go on with"),
    "teardown": Cause(("phase1_purge",), "racoon takes it and its IPsec SAs down (`isakmp.c: purge_remote()`)"),
    "purged": Cause(("phase1_purged",), "the teardown is over"),
    "expired": Cause(("phase1_expired",), "its lifetime is over, or the peer deleted it: racoon prints the same"),
    "deleted": Cause(("phase1_deleted",), "it is gone"),
    "flushed": Cause(
        ("admin_command", "daemon_listen"),
        "0.5 says which one `racoonctl delete-sa isakmp` takes, and nothing more; 0.5 and 0.6 drop all at SIGHUP, and only "
        "sockets that are opened again tell (`session.c: check_sigreq()`)",
    ),
    "login_refused": Cause(("xauth_login_failed",), "both sides drop it without a line"),
    "daemon_ended": Cause(
        ("daemon_signal", "daemon_shutdown", "daemon_start", "config_error"), "the daemon stopped, or crashed: a new one starts"
    ),
    "silence": Cause((), "a teardown that says no more held no IPsec SA (`isakmp.c: purge_remote()`)", by_time=True),
    "lifetime": Cause((), "its lifetime is known, and over, and no line told of its end", by_time=True),
    "vanished": Cause((), "racoon has it no more at two looks in a row, and no line told of its end", by_witness=True),
    "crowded_out": Cause(("phase1_established",), "more SAs are alive than are kept: the oldest goes"),
    "heard_of": Cause(
        ("phase1_rekey", "phase1_purge", "phase1_purged", "phase1_expired", "phase1_deleted"),
        "a line speaks of one that only its lifetime ended, or opened sockets: it lives",
    ),
}
IPSEC_EVENTS: Final[dict[IpsecEvent, Cause]] = {
    "soft_expired": Cause(("ipsec_sa_expired",), "the first expiry; it carries traffic until the second"),
    "hard_expired": Cause(
        ("ipsec_sa_expired",),
        "the second expiry, or the first of one that a crash left behind and that has reached its known lifetime",
    ),
    "purged": Cause(("ipsec_sa_purged",), "racoon removed it: at a teardown, or as the peer asked"),
    "deleted": Cause(("ipsec_sa_deleted",), "somebody else removed it from the kernel"),
    "daemon_ended": Cause(("daemon_signal", "daemon_shutdown"), "an orderly end flushes the kernel's SAs; a crash does not"),
    "lifetime": Cause((), "its lifetime is known, and over, and no line told of its end", by_time=True),
    "vanished": Cause((), "the kernel has it no more at two looks in a row, and no line told of its end", by_witness=True),
    "crowded_out": Cause(("ipsec_sa_established",), "more SAs are alive than are kept: the oldest goes"),
    "heard_of": Cause(("ipsec_sa_expired",), "a line speaks of one that only its lifetime ended: it lives"),
}
"""What can happen, and which lines tell of it; `docs/sa-states.md` shows it beside the tables."""

ALIVE: Final = frozenset({"mature", "dying", "established", "purging"})
"""States in which an SA exists."""

EVIDENCE: Final[dict[str, int | None]] = {
    name: EVENT_CLASSES[name].phase
    for name in (
        "auth_failed",
        "cert_error",
        "id_mismatch",
        "no_config",
        "no_policy",
        "proposal_mismatch",
        "malformed_packet",
        "unexpected_packet",
        "notify_received",
        "xauth_error",
        "kernel_error",
        "crypto_error",
        "negotiation_error",
    )
}
"""Event classes that may tell why a negotiation fails, with the phase they speak of where it is always the same."""
