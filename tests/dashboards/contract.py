"""The metrics that dashboards and rules may use: what the exporter promises, and what Prometheus adds to each scrape."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's type, its labels besides those of the target, and whether it tells gateways in one log apart."""

    kind: str
    labels: frozenset[str] = frozenset()
    gateway: bool = True


def _counter(*labels: str, gateway: bool = True) -> Metric:
    return Metric("counter", frozenset(labels), gateway)


def _gauge(*labels: str, gateway: bool = True) -> Metric:
    return Metric("gauge", frozenset(labels), gateway)


METRICS: dict[str, Metric] = {
    "racoon_phase1_negotiations_total": _counter("peer", "role", "exchange"),
    "racoon_phase1_established_total": _counter("peer", "role"),
    "racoon_phase1_failures_total": _counter("peer", "reason"),
    "racoon_phase1_ended_total": _counter("peer", "cause"),
    "racoon_phase1_sas": _gauge("peer"),
    "racoon_phase1_up": _gauge("peer"),
    "racoon_phase1_last_established_timestamp_seconds": _gauge("peer"),
    "racoon_phase1_last_failure_timestamp_seconds": _gauge("peer"),
    "racoon_phase1_state_since_timestamp_seconds": _gauge("peer"),
    "racoon_phase1_last_negotiation_duration_seconds": _gauge("peer"),
    "racoon_phase1_negotiation_duration_seconds_bucket": _counter("role", "le"),
    "racoon_phase1_negotiation_duration_seconds_sum": _counter("role"),
    "racoon_phase1_negotiation_duration_seconds_count": _counter("role"),
    "racoon_phase2_negotiations_total": _counter("peer", "role"),
    "racoon_phase2_established_total": _counter("peer", "role"),
    "racoon_phase2_failures_total": _counter("peer", "reason"),
    "racoon_phase2_up": _gauge("peer"),
    "racoon_phase2_state_since_timestamp_seconds": _gauge("peer"),
    "racoon_phase2_flaps_total": _counter("peer"),
    "racoon_phase2_last_established_timestamp_seconds": _gauge("peer"),
    "racoon_phase2_last_failure_timestamp_seconds": _gauge("peer"),
    "racoon_ipsec_sas": _gauge("peer", "protocol", "state"),
    "racoon_ipsec_sa_ended_total": _counter("peer", "cause"),
    "racoon_peer_expected": _gauge("peer", "kind"),
    "racoon_peer_info": _gauge("peer", "address"),
    "racoon_peer_reason": _gauge("peer", "phase", "reason"),
    "racoon_peer_nat": _gauge("peer"),
    "racoon_dead_peers_total": _counter("peer"),
    "racoon_certificate_problems_total": _counter("peer", "code", "reason"),
    "racoon_notifications_received_total": _counter("peer", "notification"),
    "racoon_gateway_peers": _gauge("kind"),
    "racoon_gateway_failures_total": _counter("phase", "reason"),
    "racoon_gateway_flaps_total": _counter(),
    "racoon_xauth_logins_total": _counter("result"),
    "racoon_kernel_errors_total": _counter(),
    "racoon_config_errors_total": _counter(),
    "racoon_log_messages_total": _counter("level", "severity", "event", gateway=False),
    "racoon_log_level_quiet": _gauge(),
    "racoon_daemon_up": _gauge(),
    "racoon_daemon_start_timestamp_seconds": _gauge(),
    "racoon_daemon_starts_total": _counter(),
    "racoon_daemon_crashes_total": _counter(),
    "racoon_daemon_info": _gauge("version", "openssl"),
    "racoon_ipsec_bytes_total": _counter("peer", "direction"),
    "racoon_ipsec_packets_total": _counter("peer", "direction"),
    "racoon_ipsec_errors_total": _counter("peer", "direction", "kind"),
    "racoon_phase1_expiry_timestamp_seconds": _gauge("peer"),
    "racoon_phase2_expiry_timestamp_seconds": _gauge("peer"),
    "racoon_peer_crypto_info": _gauge("peer", "phase", "exchange", "encryption", "hash", "group", "authentication"),
    "racoon_peer_weak_crypto": _gauge("peer", "phase"),
    "racoon_policies": _gauge("peer"),
    "racoon_policies_without_sa": _gauge("peer"),
    "racoon_certificate_not_after_timestamp_seconds": _gauge("file"),
    "racoon_crl_next_update_timestamp_seconds": _gauge("file"),
    "racoon_crl_missing": _gauge("file"),
    "racoon_exporter_witness_up": _gauge("witness", gateway=False),
    "racoon_exporter_witness_last_success_timestamp_seconds": _gauge("witness", gateway=False),
    "racoon_exporter_witness_disagreements_total": _counter("witness", "kind", gateway=False),
    "racoon_exporter_source_up": _gauge("source", gateway=False),
    "racoon_exporter_source_lag_bytes": _gauge("source", gateway=False),
    "racoon_exporter_source_lag_records": _gauge("source", gateway=False),
    "racoon_exporter_source_passed_over_records_total": _counter("source", "reason", gateway=False),
    "racoon_exporter_source_last_line_timestamp_seconds": _gauge("source", gateway=False),
    "racoon_exporter_source_lines_total": _counter("source", gateway=False),
    "racoon_exporter_source_bytes_total": _counter("source", gateway=False),
    "racoon_exporter_source_rotations_total": _counter("source", gateway=False),
    "racoon_exporter_source_lost_bytes_total": _counter("source", gateway=False),
    "racoon_exporter_source_dropped_messages_total": _counter("source", gateway=False),
    "racoon_exporter_unparsed_lines_total": _counter("reason", gateway=False),
    "racoon_exporter_checkpoint_timestamp_seconds": _gauge(gateway=False),
    "racoon_exporter_checkpoint_failures_total": _counter(gateway=False),
    "racoon_exporter_record_errors_total": _counter(gateway=False),
    "racoon_exporter_dropped_sas_total": _counter(gateway=False),
    "racoon_exporter_folded_peers_total": _counter(gateway=False),
    "racoon_exporter_folded_gateways_total": _counter(gateway=False),
    "racoon_exporter_gateways": _gauge(gateway=False),
    "racoon_exporter_web_config_ok": _gauge(gateway=False),
    "racoon_exporter_config_ok": _gauge(gateway=False),
    "racoon_exporter_family_ok": _gauge("family", gateway=False),
    "racoon_exporter_build_info": _gauge("version", "python", gateway=False),
    "process_cpu_seconds_total": _counter(gateway=False),
    "process_open_fds": _gauge(gateway=False),
    "process_resident_memory_bytes": _gauge(gateway=False),
    "process_start_time_seconds": _gauge(gateway=False),
    "scrape_duration_seconds": _gauge(gateway=False),
    "up": _gauge(gateway=False),
    "ALERTS": _gauge("alertname", "alertstate", "severity", gateway=False),
}
