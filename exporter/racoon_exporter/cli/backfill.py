"""`backfill`: old logs as samples with their times, for Prometheus and others to import."""

from __future__ import annotations

import sys
from typing import Any

import click

from racoon_exporter.archives.backfill_rows import BackfillRows
from racoon_exporter.archives.openmetrics import Labels, OpenMetrics
from racoon_exporter.archives.plan import Unit
from racoon_exporter.archives.sinks import WholeRows
from racoon_exporter.cli.archives import archive_options, asked, write_rows
from racoon_exporter.cli.output import Failure
from racoon_exporter.cli.output import report as report_problems
from racoon_exporter.duration import read_duration


def _step(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    seconds = read_duration(value)
    if not seconds:
        raise click.BadParameter(f"{value!r} is no duration; write 60s, 5m or 1h")
    return seconds


@click.command(short_help="Turn old logs into samples that Prometheus imports.")
@click.option("--step", default="60s", show_default=True, callback=_step, help="Time between two samples, such as 60s or 5m.")
@click.option(
    "--job", default="racoon", show_default=True, help="Label `job` of all samples: that of the scrape configuration."
)
@click.option(
    "--instance",
    "instances",
    multiple=True,
    metavar="[GATEWAY=]NAME",
    help="Label `instance`, such as gw1:10500, for all or for a gateway; may be repeated.",
)
@archive_options
@click.pass_context
def backfill(context: click.Context, /, step: int, job: str, instances: tuple[str, ...], **given: Any) -> None:
    """Write the metrics that `serve` would have had while LOG was written, as OpenMetrics with times."""
    what = asked(context, given, peers=None)
    selection = what.reading.selection
    sys.stdout.flush()
    sink = OpenMetrics(WholeRows(sys.stdout.fileno()), step, _labels(job, instances), (selection.since, selection.until))
    problems = write_rows(what, BackfillRows(what.reading, step), lambda: sink, _named)
    problems += [
        f"{gateway or 'a gateway without a name'}: its logs were read apart, as their beginnings do not name it; "
        "--gateway-of PATTERN=NAME says whose a log is"
        for gateway in dict.fromkeys(sink.twice)
    ]
    report_problems(problems)


def _labels(job: str, instances: tuple[str, ...]) -> Labels:
    pairs = [instance.rpartition("=")[::2] for instance in instances]
    return Labels(
        job,
        next((name for gateway, name in reversed(pairs) if not gateway), ""),
        tuple((gateway, name) for gateway, name in pairs if gateway),
    )


def _named(planned: list[Unit]) -> None:
    """Refuse logs of several gateways that name none: their series would be one."""
    nameless = [unit.logs[0].path for unit in planned if not unit.gateways]
    if len(nameless) > 1:
        raise Failure(
            f"{nameless[0]} and {nameless[1]} name no gateway, and their series would be one; say whose each is: "
            f"--gateway-of '{nameless[0]}=NAME'"
        )
