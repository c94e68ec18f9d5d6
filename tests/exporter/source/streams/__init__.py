"""Pipes, read by hand."""
