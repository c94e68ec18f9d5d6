"""A journalctl of our own making."""
