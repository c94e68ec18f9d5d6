"""The whole chain on loopback: recordings, racoon-exporter, Prometheus, Alertmanager, a webhook. Run by `make e2e`."""
