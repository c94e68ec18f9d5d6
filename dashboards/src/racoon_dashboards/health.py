"""Exporter and daemon health: whether the other pages can be trusted."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards import parts
from racoon_dashboards.parts import Column, Placed, Query, Text, rows
from racoon_dashboards.queries import GATEWAY, TARGET, per_minute, total

UID = "racoon-health"
NO_EXPORTER = "No data: is racoon-exporter running, and is it scraped?"
WHERE = "{{instance}} {{gateway}}"


def _now() -> list[Placed]:
    running = {"0": ("Stopped", parts.VERMILION), "1": ("Running", parts.BLUE)}
    panels = [
        parts.numbers(
            Text("Exporter", "Whether Prometheus can scrape the exporter.", NO_EXPORTER),
            Query(f"up{{{TARGET}}}", "{{instance}}"),
            unit="none",
            words=parts.UP_DOWN,
        ),
        parts.numbers(
            Text("racoon", "Whether racoon runs, as its log tells.", NO_EXPORTER),
            Query(f"racoon_daemon_up{{{GATEWAY}}}", WHERE),
            unit="none",
            words=running,
        ),
        parts.numbers(
            Text("racoon started", "When racoon last started, by the clock of its log.", "No start banner was read yet"),
            Query(f"1000 * racoon_daemon_start_timestamp_seconds{{{GATEWAY}}} > 0", WHERE),
            unit="dateTimeAsIsoNoDateIfToday",
        ),
        parts.numbers(
            Text("Crashes", "Starts without a shutdown before them, in the range.", NO_EXPORTER),
            Query(total("racoon_daemon_crashes_total", "", selector=GATEWAY)),
            steps=parts.ANY_IS_BAD,
        ),
        parts.numbers(
            Text(
                "Newest log line",
                "Age of the newest line that was read, by the clock of the line.",
                "No line was read yet: check the log's path and permissions",
            ),
            Query(f"time() - max(racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}})"),
            unit="s",
            steps=((None, parts.BLUE), (3600, parts.ORANGE), (28800, parts.VERMILION)),
        ),
        parts.numbers(
            Text(
                "Log level",
                "Too quiet: racoon writes, but no line about SAs; put `log info;` into racoon.conf.",
                NO_EXPORTER,
            ),
            Query(f"racoon_log_level_quiet{{{GATEWAY}}}", WHERE),
            unit="none",
            words={"0": ("Enough", parts.BLUE), "1": ("Too quiet", parts.VERMILION)},
        ),
        parts.numbers(
            Text(
                "State saved",
                "Age of the last state file that was written. Without it counters fall when the exporter restarts.",
                "Never: is --state.file set and its directory writable?",
            ),
            Query(f"time() - (racoon_exporter_checkpoint_timestamp_seconds{{{TARGET}}} > 0)", "{{instance}}"),
            unit="s",
            steps=((None, parts.BLUE), (900, parts.ORANGE)),
        ),
        parts.numbers(
            Text(
                "Expected peers",
                "How many peers are expected. Without any, no peer can be called down.",
                "None: no alert says that a peer is down",
            ),
            Query(f"count(racoon_peer_expected{{{GATEWAY}}})"),
        ),
    ]
    return [Placed(panel, 3, 4) for panel in panels]


def _sources() -> list[Placed]:
    found = parts.grid(
        Text(
            "Sources",
            "Every log that is read: whether it can be read, how much is still to be read, and its newest line.",
            NO_EXPORTER,
        ),
        rows(f"max by (instance, job, source) (racoon_exporter_source_up{{{TARGET}}})"),
        rows(f"max by (instance, job, source) (racoon_exporter_source_lag_bytes{{{TARGET}}})"),
        rows(f"1000 * max by (instance, job, source) (racoon_exporter_source_last_line_timestamp_seconds{{{TARGET}}}) > 0"),
        columns=(
            Column(
                "Value #A",
                "State",
                "none",
                words={"0": ("Unreadable", parts.VERMILION), "1": ("Readable", parts.BLUE)},
                width=100,
            ),
            Column("source", "Source"),
            Column("Value #B", "To be read", "bytes", width=100),
            Column("Value #C", "Newest line", "dateTimeAsIsoNoDateIfToday", width=160),
            Column("instance", "Instance"),
        ),
    )
    read = parts.lines(
        Text("Lines read", "Lines per second of each source, whoever wrote them.", "No line was read in this range"),
        Query(
            f"sum by (instance, source) (rate(racoon_exporter_source_lines_total{{{TARGET}}}[$__rate_interval]))",
            "{{source}} {{instance}}",
        ),
        unit="cps",
    )
    size = parts.lines(
        Text("Bytes read", "Bytes per second of each source.", "Nothing was read in this range"),
        Query(
            f"sum by (instance, source) (rate(racoon_exporter_source_bytes_total{{{TARGET}}}[$__rate_interval]))",
            "{{source}} {{instance}}",
        ),
        unit="Bps",
    )
    return [Placed(found, 12, 7), Placed(read, 6, 7), Placed(size, 6, 7)]


def _reading() -> list[Placed]:
    lag = parts.lines(
        Text("Lag", "Bytes of each source still to be read.", NO_EXPORTER),
        Query(f"racoon_exporter_source_lag_bytes{{{TARGET}}}", "{{source}} {{instance}}"),
        unit="bytes",
    )
    rotations = parts.lines(
        Text("Rotations", "Rotations per minute of each source.", "No rotation in this range"),
        Query(
            per_minute("racoon_exporter_source_rotations_total", "instance, source", selector=TARGET), "{{source}} {{instance}}"
        ),
        unit="cpm",
    )
    lost = parts.lines(
        Text(
            "Bytes lost",
            "Bytes per second that vanished before they were read: truncated, rotated away, or a line over 64 KiB.",
            "Nothing was lost in this range",
        ),
        Query(
            f"sum by (instance, source) (rate(racoon_exporter_source_lost_bytes_total{{{TARGET}}}[$__rate_interval])) > 0",
            "{{source}} {{instance}}",
        ),
        unit="Bps",
    )
    unparsed = parts.lines(
        Text(
            "Lines not understood",
            "Per minute, by reason. not_racoon is normal in a shared syslog; unknown_message is worth a bug report.",
            "Every line was understood in this range",
        ),
        Query(per_minute("racoon_exporter_unparsed_lines_total", "reason", selector=TARGET), "{{reason}}"),
        unit="cpm",
        stacked=True,
    )
    return [Placed(panel, 6, 7) for panel in (lag, rotations, lost, unparsed)]


def _daemon() -> list[Placed]:
    timeline = parts.states(
        Text("racoon over time", "Running from its start banner to its shutdown line.", NO_EXPORTER),
        Query(f"racoon_daemon_up{{{GATEWAY}}}", WHERE),
        words={"0": ("Stopped", parts.VERMILION), "1": ("Running", parts.BLUE)},
    )
    events = parts.lines(
        Text(
            "Starts, crashes and errors",
            "Per minute: starts, starts without a shutdown before, configuration errors, PF_KEY errors.",
            "racoon neither started nor complained in this range",
        ),
        *(
            Query(per_minute(f"racoon_{name}_total", "instance, gateway", selector=GATEWAY), f"{word} {WHERE}")
            for name, word in (
                ("daemon_starts", "start"),
                ("daemon_crashes", "crash"),
                ("config_errors", "configuration error"),
                ("kernel_errors", "kernel error"),
            )
        ),
        unit="cpm",
    )
    messages = parts.lines(
        Text(
            "Messages by severity",
            "Messages of racoon per minute. The severity is the operator's, not racoon's level: racoon calls a dead peer INFO.",
            "racoon wrote nothing in this range",
        ),
        Query(per_minute("racoon_log_messages_total", "severity", selector=TARGET), "{{severity}}"),
        unit="cpm",
        stacked=True,
    )
    logins = parts.lines(
        Text("XAuth logins", "Logins of XAuth users per minute, by result.", "No XAuth login in this range"),
        Query(per_minute("racoon_xauth_logins_total", "result", selector=GATEWAY), "{{result}}"),
        unit="cpm",
    )
    return [Placed(panel, 6, 7) for panel in (timeline, events, messages, logins)]


def _exporter() -> list[Placed]:
    def process(title: str, says: str, expr: str, unit: str) -> Placed:
        return Placed(parts.lines(Text(title, says, NO_EXPORTER), Query(expr, "{{instance}}"), unit=unit), 6, 7)

    versions = parts.grid(
        Text("Versions", "Of racoon and of OpenSSL, as the start banner says.", "No start banner was read yet"),
        rows(f"max by (gateway, instance, job, version, openssl) (racoon_daemon_info{{{GATEWAY}}})"),
        columns=(
            Column("instance", "Instance"),
            Column("gateway", "Gateway"),
            Column("version", "racoon"),
            Column("openssl", "OpenSSL"),
        ),
        hide=("Value",),
        unit="none",
    )
    builds = parts.grid(
        Text("Exporters", "Which version of racoon-exporter runs where.", NO_EXPORTER),
        rows(f"max by (instance, job, version) (racoon_exporter_build_info{{{TARGET}}})"),
        columns=(Column("instance", "Instance"), Column("version", "racoon-exporter")),
        hide=("Value",),
        unit="none",
    )
    trouble = parts.lines(
        Text(
            "Checkpoint failures and folded peers",
            "Per minute: the state file could not be written; a peer was counted under `other` because there are too many.",
            "No checkpoint failed and no peer was folded in this range",
        ),
        Query(per_minute("racoon_exporter_checkpoint_failures_total", "instance", selector=TARGET), "checkpoint {{instance}}"),
        Query(per_minute("racoon_exporter_folded_peers_total", "instance", selector=TARGET), "folded {{instance}}"),
        unit="cpm",
    )
    return [
        process("Scrape duration", "How long Prometheus waited for the metrics.", f"scrape_duration_seconds{{{TARGET}}}", "s"),
        process("Memory", "Resident memory of the exporter.", f"process_resident_memory_bytes{{{TARGET}}}", "bytes"),
        process("CPU", "Share of one CPU.", f"rate(process_cpu_seconds_total{{{TARGET}}}[$__rate_interval])", "percentunit"),
        process("Open files", "Open file descriptors of the exporter.", f"process_open_fds{{{TARGET}}}", "short"),
        Placed(versions, 9, 6),
        Placed(builds, 6, 6),
        Placed(trouble, 9, 6),
    ]


def health() -> Dashboard:
    """Build the page about the exporter and the daemon themselves."""
    return parts.page(
        UID,
        "racoon: exporter and daemon health",
        "Whether the log is written, read and understood, and how racoon and racoon-exporter themselves fare.",
        [*_now(), *_sources(), *_reading(), *_daemon(), *_exporter()],
        peers=False,
        since="now-6h",
    )
