"""How logs are rotated: whether anything is lost, and whether the service's user may read the new file as well."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from pathlib import Path
from typing import Final

from racoon_exporter.doctor import logrotate, newsyslog
from racoon_exporter.doctor.finding import Finding, Findings, error, ok, warning
from racoon_exporter.doctor.log_tail import LogTail
from racoon_exporter.doctor.logrotate import Rule
from racoon_exporter.doctor.service_user import ServiceUser, group_name, user_name
from racoon_exporter.doctor.setup import Setup

_LARGE: Final = 256 * 1024 * 1024
"""Bytes of a log that nothing rotates."""
_FULL: Final = 0.02
"""Share of a file system that is free, and little."""
_DEFAULT_ACL: Final = "system.posix_acl_default"
_EXAMPLE: Final = "cp examples/logrotate-racoon /etc/logrotate.d/racoon"
_READS_NEXT: Final = "After the next rotation nothing more is read."


def check(tail: LogTail, setup: Setup) -> Findings:
    """Look at the rotation of a log."""
    yield from _room(tail)
    rules, ignored = logrotate.rules(setup.host)
    log = tail.path.absolute()
    ours = [rule for rule in rules if rule.covers(log)]
    lines = [line for line in newsyslog.lines(setup.host) if line.covers(log)]
    for file in dict.fromkeys(rule.file for rule in ours):
        if file in ignored:
            yield _ignored(file)
    if len(ours) > 1:
        yield _twice(log, ours)
    for rule in ours[:1]:
        yield from _of_logrotate(rule, tail, setup.user)
    for line in lines[:1]:
        yield from _of_newsyslog(line, tail, setup.user)
    if not ours and not lines:
        yield from _nobody(tail)


def _room(tail: LogTail) -> Findings:
    usage = shutil.disk_usage(tail.path.parent)
    if usage.free < usage.total * _FULL:
        yield error(
            "rotation",
            tail.path.parent,
            f"the disk is full: {usage.free >> 20} of {usage.total >> 20} MiB are free",
            "What racoon cannot write is in no log, and nothing of it is ever known.",
            f"du -xh {shlex.quote(str(tail.path.parent))} | sort -h | tail    # and make room",
        )


def _nobody(tail: LogTail) -> Findings:
    if tail.size < _LARGE:
        yield ok("rotation", tail.path, "no rule of logrotate or newsyslog is for it; it is small")
        return
    yield warning(
        "rotation",
        tail.path,
        f"nothing rotates it, and it has {tail.size >> 20} MiB",
        "It grows until the disk is full, and then nothing is logged any more.",
        _EXAMPLE,
    )


def _ignored(file: Path) -> Finding:
    return warning(
        "rotation",
        file,
        "logrotate ignores it: others than its owner may write to it",
        "The log is not rotated, and grows until the disk is full.",
        f"chmod 644 {shlex.quote(str(file))} && chown root:root {shlex.quote(str(file))}",
    )


def _twice(log: Path, rules: list[Rule]) -> Finding:
    places = " and ".join(f"{rule.file}:{rule.line}" for rule in rules)
    return warning(
        "rotation",
        log,
        f"two rules are for it: {places}",
        "logrotate takes the first, complains of the other, and leaves out the whole file it stands in.",
        f"$EDITOR {rules[-1].file}    # leave {log} to one rule",
    )


# --- logrotate ---


def _of_logrotate(rule: Rule, tail: LogTail, user: ServiceUser) -> Findings:
    place = f"{rule.file}:{rule.line}"
    found = [*_of_copies(rule, tail, place), *_of_count(rule, tail, place), *_of_new_file(rule, tail, user, place)]
    found += _of_writer(rule, tail, place)
    yield from found or [ok("rotation", tail.path, f"{place}: nothing is lost, and {user.name} may read the new file")]


def _of_copies(rule: Rule, tail: LogTail, place: str) -> Findings:
    if rule.has("copytruncate") or rule.has("copy"):
        yield warning(
            "rotation",
            tail.path,
            f"{place}: copytruncate",
            "What is written between the copy and the truncation is in neither file: lines are lost at each rotation, an "
            "established SA among them. racoon needs no copy: it opens its log for each line.",
            f"sed -i 's/^\\([[:space:]]*\\)copytruncate/\\1create 0640 root adm/' {rule.places.get('copytruncate', rule.file)}",
        )


def _of_count(rule: Rule, tail: LogTail, place: str) -> Findings:
    kept = rule.directives.get("rotate", "0")
    if kept.isdecimal() and int(kept) == 0:
        yield error(
            "rotation",
            rule.patterns[0],
            f"{place}: rotate {kept}, no rotated file is kept",
            "What was not read yet when the log is rotated is deleted with it: after a stop, or under load, lines are lost.",
            f"sed -i '/^[[:space:]]*rotate /d; /{{/a\\    rotate 8' {rule.file}",
        )
    elif kept == "1" and rule.has("compress") and not rule.has("delaycompress"):
        yield warning(
            "rotation",
            rule.patterns[0],
            f"{place}: rotate 1 with compress, without delaycompress",
            "One rotated file is kept, and compressed at once: what was not read of it before a second rotation is lost.",
            f"sed -i 's/^\\([[:space:]]*\\)rotate 1$/\\1rotate 8\\n\\1delaycompress/' {rule.file}",
        )
    olddir = rule.directives.get("olddir")
    folder = tail.path.parent
    if olddir is not None and Path(os.path.normpath(folder / olddir)).parent != folder:
        yield warning(
            "rotation",
            rule.patterns[0],
            f"{place}: olddir {olddir}",
            "Rotated files are looked for beside the log and in folders right below; elsewhere only once one that was being "
            "read was seen there.",
            f"sed -i '/^[[:space:]]*olddir /d' {rule.file}",
        )


def _of_new_file(rule: Rule, tail: LogTail, user: ServiceUser, place: str) -> Findings:
    """Tell whether the file that a rotation makes can be read by the service's user."""
    if rule.has("copytruncate") or rule.has("copy") or user.uid == 0:
        return  # the file stays
    if _has_default_acl(tail.path.parent):
        if rule.has("create") and rule.directives["create"]:
            yield warning(
                "rotation",
                tail.path,
                f"{place}: create with a mode, where the directory has a default ACL",
                f"The mode takes the ACL's mask away: {user.name} may then not read the new log. {_READS_NEXT}",
                f"sed -i 's/^\\([[:space:]]*\\)create.*/\\1nocreate/' {rule.file}",
            )
        return
    if not rule.has("create"):
        if not tail.by_syslog:
            yield warning(
                "rotation",
                tail.path,
                f"{place}: nocreate, and racoon makes its log with mode 600",
                f"The new log belongs to root alone. {_READS_NEXT}",
                f"sed -i 's/^\\([[:space:]]*\\)nocreate/\\1create 0640 root adm/' {rule.file}",
            )
        return
    mode, owner, group = _created(rule.directives["create"], tail.path)
    if not _may_read(user, mode, owner, group):
        yield error(
            "rotation",
            tail.path,
            f"{place}: create makes a log of {mode:04o} {owner}:{group}, which {user.name} may not read",
            _READS_NEXT,
            f"sed -i 's/^\\([[:space:]]*\\)create.*/\\1create 0640 {owner} {_common_group(user)}/' {rule.file}",
        )


