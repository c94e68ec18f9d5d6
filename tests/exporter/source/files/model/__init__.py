"""A log and an exporter under all that can happen to both, against a model of what must have been counted."""
