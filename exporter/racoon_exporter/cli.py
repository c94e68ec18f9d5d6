"""The command line: arguments, exit status, and nothing that could stand elsewhere."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import CollectorRegistry
from tabulate import tabulate

from racoon_exporter import __version__, events_output, history, own_log, replay
from racoon_exporter.engine import Engine, spare_the_collector, stream_of
from racoon_exporter.expected import expected_peers, read_policies, read_racoon_conf
from racoon_exporter.follow import Follower
from racoon_exporter.metrics import RacoonCollector
from racoon_exporter.sa import Expectation, Knowledge, Limits
from racoon_exporter.source import STDIN, read_all
from racoon_exporter.source.base import Block, StartAt
from racoon_exporter.text import visible
from racoon_exporter.zone import read_zone
from racoon_parsers.clock import Clock
from racoon_parsers.line import LineSplitter

FAILURE: Final = 1
USAGE: Final = 2
DEFAULT_ADDRESS: Final = "localhost:10500"
"""500 is the IKE port; only this machine is let in unless asked."""
_HISTORY_ROWS: Final = 10_000
_SYSTEM_STATE: Final = Path("/var/lib/racoon-exporter")
_STATE_NAME: Final = "state.json"

Command = Callable[..., Any]


class Failure(click.ClickException):
    """Something that cannot be done, in one line; exit status 1."""

    exit_code = FAILURE

    def show(self, file: Any = None) -> None:
        """Print one line."""
        click.echo(f"racoon-exporter: {visible(self.message)}", file=file or sys.stderr)


def _zone(_context: click.Context, _parameter: click.Parameter, value: str) -> tzinfo:
    try:
        return read_zone(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _zone_option(command: Command) -> Command:
    return click.option(
        "--time-zone",
        "zone",
        callback=_zone,
        default="local",
        show_default=True,
        help="Zone in which the log is written: UTC, +02:00, a name such as Europe/Berlin, or local.",
    )(command)


def _peer_options(command: Command) -> Command:
    options = (
        click.option(
            "--expect-peer",
            "expect_peers",
            multiple=True,
            metavar="ADDR[=NAME][,roaming]",
            help="A peer that should be there; may be repeated.",
        ),
        click.option("--racoon.config", "racoon_config", type=click.Path(), help="racoon.conf: peers, lifetimes, names."),
        click.option(
            "--racoon.policy-file",
            "policy_files",
            multiple=True,
            type=click.Path(),
            help="setkey script or output of `setkey -DP`; may be repeated.",
        ),
        click.option(
            "--lifetime",
            type=click.IntRange(min=1),
            help="Seconds an IPsec SA lives, where nothing else tells: the bound of SAs whose end is not logged.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _quiet_pipe(command: Command) -> Command:
    """End without a word when whoever reads our output goes away."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            result = command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)
        return result

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="racoon-exporter")
def main() -> None:
    """Watch the log of racoon, the IKEv1 daemon, and say which tunnel is down, since when, and why."""
    spare_the_collector()


# one-shot commands


def _blocks(logs: Sequence[str], problems: list[str]) -> Iterator[Block]:
    for path in logs or (STDIN,):
        whole = read_all(path)
        yield from whole
        error = whole.status().error
        if error is not None:
            problems.append(error)


def _report(problems: Sequence[str]) -> None:
    for problem in problems:
        click.echo(f"racoon-exporter: {visible(problem)}", err=True)
    if problems:
        sys.exit(FAILURE)


def _changed(source: str) -> float:
    """Give a time that no line of a log is later than: its last change, or now for a stream."""
    try:
        return Path(source).stat().st_mtime if source != STDIN else time.time()
    except OSError:
        return time.time()


@main.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...")
@_zone_option
@_quiet_pipe
def events(logs: tuple[str, ...], zone: tzinfo) -> None:
    """Print one JSON object for every racoon message in LOG; `-` or no LOG reads standard input."""
    engine = Engine(zone, reference_of=_changed)
    problems: list[str] = []
    write = sys.stdout.write
    source = None
    for block in _blocks(logs, problems):
        if source is not None and source != block.source:
            for record in engine.rest(source):
                write(events_output.as_json_line(record, source, zone) + "\n")
        source = block.source
        for record in engine.records(block):
            write(events_output.as_json_line(record, source, zone) + "\n")
    if source is not None:
        for record in engine.rest(source):
            write(events_output.as_json_line(record, source, zone) + "\n")
    sys.stdout.flush()
    _report(problems)


