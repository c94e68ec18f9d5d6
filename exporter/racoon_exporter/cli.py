"""The command line: arguments, exit status, and nothing that could stand elsewhere."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource
from tabulate import tabulate

from racoon_exporter import __version__, events_output, history, knowledge, own_log, replay
from racoon_exporter.config import Config, ConfigError, is_config, read_config
from racoon_exporter.engine import Engine, block_lines, spare_the_collector, stream_of
from racoon_exporter.knowledge import Flags
from racoon_exporter.source import STDIN, read_all
from racoon_exporter.source.base import Block
from racoon_exporter.text import visible
from racoon_exporter.yaml_document import Problem
from racoon_exporter.zone import read_zone
from racoon_parsers.clock import Clock
from racoon_parsers.line import LineSplitter
from racoon_parsers.messages import catalogue as all_messages
from racoon_parsers.quotation import quoted_messages

FAILURE: Final = 1
USAGE: Final = 2
DEFAULT_ADDRESS: Final = "localhost:10500"
"""500 is the IKE port; only this machine is let in unless asked."""
_HISTORY_ROWS: Final = 10_000
_NO_LIMIT: Final = 10_000_000
_SYSTEM_STATE: Final = Path("/var/lib/racoon-exporter")
_STATE_NAME: Final = "state.json"
_PAGE: Final = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)
_TAKEN: Final = ("/-/", "/api/", "/assets/")
"""Where pages of ours stand."""

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
            _abandon_output()
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


def _report(problems: Sequence[str], status: int = FAILURE) -> None:
    for problem in problems:
        click.echo(f"racoon-exporter: {visible(problem)}", err=True)
    if problems:
        sys.exit(status)


def _changed(source: str) -> float:
    """Give a time that no line of a log is later than: its last change, or now for a stream."""
    try:
        return Path(source).stat().st_mtime if source != STDIN else time.time()
    except OSError:
        return time.time()


@main.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
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
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
@click.option("--format", "output", type=click.Choice(tuple(history.FORMATS)), default="table", show_default=True)
@_zone_option
@_peer_options
@_quiet_pipe
def history_command(logs: tuple[str, ...], output: str, zone: tzinfo, **given: Any) -> None:
    """Print one row for every negotiation, SA and daemon that LOG tells of: begin, end, how it ended, why it failed."""
    try:
        known, remarks = knowledge.build(_flags(given, strangers=_NO_LIMIT, peer_limit=_NO_LIMIT), Config())
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"--expect-peer: {error}") from error
    for remark in remarks:
        click.echo(f"racoon-exporter: {visible(remark)}", err=True)
    engine = Engine(zone, knowledge=known, reference_of=_changed)
    problems: list[str] = []
    for block in _blocks(_in_order(logs, zone), problems):
        engine.feed(block)
    engine.finish()
    click.echo(history.FORMATS[output](history.tables(engine.state, zone)))
    _report(problems)


def _in_order(logs: Sequence[str], zone: tzinfo) -> list[str]:
    """Put rotated logs of one stream in the order of their first lines, whatever their numbers say."""
    if len(logs) < 2:
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
    problems: list[str] = []
    texts = lines or (line for block in _blocks((STDIN,), problems) for line in block_lines(block.data)[0])
    engine = Engine(read_zone("UTC"), reference_of=lambda _: time.time())
    reader = engine.reader("explain")
    for text in texts:
        if not text.strip():
            continue
        for message in quoted_messages(text, all_messages()):
            alone = reader.read_text(message)
            for record in [*reader.feed([message]), *reader.flush()] or ([alone] if alone is not None else []):
                rows = [(f"{heading}:", value) for heading, value in events_output.explanation(record)]
                click.echo(tabulate(rows, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, 100]) + "\n")
    _report(problems)


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
    problems = read_config(text, path.parent)[1] if is_config(text) else check_web_config(text, path.parent)
    for problem in problems:
        click.echo(visible(_placed(file, problem)), err=True)
    if problems:
        sys.exit(USAGE)
    click.echo(f"{file}: good")


def _placed(file: str | Path, problem: Problem) -> str:
    where = file if problem.line is None else f"{file}:{problem.line}"
    return f"{where}: {problem.message}"


# serve


def default_state_file() -> Path | None:
    """Give the state file under the service's state directory; None where there is no such directory."""
    directory = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if directory:
        return Path(directory) / _STATE_NAME
    return _SYSTEM_STATE / _STATE_NAME if _SYSTEM_STATE.is_dir() else None


