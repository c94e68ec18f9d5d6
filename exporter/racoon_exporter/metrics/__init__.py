"""Metrics: one row each, and their samples, taken from the state at each scrape (`exposition.py` renders them).

SA gauges are built anew each time, so that what is gone disappears. Nothing is registered at import.
"""

from racoon_exporter.metrics.families import FAMILIES, collect, gateways_of
from racoon_exporter.metrics.rows import METRICS, Row
from racoon_exporter.metrics.samples import OwnState, Samples, Scrape

__all__ = ["FAMILIES", "METRICS", "OwnState", "Row", "Samples", "Scrape", "collect", "gateways_of"]
