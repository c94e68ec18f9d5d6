"""Metrics: one row each, and their samples, taken from the state (`exposition.py` writes them).

A scrape takes those of what changed since the last one (`exposition_cache.py`). What is gone has no samples. Nothing is
registered at import.
"""

from racoon_exporter.metrics.families import FAMILIES, collect, gateways_of
from racoon_exporter.metrics.rows import METRICS, Row
from racoon_exporter.metrics.samples import OwnState, Samples, Scrape

__all__ = ["FAMILIES", "METRICS", "OwnState", "Row", "Samples", "Scrape", "collect", "gateways_of"]
