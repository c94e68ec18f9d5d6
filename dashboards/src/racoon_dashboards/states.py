"""How it is with a peer, in PromQL and in words: the same words as on the exporter's page."""

from dataclasses import dataclass

from racoon_dashboards.palette import BLUE, GREY, ORANGE, SKY, VERMILION, Words
from racoon_dashboards.queries import KEY, LONGEST, MANY, ONE, SITE, Scope, away, labelled, last_scraped, sites_away

DOWN, RETRYING, NEVER, UNKNOWN, AWAY, NOBODY, FAILING, UP, IDLE = range(9)

STATES: Words = {
    str(DOWN): ("Down", VERMILION),
    str(RETRYING): ("Down, retrying", VERMILION),
    str(NEVER): ("Never up", VERMILION),
    str(UNKNOWN): ("Unknown", ORANGE),
    str(AWAY): ("Exporter down", VERMILION),
    str(NOBODY): ("Nobody expected", ORANGE),
    str(FAILING): ("Failing", ORANGE),
    str(UP): ("Up", BLUE),
    str(IDLE): ("Not connected", GREY),
}
UP_DOWN: Words = {"0": ("Down", VERMILION), "1": ("Up", BLUE)}
YES_NO: Words = {"0": ("No", GREY), "1": ("Yes", SKY)}
RUNNING: Words = {
    "0": ("Stopped", VERMILION),
    "1": ("Running", BLUE),
    "2": ("No line yet", ORANGE),
    "3": ("Exporter down", VERMILION),
}

RETRIED = 300
"""Seconds for which a peer that failed counts as retrying: racoon gives up on a phase 1 after about a minute."""
ALL_ITS_PEERS = "all its peers"
RUNBOOKS_ON_THE_WEB = "github.com/racoon-exporter/racoon-exporter/blob/main/docs/runbooks"
"""Those of an exporter that is away."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Queries about the state of peers within a scope."""

    scope: Scope

    def _metric(self, name: str) -> str:
        return f"{name}{{{self.scope.peer}}}"

    @property
    def up(self) -> str:
        """Whether phase 2 is up."""
        return self._metric("racoon_phase2_up")

    @property
    def permanent(self) -> str:
        """Peers that must be up, whether anything was heard of them or not."""
        return f'max by ({KEY}) (racoon_peer_expected{{{self.scope.peer}, kind="permanent"}})'

    @property
    def not_up(self) -> str:
        """Permanent peers that are not known to be up."""
        return f"({self.permanent} unless on ({KEY}) {self.up} == 1)"

    @property
    def seeing(self) -> str:
        """Gateways whose log tells of SAs."""
        return f"racoon_log_level_quiet{{{self.scope.gateway}}} == 0"

    @property
    def since(self) -> str:
        """Time at which phase 2 came to be up or down."""
        return self._metric("racoon_phase2_state_since_timestamp_seconds")

    @property
    def was_up(self) -> str:
        """Peers that were up once."""
        return self._metric("racoon_phase2_last_established_timestamp_seconds")

    @property
    def failed_lately(self) -> str:
        """Peers of which a negotiation of either phase has just failed."""
        failed = (self._metric(f"racoon_phase{phase}_last_failure_timestamp_seconds") for phase in (1, 2))
        return "(" + " or ".join(f"{one} > time() - {RETRIED}" for one in failed) + ")"

    def state_of_not_up(self) -> str:
        """Build the query for the state of each permanent peer that is not up."""
        return _first(
            f"{UNKNOWN} * ({self.not_up} unless on ({SITE}) {self.seeing})",
            f"{NEVER} * ({self.not_up} unless on ({KEY}) {self.was_up})",
            f"{RETRYING} * ({self.not_up} and on ({KEY}) {self.failed_lately})",
            f"{DOWN} * {self.not_up}",
        )

    def down_for(self) -> str:
        """Build the query for the seconds since each of them went down; of one that never was up, since the log begins."""
        return f"time() - max by ({KEY}) ({self.since} and on ({KEY}) {self.not_up} and on ({SITE}) {self.seeing})"

    def last_up(self) -> str:
        """Build the query for the time, in milliseconds, at which each of them was last up."""
        return f"1000 * max by ({KEY}) ({self.since} and on ({KEY}) {self.not_up} and on ({KEY}) {self.was_up})"

    def reason_of_not_up(self) -> str:
        """Build the query for the one reason of each of them, as the label `reason`, and its runbook, as `runbook`."""
        stopped = f"{self.not_up} and on ({SITE}) racoon_daemon_up{{{self.scope.gateway}}} == 0"
        quiet = f"{self.not_up} and on ({SITE}) racoon_log_level_quiet{{{self.scope.gateway}}} == 1"
        return _first(
            _because(stopped, "racoon_stopped", "RacoonDaemonDown"),
            _because(quiet, "log_too_quiet", "RacoonLogTooQuiet"),
            self.reason(f"and on ({KEY}) {self.not_up}"),
            _because(f"{self.not_up} unless on ({KEY}) {self.was_up}", "nothing_logged", "RacoonPeerNeverUp"),
            _because(self.not_up, "nothing_logged", "RacoonPhase1Down"),
        )

    def reason(self, which: str = "") -> str:
        """Build the query for each peer's reason and the runbook of it at the exporter."""
        reasons = f"max by ({KEY}, phase, reason) ({self._metric('racoon_peer_reason')}) {which}"
        return f'label_join({labelled(reasons, "path", "runbooks")}, "runbook", "/", "instance", "path", "phase", "reason")'


def _first(*queries: str) -> str:
    """Build the query that answers for each peer what the first of some does that knows it."""
    return f" or on ({KEY}) ".join(queries)


def _because(which: str, reason: str, page: str) -> str:
    return labelled(labelled(which, "reason", reason), "runbook", f"$1/runbooks/{page}", "instance", "(.*)")


