"""racoon.conf and the policies: whether the service's user may read them, and whether they are understood."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path
from typing import Final

from racoon_exporter.doctor.finding import Area, Findings, error, ok, several, warning
from racoon_exporter.doctor.messages import LOG_INFO
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.expected_peers import read_policies, read_racoon_conf
from racoon_exporter.wording.words import count
from racoon_parsers.racoon_conf import RacoonConf

_QUIET: Final = frozenset({"error", "warning", "notify"})
_SHUT: Final = " can not be read"
"""What the reader of racoon.conf says of an included file."""
_LOUD: Final = frozenset({"debug", "debug2"})


def check_rights(setup: Setup) -> Findings:
    """Try to read the files as the service's user, and those that they include."""
    named: list[tuple[Area, Path]] = [("policies", path) for path in setup.policy_files]
    named[:0] = [("racoon.conf", path) for path in setup.racoon_confs]
    for area, path in named:
        refusal = readable(path, setup.user)
        if refusal is None:
            yield ok(area, path, f"readable by {setup.user.name}")
            if area == "racoon.conf":
                yield from _included(path, setup)
        else:
            yield error(
                area,
                path,
                refusal.why,
                "The exporter does not start, and a reload is refused, while a file that it is told of cannot be read.",
                f"{refusal.mend}    # keys stand in psk.txt, not here",
            )


def _included(path: Path, setup: Setup) -> Findings:
    """Look at the files that a racoon.conf includes: what we cannot read of them is told with its place."""
    for problem in read_racoon_conf(path).problems:
        shut = problem.message.removesuffix(_SHUT)
        if shut != problem.message:
            refusal = readable(shut, setup.user)
            yield error(
                "racoon.conf",
                shut,
                refusal.why if refusal is not None else "cannot be read",
                f"{problem.path}:{problem.line} includes it: its peers are not known to the service.",
                refusal.mend if refusal is not None else f"ls -la {shlex.quote(shut)}",
            )


def check(setup: Setup) -> Findings:
    """Say whether they are understood."""
    for path in setup.racoon_confs:
        try:
            conf = read_racoon_conf(path)
        except OSError:
            continue  # told by check_rights
        yield from _of_conf(conf)
        yield from _secrets(conf)
    for path in setup.policy_files:
        try:
            policies = read_policies(path)
        except OSError:
            continue
        where = shlex.quote(str(path))
        if policies.problems:
            yield warning(
                "policies",
                path,
                f"{count(len(policies.problems), 'line')} not understood: {policies.problems[0].message}",
                "Peers of these lines are not expected: one that is down is not noticed.",
                f"sed -n {policies.problems[0].line}p {where}",
            )
        elif not policies.policies:
            yield warning(
                "policies",
                path,
                "no policy",
                "No peer follows from it: one that is down is not noticed.",
                f"setkey -DP > {where}    # or name the script that setkey reads",
            )
        else:
            yield ok("policies", path, f"{count(len(policies.policies), 'policy', 'policies')} understood")


def _secrets(conf: RacoonConf) -> Findings:
    """Look at the file of pre-shared keys as racoon does (safefile.c): it refuses one that others may read."""
    named = conf.paths.get("pre_shared_key")
    if named is None:
        return
    try:
        status = Path(named).stat()
    except PermissionError:
        return  # as it should be
    except OSError as missing:
        yield error(
            "racoon.conf",
            named,
            f"the file of pre-shared keys: {missing.strerror}",
            "racoon finds no key for any peer: phase 1 fails with psk_missing.",
            f"ls -la {shlex.quote(str(Path(named).parent))}",
        )
        return
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield error(
            "racoon.conf",
            named,
            f"the file of pre-shared keys is open to others (mode {stat.S_IMODE(status.st_mode):04o})",
            "racoon refuses it, and finds no key for any peer; whoever has an account here may read every key.",
            f"chown root {shlex.quote(named)} && chmod 600 {shlex.quote(named)}",
        )


def _of_conf(conf: RacoonConf) -> Findings:
    if conf.problems:
        told = [f"{Path(problem.path).name}:{problem.line}: {problem.message}" for problem in conf.problems]
        yield warning(
            "racoon.conf",
            conf.path,
            f"{count(len(conf.problems), 'line')} not understood: {several(told, 2)}",
            "What stands there is not known: peers, names, lifetimes may be missing, and racoon itself may refuse the file.",
            f"racoon -C -f {shlex.quote(conf.path)} || sed -n {conf.problems[0].line}p {shlex.quote(conf.problems[0].path)}",
        )
    else:
        peers = sum(1 for section in conf.remotes if section.peer is not None)
        yield ok("racoon.conf", conf.path, f"understood: {count(peers, 'peer')} with an address")
    if conf.log_level in _QUIET:
        yield error(
            "level",
            conf.path,
            f"log {conf.log_level}",
            "racoon then logs nothing of SAs: peers look down that are not. Silence is not `no tunnels`.",
            LOG_INFO.replace("/etc/racoon/racoon.conf", shlex.quote(conf.path)),
        )
    elif conf.log_level in _LOUD:
        yield warning(
            "level",
            conf.path,
            f"log {conf.log_level}",
            "Debug lines hold keys, and fill the disk.",
            LOG_INFO.replace("/etc/racoon/racoon.conf", shlex.quote(conf.path)),
        )
