"""How true `racoon-exporter history` is; run it with `python -m tests.lab_truth.score [SCENARIO_DIR…]`.

For every scenario with a table of the kernel's SAs, the history of each host's log is compared with it. Prints one row for
each host, then every violation of a limit. Exit status 1 when a limit is missed that limits.tsv does not list with a reason.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

from tests.lab_truth.compare import Score, Silence, Violation, compare
from tests.lab_truth.truth import LIMIT, Host, hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HERE = Path(__file__).parent
LAB = HERE.parent / "scenarios" / "lab"
ZONES = {"28-clock-and-dst": "Europe/Berlin"}
TIMEOUT = 300  # seconds for one host's log


@dataclass(frozen=True, slots=True)
class Allowed:
    """A row of limits.tsv: a violation that is known and has a reason. `*` fits every host or SPI."""

    scenario: str
    host: str
    spi: str
    what: str
    why: str

    def fits(self, violation: Violation) -> bool:
        """Whether the violation is this one."""
        return (
            self.scenario == violation.scenario
            and self.host in {"*", violation.host}
            and self.spi in {"*", violation.spi}
            and self.what == violation.what
        )


def read_limits(path: Path) -> list[Allowed]:
    """Read limits.tsv; every row needs a reason."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Allowed(**row) for row in csv.DictReader(file, delimiter="\t")]
    if any(not row.why for row in rows):
        raise ValueError(f"{path}: a row without reason")
    return rows


def default_command() -> list[str]:
    """Return the installed command, that of this interpreter's environment first."""
    beside = Path(sys.executable).with_name("racoon-exporter")
    found = str(beside) if beside.exists() else shutil.which("racoon-exporter")
    if found is None:
        raise click.ClickException("racoon-exporter is not installed")
    return [found]


def history_of(host: Host, command: Sequence[str]) -> Mapping[str, list[Mapping[str, Any]]]:
    """Run `history` over a host's logs, oldest first."""
    arguments = ["history", "--format", "json", "--time-zone", host.zone, *map(str, host.logs)]
    done = subprocess.run([*command, *arguments], capture_output=True, check=False, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise click.ClickException(f"{host.scenario} {host.name}: history ended with {done.returncode}\n{done.stderr}")
    result: Mapping[str, list[Mapping[str, Any]]] = json.loads(done.stdout)
    return result


# --- the table ---

COLUMNS = (
    *("scenario", "host", "kernel", "logged", "found", "extra", "recall", "precision"),
    *("|est.| s", "|dying| s", "|ended| s", "silent", "ph1", "ph1 found", "ends"),
)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def table_row(score: Score) -> list[str]:
    """Return one row of the table."""
    return [
        score.scenario,
        score.host,
        *map(str, (score.kernel, score.shown, score.matched, score.listed - score.matched)),
        _share(score.recall),
        _share(score.precision),
        *(_seconds(score.worst.get(what)) for what in ("established", "dying", "ended")),
        str(len(score.silences) or ""),
        str(score.phase1),
        str(score.phase1_matched),
        " ".join(f"{end}:{count}" for end, count in sorted(score.ends.items())),
    ]


def total(scores: Iterable[Score]) -> Score:
    """Return all scores as one."""
    result = Score("all", "")
    for score in scores:
        for name in ("kernel", "shown", "matched", "matched_shown", "listed", "phase1", "phase1_matched"):
            setattr(result, name, getattr(result, name) + getattr(score, name))
        for what, seconds in score.worst.items():
            result.worst[what] = max(result.worst.get(what, 0.0), seconds)
        result.silences += score.silences
        result.ends += score.ends
    return result


def report(scores: Sequence[Score], limits: Sequence[Allowed]) -> tuple[str, bool]:
    """Return the whole report, and whether every limit holds that limits.tsv does not except."""
    violations = [violation for score in scores for violation in score.violations]
    excused = {id(violation): allowed for violation in violations for allowed in limits if allowed.fits(violation)}
    missed = [violation for violation in violations if id(violation) not in excused]
    names = {score.scenario for score in scores}
    used = {id(allowed) for allowed in excused.values()}
    idle = [allowed for allowed in limits if allowed.scenario in names and id(allowed) not in used]
    parts = [
        tabulate([*map(table_row, scores), table_row(total(scores))], COLUMNS, disable_numparse=True),
        f"\nLimits: nothing missing, nothing extra, right direction and mode, times within {LIMIT:g} s.",
        f"{len(missed)} missed, {len(violations) - len(missed)} excepted by limits.tsv.",
    ]
    silences = total(scores).silences
    if silences:
        parts += ["\nRemoved without a line, so not compared (late: seconds that history keeps them):", _silences(silences)]
    if missed:
        parts += ["\nMissed:", _violations(missed)]
        parts.append(" ".join(f"{what}:{count}" for what, count in Counter(v.what for v in missed).most_common()))
    if idle:
        parts += [
            "\nExceptions that are no longer needed:",
            *(f"{row.scenario} {row.host} {row.spi} {row.what}" for row in idle),
        ]
    return "\n".join(parts), not missed


def _silences(silences: Iterable[Silence]) -> str:
    rows = [
        [s.scenario, s.host, s.sa.spi, s.sa.how_removed, s.end, "for ever" if s.late is None else f"{s.late:+.1f}"]
        for s in silences
    ]
    return tabulate(rows, ("scenario", "host", "spi", "kernel", "history", "late"), disable_numparse=True)


def _violations(violations: Iterable[Violation]) -> str:
    rows = [[v.scenario, v.host, v.spi, v.what, v.detail] for v in violations]
    return tabulate(rows, ("scenario", "host", "spi or cookies", "what", "detail"), disable_numparse=True)


@click.command()
@click.argument("directories", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--command", help="The program to run instead of racoon-exporter.")
@click.option("--limits", type=click.Path(dir_okay=False, path_type=Path), default=HERE / "limits.tsv")
@click.option("--zone", "zones", multiple=True, metavar="SCENARIO=ZONE", help="Time zone of a scenario's logs, if not UTC.")
def main(directories: tuple[Path, ...], command: str | None, limits: Path, zones: tuple[str, ...]) -> None:
    """Compare histories with the kernel's record, for DIRECTORIES or every recorded scenario."""
    by_scenario = ZONES | dict(zone.split("=", 1) for zone in zones)
    program = command.split() if command else default_command()
    scores = []
    for directory in directories or sorted(path for path in LAB.iterdir() if path.is_dir()):
        name = directory.resolve().name
        recorded = hosts(directory.resolve(), by_scenario.get(name, "UTC"))
        scores += [compare(host, history_of(host, program)) for host in recorded]
    if not scores:
        raise click.ClickException("no scenario has a log and a table")
    text, good = report(scores, read_limits(limits))
    click.echo(text)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
