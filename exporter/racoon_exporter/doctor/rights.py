"""What the present process may read and write, by trying; and who would have to let it."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path
from typing import NamedTuple

from racoon_exporter.doctor.service_user import ServiceUser, group_name


class Refusal(NamedTuple):
    """Why a file cannot be used, and the command that mends it."""

    why: str
    mend: str
    missing: bool = False
    """Whether it is not there at all."""


def there(path: str | Path) -> bool:
    """Whether something stands at a path, as far as we may see it. Never raises, as `Path.exists` does."""
    return os.access(path, os.F_OK)


def readable(path: str | Path, user: ServiceUser) -> Refusal | None:
    """Say why a file cannot be read; None if it can. Nothing is read of it, and a FIFO is not opened: that would wait."""
    file = Path(path)
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            return Refusal("is a directory", f"ls -la {shlex.quote(str(file))}")
        if stat.S_ISREG(mode):
            os.close(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
        elif not os.access(file, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))  # noqa: TRY301
    except FileNotFoundError:
        return _missing(file)
    except PermissionError:
        return _denied(file, user, "r")
    except (OSError, ValueError) as error:
        return Refusal(getattr(error, "strerror", None) or str(error), f"ls -la {shlex.quote(str(file))}")
    return None


def writable_directory(directory: Path, user: ServiceUser) -> Refusal | None:
    """Say why no file can be made in a directory; None if one can: it is tried, and leaves nothing behind."""
    trial = directory / f".doctor-{os.getpid()}"
    try:
        os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        trial.unlink()
    except FileNotFoundError:
        who = f"{user.name}:{group_name(user.gid)}"
        return Refusal(
            "the directory is not there",
            f"install -d -m 750 -o {who.partition(':')[0]} -g {who.partition(':')[2]} {_quoted(directory)}",
            missing=True,
        )
    except PermissionError:
        return _denied(directory, user, "w")
    except OSError as error:
        return Refusal(error.strerror or str(error), _free(directory, error))
    return None


def _free(directory: Path, error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"df -h {_quoted(directory)}; df -i {_quoted(directory)}    # and make room"
    if error.errno == errno.EROFS:
        return f"findmnt -T {_quoted(directory)}    # mounted read-only: mount it writable, or name another --state.file"
    return f"ls -lad {_quoted(directory)}"


def _missing(file: Path) -> Refusal:
    if file.is_symlink():
        return Refusal(f"is a link to {file.readlink()}, which is not there", f"ls -la {_quoted(file)}", missing=True)
    return Refusal("is not there", f"ls -la {_quoted(_nearest(file))}", missing=True)


def _nearest(path: Path) -> Path:
    """Give the nearest directory above that is there."""
    return next((parent for parent in path.absolute().parents if os.access(parent, os.F_OK)), Path("/"))


def _denied(path: Path, user: ServiceUser, right: str) -> Refusal:
    """Find what refuses: a directory on the way, or the file itself."""
    closed = next((parent for parent in reversed(path.absolute().parents) if not os.access(parent, os.X_OK)), None)
    if closed is not None:
        found = _rights(closed)
        return Refusal(
            f"{user.name} may not enter {closed}{found}",
            f"setfacl -m u:{user.name}:x {_quoted(closed)}",
        )
    what = "read" if right == "r" else "write into"
    return Refusal(f"{user.name} may not {what} it{_rights(path)}", _let_in(path, user, right))


def _let_in(path: Path, user: ServiceUser, right: str) -> str:
    """Give the least that lets a user in: a group that may, else an entry of his own."""
    if right == "w":
        return f"chown {user.name} {_quoted(path)} && chmod u+rwx {_quoted(path)}"
    return f"setfacl -m u:{user.name}:r {_quoted(path)}"


def _rights(path: Path) -> str:
    """Show owner and mode, where they can be seen."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f" (mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}, group {group_name(status.st_gid)})"


def _quoted(path: str | Path) -> str:
    return shlex.quote(str(path))
