"""Fleet overview: what is down and why, on one laptop screen."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import parts, queries, shared
from racoon_dashboards.parts import Column, Placed, Query, Text, rows
from racoon_dashboards.queries import KEY, PEER, RECENTLY, TARGET, peer_state, per_minute, total

UID = "racoon-fleet"
PEER_PAGE = (
    "/d/racoon-peer?var-peer=${__data.fields.Peer}&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
    "&${gateway:queryparam}&${__url_time_range}"
)
EXPECTED = f" and on ({KEY}) racoon_peer_expected{{{PEER}}}"
PERMANENT = f' and on ({KEY}) racoon_peer_expected{{{PEER}, kind="permanent"}}'
UNEXPECTED = f" unless on ({KEY}) racoon_peer_expected{{{PEER}}}"
NO_EXPECTED = "No expected peers: give racoon-exporter your racoon.conf or --expect-peer"
NO_EXPORTER = "No data: is racoon-exporter scraped? See Exporter and daemon health"


def _numbers() -> list[Placed]:
    up = f"racoon_phase2_up{{{PEER}}}"
    down_now = Text(
        "Permanent peers down",
        "Expected permanent peers without an IPsec SA alive in each direction. The table below says which, and why.",
        NO_EXPECTED,
    )
    panels = [
        parts.numbers(down_now, Query(f"sum(({up} == bool 0){PERMANENT})"), steps=parts.ANY_IS_BAD),
        parts.numbers(
            Text(
                "Expected peers up",
                "Expected peers, permanent and roaming, with an IPsec SA alive in each direction.",
                NO_EXPECTED,
            ),
            Query(f"sum(({up} == bool 1){EXPECTED})"),
        ),
        parts.numbers(
            Text(
                "Negotiating",
                f"Peers that are down and began a negotiation of either phase within {RECENTLY}.",
                "None",
            ),
            Query(f"count({up} == 0 and on ({KEY}) ({queries.negotiating(RECENTLY)}))"),
        ),
        parts.numbers(
            Text("All peers up", "All peers with an IPsec SA alive in each direction, expected or not.", NO_EXPORTER),
            Query(f"sum({up})"),
        ),
        parts.numbers(
            Text(
                "Failed negotiations",
                "Negotiations of either phase that failed in the selected range. One negotiation counts once, however "
                "often racoon repeats the error.",
                NO_EXPORTER,
            ),
            Query(f"{total('racoon_phase1_failures_total', '')} + {total('racoon_phase2_failures_total', '')}"),
            steps=((None, parts.BLUE), (1, parts.ORANGE)),
        ),
        parts.numbers(
            Text(
                "Flaps",
                "How often phase 2 of any peer went from up to down in the selected range. A rekey never counts.",
                NO_EXPORTER,
            ),
            Query(total("racoon_phase2_flaps_total", "")),
            steps=((None, parts.BLUE), (3, parts.ORANGE)),
        ),
        parts.numbers(
            Text(
                "Newest log line",
                "Age of the newest line that was read, by the clock of the line. Where it grows without end, everything "
                "else here is old.",
                "No line was read yet: see Exporter and daemon health",
            ),
            Query(f"time() - max(racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}})"),
            unit="s",
            steps=((None, parts.BLUE), (3600, parts.ORANGE), (28800, parts.VERMILION)),
        ),
        parts.numbers(
            Text(
                "racoon", "Whether racoon runs, as its log tells: a start banner without a shutdown line after it.", NO_EXPORTER
            ),
            Query(f"min(racoon_daemon_up{{{queries.GATEWAY}}})"),
            unit="none",
            words={"0": ("Stopped", parts.VERMILION), "1": ("Running", parts.BLUE)},
        ),
    ]
    return [Placed(panel, 3, 3) for panel in panels]


def _why() -> Placed:
    text = Text(
        "What is down, and why",
        "One row per peer, those that are down first. The reason is that of the latest failures in the range "
        "(those of the last 5 minutes go before those of the last hour, and one that says why before a mere time-out). "
        "Click a peer for its own page.",
        NO_EXPORTER,
    )
    panel = parts.grid(
        text,
        rows(f"max by ({KEY}) {peer_state(RECENTLY)}"),
        rows(f"max by ({KEY}, kind) (racoon_peer_expected{{{PEER}}})"),
        rows(queries.latest_reason(1)),
        rows(queries.latest_reason(2)),
        rows(f"1000 * max by ({KEY}) (racoon_phase1_last_failure_timestamp_seconds{{{PEER}}}) > 0"),
        rows(f"1000 * max by ({KEY}) (racoon_phase2_last_established_timestamp_seconds{{{PEER}}}) > 0"),
        columns=(
            Column("Value #A", "State", "none", words=parts.STATES, width=105),
            Column("peer", "Peer", link=PEER_PAGE, width=150),
            Column("kind", "Expected", width=90),
            Column("phase1_reason", "Phase 1 failed: why", width=150),
            Column("phase2_reason", "Phase 2 failed: why", width=150),
            Column("Value #E", "Last phase 1 failure", "dateTimeAsIsoNoDateIfToday", width=150),
            Column("Value #F", "Last up", "dateTimeAsIsoNoDateIfToday", width=150),
            Column("gateway", "Gateway", width=100),
            Column("instance", "Instance"),
        ),
        hide=("Value #B", "Value #C", "Value #D"),
    )
    return Placed(panel, 14, 7)


def _timeline() -> Placed:
    text = Text(
        "State of each peer",
        "Expected peers first. Up: an IPsec SA alive in each direction. Negotiating: down, and a negotiation was begun.",
        NO_EXPORTER,
    )
    panel = parts.states(
        text,
        Query(peer_state("$__rate_interval", EXPECTED), "{{peer}} {{gateway}}"),
        Query(peer_state("$__rate_interval", UNEXPECTED), "{{peer}} {{gateway}} (not expected)"),
        words=parts.STATES,
    )
    return Placed(panel, 10, 7)


def _history() -> list[Placed]:
    failures = parts.lines(
        Text(
            "Failures by reason",
            "Failed negotiations per minute, of both phases, by the reason racoon gave.",
            "No negotiation failed in this range",
        ),
        Query(per_minute("racoon_phase1_failures_total", "reason"), "phase 1 {{reason}}"),
        Query(per_minute("racoon_phase2_failures_total", "reason"), "phase 2 {{reason}}"),
        unit="cpm",
        stacked=True,
    )
    flaps = parts.lines(
        Text("Flaps by peer", "Phase 2 from up to down, per minute. A rekey never counts.", "No peer flapped in this range"),
        Query(per_minute("racoon_phase2_flaps_total", "peer, gateway"), "{{peer}} {{gateway}}"),
        unit="cpm",
        stacked=True,
    )
    certificates = shared.certificate_problems(
        "What OpenSSL said of peers' certificates and CRLs in the range, at least this often. Code 3, crl_missing, is "
        "only a warning to racoon: it lets the peer in.",
    )
    freshness = parts.lines(
        Text(
            "Log freshness",
            "Age of the newest line of each source. A quiet log is normal for as long as the longest lifetime of an SA.",
            "No line was read yet: check racoon's log path and the exporter's permissions",
        ),
        Query(f"time() - racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}}", "{{source}} {{instance}}"),
        unit="s",
    )
    return [Placed(failures, 8, 6), Placed(flaps, 5, 6), Placed(certificates, 6, 6), Placed(freshness, 5, 6)]


def fleet() -> Dashboard:
    """Build the page: 16 grid units high, which is what a laptop shows without scrolling."""
    return parts.page(
        UID,
        "racoon: fleet overview",
        "Which IPsec peers of the racoon gateways are up, which are down, and why.",
        [*_numbers(), _why(), _timeline(), *_history()],
        peers=True,
        since="now-6h",
    )
