"""As whom the service reads: who that is, and how something is tried as him.

Rights are not computed: they are tried, in a child process that is that user. Modes, groups, ACLs, mounts and security modules
then all have their say.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  names of hosts need it, and the child may not be able to read it
import grp
import json
import os
import pwd
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

Json = TypeVar("Json", list[list[Any]], list[dict[str, Any]])

SERVICE_USER = "racoon-exporter"
"""The user that the package makes."""


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """A user with all groups that the service has."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    @property
    def is_us(self) -> bool:
        """Whether that is who we are."""
        return self.uid == os.geteuid()


class NoUserError(LookupError):
    """A user or group that does not exist."""


def ourselves() -> ServiceUser:
    """Give who we are."""
    uid = os.geteuid()
    return ServiceUser(user_name(uid), uid, os.getegid(), tuple(os.getgroups()))


def service_user(name: str, group: str = "", groups: Iterable[str] = ()) -> ServiceUser:
    """Find a user by name or number, in the groups that systemd would give him. Raises NoUserError."""
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError as error_:
        raise NoUserError(f"user {name} does not exist") from error_
    gid = _gid(group) if group else entry.pw_gid
    more = {_gid(each) for each in groups}
    return ServiceUser(entry.pw_name, entry.pw_uid, gid, tuple({gid, *os.getgrouplist(entry.pw_name, gid), *more}))


def exists(name: str) -> bool:
    """Whether there is a user of that name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _gid(name: str) -> int:
    try:
        return grp.getgrgid(int(name)).gr_gid if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError as error_:
        raise NoUserError(f"group {name} does not exist") from error_


def user_name(uid: int) -> str:
    """Name a user, by his number where he has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Name a group, by its number where it has no name."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


class NotAsUserError(RuntimeError):
    """Nothing could be looked at as a user."""


def as_user(user: ServiceUser, look: Callable[[], Json]) -> Json:
    """Look at something as a user: in a child process that has become him, for good. Only root can become another.

    What the child uses must have been imported before: he may not be able to read our own files. What it finds comes back as
    JSON values. Raises NotAsUserError.
    """
    if user.is_us or os.geteuid() != 0:
        return look()
    time.strptime("0", "%S")  # imports what reading dates needs
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be(user, look, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise NotAsUserError(f"nothing could be looked at as {user.name}")
    found: Json = json.loads(told)
    return found


def _be(user: ServiceUser, look: Callable[[], Any], writer: int) -> None:
    """Become the user, look, tell, and end without anything that our own process would do at its end."""
    status = 1
    try:
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(look()).encode())
        status = 0
    finally:
        os._exit(status)
