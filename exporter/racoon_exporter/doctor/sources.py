"""What is read: whether it is there, and whether the service's user may have it. Tried as that user."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from racoon_exporter.doctor import kafka
from racoon_exporter.doctor.finding import Finding, Findings, error, ok, several, warning
from racoon_exporter.doctor.rights import Refusal, readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.source.files.folders import Folders
from racoon_exporter.source.files.patterns import files_of, is_pattern
from racoon_exporter.source.files.siblings import siblings
from racoon_exporter.source.files.system import SYSTEM
from racoon_exporter.source.journal.journalctl import JournalOptions
from racoon_exporter.source.kinds import Wanted
from racoon_exporter.source.syslog.listen import ListenAddress

_JOURNAL_SECONDS: Final = 20.0
_NOT_READ: Final = "Nothing of this log is read: every peer of it looks as it did at the last line that was."


def check(setup: Setup) -> Findings:
    """Look at everything that is to be read."""
    if not setup.wanted:
        yield error(
            "log",
            "sources",
            "nothing to read is named",
            "The exporter does not start without a log.",
            "racoon-exporter doctor /var/log/racoon.log    # or --config.file with sources",
        )
    for each in setup.wanted:
        look = _KINDS.get(each.kind)
        if look is None:
            yield ok("log", each.name, f"a source of the kind {each.kind}: not looked at")
        else:
            yield from look(each, setup)


def _path(each: Wanted, setup: Setup) -> Findings:
    if each.name == "-":
        yield ok("log", "standard input", "read as it comes")
        return
    names = [each.name]
    if is_pattern(each.name):
        matched = frozenset(files_of(each.name))
        names = [str(path) for path in setup.logs if str(path) in matched]
        if not names:
            yield _nothing_matches(each.name, setup)
    for name in names:
        yield from _file(Path(name), setup)


def _nothing_matches(pattern: str, setup: Setup) -> Finding:
    directory = next(parent for parent in Path(pattern).parents if not is_pattern(str(parent)))
    return error(
        "log",
        pattern,
        f"no file matches, for {setup.user.name}",
        _NOT_READ,
        f"ls -la {shlex.quote(str(directory))}    # is that the directory, and may {setup.user.name} list it?",
    )


def _file(path: Path, setup: Setup) -> Findings:
    refusal = readable(path, setup.user)
    if refusal is not None:
        yield _refused(path, refusal)
        return
    yield ok("log", path, f"readable by {setup.user.name}")
    yield from _rotated(path, setup)


def _refused(path: Path, refusal: Refusal) -> Finding:
    if refusal.missing:
        return error(
            "log",
            path,
            f"the log {refusal.why}",
            f"{_NOT_READ} Does racoon write elsewhere (`racoon -l FILE`, else syslog), or did it never write?",
            f"{refusal.mend}; ps ax | grep '[r]acoon'; grep -rn racoon /etc/rsyslog.conf /etc/rsyslog.d /etc/syslog.conf",
        )
    return error(
        "log",
        path,
        refusal.why,
        f"{_NOT_READ} racoon makes its log with mode 600; a rotation may make it so again.",
        f"{refusal.mend}    # for good: docs/deployment.md, “Let it read the log”",
    )


def _rotated(path: Path, setup: Setup) -> Findings:
    """Look at rotated files: what was not read before a rotation is read from there."""
    closed = [each.path for each in siblings([str(path)], Folders(SYSTEM)) if readable(each.path, setup.user) is not None]
    if closed:
        yield warning(
            "log",
            path,
            f"rotated files that {setup.user.name} may not read: {several(closed, 3)}",
            "What was written before a rotation and not read yet is read from the rotated file; there it is lost.",
            f"setfacl -m u:{setup.user.name}:r {' '.join(map(shlex.quote, closed))}    # and the same rights in the rotation",
        )


def _journal(each: Wanted, setup: Setup) -> Findings:
    options = each.options if isinstance(each.options, JournalOptions) else JournalOptions()
    program = options.command[0]
    if shutil.which(program) is None:
        yield error(
            "log",
            "journal",
            f"there is no {program}",
            "The journal is read by it.",
            "apt install systemd    # or name the file that racoon or syslog writes",
        )
        return
    arguments = [word for word in options.arguments(cursor="", since=None, start_at="end") if word not in _FOLLOWING]
    try:
        done = subprocess.run(  # noqa: S603  as the exporter itself does
            [*arguments, "--lines=1"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_JOURNAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        yield error("log", "journal", f"{program}: {failed}", _NOT_READ, f"runuser -u {setup.user.name} -- {program} -n 1")
        return
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if b"{" in done.stdout and done.returncode == 0:
        yield ok("log", "journal", f"readable by {setup.user.name}, and holds entries of racoon")
    else:
        yield error(
            "log",
            "journal",
            f"no entry of racoon for {setup.user.name}" + (f": {said[-1]}" if said else ""),
            f"{_NOT_READ} Either racoon does not log to the journal, or {setup.user.name} may not read it.",
            "cp examples/journald.conf /etc/systemd/system/racoon-exporter.service.d/ && systemctl daemon-reload"
            " && systemctl restart racoon-exporter",
        )


_FOLLOWING: Final = frozenset({"--follow", "--no-tail", "--lines=0"})


def _syslog(each: Wanted, _setup: Setup) -> Findings:
    try:
        ListenAddress.read(each.name)
    except ValueError as wrong:
        yield error("log", each.name, str(wrong), "The exporter does not start.", "racoon-exporter serve --help")
        return
    yield ok("log", each.name, "received by syslog")


_KINDS: Final[dict[str, Callable[[Wanted, Setup], Findings]]] = {
    "path": _path,
    "journal": _journal,
    "syslog": _syslog,
    "kafka": kafka.check,
}
