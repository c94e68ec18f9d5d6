"""Samples of the exporter itself, of what it read, and of what witnesses say."""

from __future__ import annotations

import platform
from collections.abc import Callable

from racoon_exporter import __version__, witness
from racoon_exporter.engine import UNPARSED_REASONS, Engine
from racoon_exporter.metrics.copies import name_of
from racoon_exporter.metrics.samples import Samples, Scrape
from racoon_exporter.source.stream_name import stream_of
from racoon_exporter.text import visible


def collect_messages(samples: Samples, scrape: Scrape) -> None:
    """Take the records that were read, by level, severity and class."""
    for part, engine in scrape.engine.parts.items():
        for (level, severity, event), count in engine.messages.items():
            samples.add("racoon_log_messages", count, visible(part), level, severity, event)


def collect_witnesses(samples: Samples, scrape: Scrape) -> None:
    """Take what witnesses say, where there are any."""
    shown, gateways = scrape.own.witnesses, scrape.gateways
    if shown is None:
        return
    knowledge, spelled = scrape.engine.state.knowledge, scrape.engine.state.gateways.spelled
    expected = [
        *((gateway, address) for gateway in gateways for address in knowledge.at(gateway).peers),
        *((gateway, address) for gateway in map(spelled, knowledge.gateways) for address in knowledge.at(gateway).own),
    ]
    witness.metrics.collect_witnesses(
        samples, shown, lambda gateway, address: name_of(knowledge.at(gateway), address), expected
    )


def collect_own(samples: Samples, scrape: Scrape) -> None:
    """Take what the exporter tells of itself and of its sources."""
    engine, own = scrape.engine, scrape.own
    for part, each in engine.parts.items():
        for reason in UNPARSED_REASONS:
            samples.add("racoon_exporter_unparsed_lines", each.unparsed[reason], visible(part), reason)
        samples.add("racoon_exporter_record_errors", each.errors.number, visible(part))
        samples.add("racoon_exporter_folded_gateways", each.state.gateways.folded, visible(part))
    samples.put("racoon_exporter_gateways", len(scrape.gateways), "")
    owner = _owners(engine)
    for status in own.sources:
        name = visible(status.name)
        samples.put("racoon_exporter_source_up", float(status.up), "", name)
        samples.put("racoon_exporter_source_info", 1, "", name, visible(owner(status.name)))
        samples.put("racoon_exporter_source_lag_bytes", status.lag_bytes, "", name)
        samples.add("racoon_exporter_source_lines", status.counts.lines, "", name)
        samples.add("racoon_exporter_source_bytes", status.counts.bytes, "", name)
        samples.add("racoon_exporter_source_rotations", status.counts.rotations, "", name)
        samples.add("racoon_exporter_source_lost_bytes", status.counts.lost_bytes, "", name)
        samples.add("racoon_exporter_source_dropped_messages", status.counts.dropped, "", name)
        samples.add("racoon_exporter_unparsed_lines", status.counts.too_long, name if name in engine.parts else "", "too_long")
        if status.lag_records is not None:
            samples.put("racoon_exporter_source_lag_records", status.lag_records, "", name)
            samples.add("racoon_exporter_source_keyless_records", status.keyless, "", name)
            samples.add("racoon_exporter_source_late_records", status.late, "", name)
        if status.standing_by is not None:
            samples.put("racoon_exporter_source_stands_by", float(status.standing_by), "", name)
            samples.put("racoon_exporter_source_torn_gateways", status.torn_gateways, "", name)
        for reason, number in status.passed_over.items():
            samples.add("racoon_exporter_source_passed_over_records", number, "", name, reason)
        if status.name in engine.last_line:
            samples.put("racoon_exporter_source_last_line_timestamp_seconds", engine.last_line[status.name], "", name)
    samples.put("racoon_exporter_checkpoint_timestamp_seconds", own.checkpoint_time, "")
    samples.add("racoon_exporter_checkpoint_failures", own.checkpoint_failures, "")
    samples.put("racoon_exporter_web_config_ok", float(own.web_config_ok), "")
    samples.put("racoon_exporter_config_ok", float(own.config_ok), "")
    samples.put("racoon_exporter_build_info", 1, "", __version__, platform.python_version())


def _owners(engine: Engine) -> Callable[[str], str]:
    """Give what names the one gateway whose log a source is: as configured, or the only one that its lines name."""
    named: dict[str, set[str]] = {}
    for racoon in engine.state.racoons.values():
        for stream in racoon.heard_in:
            named.setdefault(stream, set()).add(racoon.gateway)

    def owner(source: str) -> str:
        configured = engine.gateway_of(source)
        if configured:
            return engine.state.gateways.spelled(configured)
        heard = named.get(stream_of(source), set())
        return next(iter(heard)) if len(heard) == 1 else ""

    return owner
