"""The configuration file: whether the service's user may read it, and whether it is right."""

from __future__ import annotations

import shlex

from racoon_exporter.doctor.finding import Findings, error, ok
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup

_NO_SERVICE = "The exporter does not start; a reload is refused, and what is in force stays."


def check_rights(setup: Setup) -> Findings:
    """Try to read it as the service's user."""
    path = setup.settings.config_file
    refusal = None if path is None else readable(path, setup.user)
    if path is not None and refusal is not None:
        yield error("configuration", path, refusal.why, _NO_SERVICE, refusal.mend)


def check(setup: Setup) -> Findings:
    """Say what is wrong in it, by line."""
    path = setup.settings.config_file
    if path is None or setup.config_unreadable is not None:
        return
    for problem in setup.config_problems:
        yield error("configuration", path, str(problem), _NO_SERVICE, f"racoon-exporter check-config {shlex.quote(str(path))}")
    if not setup.config_problems:
        yield ok("configuration", path, "understood")
