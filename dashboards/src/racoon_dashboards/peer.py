"""Peer: everything that is known of one peer of one gateway."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import panels, states
from racoon_dashboards.page import About, Folded, Placed, link, of_one, page
from racoon_dashboards.palette import BLUE, ORANGE
from racoon_dashboards.panels import NO_WITNESS, Query, Text, now, rows
from racoon_dashboards.queries import KEY, ONE, grown, labelled
from racoon_dashboards.reasons import WHAT_TO_DO, WHY
from racoon_dashboards.tables import DATE, Column, grid

UID = "racoon-peer"
NO_PEER = "No such peer in this range"
PEER = ONE.peer


def _now() -> list[Placed]:
    since = states.Peers(ONE).since
    state = Text("State", "As the exporter's page calls it. Up: an IPsec SA alive in each direction.", NO_PEER)
    lasting = Text(
        "For",
        "How long phase 2 has been up or down; a rekey changes nothing. Of a peer that never was up, since the log begins.",
        "Not known",
    )
    why = Text("Why", "The most telling reason of late, the same as in alerts and on the exporter's page.", NO_PEER)
    advice = Text("What to do", "What most often mends it; the runbook says more.", NO_PEER)
    query = rows(states.one_why())
    return [
        Placed(panels.numbers(state, now(states.one_state()), words=states.STATES), 4, 5),
        Placed(panels.numbers(lasting, now(f"time() - max by ({KEY}) ({since})"), unit="s").decimals(1), 4, 5),
        Placed(panels.sentence(why, query, "why", WHY), 7, 5),
        Placed(panels.sentence(advice, query, "why", WHAT_TO_DO), 9, 5),
    ]


def _of_phases(metric: str, factor: str = "") -> str:
    """Build the query for a metric of both phases, with the phase as a label."""
    both = (labelled(f"racoon_phase{phase}_{metric}{{{PEER}}}", "phase", str(phase)) for phase in (1, 2))
    return f"{factor}max by ({KEY}, phase) ({' or '.join(both)})"


def _phases() -> list[Placed]:
    phases = grid(
        Text("Phases", "Losing phase 1 does not end phase 2: traffic flows while phase 2 is up.", NO_PEER),
        rows(_of_phases("up")),
        rows(_of_phases("state_since_timestamp_seconds", "1000 * ")),
        rows(_of_phases("last_established_timestamp_seconds", "1000 * ")),
        rows(_of_phases("last_failure_timestamp_seconds", "1000 * ")),
        rows(_of_phases("expiry_timestamp_seconds", "1000 * ")),
        columns=(
            Column("phase", "Phase", width=60),
            Column("Value #A", "State", words=states.UP_DOWN, width=80),
            Column("Value #B", "Since", DATE, width=170),
            Column("Value #C", "Last established", DATE, width=170),
            Column("Value #D", "Last failed", DATE, width=170),
            Column("Value #E", "Expires", DATE),
        ),
        hide=("peer", "gateway", "instance"),
        sort="Phase",
    )
    facts = grid(
        Text("Peer", "The addresses behind the name, whether it is expected, and whether a NAT is on the way.", NO_PEER),
        rows(f"max by ({KEY}, address) (racoon_peer_info{{{PEER}}})"),
        rows(f"max by ({KEY}, kind) (racoon_peer_expected{{{PEER}}})"),
        rows(f"max by ({KEY}) (racoon_peer_nat{{{PEER}}})"),
        columns=(
            Column("address", "Address", width=170),
            Column("kind", "Expected", width=110),
            Column("Value #C", "NAT", words=states.YES_NO, width=60),
            Column("gateway", "Gateway"),
        ),
        hide=("Value #A", "Value #B", "peer", "instance"),
        sort="Address",
    )
    return [Placed(phases, 15, 4), Placed(facts, 9, 4)]


def _timeline() -> Placed:
    text = Text(
        "Phase 1 and phase 2 over time",
        "Down wherever a phase was down for a moment of the step, so that short outages are seen in long ranges. A gap: "
        "nothing was scraped.",
        NO_PEER,
    )
    bands = (Query(f"min_over_time(racoon_phase{phase}_up{{{PEER}}}[$__rate_interval])", f"phase {phase}") for phase in (1, 2))
    return Placed(panels.states(text, *bands, words=states.UP_DOWN), 24, 5)


def _counted(name: str, by: str, legend: str) -> Query:
    return Query(grown(name, by, ONE, PEER), legend)


def _events() -> list[Placed]:
    failures = panels.events(
        Text(
            "Failures by reason", "Failed negotiations in each interval, of both phases.", "No negotiation failed in this range"
        ),
        *(_counted(f"racoon_phase{phase}_failures_total", "reason", f"{phase}: {{{{reason}}}}") for phase in (1, 2)),
    )
    established = panels.events(
        Text(
            "Established and rekeyed",
            "How often each phase was established: a peer that is up renews at a steady rate.",
            "Nothing was established in this range",
        ),
        *(_counted(f"racoon_phase{phase}_established_total", "role", f"{phase}: {{{{role}}}}") for phase in (1, 2)),
    )
    begun = panels.events(
        Text("Negotiations begun", "By phase, and by who began.", "No negotiation was begun in this range"),
        *(_counted(f"racoon_phase{phase}_negotiations_total", "role", f"{phase}: {{{{role}}}}") for phase in (1, 2)),
    )
    ended = panels.events(
        Text("SAs ended by cause", "How ISAKMP SAs (1) and IPsec SAs (2) ended.", "No SA ended in this range"),
        _counted("racoon_phase1_ended_total", "cause", "1: {{cause}}"),
        _counted("racoon_ipsec_sa_ended_total", "cause", "2: {{cause}}"),
    )
    return [Placed(panel, 12, 7) for panel in (failures, established, begun, ended)]


def _associations() -> list[Placed]:
    none = f"0 * sum(racoon_phase2_up{{{PEER}}})"
    alive = panels.lines(
        Text(
            "SAs alive",
            "Dying: past the soft lifetime, still carrying traffic. During a rekey there are twice as many.",
            NO_PEER,
        ),
        *(
            Query(f'sum(racoon_ipsec_sas{{{PEER}, state="{state}"}}) or {none}', f"IPsec {state}")
            for state in ("mature", "dying")
        ),
        Query(f"sum(racoon_phase1_sas{{{PEER}}})", "ISAKMP"),
        unit="short",
    ).decimals(0)
    took = panels.lines(
        Text(
            "Duration of phase 1",
            "How long the last phase 1 negotiation with this peer took that came up; log times have whole seconds.",
            "No phase 1 was established",
        ),
        Query(f"max(racoon_phase1_last_negotiation_duration_seconds{{{PEER}}})", "last"),
        unit="s",
    )
    trouble = panels.events(
        Text(
            "Outages and dead peers",
            "Phase 2 went from up to down; dead peer detection gave up.",
            "It did not go down in this range",
        ),
        _counted("racoon_phase2_flaps_total", "peer", "went down"),
        _counted("racoon_dead_peers_total", "peer", "found dead"),
    )
    return [Placed(alive, 8, 7), Placed(took, 6, 7), Placed(trouble, 10, 7)]


def _details() -> Folded:
    told = panels.events(
        Text("Notifications of the peer", "What the peer told racoon, by its RFC name.", "No notification in this range"),
        _counted("racoon_notifications_received_total", "notification", "{{notification}}"),
    )
    certificates = panels.events(
        Text(
            "Certificate problems",
            "What OpenSSL said of the peer's certificates and CRLs, with its number. 3, crl_missing, is only a warning.",
            "No certificate problem in this range",
        ),
        _counted("racoon_certificate_problems_total", "reason, code", "{{reason}} ({{code}})"),
    )
    return Folded("What the peer said, and its certificates", [Placed(told, 12, 7), Placed(certificates, 12, 7)])


def _beside() -> Folded:
    """What witnesses beside the log tell; empty where none is configured."""
    traffic = panels.lines(
        Text("Traffic", "Bytes per second that IPsec SAs carried, as the kernel counts them, over rekeys.", NO_WITNESS),
        Query(f"sum by (direction) (rate(racoon_ipsec_bytes_total{{{PEER}}}[$__rate_interval]))", "{{direction}}"),
        unit="Bps",
    )
    dropped = panels.events(
        Text(
            "Packets dropped",
            "Repeated, too old for the replay window, or with a wrong integrity check.",
            "None was dropped, or no witness tells",
        ),
        _counted("racoon_ipsec_errors_total", "direction, kind", "{{direction}} {{kind}}"),
    )
    crypto = grid(
        Text(
            "How it is spoken to",
            "Exchange and algorithms of each phase now. Weak: DES, 3DES, MD5, SHA-1, groups below 2,048 bits, aggressive mode "
            "with a pre-shared key.",
            NO_WITNESS,
        ),
        rows(
            f"max by ({KEY}, phase, exchange, encryption, hash, group, authentication) (racoon_peer_crypto_info{{{PEER}}})"
            f" * on ({KEY}, phase) group_left () max by ({KEY}, phase) (racoon_peer_weak_crypto{{{PEER}}})"
        ),
        columns=(
            Column("phase", "Phase", width=60),
            Column("Value", "Weak", words={"0": ("No", BLUE), "1": ("Weak", ORANGE)}, width=70),
            Column("exchange", "Exchange", width=90),
            Column("encryption", "Encryption", width=100),
            Column("hash", "Hash", width=80),
            Column("group", "Group", width=70),
            Column("authentication", "By"),
        ),
        hide=("peer", "instance", "gateway"),
        sort="Phase",
    )
    return Folded(
        "Beside the log: traffic and algorithms", [Placed(traffic, 7, 7), Placed(dropped, 6, 7), Placed(crypto, 11, 7)]
    )


def peer() -> Dashboard:
    """Build the page of one peer."""
    return page(
        About(
            UID,
            "racoon: peer",
            "One peer of a racoon gateway: its state, since when and why, negotiations, failures and SAs.",
        ),
        [*_now(), *_phases(), _timeline(), *_events(), *_associations(), _details(), _beside()],
        scope=ONE,
        variables=of_one(),
        links=[link("racoon: fleet overview", "racoon-fleet"), link("racoon: health", "racoon-health", "job", "instance")],
    )
