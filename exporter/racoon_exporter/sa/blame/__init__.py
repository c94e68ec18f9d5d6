"""Whose failure a line tells of, and why it failed. Time comes as an argument: what is told late failed when it failed."""

from racoon_exporter.sa.blame.blame import Blame
from racoon_exporter.sa.blame.packet import Evidence
from racoon_exporter.sa.blame.refusals import close_in_time
from racoon_exporter.sa.blame.rules import TimeOut
from racoon_exporter.sa.blame.timeouts import Verdict

__all__ = ["Blame", "Evidence", "TimeOut", "Verdict", "close_in_time"]
