"""What a log says: whose lines they are, whether they are understood, whether they come, at which level, once or twice."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from racoon_exporter.archives.foreign_input import nothing_of_racoon
from racoon_exporter.archives.survey import Sample
from racoon_exporter.doctor.finding import Finding, Findings, error, ok, warning
from racoon_exporter.doctor.log_tail import DEBUG, LogTail
from racoon_exporter.doctor.setup import USUAL_CONFIG, Setup
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.source.files.folders import Folders
from racoon_exporter.source.files.siblings import siblings
from racoon_exporter.source.files.system import SYSTEM
from racoon_exporter.status.overview.trust import SILENT_SECONDS
from racoon_exporter.wording.words import count, duration
from racoon_parsers.dialects import DIALECTS

_OTHERS: Final = {
    "charon": "strongSwan",
    "pluto": "Libreswan or Openswan",
    "isakmpd": "OpenBSD's isakmpd",
    "raccoon": "a misspelt name",
}
"""Daemons that are taken for racoon."""
_OTHER: Final = re.compile(rf"\b({'|'.join(_OTHERS)})\b")
_CIRCULAR: Final = (b"CLOG", b"GOLC")
"""The mark at the end of a circular log of FreeBSD's clog, in either order of bytes."""
_LOUD: Final = DEBUG | {"INFO", "info"}
_QUIET: Final = frozenset({"NOTIFY", "WARNING", "ERROR", "notice", "warning", "err", "error"})
_ENOUGH: Final = 10
"""Lines from which on the absence of INFO is no accident."""
_UNKNOWN_SHARE: Final = 0.2
_DOUBLED_SHARE: Final = 0.6
_LAG: Final = 60.0
_RELOAD: Final = "racoonctl reload-config || kill -HUP $(pidof racoon)"
LOG_INFO: Final = f"sed -i '/^[[:space:]]*log[[:space:]]/d; $a log info;' /etc/racoon/racoon.conf && {_RELOAD}"


def check(tail: LogTail, setup: Setup) -> Findings:
    """Look at what a log says."""
    if not tail.size:
        yield from _empty(tail, setup)
    elif not tail.known and not tail.unknown:
        yield _foreign(tail)
    else:
        yield from _understood(tail)
        yield from _alive(tail, setup)
        yield from _level(tail)
        yield from _doubled(tail)
        yield from _daemon(tail)


def _empty(tail: LogTail, setup: Setup) -> Findings:
    rotated = siblings([str(tail.path)], Folders(SYSTEM))
    latest = max((each.mtime_ns / 1e9 for each in rotated), default=None)
    if latest is not None and setup.host.now() - latest < SILENT_SECONDS:
        if (begun := _writer_stayed(tail)) is not None:
            yield begun
        else:
            yield ok("messages", tail.path, "empty since its rotation")
        return
    yield warning(
        "messages",
        tail.path,
        "empty",
        "racoon wrote nothing here: it logs elsewhere, or too little, or does not run.",
        "ps ax | grep '[r]acoon'; grep -rn racoon /etc/rsyslog.conf /etc/rsyslog.d /etc/syslog.conf",
    )


def _writer_stayed(tail: LogTail) -> Finding | None:
    """Find that whoever writes goes on in a file that was rotated away."""
    plain = [each for each in siblings([str(tail.path)], Folders(SYSTEM)) if not each.packed]
    youngest = max(plain, key=lambda each: each.mtime_ns, default=None)
    if youngest is None or youngest.mtime_ns / 1e9 <= tail.changed + _LAG:
        return None
    return error(
        "rotation",
        tail.path,
        f"{youngest.path} is written, and the log is not",
        "The log was rotated, and its writer was not told: it goes on in the rotated file, until that is deleted.",
        "/usr/lib/rsyslog/rsyslog-rotate || kill -HUP $(cat /run/rsyslogd.pid /run/syslogd.pid /var/run/syslog.pid)"
        "    # and the same as postrotate in logrotate's configuration",
    )


def _foreign(tail: LogTail) -> Finding:
    path = str(tail.path)
    if any(mark in tail.foot for mark in _CIRCULAR):
        return error(
            "messages",
            path,
            "a circular log, which its own program reads",
            "FreeBSD's clog writes round and round in one file: its lines are not in order, and its end moves.",
            f"clog -f {shlex.quote(path)} | racoon-exporter serve -    # or send it by syslog",
        )
    other = _OTHER.search(tail.head.decode("utf-8", "replace"))
    if other:
        return error(
            "messages",
            path,
            f"lines of {other[1]}, none of racoon",
            f"This is the log of {_OTHERS[other[1]]}: another daemon, whose lines are not read here.",
            "ps ax | grep -E '[r]acoon|[c]haron|[p]luto'",
        )
    return error(
        "messages",
        path,
        nothing_of_racoon([Sample(path, tail.size, tail.head, identity=(0, 0))]).removeprefix(f"{path}: "),
        "No line of racoon is in this file: nothing is known of any peer.",
        f"grep -n racoon {shlex.quote(path)} | tail; grep -rln 'racoon: ' /var/log",
    )


