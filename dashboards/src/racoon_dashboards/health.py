"""Exporter and daemon health: whether the other pages can be trusted."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import health_details, panels, states
from racoon_dashboards.health_details import GATEWAY, TARGET
from racoon_dashboards.page import About, Placed, link, of_many, page
from racoon_dashboards.palette import ANY_IS_BAD, ANY_IS_ODD, BLUE, ORANGE, VERMILION
from racoon_dashboards.panels import NO_EXPORTER, Query, Text, now, rows
from racoon_dashboards.queries import MANY, SILENT, SITE, away, exporters, grown, in_range, silent_logs, sites_away
from racoon_dashboards.tables import DATE, Column, grid

UID = "racoon-health"
WHERE = "{{instance}} {{gateway}}"
STALE = ((None, BLUE), (3600, ORANGE), (SILENT, VERMILION))
TEXTS = ("How to see their texts", "http://${__data.fields.Instance}/runbooks/RacoonUnknownMessages")
PAGE = ("Open the exporter's page", "http://${__data.fields.Instance}/")


def _for_each_site(expr: str) -> str:
    """Give each gateway what is known of its exporter."""
    return f"max by ({SITE}) (0 * racoon_daemon_up{{{GATEWAY}}} + on (instance, job) group_left () {expr})"


def _sites() -> Placed:
    up = f"racoon_daemon_up{{{GATEWAY}}}"
    silent = f"(max by (instance, job) (racoon_exporter_build_info{{{TARGET}}}) unless on (instance, job) {up})"
    of_exporter = "(instance, job)"
    unknown = in_range("racoon_exporter_unparsed_lines_total", f'{TARGET}, reason="unknown_message"', "instance, job")
    text = Text(
        "Gateways",
        "One row for each: whether racoon runs and is heard, and whether its exporter reads, understands and keeps its log. "
        "The number of unknown messages leads to how to see and report their texts.",
        NO_EXPORTER,
    )
    panel = grid(
        text,
        rows(f"max by ({SITE}) ({up} or on ({SITE}) 2 * {silent} or on ({SITE}) 3 + 0 * {sites_away(MANY)})"),
        rows(f"1000 * max by ({SITE}) (racoon_daemon_start_timestamp_seconds{{{GATEWAY}}}) > 0"),
        rows(in_range("racoon_daemon_crashes_total", GATEWAY)),
        rows(f"max by ({SITE}) (racoon_log_level_quiet{{{GATEWAY}}})"),
        rows(
            _for_each_site(
                f"(time() - max by {of_exporter} (racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}}))",
            )
        ),
        rows(_for_each_site(f"sum by {of_exporter} (racoon_exporter_source_lag_bytes{{{TARGET}}})")),
        rows(_for_each_site(unknown)),
        rows(
            _for_each_site(f"(time() - max by {of_exporter} (racoon_exporter_checkpoint_timestamp_seconds{{{TARGET}}} > 0))"),
        ),
        rows(f"count by ({SITE}) (racoon_peer_expected{{{GATEWAY}}})"),
        rows(f"max by ({SITE}, version) (racoon_daemon_info{{{GATEWAY}}})"),
        columns=(
            Column("Value #A", "racoon", words=states.RUNNING, width=120),
            Column("gateway", "Gateway", width=150),
            Column("instance", "Instance", link=PAGE, width=180),
            Column("Value #B", "Started", DATE, width=160),
            Column("Value #C", "Crashes", steps=ANY_IS_BAD, decimals=0, width=80),
            Column("Value #D", "Log level", words={"0": ("Enough", BLUE), "1": ("Too quiet", VERMILION)}, width=95),
            Column("Value #E", "Newest line", "s", steps=STALE, decimals=0, width=100),
            Column("Value #F", "To be read", "bytes", width=100),
            Column("Value #G", "Unknown", steps=ANY_IS_ODD, decimals=0, width=90, link=TEXTS),
            Column("Value #H", "Saved", "s", steps=((None, BLUE), (900, ORANGE)), decimals=0, width=90),
            Column("Value #I", "Peers", decimals=0, width=70),
            Column("version", "Version"),
        ),
        hide=("Value #J",),
        sort="racoon",
        filterable=True,
    )
    return Placed(panel, 24, 9)


def _sources() -> Placed:
    by, there = "instance, job, source", f"racoon_exporter_source_up{{{TARGET}}}"
    age = f"time() - max by ({by}) (racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}})"

    def of_gateway(expr: str) -> Query:
        """Add the gateway whose log a source is; one that has lines of many has none."""
        info = f"max by ({by}, gateway) (racoon_exporter_source_info{{{TARGET}}})"
        return rows(f"{expr} * on ({by}) group_left (gateway) {info}")

    panel = grid(
        Text(
            "Sources",
            "Every log that is read: whether it can be, how much is still to be read, and how old its newest line is. "
            "Its gateway stands where it is the log of one. "
            "A quiet log is normal for as long as the longest lifetime of an SA.",
            NO_EXPORTER,
        ),
        of_gateway(f"max by ({by}) (racoon_exporter_source_up{{{TARGET}}})"),
        of_gateway(f"max by ({by}) (racoon_exporter_source_lag_bytes{{{TARGET}}})"),
        of_gateway(f"({age})"),
        of_gateway(f"({in_range('racoon_exporter_source_lines_total', TARGET, by)} and on ({by}) {there})"),
        columns=(
            Column("Value #A", "State", words={"0": ("Unreadable", VERMILION), "1": ("Readable", BLUE)}, width=110),
            Column("gateway", "Gateway", width=150),
            Column("instance", "Instance", width=210),
            Column("source", "Source"),
            Column("Value #B", "To be read", "bytes", width=100),
            Column("Value #C", "Newest line", "s", steps=STALE, decimals=0, width=100),
            Column("Value #D", "Lines read", decimals=0, width=100),
        ),
        sort="Instance",
        filterable=True,
    )
    return Placed(panel, 24, 8)


def _daemon() -> list[Placed]:
    text = Text(
        "racoon over time", "Running from its start banner to its shutdown line; the gateways that stopped first.", NO_EXPORTER
    )
    running = f"min_over_time(racoon_daemon_up{{{GATEWAY}}}[$__rate_interval])"
    shown = f"bottomk(20, racoon_daemon_up{{{GATEWAY}}} @ end())"
    timeline = panels.states(text, Query(f"{running} and on ({SITE}) {shown}", WHERE), words=states.RUNNING)
    events = panels.events(
        Text(
            "Starts, crashes and errors",
            "Starts, starts without a shutdown before, errors in racoon.conf, requests that the kernel refused.",
            "racoon neither started nor complained",
        ),
        *(
            Query(grown(f"racoon_{name}_total", "instance, gateway", MANY, GATEWAY), f"{word} {WHERE}")
            for name, word in (
                ("daemon_starts", "start"),
                ("daemon_crashes", "crash"),
                ("config_errors", "configuration error"),
                ("kernel_errors", "kernel error"),
            )
        ),
    )
    return [Placed(timeline, 10, 8), Placed(events, 14, 8)]


def _numbers() -> list[Placed]:
    def tile(title: str, says: str, bad: str, none: str, every: str, *, odd: bool = False) -> Placed:
        steps = ANY_IS_ODD if odd else ANY_IS_BAD
        return Placed(panels.numbers(Text(title, says, none), now(f"count({bad}) or 0 * {every}"), steps=steps), 4, 3)

    every = exporters(MANY)
    sources = f"count(racoon_exporter_source_up{{{TARGET}}})"
    sites = f"count(racoon_daemon_up{{{GATEWAY}}})"
    quiet = f"racoon_log_level_quiet{{{GATEWAY}}} == 1"
    unsaved = f"time() - racoon_exporter_checkpoint_timestamp_seconds{{{TARGET}}} > 900"
    return [
        tile("Exporters down", "Exporters that were scraped within a day and cannot be now.", away(MANY), NO_EXPORTER, every),
        tile(
            "racoon stopped",
            "Gateways whose racoon has logged its end.",
            f"racoon_daemon_up{{{GATEWAY}}} == 0",
            "None heard",
            sites,
        ),
        tile(
            "Logs unreadable",
            "Sources that cannot be read.",
            f"racoon_exporter_source_up{{{TARGET}}} == 0",
            "No log is read",
            sources,
        ),
        tile("Logs silent", "No new line for eight hours.", silent_logs(MANY), "No log is read", sources, odd=True),
        tile("Logs too quiet", "racoon writes, but no line about SAs: `log info;` is missing.", quiet, "None heard", sites),
        tile("State not saved", "No state file was written for 15 minutes.", unsaved, NO_EXPORTER, every, odd=True),
    ]


def health() -> Dashboard:
    """Build the page about the exporter and the daemon themselves."""
    return page(
        About(
            UID,
            "racoon: health",
            "Whether the logs are written, read and understood, and how racoon and racoon-exporter themselves fare.",
        ),
        [
            *_numbers(),
            _sites(),
            _sources(),
            *_daemon(),
            health_details.said(),
            health_details.reading(),
            health_details.beside(),
            health_details.exporter(),
        ],
        scope=MANY,
        variables=of_many(),
        links=[
            link("racoon: fleet overview", "racoon-fleet", "job", "instance", "gateway"),
            link("racoon: peer", "racoon-peer"),
        ],
    )
