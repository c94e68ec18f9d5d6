"""The metrics that dashboards and rules may use: what the exporter serves, and what Prometheus adds to each scrape.

What is promised to people stands in docs/metrics.md, which is written from the same rows: a name or a label that changes is
seen there.
"""

from dataclasses import dataclass

from racoon_exporter.metrics import METRICS as ROWS
from racoon_exporter.metrics import Row


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's type, its labels besides those of the target, and whether it tells gateways in one log apart."""

    kind: str
    labels: frozenset[str] = frozenset()
    gateway: bool = True


def served(row: Row) -> dict[str, Metric]:
    """Give a row's series as queries name them."""
    labels = frozenset(row.labels)
    if row.kind == "histogram":
        parts = {"bucket": labels | {"le"}, "sum": labels, "count": labels}
        return {f"{row.name}_{part}": Metric("counter", labels, row.has_gateway) for part, labels in parts.items()}
    return {row.sample_name: Metric(row.kind, labels, row.has_gateway)}


METRICS: dict[str, Metric] = {name: metric for row in ROWS for name, metric in served(row).items()} | {
    "process_cpu_seconds_total": Metric("counter", gateway=False),
    "process_open_fds": Metric("gauge", gateway=False),
    "process_resident_memory_bytes": Metric("gauge", gateway=False),
    "process_start_time_seconds": Metric("gauge", gateway=False),
    "scrape_duration_seconds": Metric("gauge", gateway=False),
    "up": Metric("gauge", gateway=False),
    "ALERTS": Metric("gauge", frozenset({"alertname", "alertstate", "severity"}), gateway=False),
}
