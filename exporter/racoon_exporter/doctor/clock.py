"""The zone of a log against the clock: when its last line was written, and when it says it was."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from racoon_exporter.doctor.finding import Finding, Findings, error, ok, warning
from racoon_exporter.doctor.log_tail import LogTail
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.status.overview.trust import FUTURE_SECONDS
from racoon_exporter.wording.words import duration
from racoon_exporter.zone import zone_name

_QUARTER: Final = 900
"""Seconds; offsets of zones are multiples of it."""
_NEAR: Final = 90
"""Seconds by which a difference may miss a multiple, and still be one of zones."""
_MOST: Final = 14 * 3600
"""The largest offset there is."""
_FULL: Final = 1800
"""Seconds; nearly all zones differ by whole half hours, and a quarter by accident is likelier."""


def check(tail: LogTail, setup: Setup) -> Findings:
    """Compare the time of the last line with the time when the file was last written."""
    if not tail.stamped:
        return
    line, last = tail.stamped[-1]
    last = max(time for _, time in tail.stamped) if last <= tail.changed + FUTURE_SECONDS else last
    ahead = last - tail.changed
    own = tail.has_own_zone(line)
    if last > setup.host.now() + FUTURE_SECONDS or (ahead > FUTURE_SECONDS):
        yield _foreign_clock(tail, ahead) if own else _wrong_zone(tail, setup, ahead)
    elif not own and _is_offset(-ahead):
        yield _wrong_zone(tail, setup, ahead)
    elif own and -ahead > FUTURE_SECONDS and _is_offset(-ahead):
        yield _foreign_clock(tail, ahead)
    else:
        yield ok(
            "clock", tail.path, "the last line's time is that of its writing" if -ahead < _NEAR else "no line of the future"
        )


def _is_offset(late: float) -> bool:
    """Whether a last line is older than its file by what zones differ."""
    steps = round(late / _FULL)
    return steps > 0 and late <= _MOST + _NEAR and abs(late - steps * _FULL) <= _NEAR


def _wrong_zone(tail: LogTail, setup: Setup, ahead: float) -> Finding:
    steps = round(ahead / _QUARTER) * _QUARTER
    offset = datetime.fromtimestamp(tail.changed, setup.zone).utcoffset()
    true = (offset.total_seconds() if offset else 0.0) + steps
    if abs(true) > _MOST or abs(ahead - steps) > _NEAR:
        return _foreign_clock(tail, ahead)
    right = zone_name(timezone(timedelta(seconds=true)))
    offset_apart = duration(abs(steps))
    return error(
        "clock",
        tail.path,
        f"the last line is {offset_apart} {'ahead of' if ahead > 0 else 'behind'} the time when it was written",
        "The log is written in another zone than it is read in: all times are wrong, and silence cannot be told from life. "
        f"By its last line the zone is {right} now; a name such as Europe/Berlin keeps summer time right.",
        _set_zone(setup, "UTC" if true == 0 else right),
    )


def _set_zone(setup: Setup, zone: str) -> str:
    file = setup.settings.config_file
    if file is None:
        return f"racoon-exporter serve --time-zone {zone} …"
    return f"sed -i '/^time_zone:/d' {file} && echo \"time_zone: '{zone}'\" >> {file} && systemctl restart racoon-exporter"


def _foreign_clock(tail: LogTail, ahead: float) -> Finding:
    return warning(
        "clock",
        tail.path,
        f"the last line is {duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the time when it was written",
        "The clock of the machine that writes the lines and ours differ: times of the log cannot be laid beside other times.",
        "timedatectl; chronyc tracking || ntpq -p    # on both machines",
    )
