"""Peer: everything that is known of one peer (or of those selected)."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import parts, queries, shared
from racoon_dashboards.parts import Column, Placed, Query, Text, rows
from racoon_dashboards.queries import GATEWAY, KEY, PEER, RECENTLY, peer_state, per_minute, total

UID = "racoon-peer"
NO_PEER = "No data: is this peer in the log at all? Check its name and the time range"
NAME = "{{peer}} {{gateway}}"


def _dates() -> list[Placed]:
    def date(title: str, metric: str, says: str, never: str) -> Placed:
        text = Text(title, says, never)
        expr = f"1000 * max by ({KEY}) ({metric}{{{PEER}}}) > 0"
        return Placed(parts.numbers(text, Query(expr, NAME), unit="dateTimeAsIsoNoDateIfToday"), 4, 4)

    return [
        date(
            "Phase 1 last established",
            "racoon_phase1_last_established_timestamp_seconds",
            "When an ISAKMP SA with the peer was last established, by the clock of the log.",
            "Never since the exporter began to read",
        ),
        date(
            "Phase 2 last established",
            "racoon_phase2_last_established_timestamp_seconds",
            "When a pair of IPsec SAs with the peer was last established, by the clock of the log.",
            "Never since the exporter began to read",
        ),
        date(
            "Phase 1 last failed",
            "racoon_phase1_last_failure_timestamp_seconds",
            "When a phase 1 negotiation with the peer last failed, by the clock of the log.",
            "No failure since the exporter began to read",
        ),
    ]


def _now() -> list[Placed]:
    state = Text("State", f"Up: an IPsec SA alive in each direction. Negotiating: down, and begun within {RECENTLY}.", NO_PEER)
    phase1 = Text("Phase 1", "Whether an ISAKMP SA with the peer is alive. IPsec SAs outlive it.", NO_PEER)
    phase2 = Text("Phase 2", "Whether an IPsec SA is alive in each direction.", NO_PEER)
    nat = Text("NAT", "Whether NAT detection found a NAT between here and the peer.", "Not known: no NAT-T in the log")
    small = [
        Placed(parts.numbers(state, Query(peer_state(RECENTLY), NAME), unit="none", words=parts.STATES), 4, 4),
        Placed(parts.numbers(phase1, Query(f"racoon_phase1_up{{{PEER}}}", NAME), unit="none", words=parts.UP_DOWN), 3, 4),
        Placed(parts.numbers(phase2, Query(f"racoon_phase2_up{{{PEER}}}", NAME), unit="none", words=parts.UP_DOWN), 3, 4),
    ]
    last = Placed(parts.numbers(nat, Query(f"racoon_peer_nat{{{PEER}}}", NAME), unit="none", words=parts.YES_NO), 2, 4)
    return [*small, *_dates(), last]


def _timeline() -> Placed:
    text = Text(
        "Phase 1 and phase 2 over time",
        "Losing phase 1 does not end phase 2: traffic flows while phase 2 is up.",
        NO_PEER,
    )
    panel = parts.states(
        text,
        Query(f"racoon_phase1_up{{{PEER}}}", f"{NAME} phase 1"),
        Query(f"racoon_phase2_up{{{PEER}}}", f"{NAME} phase 2"),
        words=parts.UP_DOWN,
    )
    return Placed(panel, 24, 6)


def _negotiations() -> list[Placed]:
    begun = parts.lines(
        Text(
            "Negotiations",
            "Begun and established per minute, by phase and by who began it.",
            "No negotiation in this range, or only the first of its kind",
        ),
        *(
            Query(per_minute(f"racoon_phase{phase}_{what}_total", "role"), f"phase {phase} {word}, {{{{role}}}}")
            for phase in (1, 2)
            for what, word in (("negotiations", "begun"), ("established", "established"))
        ),
        unit="cpm",
    )
    failures = parts.lines(
        Text(
            "Failures by reason", "Failed negotiations per minute, by phase and reason.", "No negotiation failed in this range"
        ),
        Query(per_minute("racoon_phase1_failures_total", "reason"), "phase 1 {{reason}}"),
        Query(per_minute("racoon_phase2_failures_total", "reason"), "phase 2 {{reason}}"),
        unit="cpm",
        stacked=True,
    )
    bucket = total("racoon_phase1_negotiation_duration_seconds_bucket", "le, role", selector=GATEWAY)
    duration = parts.numbers(
        Text(
            "Duration of phase 1",
            "Half and 95 of 100 phase 1 negotiations in the range took at most this long. Of all peers of the gateway: the "
            "histogram has no peer.",
            "No phase 1 was established in this range, or only the first",
        ),
        *(
            Query(f"histogram_quantile({quantile}, {bucket}) >= 0", f"{word}, {{{{role}}}}", instant=True)
            for quantile, word in ((0.5, "half"), (0.95, "95 %"))
        ),
        unit="s",
    )
    return [Placed(begun, 9, 7), Placed(failures, 9, 7), Placed(duration, 6, 7)]


def _associations() -> list[Placed]:
    alive = parts.lines(
        Text(
            "SAs alive",
            "ISAKMP SAs, and IPsec SAs by protocol and state. Dying: past the soft lifetime, still carrying traffic. During a "
            "rekey there are twice as many.",
            NO_PEER,
        ),
        Query(f"sum by (protocol, state) (racoon_ipsec_sas{{{PEER}}})", "{{protocol}} {{state}}"),
        Query(f"sum(racoon_phase1_sas{{{PEER}}})", "ISAKMP"),
        unit="short",
    )
    rekeys = parts.lines(
        Text(
            "Rekeys",
            "Establishments per hour of each phase, over an hour: a peer that is up renews at a steady rate.",
            "Nothing was established in this range",
        ),
        *(
            Query(total(f"racoon_phase{phase}_established_total", "peer, gateway", window="1h"), f"{NAME} phase {phase}")
            for phase in (1, 2)
        ),
        unit="short",
    )
    ended = parts.lines(
        Text("SAs ended by cause", "SAs that ended per minute, and how.", "No SA ended in this range"),
        Query(per_minute("racoon_phase1_ended_total", "cause"), "ISAKMP {{cause}}"),
        Query(per_minute("racoon_ipsec_sa_ended_total", "cause"), "IPsec {{cause}}"),
        unit="cpm",
        stacked=True,
    )
    return [Placed(alive, 8, 7), Placed(rekeys, 8, 7), Placed(ended, 8, 7)]


def _trouble() -> list[Placed]:
    dead = parts.lines(
        Text(
            "Dead peers and flaps",
            "Per minute: dead peer detection gave up, and phase 2 went from up to down.",
            "The peer was neither declared dead nor did it flap in this range",
        ),
        Query(per_minute("racoon_dead_peers_total", "peer, gateway"), f"{NAME} dead"),
        Query(per_minute("racoon_phase2_flaps_total", "peer, gateway"), f"{NAME} flap"),
        unit="cpm",
    )
    notifications = parts.grid(
        Text(
            "Notifications of the peer",
            "What the peer told racoon in the range, by its RFC name, at least this often.",
            "No notification in this range",
        ),
        rows(queries.first_and_more("racoon_notifications_received_total", f"{KEY}, notification")),
        columns=(Column("peer", "Peer"), Column("notification", "Notification"), Column("Value", "Times", "short", width=70)),
        hide=("instance",),
    )
    certificates = shared.certificate_problems(
        "What OpenSSL said of the peer's certificates and CRLs in the range, at least this often.",
    )
    addresses = parts.grid(
        Text("Addresses", "Which addresses stand behind the name, and whether the peer is expected.", NO_PEER),
        rows(f"max by ({KEY}, address) (racoon_peer_info{{{PEER}}})"),
        rows(f"max by ({KEY}, kind) (racoon_peer_expected{{{PEER}}})"),
        columns=(
            Column("peer", "Peer"),
            Column("address", "Address"),
            Column("kind", "Expected"),
            Column("gateway", "Gateway"),
            Column("instance", "Instance"),
        ),
        hide=("Value #A", "Value #B"),
        unit="none",
    )
    return [Placed(dead, 6, 7), Placed(notifications, 6, 7), Placed(certificates, 6, 7), Placed(addresses, 6, 7)]


def _beside() -> list[Placed]:
    """What witnesses beside the log tell; empty where none is configured."""
    nobody = "No witness tells: see docs/witnesses.md"
    traffic = parts.lines(
        Text(
            "Traffic",
            "Bytes per second that IPsec SAs carried, as the kernel counts them, over rekeys.",
            nobody,
        ),
        Query(
            f"sum by ({KEY}, direction) (rate(racoon_ipsec_bytes_total{{{PEER}}}[$__rate_interval]))",
            f"{NAME} {{{{direction}}}}",
        ),
        unit="Bps",
    )
    dropped = parts.lines(
        Text(
            "Packets dropped",
            "Per minute: repeated, too old for the replay window, or with a wrong integrity check.",
            "No packet was dropped, or no witness tells",
        ),
        Query(per_minute("racoon_ipsec_errors_total", "direction, kind"), "{{direction}} {{kind}}"),
        unit="cpm",
        stacked=True,
    )
    expiry = parts.numbers(
        Text(
            "Youngest SA expires in",
            "Hard expiry of the peer's youngest ISAKMP SA (phase 1) and IPsec SA (phase 2), as racoon and the kernel have it.",
            nobody,
        ),
        *(
            Query(
                f"max by ({KEY}) (racoon_phase{phase}_expiry_timestamp_seconds{{{PEER}}}) - time()",
                f"phase {phase}",
                instant=True,
            )
            for phase in (1, 2)
        ),
        unit="s",
    )
    crypto = parts.grid(
        Text(
            "How it is spoken to",
            "Exchange and algorithms of each phase now. Weak: DES, 3DES, MD5, SHA-1, groups below 2,048 bits, aggressive mode "
            "with a pre-shared key.",
            nobody,
        ),
        rows(
            f"max by ({KEY}, phase, exchange, encryption, hash, group, authentication) (racoon_peer_crypto_info{{{PEER}}})"
            f" * on ({KEY}, phase) group_left () max by ({KEY}, phase) (racoon_peer_weak_crypto{{{PEER}}})"
        ),
        columns=(
            Column("phase", "Phase", width=70),
            Column("Value", "Weak", "none", words={"0": ("No", parts.BLUE), "1": ("Weak", parts.ORANGE)}, width=80),
            Column("exchange", "Exchange"),
            Column("encryption", "Encryption"),
            Column("hash", "Hash"),
            Column("group", "Group"),
            Column("authentication", "Authentication"),
            Column("peer", "Peer"),
        ),
        hide=("instance", "gateway"),
        unit="none",
    )
    return [Placed(traffic, 8, 7), Placed(dropped, 5, 7), Placed(expiry, 4, 7), Placed(crypto, 7, 7)]


def peer() -> Dashboard:
    """Build the page of one peer."""
    return parts.page(
        UID,
        "racoon: peer",
        "State, negotiations, failures, SAs and notifications of one peer of a racoon gateway.",
        [*_now(), _timeline(), *_negotiations(), *_associations(), *_trouble(), *_beside()],
        peers=True,
        since="now-6h",
    )
