"""A Debian of its own, booted under systemd in a container, with no network but its loopback."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "lintian": "lintian",
    "dh": "debhelper",
    "dpkg-buildpackage": "dpkg-dev",
    "systemd-analyze": "systemd",
}
"""Commands that these tests need, and Debian's packages of them."""
CONTENT = ("acl", "curl", "dbus", "logrotate", "python3", "rsyslog", "systemd", "systemd-sysv")
"""What the machine has before our package comes."""
BOOT_SECONDS = 120
COMMAND_SECONDS = 120
STOP_SECONDS = 60


def missing_tools(tools: Mapping[str, str] = TOOLS) -> list[str]:
    """Return the Debian packages that have to be installed first."""
    return sorted({package for tool, package in tools.items() if shutil.which(tool) is None})


def base(content: Sequence[str]) -> Path:
    """Return a minimal Debian of the same release as this one, as a tar file; it is made once and kept in build/."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    tar = CHECKOUT / "build" / f"{release}-{'-'.join(content)}.tar"
    if not tar.exists():
        tar.parent.mkdir(exist_ok=True)
        half = tar.with_suffix(".half.tar")
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(content)}", release, half],
            check=True,
            timeout=1200,
        )
        half.rename(tar)
    return tar


class Machine:
    """The running container."""

    def __init__(self, root: Path, leader: int) -> None:
        self.root = root
        self._leader = leader

    def attempt(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the machine as root."""
        return subprocess.run(
            ["nsenter", f"--target={self._leader}", "--all", "--", "/bin/sh", "-euc", command],
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )

    def run(self, command: str) -> str:
        """Run a shell command and return what it prints; a failure is an AssertionError with its words."""
        done = self.attempt(command)
        assert done.returncode == 0, f"{command}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def put(self, source: Path, target: str) -> None:
        """Copy a file into the machine."""
        path = self.root / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """Unpack the base below a folder and boot it; the machine is gone afterwards."""
    root = folder / "root"
    root.mkdir()
    subprocess.run(["tar", "--extract", "--file", base(CONTENT), "--directory", root], check=True, timeout=300)
    (root / "etc/machine-id").unlink(missing_ok=True)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n", encoding="utf-8")  # the installer would write it
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, (folder / "console.log").open("wb") as console:
        ready.bind(str(folder / "ready"))
        ready.settimeout(BOOT_SECONDS)
        container = subprocess.Popen(
            [
                "systemd-nspawn",
                "--quiet",
                "--boot",
                "--register=no",
                "--keep-unit",
                "--private-network",
                "--notify-ready=yes",
                f"--directory={root}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "ready")},
        )
        try:
            yield Machine(root, _leader(ready))
        finally:
            container.terminate()
            try:
                container.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait(STOP_SECONDS)
    shutil.rmtree(root)


def _leader(ready: socket.socket) -> int:
    """Return the process that is init of the container, as systemd-nspawn tells with its message that the boot is done."""
    leader = ""
    while True:
        for line in ready.recv(4096).decode().splitlines():
            name, _, value = line.partition("=")
            if name == "X_NSPAWN_LEADER_PID":
                leader = value
            elif name == "READY" and leader:
                return int(leader)
