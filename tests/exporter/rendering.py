"""Our rows as prometheus_client renders them: what `exposition.py` is compared with."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from racoon_exporter.metrics import METRICS, Row, Samples
from racoon_exporter.sa.racoon import DURATION_BUCKETS


def families(samples: Samples, *, gateways: bool) -> Iterator[Metric]:
    """Render samples. The label `gateway` stands only where the log names gateways."""
    for row in METRICS:
        if row.kind == "histogram":
            yield _histogram(row, samples.durations, gateways=gateways)
            continue
        labels = ("gateway", *row.labels) if gateways and row.has_gateway else row.labels
        make = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
        family = make(row.name, row.help, labels=labels)
        skip = 1 - (len(labels) - len(row.labels))
        for values, value in samples.values.get(row.name, {}).items():
            family.add_metric(values[skip:], value)
        yield family


def _histogram(row: Row, durations: Mapping[tuple[str, ...], list[float]], *, gateways: bool) -> Metric:
    family = HistogramMetricFamily(row.name, row.help, labels=("gateway", *row.labels) if gateways else row.labels)
    for values, counts in durations.items():
        total, buckets = 0.0, []
        for bound, count in zip((*map(str, DURATION_BUCKETS), "+Inf"), counts[:-1], strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric(values[0 if gateways else 1 :], buckets, counts[-1])
    return family


class RacoonCollector(Collector):
    """Renders the metrics at each scrape. `look` gives samples and holds the lock only that long."""

    def __init__(self, look: Callable[[], tuple[Samples, bool]]) -> None:
        self._look = look

    def collect(self) -> Iterable[Metric]:
        """Give all metric families."""
        samples, gateways = self._look()
        return families(samples, gateways=gateways)