FLEET = Peers(MANY)


def trouble() -> tuple[str, ...]:
    """Build the queries for all that is not up: state, seconds, reason, and when it was last up.

    Gateways whose exporter is away are rows as well, and so is that nobody is expected.
    """
    lost = labelled(sites_away(MANY), "peer", ALL_ITS_PEERS)
    nobody = labelled(f"absent({FLEET.permanent})", "peer", "none: --expect-peer")
    states = f"max by ({KEY}) ({_first(FLEET.state_of_not_up(), f'{AWAY} * {lost}', f'{NOBODY} * {nobody}')})"
    gone = labelled(f"({sites_away(MANY)} * 0 + on (instance, job) group_left () {last_scraped(MANY)})", "peer", ALL_ITS_PEERS)
    page = f"{RUNBOOKS_ON_THE_WEB}/RacoonExporterDown.md"
    away_because = labelled(labelled(lost, "reason", "exporter_down"), "runbook", page)
    return (
        _addressed(states),
        _first(FLEET.down_for(), f"time() - {gone}"),
        f"max by ({KEY}, phase, reason, runbook) ({_first(FLEET.reason_of_not_up(), away_because)})",
        _first(FLEET.last_up(), f"1000 * {gone}"),
    )


def _addressed(expr: str) -> str:
    """Add the label `where`, what people call the gateway, and `board`, where a peer has its own: both in every row."""
    named = labelled(labelled(expr, "where", "$1", "instance", "(.*)"), "where", "$1", "gateway", "(.+)")
    board = labelled(named, "board", "racoon-peer?var-job=$1", "job", "(.*)")
    board = f'label_join({board}, "board", "&var-instance=", "board", "instance")'
    return f'label_join({board}, "board", "&var-gateway=", "board", "gateway")'


def others() -> tuple[str, ...]:
    """Build the queries for roaming and unexpected peers: state with the kind, seconds, reason."""
    up, expected = FLEET.up, f"racoon_peer_expected{{{MANY.peer}"
    stranger = f"{up} unless on ({KEY}) {expected}}}"
    named = f'(max by ({KEY}, kind) ({expected}, kind="roaming"}}) or on ({KEY}) {labelled(stranger, "kind", "unexpected")})'
    failing = f"0 * ({up} and on ({KEY}) racoon_peer_reason{{{MANY.peer}}})"
    known = f'({FLEET.was_up} or {expected}, kind="roaming"}})'
    state = _first(f"{FAILING} + {failing}", f"{UP} * ({up} == 1)", f"{IDLE} + ({up} == 0 and on ({KEY}) {known})")
    shown = f"max by ({KEY}, kind) ({named} * 0 + on ({KEY}) group_left () ({state}))"
    which = f'and on ({KEY}) ({up} unless on ({KEY}) {expected}, kind="permanent"}})'
    return (
        _addressed(shown),
        f"time() - max by ({KEY}) ({FLEET.since} {which} and on ({KEY}) {FLEET.was_up})",
        f"max by ({KEY}, phase, reason, runbook) ({FLEET.reason(which)})",
    )


def one_state() -> str:
    """Build the query for the state of the one peer of a board."""
    peer = Peers(ONE)
    failing = f"{peer.up} and on ({KEY}) racoon_peer_reason{{{ONE.peer}}}"
    lost = labelled(sites_away(ONE), "peer", "$peer")
    state = _first(
        peer.state_of_not_up(),
        f"{FAILING} + 0 * ({failing})",
        f"{UP} * ({peer.up} == 1)",
        f"{IDLE} + ({peer.up} == 0)",
        f"{AWAY} * {lost}",
    )
    return f"max by ({KEY}) ({state})"


def one_why() -> str:
    """Build the query for why the one peer of a board is as it is, as the label `why`: phase and reason, or one word."""
    peer = Peers(ONE)
    reason = f'label_join(max by ({KEY}, phase, reason) (racoon_peer_reason{{{ONE.peer}}}), "why", " ", "phase", "reason")'
    stopped = f"{peer.not_up} and on ({SITE}) racoon_daemon_up{{{ONE.gateway}}} == 0"
    blind = f"{peer.not_up} unless on ({SITE}) {peer.seeing}"
    why = _first(
        labelled(stopped, "why", "stopped"),
        labelled(blind, "why", "quiet"),
        reason,
        labelled(f"{peer.not_up} unless on ({KEY}) {peer.was_up}", "why", "never"),
        labelled(peer.not_up, "why", "down"),
        labelled(f"{peer.up} == 1", "why", "up"),
        labelled(f"{peer.up} == 0", "why", "idle"),
        labelled(labelled(sites_away(ONE), "peer", "$peer"), "why", "away"),
    )
    return f"max by ({KEY}, why) ({why})"


def counted_up() -> str:
    """Build the query for how many permanent peers are up, as the labels `up` and `all`; its value is how many are not.

    Those of an exporter that is away are not up.
    """
    permanent = f'racoon_gateway_peers{{{MANY.gateway}, kind="permanent"}}'
    lost = f"last_over_time({permanent}[{LONGEST}]) and on (instance, job) {away(MANY)}"
    every = f"sum({permanent} or {lost})"
    up = f"(sum(({FLEET.up} == bool 1) and on ({KEY}) {FLEET.permanent}) or vector(0))"
    words = f'count_values("up", {up}) * on () group_left (all) count_values("all", {every})'
    return f"0 * {words} + on () group_left () ({every} - {up})"


__all__ = [
    "FLEET",
    "RUNNING",
    "STATES",
    "UP_DOWN",
    "YES_NO",
    "Peers",
    "counted_up",
    "one_state",
    "one_why",
    "others",
    "trouble",
]
