"""racoon-exporter: watch the log of racoon and serve what it says as Prometheus metrics."""

__version__ = "0.1.0"
