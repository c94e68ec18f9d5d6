"""Apple: racoon of Mac OS X and iOS, in the system log and the unified log."""
