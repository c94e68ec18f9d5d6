"""What the commands over old logs have in common: their options, and how their rows are read and written."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from racoon_exporter.archives.cluster import ClusterError, dask_cluster
from racoon_exporter.archives.distributed import rounds_apart
from racoon_exporter.archives.foreign_input import nothing_of_racoon
from racoon_exporter.archives.formats import RowFormat
from racoon_exporter.archives.interruption import taken, whole_rounds
from racoon_exporter.archives.newest_first import out_of_order
from racoon_exporter.archives.plan import Unit, units
from racoon_exporter.archives.pool import Archives, Work, all_cores
from racoon_exporter.archives.progress import progress
from racoon_exporter.archives.reading import AS_THEY_COME, ROUND, Reading, Row
from racoon_exporter.archives.selection import Selection, read_moment
from racoon_exporter.archives.sinks import Sink, WholeRows, sink_for
from racoon_exporter.archives.survey import survey
from racoon_exporter.cli.options import flags, peer_options, zone_option
from racoon_exporter.cli.output import USAGE, Command, Failure, placed, quiet_pipe, report
from racoon_exporter.config import knowledge
from racoon_exporter.config.file import Config, ConfigError, load_config
from racoon_exporter.config.knowledge import Flags
from racoon_exporter.sa import Known
from racoon_exporter.source.files.patterns import is_pattern, matches
from racoon_exporter.source.files.remote import is_url
from racoon_exporter.text import visible
from racoon_exporter.zone import zone_name

_KILLED: Final = "a process that read logs was killed, as the system does where memory ends: try --jobs 1"
_NO_LIMIT: Final = 10_000_000
_MOST_GATEWAYS: Final = 100_000


def _gateways(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(value.rpartition("=")[::2]) for value in values]
    if any(not pattern or not name for pattern, name in pairs):
        raise click.BadParameter("write PATTERN=NAME, such as '/logs/berlin*=berlin'")
    return tuple((pattern, name) for pattern, name in pairs)


def archive_options(command: Command) -> Command:
    """Ask which part of which logs is wanted, and how much of this machine may work on it."""
    options = (
        click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path(readable=False)),
        click.option("--since", metavar="TIME", help="From then on: 2026-11-01, RFC 3339, or 7d for seven days ago."),
        click.option("--until", metavar="TIME", help="Up to then; a day is included."),
        click.option("--peer", "peers", multiple=True, metavar="PEER", help="Name, address or network; may be repeated."),
        click.option("--gateway", "gateways", multiple=True, metavar="NAME", help="Gateway; may be repeated."),
        click.option("--reason", "reasons", multiple=True, metavar="REASON", help="Reason of a failure; may be repeated."),
        click.option(
            "--gateway-of",
            "gateways_of",
            multiple=True,
            callback=_gateways,
            metavar="PATTERN=NAME",
            help="Whose log it is, where lines name no host; may be repeated.",
        ),
        click.option("--jobs", type=click.IntRange(min=1), help="Processes that work at once. [default: one per core]"),
        click.option("--dask", metavar="ADDRESS", help="Let the workers of a Dask scheduler do it, such as tcp://host:8786."),
        click.option("--config.file", "config_file", type=click.Path(), help="Peers, gateways, zone: the file of `serve`."),
        click.option("--utc", is_flag=True, help="Show times in UTC instead of the log's zone."),
        zone_option,
        peer_options,
    )
    for option in reversed(options):
        command = option(command)
    return quiet_pipe(command)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options ask for."""

    logs: tuple[str, ...]
    reading: Reading
    jobs: int
    gateways_of: tuple[str, ...] = ()
    """Patterns of paths for which a flag names the gateway."""
    dask: str | None = None
    """Address of a Dask scheduler."""


def asked(context: click.Context, given: dict[str, Any], *, peers: int | None = _NO_LIMIT) -> Asked:
    """Read the options of `archive_options`. So many peers have rows of their own; None for as many as in `serve`."""
    config = _config(given["config_file"])
    zone: tzinfo = given["zone"]
    if config.zone is not None and context.get_parameter_source("zone") is ParameterSource.DEFAULT:
        zone = config.zone
    known, remarks = _knowledge(flags(given, strangers=peers, peer_limit=peers, gateway_limit=_MOST_GATEWAYS), config)
    for remark in remarks:
        _remark(remark)
    logs = given["logs"] or config.paths
    reading = Reading(
        zone_name(zone),
        given["utc"],
        known,
        (*given["gateways_of"], *_paths_first(config)),
        _selection(given, zone),
        ROUND if logs and all(is_url(log) or Path(log).is_file() for log in logs) else AS_THEY_COME,
    )
    patterns = tuple(pattern for pattern, _ in given["gateways_of"])
    return Asked(logs, reading, given["jobs"] or all_cores(), patterns, given["dask"])