def _understood(tail: LogTail) -> Findings:
    share = tail.unknown / (tail.known + tail.unknown)
    title = DIALECTS[tail.dialect].title if tail.dialect else ("racoon, by syslog" if tail.by_syslog else "racoon")
    told = f"{title}: {count(tail.known, 'message')} understood"
    if share <= _UNKNOWN_SHARE:
        yield ok("messages", tail.path, told + (f", {tail.unknown} not" if tail.unknown else ""))
        return
    yield warning(
        "messages",
        tail.path,
        f"{told}, {tail.unknown} not",
        "Much of what racoon says here is not known: states and reasons may be missing.",
        f"racoon-exporter events {shlex.quote(str(tail.path))} | grep '\"unknown\"' | tail"
        "    # racoon-exporter redact makes them fit to be reported",
    )


def _alive(tail: LogTail, setup: Setup) -> Findings:
    stayed = _writer_stayed(tail)
    if stayed is not None:
        yield stayed
    silence = setup.host.now() - min(tail.changed, tail.last or tail.changed)
    if silence <= SILENT_SECONDS:
        yield ok("log", tail.path, f"last line {duration(silence)} ago")
        return
    yield warning(
        "log",
        tail.path,
        f"racoon wrote nothing for {duration(silence)}",
        "SAs that live are renewed within their lifetimes and leave lines. Either no peer was up for so long, or racoon "
        "does not run, or writes elsewhere.",
        "ps ax | grep '[r]acoon'; ls -la --time-sort /var/log | head",
    )


def _level(tail: LogTail) -> Findings:
    rule = next((racoon.life.dialect.phase2_rule for racoon in _racoons(tail) if not racoon.life.phase2_told), "")
    quiet = sum(number for level, number in tail.levels.items() if level in _QUIET)
    if rule:
        yield error(
            "level",
            tail.path,
            "phase 2 is not logged",
            "The system logs it only where a rule asks for it: whether a peer's phase 2 is up is not known.",
            rule,
        )
    elif any(racoon.life.is_quiet(racoon.now) for racoon in _racoons(tail)) or _leaves_info_out(tail, quiet):
        yield error(
            "level",
            tail.path,
            f"no INFO line among {count(quiet, 'line')}" if quiet else "no INFO line since racoon's start",
            "racoon, or the syslog before this file, leaves out what tells of SAs: peers look down that are not. "
            "Silence is not `no tunnels`.",
            f"{LOG_INFO}    # and let syslog pass daemon.info",
        )
    elif tail.debugs:
        yield warning(
            "level",
            tail.path,
            "racoon debugs",
            "Debug lines hold keys, and fill the disk. The exporter keeps none of them; whoever reads the log sees them.",
            LOG_INFO,
        )
    else:
        yield ok("level", tail.path, "INFO, as is needed")


def _leaves_info_out(tail: LogTail, quiet: int) -> bool:
    return quiet >= _ENOUGH and not any(number for level, number in tail.levels.items() if level in _LOUD)


def _doubled(tail: LogTail) -> Findings:
    """Compare each of the last lines with the few before it: what is written twice stands close."""
    if tail.dialect and DIALECTS[tail.dialect].copies:
        return
    said = [(line.stamp, line.level, line.text) for line in tail.lines if line.level not in DEBUG]
    twice = sum(1 for at, record in enumerate(said) if record in said[max(0, at - 4) : at])
    if len(said) >= _ENOUGH and twice * 2 >= len(said) * _DOUBLED_SHARE:
        yield warning(
            "doubled lines",
            tail.path,
            f"{twice} of the last {count(len(said), 'line')} are copies of those before them",
            "Each message is written twice, by two rules of syslog, or by racoon -F and its own log: everything counts twice.",
            "grep -rn -e racoon -e 'daemon\\.' /etc/rsyslog.conf /etc/rsyslog.d /etc/syslog.conf    # leave one rule",
        )


def _daemon(tail: LogTail) -> Findings:
    for racoon in _racoons(tail):
        if racoon.life.stopped and racoon.life.run is None:
            yield warning(
                "daemon",
                racoon.gateway or tail.path,
                "racoon's last line is that of its end",
                "racoon does not run: no SA is negotiated or renewed.",
                "systemctl start racoon || service racoon start",
            )


def _racoons(tail: LogTail) -> list[Racoon]:
    return list(tail.engine.state.racoons.values())


def twice_read(logs: list[LogTail], setup: Setup) -> Findings:
    """Find logs that hold the same lines: each then counts twice."""
    for at, one in enumerate(logs):
        said = {(line.stamp, line.text) for line in one.lines}
        for other in logs[at + 1 :]:
            shared = sum(1 for line in other.lines if (line.stamp, line.text) in said)
            if shared >= _ENOUGH and shared * 2 > len(other.lines):
                yield warning(
                    "doubled lines",
                    other.path,
                    f"{shared} of its last {len(other.lines)} lines are those of {one.path}",
                    "Both files are read, and hold the same: everything counts twice.",
                    f"$EDITOR {setup.settings.config_file or USUAL_CONFIG}    # leave out {_shorter(one.path, other.path)}",
                )


def _shorter(one: Path, other: Path) -> Path:
    """Name the one that is left out: the larger holds other programs' lines as well."""
    return max(one, other, key=lambda path: path.stat().st_size)
