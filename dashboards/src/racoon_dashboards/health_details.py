"""The folded parts of the board of health: good news most of the time."""

from racoon_dashboards import panels
from racoon_dashboards.page import Folded, Placed
from racoon_dashboards.palette import BLUE, ORANGE, VERMILION
from racoon_dashboards.panels import NO_EXPORTER, NO_WITNESS, Query, Text, rows
from racoon_dashboards.queries import MANY, SITE, grown
from racoon_dashboards.tables import Column, grid

TARGET, GATEWAY = MANY.target, MANY.gateway
MOST_FILES = 50


def said() -> Folded:
    """What racoon said, by severity, and what of it was not understood."""
    unparsed = panels.events(
        Text(
            "Lines not understood",
            "By reason. not_racoon is normal in a shared syslog; unknown_message is worth a report.",
            "Every line was understood in this range",
        ),
        Query(grown("racoon_exporter_unparsed_lines_total", "reason", MANY, TARGET), "{{reason}}"),
    )
    messages = panels.events(
        Text(
            "Messages by severity",
            "Of racoon. The severity is the operator's, not racoon's level: racoon calls a dead peer INFO.",
            "racoon wrote nothing in this range",
        ),
        Query(grown("racoon_log_messages_total", "severity", MANY, TARGET), "{{severity}}"),
    )
    logins = panels.events(
        Text("XAuth logins", "Logins of XAuth users, by result.", "No XAuth login in this range"),
        Query(grown("racoon_xauth_logins_total", "result", MANY, GATEWAY), "{{result}}"),
    )
    return Folded("What racoon said", [Placed(messages, 8, 7), Placed(unparsed, 8, 7), Placed(logins, 8, 7)])


def reading() -> Folded:
    """How the logs were read, and what could not be kept."""
    of_source = "instance, source"
    named = "{{source}} {{instance}}"
    lag = panels.lines(
        Text("Lag", "Bytes of each source still to be read.", NO_EXPORTER),
        Query(f"racoon_exporter_source_lag_bytes{{{TARGET}}}", named),
        unit="bytes",
    )
    lost = panels.events(
        Text(
            "Bytes lost",
            "Bytes that vanished before they were read: truncated, rotated away, or a line over 64 KiB.",
            "Nothing was lost in this range",
        ),
        Query(grown("racoon_exporter_source_lost_bytes_total", of_source, MANY, TARGET), named),
    )
    rotations = panels.events(
        Text("Rotations", "Times each file was replaced or truncated.", "No rotation in this range"),
        Query(grown("racoon_exporter_source_rotations_total", of_source, MANY, TARGET), named),
    )
    trouble = panels.events(
        Text(
            "What could not be kept",
            "State files that could not be written, peers counted under `other`, SAs dropped: there are too many.",
            "Everything was kept in this range",
        ),
        *(
            Query(grown(f"racoon_exporter_{name}_total", "instance", MANY, TARGET), f"{word} {{{{instance}}}}")
            for name, word in (
                ("checkpoint_failures", "state file"),
                ("folded_peers", "peers"),
                ("dropped_sas", "SAs"),
                ("record_errors", "records"),
            )
        ),
    )
    return Folded("Reading and keeping", [Placed(panel, 12, 7) for panel in (lag, lost, rotations, trouble)])


def exporter() -> Folded:
    """What the exporters take of their hosts, and which they are."""

    def process(title: str, says: str, expr: str, unit: str) -> Placed:
        return Placed(panels.lines(Text(title, says, NO_EXPORTER), Query(expr, "{{instance}}"), unit=unit), 6, 7)

    builds = grid(
        Text("Exporters", "Which version of racoon-exporter runs where.", NO_EXPORTER),
        rows(f"max by (instance, job, version) (racoon_exporter_build_info{{{TARGET}}})"),
        columns=(Column("instance", "Instance", width=220), Column("version", "racoon-exporter")),
        hide=("Value",),
        sort="Instance",
    )
    ours = f"and on (instance, job) racoon_exporter_build_info{{{TARGET}}}"
    return Folded(
        "The exporters themselves",
        [
            process(
                "Scrape duration",
                "How long Prometheus waited for the metrics.",
                f"scrape_duration_seconds{{{TARGET}}} {ours}",
                "s",
            ),
            process("Memory", "Resident memory of the exporter.", f"process_resident_memory_bytes{{{TARGET}}} {ours}", "bytes"),
            process(
                "CPU",
                "Share of one CPU.",
                f"rate(process_cpu_seconds_total{{{TARGET}}}[$__rate_interval]) {ours}",
                "percentunit",
            ),
            process("Open files", "Open file descriptors of the exporter.", f"process_open_fds{{{TARGET}}} {ours}", "short"),
            Placed(builds, 12, 7),
        ],
    )


def beside() -> Folded:
    """How witnesses beside the log fare, and what ends soon of the files on disk; empty where none is configured."""
    answers = {"0": ("Down", VERMILION), "1": ("Answers", BLUE)}
    witnesses = grid(
        Text("Witnesses", "Whether each witness beside the log answered when it was last asked.", NO_WITNESS),
        rows(f"max by (instance, job, witness) (racoon_exporter_witness_up{{{TARGET}}})"),
        columns=(
            Column("Value", "State", words=answers, width=90),
            Column("witness", "Witness", width=90),
            Column("instance", "Instance"),
        ),
        sort="State",
    )
    files = " or ".join(
        f"racoon_{name}_timestamp_seconds{{{GATEWAY}}}" for name in ("certificate_not_after", "crl_next_update")
    )
    ends = grid(
        Text(
            "Certificates and CRLs end in",
            "Time left of each certificate, and until each CRL is to be replaced, the first on top; below zero it is over.",
            NO_WITNESS,
        ),
        rows(f"bottomk({MOST_FILES}, max by ({SITE}, file) ({files}) - time())"),
        columns=(
            Column("Value", "Left", "s", steps=((None, VERMILION), (86400, ORANGE), (604800, BLUE)), decimals=1, width=100),
            Column("file", "File"),
            Column("gateway", "Gateway", width=140),
            Column("instance", "Instance", width=190),
        ),
        sort="Left",
    )
    missing = grid(
        Text(
            "Missing CRLs", "Files that racoon looks for and warns of, `unable to get certificate CRL(3)`.", "No CRL is missing"
        ),
        rows(f"max by ({SITE}, file) (racoon_crl_missing{{{GATEWAY}}})"),
        columns=(Column("file", "File"), Column("gateway", "Gateway", width=140), Column("instance", "Instance", width=190)),
        hide=("Value",),
        sort="File",
    )
    return Folded("Beside the log: witnesses and files", [Placed(witnesses, 8, 7), Placed(ends, 16, 7), Placed(missing, 24, 7)])
