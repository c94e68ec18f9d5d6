"""Samples as text: Prometheus' format 0.0.4 and OpenMetrics 1.0, for our own rows.

prometheus_client renders everything else. It takes 4 µs for a sample, and a gateway with a thousand peers has twenty thousand;
a scrape must take less than a tenth of a second. Here a row's labels are laid out once, and a label value is escaped once. A
test compares with prometheus_client byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from prometheus_client.utils import floatToGoString

from racoon_exporter.metrics import METRICS, Row, Samples
from racoon_exporter.sa.racoon import DURATION_BUCKETS

_SHORT = 1e6
"""Numbers below it are written the same by Go and by Python."""


def render(samples: Samples, *, gateways: bool, openmetrics: bool) -> bytes:
    """Write all rows, in their order. The label `gateway` stands only where the log names gateways."""
    return "".join(_text(samples, gateways=gateways, openmetrics=openmetrics)).encode("utf-8")


def _text(samples: Samples, *, gateways: bool, openmetrics: bool) -> Iterator[str]:
    escaped = _Escaped()
    laid_out: dict[tuple[str, ...], _Labels] = {}
    for row in METRICS:
        named = row.sample_name
        yield head(row, openmetrics=openmetrics)
        if row.kind == "histogram":
            yield from _histogram(row, samples, escaped, gateways=gateways)
            continue
        taken = samples.values.get(row.name, {})
        labels = (_owner(row, taken, gateways=gateways), *row.labels)
        known = laid_out.get(labels)
        if known is None:
            known = laid_out[labels] = _Labels(labels, escaped)
        for values, value in taken.items():
            yield f"{named}{known[values]} {_number(value)}\n"


def _owner(row: Row, taken: Mapping[tuple[str, ...], float], *, gateways: bool) -> str:
    """Name the label that says whose a sample is: a gateway's; or a partition's, as that is counted where the partition is."""
    if row.has_gateway:
        return "gateway" if gateways else ""
    return "source" if any(values[0] for values in taken) else ""


def head(row: Row, *, openmetrics: bool) -> str:
    """Write what stands before the samples of a row."""
    title = row.name if openmetrics else row.sample_name
    return f"# HELP {title} {_escaped_help(row.help, openmetrics=openmetrics)}\n# TYPE {title} {row.kind}\n"


def sample_lines(row: Row, labels: dict[str, str], value: float | Sequence[float]) -> list[str]:
    """Write the lines of a sample without their ends: several for a histogram, whose value is its counts and the sum."""
    if isinstance(value, Sequence):
        return _histogram_lines(row, _labels(labels), [_labels(labels | {"le": bound}) for bound in _BOUNDS], value)
    return [f"{row.sample_name}{_labels(labels)} {_number(value)}"]


def _layout(labels: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """Lay labels out: sorted by name, and which value each takes. A label without name is left out."""
    order = sorted((label, place) for place, label in enumerate(labels) if label)
    inside = ",".join(f'{label}="%s"' for label, _ in order)
    return f"{{{inside}}}" if inside else "", tuple(place for _, place in order)


def _histogram(row: Row, samples: Samples, escaped: _Escaped, *, gateways: bool) -> Iterator[str]:
    owner = "gateway" if gateways else ""
    labels, bucket_labels = _Labels((owner, *row.labels), escaped), _Labels((owner, *row.labels, "le"), escaped)
    for values, counts in samples.durations.items():
        of_buckets = [bucket_labels[*values, bound] for bound in _BOUNDS]
        yield "".join(f"{line}\n" for line in _histogram_lines(row, labels[values], of_buckets, counts))


def _histogram_lines(row: Row, labels: str, of_buckets: Sequence[str], counts: Sequence[float]) -> list[str]:
    total, lines = 0.0, []
    for bucket, count in zip(of_buckets, counts[:-1], strict=True):
        total += count
        lines.append(f"{row.name}_bucket{bucket} {_number(total)}")
    return [*lines, f"{row.name}_count{labels} {_number(total)}", f"{row.name}_sum{labels} {_number(counts[-1])}"]


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(labels.items())) + "}"


@lru_cache(maxsize=32_768)
def _number(value: float) -> str:
    """Write a number as Go does. Most were written before: counts of few, and times that the last scrape had as well."""
    if -_SHORT < value < _SHORT:
        return repr(value + 0.0)  # no minus before a zero
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


_BOUNDS: Final = (*map(_number, DURATION_BUCKETS), _number(float("inf")))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _escaped_help(text: str, *, openmetrics: bool) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if openmetrics else escaped


class _Escaped(dict[str, str]):
    """Label values and how they are written; each is escaped when it is first asked for."""

    def __missing__(self, value: str) -> str:
        written = self[value] = _escape(value)
        return written


class _Labels(dict[tuple[str, ...], str]):
    """The labels of a sample by their values. Rows of the same labels are of the same peers: each text is made once."""

    def __init__(self, labels: tuple[str, ...], escaped: _Escaped) -> None:
        super().__init__()
        self._layout, self._places = _layout(labels)
        self._escaped = escaped

    def __missing__(self, values: tuple[str, ...]) -> str:
        escaped = self._escaped
        written = self[values] = self._layout % tuple([escaped[values[place]] for place in self._places])
        return written