@main.command(name="history")
@click.argument("logs", nargs=-1, metavar="[LOG]...")
@click.option("--format", "output", type=click.Choice(tuple(history.FORMATS)), default="table", show_default=True)
@_zone_option
@_peer_options
@_quiet_pipe
def history_command(
    logs: tuple[str, ...],
    output: str,
    zone: tzinfo,
    expect_peers: tuple[str, ...],
    racoon_config: str | None,
    policy_files: tuple[str, ...],
    lifetime: int | None,
) -> None:
    """Print one row for every negotiation, SA and daemon that LOG tells of: begin, end, how it ended, why it failed."""
    knowledge = _knowledge(expect_peers, racoon_config, policy_files, lifetime, Limits(1_000_000, 1_000_000))
    engine = Engine(zone, knowledge=knowledge, reference_of=_changed)
    problems: list[str] = []
    for block in _blocks(_in_order(logs, zone), problems):
        engine.feed(block)
    engine.finish()
    click.echo(history.FORMATS[output](history.tables(engine.state, zone)))
    _report(problems)


def _in_order(logs: Sequence[str], zone: tzinfo) -> list[str]:
    """Put rotated logs of one stream in the order of their first lines, whatever their numbers say."""
    if len(logs) < 2:  # noqa: PLR2004  one log is in order
        return list(logs)
    first = {log: _first_time(log, zone) for log in logs if log != STDIN}
    place: dict[str, int] = {}
    for index, log in enumerate(logs):
        place.setdefault(stream_of(log), index)
    return sorted(logs, key=lambda log: (place[stream_of(log)], first.get(log) or 0.0))


def _first_time(log: str, zone: tzinfo) -> float | None:
    splitter, clock = LineSplitter(), Clock(zone, _changed(log))
    block = next(iter(read_all(log)), None)
    for line in block.data.decode("utf-8", "replace").split("\n")[:100] if block else ():
        parsed = splitter.split(line)
        if parsed is not None and parsed.stamp:
            return clock.time(parsed.kind, parsed.stamp)
    return None


@main.command()
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@_quiet_pipe
def explain(lines: tuple[str, ...]) -> None:
    """Say what a line of racoon means; without LINE, lines are read from standard input."""
    if len(lines) > 1 and not any(" " in line for line in lines):
        lines = (" ".join(lines),)  # one line, typed without quotes
    texts = lines or tuple(line.rstrip("\n") for line in sys.stdin)
    engine = Engine(read_zone("UTC"), reference_of=lambda _: time.time())
    reader = engine.reader("explain")
    for text in texts:
        if not text.strip():
            continue
        alone = reader.read_text(text)
        for record in [*reader.feed([text]), *reader.flush()] or ([alone] if alone is not None else []):
            rows = [(f"{heading}:", value) for heading, value in events_output.explanation(record)]
            click.echo(tabulate(rows, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, 100]) + "\n")


@main.command(name="replay")
@click.argument("file", type=click.Path())
@click.option("--recording", type=click.Path(), help="A log in racoon's file format instead of the bundled recording.")
@click.option("--speed", type=click.FloatRange(min=0.01, max=1000), default=1.0, show_default=True)
@click.option(
    "--head", type=click.FloatRange(min=0), default=600.0, show_default=True, help="Seconds of the recording written at once."
)
def replay_command(file: str, recording: str | None, speed: float, head: float) -> None:
    """Write a recorded log into FILE with the present time, round after round, so that there is a log that grows."""
    try:
        text = Path(recording).read_text(encoding="utf-8", errors="replace") if recording else replay.bundled()
        lines = replay.recorded(text)
        if not lines:
            raise Failure(f"{recording}: no lines")
        enough = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: enough.set())
        replay.replay(lines, replay.append_to(Path(file)), speed=speed, head=head, now=time.time, wait=enough.wait)
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error


@main.command(name="check-config")
@click.argument("file", type=click.Path())
def check_config(file: str) -> None:
    """Say what is wrong in FILE, a configuration or web configuration file, by line."""
    from racoon_exporter.web import check_web_config  # noqa: PLC0415  the web server is heavy

    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    problems = check_web_config(text, path.parent)
    for problem in problems:
        where = f"{file}:{problem.line}" if problem.line is not None else file
        click.echo(f"{where}: {visible(problem.message)}", err=True)
    if problems:
        sys.exit(USAGE)
    click.echo(f"{file}: good")


# serve


def _knowledge(
    expect_peers: Sequence[str],
    racoon_config: str | None,
    policy_files: Sequence[str],
    lifetime: int | None,
    limits: Limits,
) -> Knowledge:
    try:
        conf = read_racoon_conf(racoon_config) if racoon_config else None
        policies = [read_policies(path) for path in policy_files]
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    try:
        expected = expected_peers(expect_peers, conf=conf, policies=policies)
    except ValueError as error:
        raise click.UsageError(f"--expect-peer: {error}") from error
    for problem in expected.problems:
        click.echo(f"racoon-exporter: {visible(f'{problem.path}:{problem.line}: {problem.message}')}", err=True)
    peers = {
        peer.address: Expectation(peer.name or peer.address, peer.kind, peer.phase1_lifetime, peer.phase2_lifetime)
        for peer in expected.peers
    }
    return Knowledge(peers, lifetime, limits)


