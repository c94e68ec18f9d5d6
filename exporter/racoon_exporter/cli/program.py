"""The program: its commands, and how each ends."""

from __future__ import annotations

import io
import os
import sys

import click

from racoon_exporter import __version__
from racoon_exporter.cli.backfill import backfill
from racoon_exporter.cli.check_config import check_config
from racoon_exporter.cli.demo import demo
from racoon_exporter.cli.doctor import doctor
from racoon_exporter.cli.events import events
from racoon_exporter.cli.explain import explain
from racoon_exporter.cli.history import history
from racoon_exporter.cli.output import FAILURE, INTERRUPTED, USAGE, abandon_output
from racoon_exporter.cli.redact import redact
from racoon_exporter.cli.replay import replay
from racoon_exporter.cli.report import report
from racoon_exporter.cli.serve import serve
from racoon_exporter.cli.top import top
from racoon_exporter.garbage_collection import spare_the_collector
from racoon_exporter.text import visible


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="racoon-exporter")
def main() -> None:
    """Watch the log of racoon, the IKEv1 daemon, and say which tunnel is down, since when, and why."""
    spare_the_collector()


for command in (backfill, check_config, demo, doctor, events, explain, history, redact, replay, report, serve, top):
    main.add_command(command)


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
    except click.Abort:  # so click calls a SIGINT
        sys.exit(INTERRUPTED)
    except OSError as error:
        abandon_output()
        click.echo(f"racoon-exporter: {visible(error.filename or 'standard output')}: {error.strerror}", err=True)
        sys.exit(FAILURE)
