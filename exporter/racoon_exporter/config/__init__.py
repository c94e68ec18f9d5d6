"""What the exporter is told: the configuration file, and what flags, racoon.conf and policies add to it."""
