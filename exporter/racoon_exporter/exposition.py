"""Samples as text: Prometheus' format 0.0.4 and OpenMetrics 1.0, for our own rows.

prometheus_client renders everything else. It takes 4 µs for a sample, and a gateway with a thousand peers has twenty thousand;
a scrape must take less than a tenth of a second. Here a row's labels are laid out once, and a label value is escaped once. A
test compares with prometheus_client byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from operator import itemgetter
from typing import Final

from prometheus_client.utils import floatToGoString

from racoon_exporter.metrics import METRICS, Row, Samples
from racoon_exporter.sa.racoon import DURATION_BUCKETS
from racoon_exporter.text import visible

_SHORT = 1e6
"""Numbers below it are written the same by Go and by Python."""
_HISTOGRAM: Final = next(row for row in METRICS if row.kind == "histogram")
_COMMON: Final = ((), ("peer",))
_PLACES: Final = tuple(map(str, range(len(DURATION_BUCKETS) + 3)))
"""Places of the numbers of a histogram in its lines."""


def render(samples: Samples, *, gateways: bool, openmetrics: bool) -> bytes:
    """Write all rows, in their order. The label `gateway` stands only where the log names gateways."""
    texts = row_texts(samples, gateways=gateways)
    return b"".join([head(row, openmetrics=openmetrics).encode() + texts.get(row.name, b"") for row in METRICS])


def row_texts(samples: Samples, *, gateways: bool) -> dict[str, bytes]:
    """Write the samples of each row that has any, by its name: they are the same in both formats."""
    forms = _forms(gateways=gateways)
    common: dict[tuple[str, ...], str] = {}
    texts: dict[str, bytes] = {}
    for name, taken in samples.values.items():
        form = forms.get(name) or _own_form(name, named=any(values[0] for values in taken))
        if not form.is_common:
            texts[name] = form.lines(taken).encode()
            continue
        lines = []
        for values, value in taken.items():
            labels = common.get(values)
            if labels is None:
                labels = common[values] = form.written(values)
            lines.append(f"{form.named}{labels} {_number(value)}\n")
        texts[name] = "".join(lines).encode()
    if samples.durations:
        texts[_HISTOGRAM.name] = _histograms(samples.durations, gateways=gateways).encode()
    return texts


class _Form:
    """How the samples of a row are written. `labels` are sorted by name; one without a name is left out."""

    def __init__(self, row: Row, labels: tuple[str, ...]) -> None:
        order = sorted((label, place) for place, label in enumerate(labels) if label)
        self.named = row.sample_name
        self._labels = _written({label: "%s" for label, _ in order})
        self.is_common = row.has_gateway and row.labels in _COMMON
        """Whether many rows have these labels: their text is made once for all of them."""
        self._line = f"{self.named}{self._labels} %s\n"
        self._take = _taker([place for _, place in order])

    def lines(self, taken: Mapping[tuple[str, ...], float]) -> str:
        """Write samples."""
        line, take = self._line, self._take
        return "".join([line % (*map(_escaped, take(values)), _number(value)) for values, value in taken.items()])

    def written(self, values: tuple[str, ...]) -> str:
        """Write the labels of a sample."""
        return self._labels % tuple(map(_escaped, self._take(values)))


def _taker(places: Sequence[int]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Give what takes the values that stand at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda values: (values[places[0]],)) if places else lambda _values: ()


@cache
def _forms(*, gateways: bool) -> dict[str, _Form]:
    owner = "gateway" if gateways else ""
    return {row.name: _Form(row, (owner, *row.labels)) for row in METRICS if row.has_gateway}


@cache
def _own_form(name: str, *, named: bool) -> _Form:
    """Give the form of what the exporter counts: of a partition of a topic where the partition is."""
    row = next(row for row in METRICS if row.name == name)
    return _Form(row, ("source" if named else "", *row.labels))


def _histograms(durations: Mapping[tuple[str, ...], Sequence[float]], *, gateways: bool) -> str:
    texts: list[str] = []
    for (gateway, role), counts in durations.items():
        labels = {"gateway": gateway, "role": role} if gateways else {"role": role}
        texts.append(_histogram(_HISTOGRAM, labels, counts))
    return "".join(texts)


def head(row: Row, *, openmetrics: bool) -> str:
    """Write what stands before the samples of a row."""
    title = row.name if openmetrics else row.sample_name
    return f"# HELP {title} {_escaped_help(row.help, openmetrics=openmetrics)}\n# TYPE {title} {row.kind}\n"


def sample_lines(row: Row, labels: dict[str, str], value: float | Sequence[float]) -> list[str]:
    """Write the lines of a sample without their ends: several for a histogram, whose value is its counts and the sum."""
    if isinstance(value, Sequence):
        return _histogram(row, labels, value).removesuffix("\n").split("\n")
    written = {name: _escaped(label) for name, label in labels.items()}
    return [f"{row.sample_name}{_written(written)} {_number(value)}"]


def _histogram(row: Row, labels: Mapping[str, str], counts: Sequence[float]) -> str:
    totals = list(accumulate(counts[:-1]))
    written = dict(zip(_PLACES, map(_number, (*totals, totals[-1], counts[-1])), strict=True))
    for name, value in labels.items():
        written[name] = _escaped(value)
    return _histogram_form(row.name, tuple(labels)) % written


@lru_cache
def _histogram_form(name: str, labels: tuple[str, ...]) -> str:
    """Lay the lines of a histogram out, with places for its numbers and the values of its labels."""
    holes = {label: f"%({label})s" for label in labels}
    bounds = [*map(_number, DURATION_BUCKETS), "+Inf"]
    lines = [f"{name}_bucket{_written(holes | {'le': bound})}" for bound in bounds]
    lines += [f"{name}_{part}{_written(holes)}" for part in ("count", "sum")]
    return "".join(f"{line} %({place})s\n" for line, place in zip(lines, _PLACES, strict=True))


def _written(labels: Mapping[str, str]) -> str:
    """Write labels whose values are escaped."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}" if labels else ""


@lru_cache(maxsize=32_768)
def _number(value: float) -> str:
    """Write a number as Go does. Most were written before: counts of few, and times that the last scrape had as well."""
    if -_SHORT < value < _SHORT:
        return repr(value + 0.0)  # no minus before a zero
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


@lru_cache(maxsize=32_768)
def _escaped(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"')


def _escaped_help(text: str, *, openmetrics: bool) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if openmetrics else escaped
