"""The contract that dashboards and rules are held to is what the exporter serves."""

from racoon_exporter.metrics import METRICS as ROWS
from racoon_exporter.metrics import Row
from tests.dashboards.contract import METRICS, Metric


def promised(row: Row) -> dict[str, Metric]:
    """A row's series as queries name them."""
    labels = frozenset(row.labels)
    if row.kind == "histogram":
        parts = {"bucket": labels | {"le"}, "sum": labels, "count": labels}
        return {f"{row.name}_{part}": Metric("counter", labels, row.has_gateway) for part, labels in parts.items()}
    return {row.sample_name: Metric(row.kind, labels, row.has_gateway)}


def test_the_contract_is_what_the_exporter_serves() -> None:
    ours = {name: metric for name, metric in METRICS.items() if name.startswith("racoon_")}
    assert {name: metric for row in ROWS for name, metric in promised(row).items()} == ours
