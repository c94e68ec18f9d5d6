"""Which of the things offered a client prefers: the Accept and Accept-Encoding headers (RFC 9110, 12.4 and 12.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A quality as it is written, and as some write it (".5"); no "1e0", "0_1" or "nan", which Python takes as well.
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}")
#: Items of a header that are looked at; the rest of a longer one is ignored.
_MAX_ITEMS = 32


@dataclass(frozen=True, slots=True)
class Preference:
    """One item of such a header: ``name;key=value;q=0.5``, names and keys in lower case."""

    name: str
    parameters: Mapping[str, str]
    quality: float


def preferences(header: str) -> Iterator[Preference]:
    """Yield the items of a header. One with a quality that is no number counts as refused."""
    for item in header.split(",", _MAX_ITEMS)[:_MAX_ITEMS]:
        name, *rest = (part.strip() for part in item.split(";"))
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in (part.partition("=") for part in rest)}
        yield Preference(name.lower(), parameters, _quality(parameters.get("q", "1")))


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether a response may be compressed with gzip."""
    qualities = {item.name: item.quality for item in preferences(accept_encoding)}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def prefers_openmetrics(accept: str) -> bool:
    """Tell whether OpenMetrics 1.0 is asked for, by name, and at least as much as Prometheus' older text format.

    A client that names neither (a browser, curl) gets the older one, which everybody can read.
    """
    openmetrics = text = 0.0
    for item in preferences(accept):
        version = item.parameters.get("version", "")
        if item.name == "application/openmetrics-text" and version in {"", "1.0.0"}:
            openmetrics = max(openmetrics, item.quality)
        elif item.name == "text/plain" and version in {"", "0.0.4"}:
            text = max(text, item.quality)
    return openmetrics > 0 and openmetrics >= text


def _quality(text: str) -> float:
    quality = float(text) if _NUMBER.fullmatch(text) else 0.0
    return quality if quality <= 1 else 0.0