def default_state_file() -> Path | None:
    """Give the state file under the service's state directory; None where there is no such directory."""
    directory = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if directory:
        return Path(directory) / _STATE_NAME
    return _SYSTEM_STATE / _STATE_NAME if _SYSTEM_STATE.is_dir() else None


@main.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...")
@click.option(
    "--web.listen-address",
    "addresses",
    multiple=True,
    default=(DEFAULT_ADDRESS,),
    show_default=True,
    help="Address to serve on; may be repeated.",
)
@click.option("--web.config.file", "web_config", type=click.Path(), help="TLS and authentication, as in exporter-toolkit.")
@click.option("--web.telemetry-path", "telemetry_path", default="/metrics", show_default=True)
@click.option("--log.level", "log_level", type=click.Choice(tuple(own_log.LEVELS)), default="info", show_default=True)
@click.option("--log.format", "log_format", type=click.Choice(tuple(own_log.FORMATS)), default="logfmt", show_default=True)
@click.option("--state.file", "state_file", type=click.Path(), help="Where positions, counters and SA state are kept.")
@click.option(
    "--start-at",
    type=click.Choice(("beginning", "end")),
    default="beginning",
    show_default=True,
    help="Where a log is begun that the state file does not know.",
)
@click.option("--backfill", is_flag=True, help="Read rotated siblings of a log first, the oldest first.")
@click.option("--limit.strangers", "strangers", type=click.IntRange(min=0), default=100, show_default=True)
@click.option("--limit.peers", "peers", type=click.IntRange(min=1), default=10_000, show_default=True)
@_zone_option
@_peer_options
def serve(
    logs: tuple[str, ...],
    addresses: tuple[str, ...],
    web_config: str | None,
    telemetry_path: str,
    log_level: str,
    log_format: str,
    state_file: str | None,
    start_at: StartAt,
    backfill: bool,  # noqa: FBT001
    strangers: int,
    peers: int,
    zone: tzinfo,
    expect_peers: tuple[str, ...],
    racoon_config: str | None,
    policy_files: tuple[str, ...],
    lifetime: int | None,
) -> None:
    """Follow LOG (a path, a glob, or `-`) and serve metrics."""
    from racoon_exporter.source.inputs import Inputs  # noqa: PLC0415  it starts watchdog
    from racoon_exporter.web import ListenError, WebConfigError, WebServer  # noqa: PLC0415  the web server is heavy
    from racoon_exporter.web.pages import health_routes, landing_route, metrics_route  # noqa: PLC0415

    if not logs:
        raise click.UsageError("no LOG is given: name racoon's log file, a glob, or - for standard input")
    if not telemetry_path.startswith("/") or telemetry_path == "/":
        raise click.UsageError("--web.telemetry-path must begin with / and name a page of its own")
    own_log.set_up(log_level, log_format)
    knowledge = _knowledge(expect_peers, racoon_config, policy_files, lifetime, Limits(strangers, peers, _HISTORY_ROWS))
    engine = Engine(zone, knowledge=knowledge, reference_of=lambda _: time.time())
    try:
        inputs = Inputs(logs, start_at=start_at, backfill=backfill)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    path = Path(state_file) if state_file else default_state_file()
    follower = Follower(engine, inputs, state_file=path)
    registry = CollectorRegistry()
    registry.register(RacoonCollector(follower.look))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    routes = [
        landing_route("racoon-exporter", [("Metrics", telemetry_path), ("Healthy", "/-/healthy"), ("Ready", "/-/ready")]),
        metrics_route(telemetry_path, registry),
        *health_routes(follower.ready),
    ]
    server = WebServer(routes, addresses=addresses, config_file=Path(web_config) if web_config else None)
    follower.restore()
    try:
        server.start()
    except WebConfigError as error:
        click.echo(f"racoon-exporter: {visible(str(error))}", err=True)
        sys.exit(USAGE)
    except ListenError as error:
        raise Failure(str(error)) from error
    _run(follower, server, path)


def _run(follower: Follower, server: Any, state_file: Path | None) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        follower.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    for url in server.urls:
        click.echo(f"serving on {url}", err=True)
    if state_file is None:
        click.echo("no state directory: counters start anew with each start (see --state.file)", err=True)
    try:
        follower.run()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
