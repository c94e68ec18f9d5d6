"""Fleet overview: which peer is down, since when, why, and what to do."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import panels, states
from racoon_dashboards.page import About, Placed, link, of_many, page
from racoon_dashboards.palette import ANY_IS_BAD, ANY_IS_ODD, BLUE, VERMILION
from racoon_dashboards.panels import NO_EXPORTER, Query, Text, now, rows
from racoon_dashboards.queries import KEY, MANY, away, exporters, grown, silent_logs
from racoon_dashboards.tables import DATE, Column, grid

UID = "racoon-fleet"
PEER_BOARD = (
    "Show this peer",
    "/d/${__data.fields.board}&var-peer=${__data.fields.Peer:percentencode}&${datasource:queryparam}&${__url_time_range}",
)
RUNBOOK = ("What to do: runbook", "http://${__data.fields.runbook}")
WHO = (Column("where", "Gateway", width=190), Column("peer", "Peer", link=PEER_BOARD, width=200))
WHY = (Column("reason", "Reason", link=RUNBOOK, width=205), Column("phase", "Phase", width=70))
REST = (Column("instance", "Instance"), Column("board", "board", hidden=True), Column("runbook", "runbook", hidden=True))
"""What the tables of peers have in common."""
MOST_BANDS = 20


def _numbers() -> list[Placed]:
    target, gateway = MANY.target, MANY.gateway
    silent = f"{silent_logs(MANY)} or racoon_exporter_source_up{{{target}}} == 0"
    stopped = f"racoon_daemon_up{{{gateway}}} == 0"
    running = f"count(racoon_daemon_up{{{gateway}}} == 1) unless on () count({stopped})"
    roaming = f'racoon_peer_expected{{{gateway}, kind="roaming"}}'
    connected = f"sum((racoon_phase2_up{{{gateway}}} == bool 1) and on ({KEY}) {roaming})"
    tiles = [
        panels.names(
            Text(
                "Permanent peers",
                "How many of the peers that must be up have an IPsec SA alive in each direction. Those of an exporter that is "
                "away are not counted as up.",
                "No peer is expected",
            ),
            now(states.counted_up(), "{{up}} of {{all}} up"),
            steps=ANY_IS_BAD,
        ),
        panels.numbers(
            Text("Exporters down", "Exporters that were scraped within a day and cannot be now.", NO_EXPORTER),
            now(f"count({away(MANY)}) or 0 * {exporters(MANY)}"),
            steps=ANY_IS_BAD,
        ),
        panels.numbers(
            Text(
                "Logs silent",
                "Logs without a new line for eight hours, or that cannot be read: what is said of their peers is old.",
                "No log is read",
            ),
            now(f"count({silent}) or 0 * count(racoon_exporter_source_up{{{target}}})"),
            steps=ANY_IS_ODD,
        ),
        panels.names(
            Text("racoon stopped", "Where racoon has logged its end and no start since (three).", "No racoon was heard"),
            now(f"topk(3, {stopped})", "{{gateway}} {{instance}}"),
            now(f'count_values("running", {running})', "none, {{running}} run"),
            steps=((None, VERMILION), (1, BLUE)),
        ),
        panels.names(
            Text("Roaming peers", "How many of the roaming peers are connected. They need not be.", "None is configured"),
            now(
                f'0 * count_values("up", {connected}) * on () group_left (all) count_values("all", count({roaming}))',
                "{{up}} of {{all}} up",
            ),
            steps=((None, BLUE),),
        ),
        panels.numbers(
            Text(
                "Alerts firing",
                "Alerts of racoon's rules that fire now, critical ones and warnings.",
                "None, or no rules are loaded",
            ),
            now(f'count(ALERTS{{alertname=~"Racoon.+", alertstate="firing", severity!="info", {target}}})'),
            steps=ANY_IS_BAD,
        ),
    ]
    return [Placed(tile, 4, 3) for tile in tiles]


def _trouble() -> Placed:
    text = Text(
        "What is not up",
        "Permanent peers without an IPsec SA in each direction, those that are down for longest first, and gateways whose "
        "exporter is away. Click a peer for its board, a reason for its runbook.",
        "Every permanent peer is up",
    )
    panel = grid(
        text,
        *map(rows, states.trouble()),
        columns=(
            Column("Value #A", "State", words=states.STATES, width=140),
            *WHO,
            Column("Value #B", "Down for", "s", decimals=1, width=110),
            *WHY,
            Column("Value #D", "Last up", DATE, width=170),
            *REST,
        ),
        hide=("Value #C", "gateway"),
        sort="Down for",
        descending=True,
        filterable=True,
    )
    return Placed(panel, 24, 9)


def _timeline() -> Placed:
    """Which peers: down now, or up since a moment within the range. That asks for one point of each and not for the range."""
    peers = states.FLEET
    since = f"racoon_phase2_state_since_timestamp_seconds{{{MANY.peer}}} @ end()"
    expected = f'racoon_peer_expected{{{MANY.peer}, kind="permanent"}} @ end()'
    ranked = f"{since} + 1e10 * (racoon_phase2_up{{{MANY.peer}}} @ end() == bool 0)"
    chosen = f"topk({MOST_BANDS}, ({ranked} > $__from / 1000) and on ({KEY}) {expected})"
    text = Text(
        "Permanent peers that were down in this range (20 at most)",
        "Down wherever the peer was down for a moment of the step: an outage of a minute is seen in a week as well. A gap: "
        "nothing was scraped.",
        "No permanent peer was down in this range",
    )
    panel = panels.states(
        text,
        Query(f"min_over_time({peers.up}[$__rate_interval]) and on ({KEY}) {chosen}", "{{peer}} {{gateway}} {{instance}}"),
        words=states.UP_DOWN,
    )
    return Placed(panel, 24, 10)


def _events() -> list[Placed]:
    failures = panels.events(
        Text(
            "Failed negotiations",
            "How many failed in each interval, of both phases and all peers, by the reason that tells most.",
            "No negotiation failed in this range",
        ),
        Query(grown("racoon_gateway_failures_total", "reason", MANY, MANY.gateway), "{{reason}}"),
    )
    fallen = panels.events(
        Text(
            "Peers that went down",
            "How often phase 2 of any peer went from up to down in each interval, by gateway. A rekey never counts.",
            "No peer went down in this range",
        ),
        Query(grown("racoon_gateway_flaps_total", "gateway, instance", MANY, MANY.gateway), "{{gateway}} {{instance}}"),
    )
    return [Placed(failures, 12, 7), Placed(fallen, 12, 7)]


def _others() -> Placed:
    text = Text(
        "Roaming and unexpected peers",
        "Peers that need not be up: roaming ones, and those that nobody configured but that were up once or fail now.",
        "No roaming or unexpected peer",
    )
    panel = grid(
        text,
        *map(rows, states.others()),
        columns=(
            Column("Value #A", "State", words=states.STATES, width=140),
            Column("kind", "Kind", width=110),
            *WHO,
            Column("Value #B", "For", "s", decimals=1, width=110),
            *WHY,
            *REST,
        ),
        hide=("Value #C", "gateway"),
        sort="State",
        filterable=True,
    )
    return Placed(panel, 24, 8)


def fleet() -> Dashboard:
    """Build the page: what is not up stands on the first screen of a laptop."""
    return page(
        About(
            UID,
            "racoon: fleet overview",
            "Which IPsec peers of the racoon gateways are down, since when, why, and what to do.",
        ),
        [*_numbers(), _trouble(), _timeline(), *_events(), _others()],
        scope=MANY,
        variables=of_many(),
        links=[link("racoon: peer", "racoon-peer"), link("racoon: health", "racoon-health", "job", "instance", "gateway")],
    )
