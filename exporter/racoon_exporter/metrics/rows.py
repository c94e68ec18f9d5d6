"""Metrics: one row each, in the order of `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from racoon_exporter import witness


@dataclass(frozen=True, slots=True)
class Row:
    """A metric."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    help: str
    labels: tuple[str, ...] = ()
    counter: str = ""
    """Key under which the state counts it, for counters of a peer or of a racoon."""

    @property
    def sample_name(self) -> str:
        """Name of its samples; those of a histogram have one more suffix."""
        return f"{self.name}_total" if self.kind == "counter" else self.name

    @property
    def has_gateway(self) -> bool:
        """Whether it is of a racoon, and so of a gateway."""
        return not self.name.startswith(("racoon_exporter_", "racoon_log_messages"))


METRICS: Final = (
    Row(
        "racoon_phase1_negotiations",
        "counter",
        "Phase 1 negotiations begun, from `initiate|respond new phase 1 negotiation` and `begin … mode`.",
        ("peer", "role", "exchange"),
        "phase1_negotiations",
    ),
    Row(
        "racoon_phase1_established",
        "counter",
        "ISAKMP SAs established, from `ISAKMP-SA established`.",
        ("peer", "role"),
        "phase1_established",
    ),
    Row(
        "racoon_phase1_failures",
        "counter",
        "Phase 1 negotiations that failed, each counted once under its most telling reason.",
        ("peer", "reason"),
        "phase1_failures",
    ),
    Row("racoon_phase1_ended", "counter", "ISAKMP SAs that ended, by cause.", ("peer", "cause"), "phase1_ended"),
    Row("racoon_phase1_sas", "gauge", "ISAKMP SAs alive.", ("peer",)),
    Row("racoon_phase1_up", "gauge", "Whether an ISAKMP SA is alive.", ("peer",)),
    Row(
        "racoon_phase1_state_since_timestamp_seconds",
        "gauge",
        "Time at which phase 1 last came up or went down; of an expected peer that never was up, that of the log's first line.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_last_established_timestamp_seconds",
        "gauge",
        "Time of the last `ISAKMP-SA established`, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_last_failure_timestamp_seconds",
        "gauge",
        "Time of the last failed phase 1 negotiation, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_last_negotiation_duration_seconds",
        "gauge",
        "Seconds that the last phase 1 negotiation with the peer took that came up; log times have whole seconds.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_negotiation_duration_seconds",
        "histogram",
        "Seconds from the start line of a phase 1 negotiation to `ISAKMP-SA established`; log times have whole seconds.",
        ("role",),
    ),
    Row(
        "racoon_phase2_negotiations",
        "counter",
        "Phase 2 negotiations begun, from `initiate|respond new phase 2 negotiation`.",
        ("peer", "role"),
        "phase2_negotiations",
    ),
    Row(
        "racoon_phase2_established",
        "counter",
        "Phase 2 negotiations that gave IPsec SAs in both directions.",
        ("peer", "role"),
        "phase2_established",
    ),
    Row(
        "racoon_phase2_failures",
        "counter",
        "Phase 2 negotiations that failed, and wishes that got no phase 1, each once under its most telling reason.",
        ("peer", "reason"),
        "phase2_failures",
    ),
    Row("racoon_phase2_up", "gauge", "Whether an IPsec SA is alive in each direction.", ("peer",)),
    Row(
        "racoon_phase2_state_since_timestamp_seconds",
        "gauge",
        "Time at which phase 2 last came up or went down; of an expected peer that never was up, that of the log's first line.",
        ("peer",),
    ),
    Row(
        "racoon_phase2_flaps",
        "counter",
        "Times phase 2 with a peer went from up to down; a rekey is none.",
        ("peer",),
        "phase2_flaps",
    ),
    Row(
        "racoon_phase2_last_established_timestamp_seconds",
        "gauge",
        "Time of the last `IPsec-SA established`, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase2_last_failure_timestamp_seconds",
        "gauge",
        "Time of the last failed phase 2 negotiation, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_ipsec_sas",
        "gauge",
        "IPsec SAs alive; dying ones had their soft expiry and still carry traffic.",
        ("peer", "protocol", "state"),
    ),
    Row("racoon_ipsec_sa_ended", "counter", "IPsec SAs that ended, by cause.", ("peer", "cause"), "ipsec_sa_ended"),
    Row("racoon_peer_expected", "gauge", "1 for every configured peer.", ("peer", "kind")),
    Row("racoon_peer_info", "gauge", "Address behind the name of a peer.", ("peer", "address")),
    Row(
        "racoon_peer_reason",
        "gauge",
        "1 for why a peer is not up, or what fails with it: the most telling reason of late, one for each peer at a time.",
        ("peer", "phase", "reason"),
    ),
    Row("racoon_peer_nat", "gauge", "Whether NAT was detected on the way to the peer.", ("peer",)),
    Row("racoon_dead_peers", "counter", "Peers found dead, from `DPD: remote … seems to be dead`.", ("peer",), "dead_peers"),
    Row(
        "racoon_certificate_problems",
        "counter",
        "Certificates and CRLs not found good, from `… at depth:… SubjectName:…`, by OpenSSL's error number.",
        ("peer", "code", "reason"),
        "certificate_problems",
    ),
    Row(
        "racoon_notifications_received",
        "counter",
        "Notifications of peers, by RFC name.",
        ("peer", "notification"),
        "notifications",
    ),
    Row("racoon_gateway_peers", "gauge", "How many peers are expected: names, as in `racoon_peer_expected`.", ("kind",)),
    Row(
        "racoon_gateway_failures",
        "counter",
        "Failed negotiations of all peers together, which boards of many peers ask for.",
        ("phase", "reason"),
        "gateway_failures",
    ),
    Row("racoon_gateway_flaps", "counter", "Times phase 2 with any peer went from up to down.", (), "gateway_flaps"),
    Row("racoon_xauth_logins", "counter", "XAuth logins answered, by result.", ("result",), "xauth_logins"),
    Row("racoon_kernel_errors", "counter", "Requests that the kernel refused.", (), "kernel_errors"),
    Row("racoon_config_errors", "counter", "Errors in racoon.conf that racoon logged.", (), "config_errors"),
    Row(
        "racoon_log_messages",
        "counter",
        "Records of racoon by its own level, our severity and event class.",
        ("level", "severity", "event"),
    ),
    Row(
        "racoon_log_level_quiet",
        "gauge",
        "1 if SA lines are not written, by racoon's log level or RouterOS' logging rules: the SA metrics then say nothing.",
    ),
    Row("racoon_daemon_up", "gauge", "Whether racoon runs, as far as its log tells."),
    Row("racoon_daemon_start_timestamp_seconds", "gauge", "Time of racoon's last version banner."),
    Row("racoon_daemon_starts", "counter", "Version banners of racoon.", (), "daemon_starts"),
    Row("racoon_daemon_crashes", "counter", "Banners without a shutdown line before them.", (), "daemon_crashes"),
    Row("racoon_daemon_info", "gauge", "Version of racoon and of its OpenSSL.", ("version", "openssl")),
    Row("racoon_exporter_source_up", "gauge", "Whether the source can be read.", ("source",)),
    Row(
        "racoon_exporter_source_info",
        "gauge",
        "The one gateway whose log the source is, as configured or as its lines say; empty where they name several or none.",
        ("source", "gateway"),
    ),
    Row("racoon_exporter_source_lag_bytes", "gauge", "Bytes written and not read yet.", ("source",)),
    Row(
        "racoon_exporter_source_lag_records",
        "gauge",
        "Records of a partition written and not read yet.",
        ("source",),
    ),
    Row(
        "racoon_exporter_source_passed_over_records",
        "counter",
        "Records of a topic that held no line of a log, by reason.",
        ("source", "reason"),
    ),
    Row("racoon_exporter_source_keyless_records", "counter", "Records of a partition that had no key.", ("source",)),
    Row(
        "racoon_exporter_source_late_records",
        "counter",
        "Records of a partition that came when younger lines of their gateway were counted, where a topic is read in order.",
        ("source",),
    ),
    Row(
        "racoon_exporter_source_stands_by",
        "gauge",
        "Whether a topic without keys is read by another instance of the group, and this one takes over when that ends.",
        ("source",),
    ),
    Row(
        "racoon_exporter_source_torn_gateways",
        "gauge",
        "Gateways whose lines come through several partitions that are read each for itself, so that none knows all.",
        ("source",),
    ),
    Row("racoon_exporter_source_last_line_timestamp_seconds", "gauge", "Time of the newest line.", ("source",)),
    Row("racoon_exporter_source_lines", "counter", "Lines read.", ("source",)),
    Row("racoon_exporter_source_bytes", "counter", "Bytes read.", ("source",)),
    Row("racoon_exporter_source_rotations", "counter", "Times the file was replaced or truncated.", ("source",)),
    Row("racoon_exporter_source_lost_bytes", "counter", "Bytes that were never read.", ("source",)),
    Row(
        "racoon_exporter_source_dropped_messages",
        "counter",
        "Syslog messages thrown away because too many came at once, by the kernel or by the limit for a sender.",
        ("source",),
    ),
    Row("racoon_exporter_unparsed_lines", "counter", "Lines that gave no event, by reason.", ("reason",)),
    Row(
        "racoon_exporter_record_errors",
        "counter",
        "Records that could not be read by an error of the exporter, and were counted as unknown messages.",
    ),
    Row("racoon_exporter_checkpoint_timestamp_seconds", "gauge", "Time of the last checkpoint; 0 before the first."),
    Row("racoon_exporter_checkpoint_failures", "counter", "Checkpoints that could not be written or read."),
    Row(
        "racoon_exporter_dropped_sas",
        "counter",
        "SAs that were taken to be over because there were too many; the oldest give way.",
        (),
        "dropped_sas",
    ),
    Row("racoon_exporter_folded_peers", "counter", "Peers counted under `other` as the limit was reached.", (), "folded_peers"),
    Row("racoon_exporter_gateways", "gauge", "Gateways that have a state of their own, configured or named by lines."),
    Row(
        "racoon_exporter_folded_gateways",
        "counter",
        "Gateways counted under `other` as the limit was reached (`limits.gateways`).",
    ),
    Row(
        "racoon_exporter_web_config_ok",
        "gauge",
        "0 while the web configuration file on disk is broken and an older one is in force.",
    ),
    Row(
        "racoon_exporter_family_ok",
        "gauge",
        "0 for a family of metrics that could not be taken by an error of the exporter; the others are served.",
        ("family",),
    ),
    Row("racoon_exporter_config_ok", "gauge", "0 while the configuration file on disk is broken and an older one is in force."),
    *(Row(*row) for row in witness.metrics.ROWS),
    Row("racoon_exporter_build_info", "gauge", "Version of the exporter and of Python.", ("version", "python")),
)
"""Every metric, in the order of `/metrics`."""