def _config(path: str | None) -> Config:
    if path is None:
        return Config()
    try:
        return load_config(Path(path))
    except ConfigError as error:
        report([placed(error.path, problem) for problem in error.problems], USAGE)
        raise  # not reached: a file that cannot be used has problems
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error


def _paths_first(config: Config) -> list[tuple[str, str]]:
    """Give whose sources are whose, as `serve` has it: a log that is named is not that of a pattern it fits."""
    return sorted(config.gateways.items(), key=lambda item: is_pattern(item[0]))


def _knowledge(given: Flags, config: Config) -> tuple[Known, list[str]]:
    try:
        return knowledge.build(given, config)
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"--expect-peer: {error}") from error


def _selection(given: dict[str, Any], zone: tzinfo) -> Selection:
    moments: dict[str, float | None] = {}
    for name in ("since", "until"):
        try:
            moments[name] = None if given[name] is None else read_moment(given[name], zone, time.time(), end=name == "until")
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=f"--{name}") from error
    return Selection(moments["since"], moments["until"], given["peers"], given["gateways"], given["reasons"])


def _remark(text: str) -> None:
    click.echo(f"racoon-exporter: {visible(text)}", err=True)


def print_rows(asked_for: Asked, form: RowFormat, work: Work) -> None:
    """Read the logs, and write what comes of them to standard output."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    colour = terminal and not os.environ.get("NO_COLOR")
    sys.stdout.flush()
    problems = write_rows(asked_for, work, lambda: sink_for(form, WholeRows(sys.stdout.fileno()), width=width, colour=colour))
    report(problems)


def write_rows(
    asked_for: Asked, work: Work, make_sink: Callable[[], Sink], check: Callable[[list[Unit]], None] = lambda _units: None
) -> list[str]:
    """Read the logs into a sink; gives what could not be read. Logs without any line of racoon are a failure.

    `check` is shown what will be read together.
    """
    samples = survey(asked_for.logs, asked_for.reading.zone)
    for sample in samples:
        if sample.order == "neither":
            _remark(out_of_order(sample.path))
    for pattern in asked_for.gateways_of:
        if not any(pattern == sample.path or matches(pattern, sample.path) for sample in samples):
            _remark(f"--gateway-of {pattern}: none of the logs has such a path; * stays within a folder, ** does not")
    planned = units(samples, asked_for.reading.gateway_of)
    check(planned)
    with ExitStack() as stack:
        stack.enter_context(_workers_fail())
        interruption = stack.enter_context(taken())
        show = stack.enter_context(progress(sum(unit.size for unit in planned)))
        archives = Archives(work, planned, asked_for.jobs, show, _remark)
        rounds = stack.enter_context(closing(_rounds(archives, asked_for.dask, stack)))
        begun = next((rows for rows in rounds if rows), [])
        if not begun and not archives.heard:
            raise Failure(archives.problems[0] if archives.problems else nothing_of_racoon(samples))
        with whole_rounds(make_sink(), interruption) as take:
            take(begun)
            for rows in rounds:
                take(rows)
    return archives.problems


def _rounds(archives: Archives, dask: str | None, stack: ExitStack) -> Generator[list[Row]]:
    """Give all rows, made here or by a cluster."""
    if dask is None:
        return archives.rounds()
    streams = [log.path for unit in archives.units for log in unit.logs if log.identity is None and not is_url(log.path)]
    if streams:
        raise Failure(f"{streams[0]}: no file, so no Dask worker can read it")
    logs = [log.path for unit in archives.units for log in unit.logs]
    here = next((path for path in logs if not is_url(path) and not Path(path).is_absolute()), None)
    if here is not None:
        raise Failure(f"{here}: Dask workers run in folders of their own: name logs by whole paths, or by URLs")
    cluster = stack.enter_context(dask_cluster(dask))
    archives.jobs = cluster.threads
    return rounds_apart(archives, cluster.executor, cluster.ask)


@contextmanager
def _workers_fail() -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        raise Failure(str(error)) from error
    except BrokenExecutor as error:
        raise Failure(_KILLED) from error


__all__ = ["Asked", "archive_options", "asked", "print_rows", "write_rows"]
