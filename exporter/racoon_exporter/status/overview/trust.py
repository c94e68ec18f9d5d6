"""Whether what is shown can be trusted: is the log written, read and understood? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from racoon_exporter.status.overview.facts import DaemonFacts, Facts
from racoon_exporter.wording.reasons import runbook
from racoon_exporter.wording.words import count, duration

SILENT_SECONDS: Final = 8 * 3600.0
"""The longest phase 2 lifetime in common use: within it a living peer makes racoon write (as in RacoonLogSilent)."""
FUTURE_SECONDS: Final = 600.0
"""A log whose time is so far ahead of ours is read in the wrong zone."""
BEHIND_BYTES: Final = 1024 * 1024


class Doubt(NamedTuple):
    """A reason not to believe, or not to rely on, what is shown."""

    serious: bool
    """Whether states may be wrong; else it is good to know."""
    title: str
    text: str
    runbook: str | None = None


def doubts(facts: Facts, now: float) -> list[Doubt]:
    """Give every doubt, the serious ones first."""
    found = [*_of_sources(facts), *_of_daemons(facts), *_of_times(facts, now), *_of_knowledge(facts)]
    return sorted(found, key=lambda doubt: not doubt.serious)


def _of_sources(facts: Facts) -> Iterator[Doubt]:
    for status in facts.sources:
        if not status.up:
            yield Doubt(
                serious=True,
                title=f"The log {status.name} cannot be read",
                text=f"{status.error or 'It is not there'}. What is shown is as old as the last line that was read.",
                runbook=runbook("RacoonSourceUnreadable"),
            )
        elif status.lag_bytes > BEHIND_BYTES:
            yield Doubt(
                serious=True,
                title=f"The log {status.name} has not been read to its end",
                text=f"{count(status.lag_bytes, 'byte')} are still to be read. What is shown is of an earlier time.",
                runbook=runbook("RacoonSourceLagging"),
            )
        if status.torn_gateways:
            yield Doubt(
                serious=True,
                title=f"{count(status.torn_gateways, 'gateway')} of {status.name} are known in parts only",
                text="Their lines come through several partitions, which are read each for itself: states may be wrong. "
                "Key the records by gateway, or have one instance read them in the order of time (`order: time`).",
                runbook=runbook("RacoonGatewaysTorn"),
            )
        elif status.remark:
            yield Doubt(serious=False, title=f"{status.name} is read by one instance", text=f"{_sentence(status.remark)}.")
    if not facts.daemons and not any(status.standing_by for status in facts.sources):
        lines = sum(status.counts.lines for status in facts.sources)
        yield Doubt(
            serious=True,
            title="No line of racoon was read yet",
            text=f"{count(lines, 'line')} read, none of them racoon's. Is this the log that racoon writes?",
            runbook=runbook("RacoonLogSilent"),
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_daemons(facts: Facts) -> Iterator[Doubt]:
    for daemon in facts.daemons:
        if daemon.rule:
            yield Doubt(
                serious=True,
                title=f"The log{_of(daemon, facts)} tells nothing of phase 2",
                text="Whether a peer's phase 2 is up is unknown until a line of it comes: the system logs it only where a rule "
                f"asks for it. Add the logging rule `{daemon.rule}`.",
                runbook=runbook("RacoonLogTooQuiet"),
            )
        elif daemon.quiet:
            yield Doubt(
                serious=True,
                title=f"racoon{_of(daemon, facts)} logs too little to see SAs",
                text="Its log level is `notify` or quieter: it prints no line about SAs, so peers look down that are not. "
                "Set `log info;` in racoon.conf.",
                runbook=runbook("RacoonLogTooQuiet"),
            )
        if daemon.stopped and daemon.run is None:
            yield Doubt(
                serious=True,
                title=f"racoon{_of(daemon, facts)} is not running",
                text="Its last line was that of its end: no SA is negotiated or renewed.",
                runbook=runbook("RacoonDaemonDown"),
            )


def _of(daemon: DaemonFacts, facts: Facts) -> str:
    return f" ({daemon.name})" if len(facts.daemons) > 1 else ""


def _of_times(facts: Facts, now: float) -> Iterator[Doubt]:
    for daemon in facts.daemons:
        if daemon.now is None:
            continue
        silence = now - daemon.now
        if silence > SILENT_SECONDS and not (daemon.stopped and daemon.run is None):
            yield Doubt(
                serious=True,
                title=f"racoon{_of(daemon, facts)} has written nothing for {duration(silence)}",
                text="SAs that live are renewed and leave lines. Does racoon still run, and still write to this log?",
                runbook=runbook("RacoonLogSilent"),
            )
        elif silence < -FUTURE_SECONDS:
            yield Doubt(
                serious=True,
                title=f"The log of racoon{_of(daemon, facts)} is {duration(-silence)} ahead of our clock",
                text="It is read in the wrong time zone (see --time-zone), or one of the clocks is wrong.",
            )


def _of_knowledge(facts: Facts) -> Iterator[Doubt]:
    if facts.knowledge.is_empty:
        yield Doubt(
            serious=False,
            title="No expected peers are configured",
            text="A peer that never connects is then not noticed, and one that left may be down or done. "
            "Name yours with --expect-peer or --racoon.config.",
        )


__all__ = ["BEHIND_BYTES", "FUTURE_SECONDS", "SILENT_SECONDS", "Doubt", "doubts"]