def _created(arguments: str, log: Path) -> tuple[int, str, str]:
    """Read `create MODE OWNER GROUP`; what is left out is that of the log."""
    status = log.stat()
    words = arguments.split()
    mode = stat.S_IMODE(status.st_mode)
    if words and words[0].isdecimal():
        mode = int(words.pop(0), 8)
    owner = words[0] if words else user_name(status.st_uid)
    group = words[1] if len(words) > 1 else group_name(status.st_gid)
    return mode, owner, group


def _may_read(user: ServiceUser, mode: int, owner: str, group: str) -> bool:
    if owner in {user.name, str(user.uid)}:
        return bool(mode & stat.S_IRUSR)
    if group in {name for gid in user.groups for name in (str(gid), group_name(gid))}:
        return bool(mode & stat.S_IRGRP)
    return bool(mode & stat.S_IROTH)


def _common_group(user: ServiceUser) -> str:
    """Name a group of the user in which the log can be; adm, where he is in it."""
    names = [group_name(gid) for gid in user.groups]
    return "adm" if "adm" in names else group_name(user.gid)


def _of_writer(rule: Rule, tail: LogTail, place: str) -> Findings:
    """Look whether syslog is told that its file was rotated; racoon itself opens its log for each line."""
    if not tail.by_syslog or rule.has("copytruncate") or rule.has("copy"):
        return
    if not any(rule.scripts.get(name, "").strip() for name in ("postrotate", "lastaction")):
        yield error(
            "rotation",
            tail.path,
            f"{place}: syslog is not told of the rotation",
            "It goes on in the rotated file, and the log stays empty until syslog is started anew.",
            f"sed -i 's#^}}#    postrotate\\n        /usr/lib/rsyslog/rsyslog-rotate\\n    endscript\\n}}#' {rule.file}",
        )


# --- newsyslog ---


def _of_newsyslog(line: newsyslog.Line, tail: LogTail, user: ServiceUser) -> Findings:
    place = f"{line.file}:{line.number}"
    owner, group = line.owner or "root", line.group or group_name(tail.path.stat().st_gid)
    found = []
    if line.count == 0:
        found.append(
            error(
                "rotation",
                tail.path,
                f"{place}: count 0, no rotated file is kept",
                "What was not read yet when the log is rotated is deleted with it.",
                f"$EDITOR {line.file}    # count 7 in line {line.number}",
            )
        )
    if user.uid != 0 and not _may_read(user, line.mode, owner, group):
        found.append(
            error(
                "rotation",
                tail.path,
                f"{place}: makes a log of {line.mode:03o} {owner}:{group}, which {user.name} may not read",
                _READS_NEXT,
                f"$EDITOR {line.file}    # {owner}:{group_name(user.gid)} 640 in line {line.number}",
            )
        )
    if tail.by_syslog and "N" in line.flags.upper():
        found.append(
            error(
                "rotation",
                tail.path,
                f"{place}: the flag N, syslogd is not told of the rotation",
                "It goes on in the rotated file, and the log stays empty until syslogd is started anew.",
                f"$EDITOR {line.file}    # without N in line {line.number}",
            )
        )
    yield from found or [ok("rotation", tail.path, f"{place}: nothing is lost, and {user.name} may read the new file")]


def _has_default_acl(directory: Path) -> bool:
    if not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(directory, _DEFAULT_ACL))
    except OSError:
        return False