@main.command()
@click.argument("logs", nargs=-1, metavar="[LOG]...", type=click.Path())
@click.option(
    "--web.listen-address",
    "addresses",
    multiple=True,
    default=(DEFAULT_ADDRESS,),
    show_default=True,
    help="Address to serve on; may be repeated.",
)
@click.option("--web.config.file", "web_config", type=click.Path(), help="TLS and authentication, as in exporter-toolkit.")
@click.option("--web.telemetry-path", "telemetry_path", default="/metrics", show_default=True, help="Path of the metrics.")
@click.option("--web.systemd-socket", "systemd_socket", is_flag=True, help="Serve on the sockets that systemd hands over.")
@click.option(
    "--web.health-without-auth", "health_without_auth", is_flag=True, help="Answer /-/healthy and /-/ready to everybody."
)
@click.option("--web.enable-lifecycle", "lifecycle", is_flag=True, help="Allow POST /-/reload.")
@click.option("--log.level", "log_level", type=click.Choice(tuple(own_log.LEVELS)), default="info", show_default=True)
@click.option("--log.format", "log_format", type=click.Choice(tuple(own_log.FORMATS)), default="logfmt", show_default=True)
@click.option("--config.file", "config_file", type=click.Path(), help="Sources, peers and limits in YAML.")
@click.option("--state.file", "state_file", type=click.Path(), help="Where positions, counters and SA state are kept.")
@click.option(
    "--state.interval",
    "state_interval",
    type=click.FloatRange(min=0.01),
    default=10.0,
    show_default=True,
    help="Seconds between two writings of the state file, while there is something new.",
)
@click.option(
    "--start-at",
    type=click.Choice(("beginning", "end")),
    default="beginning",
    show_default=True,
    help="Where a log is begun that the state file does not know.",
)
@click.option("--backfill", is_flag=True, help="Read rotated siblings of a log first, the oldest first.")
@click.option("--journal", is_flag=True, help="Read racoon's entries of the systemd journal as well.")
@click.option(
    "--syslog.listen-address",
    "syslog",
    multiple=True,
    metavar="URL",
    help="Receive syslog as well: udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH or unix-stream:///PATH; may be repeated.",
)
@click.option("--limit.strangers", "strangers", type=click.IntRange(min=0), help="Peers nobody configured. [default: 100]")
@click.option("--limit.peers", "peer_limit", type=click.IntRange(min=1), help="Peers in all. [default: 10000]")
@_zone_option
@_peer_options
@click.pass_context
def serve(context: click.Context, /, **given: Any) -> None:
    """Follow LOG (a path, a glob, or `-`) and serve metrics, a status page and an API."""
    from racoon_exporter.service import Service, Settings  # noqa: PLC0415  the web server is heavy
    from racoon_exporter.web import ListenError, WebConfigError  # noqa: PLC0415

    path: str = given["telemetry_path"]
    if not _PAGE.fullmatch(path) or path.startswith(_TAKEN):
        raise click.UsageError("--web.telemetry-path must begin with / and name a page of its own")
    own_log.set_up(given["log_level"], given["log_format"])
    zone_given = context.get_parameter_source("zone") is not ParameterSource.DEFAULT
    settings = Settings(
        logs=given["logs"],
        flags=_flags(given, strangers=given["strangers"], peer_limit=given["peer_limit"], history=_HISTORY_ROWS),
        zone=given["zone"] if zone_given else None,
        local_zone=given["zone"],
        config_file=_path(given["config_file"]),
        state_file=_path(given["state_file"]) or default_state_file(),
        state_interval=given["state_interval"],
        start_at=given["start_at"],
        backfill=given["backfill"],
        addresses=given["addresses"],
        web_config=_path(given["web_config"]),
        telemetry_path=path,
        journal=given["journal"],
        syslog=given["syslog"],
        systemd_socket=given["systemd_socket"],
        health_without_auth=given["health_without_auth"],
        lifecycle=given["lifecycle"],
    )
    try:
        service = Service(settings)
        service.start()
    except (ConfigError, WebConfigError) as error:
        _report([_placed(error.path, problem) for problem in error.problems], USAGE)
    except ListenError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    else:
        service.run()


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _flags(given: dict[str, Any], **limits: int | None) -> Flags:
    return Flags(given["expect_peers"], given["racoon_config"], given["policy_files"], given["lifetime"], **limits)


def _stand_in_for_closed() -> None:
    """Give standard descriptors that the caller closed something that refuses.

    Else the next file or socket would get their number, and be read as standard input or written to as standard output.
    """
    for descriptor, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _abandon_output() -> None:
    """Let what cannot be written go, so that the interpreter does not try once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def run() -> None:
    """Run the command line. What is wrong is said in one line, where click prints usage around it."""
    _stand_in_for_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8
    try:
        main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USAGE)
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx is not None else ""
        click.echo(f"racoon-exporter: {visible(error.format_message())}{where}", err=True)
        sys.exit(USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(FAILURE)
    except OSError as error:
        _abandon_output()
        click.echo(f"racoon-exporter: {visible(error.filename or 'standard output')}: {error.strerror}", err=True)
        sys.exit(FAILURE)
