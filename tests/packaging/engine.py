"""A container engine of its own: podman whose storage, network, processes and /var/log nobody else sees.

No registry is asked. A minimal Debian stands in under the name that the Containerfile gives, with the Python of its release.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.machine import CHECKOUT, base

TOOLS = {
    "curl": "curl",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "podman": "podman",
    "runc": "runc",
}
"""Commands that these tests need, and Debian's packages of them."""
CONTENT = ("python-is-python3", "python3", "python3-pip")
"""What the base image has: `python` with venv, and pip."""
COMMAND_SECONDS = 300
STOP_SECONDS = 60
OWN = ("/dev/shm", "/run/containers", "/run/libpod", "/run/netns", "/run/runc", "/var/lib/cni")
"""Where podman and its helpers keep what they know of running containers."""
# The limits asked for otherwise are more than a root without CAP_SYS_RESOURCE may set. runc and cgroupfs cope with every layout
# of cgroups.
RUNNING = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
# What this machine trusts, the build trusts: a mirror of PyPI may have a certificate of its own.
BUILDING = RUNNING.replace("[engine]", 'volumes = ["/etc/ssl/certs:/etc/ssl/certs:ro"]\n[engine]')


@dataclass
class Engine:
    """The engine, and the process whose end is its end."""

    folder: Path
    holder: int

    @property
    def log(self) -> Path:
        """The folder that is /var/log here."""
        return self.folder / "log"

    def argv(self, command: str, *, online: bool = False) -> list[str]:
        """Return what runs a shell command here, from the checkout; online, it has the machine's network."""
        spaces = [f"--{name}=/proc/{self.holder}/ns/{file}" for name, file in (("mount", "mnt"), ("pid", "pid_for_children"))]
        network = [] if online else [f"--net=/proc/{self.holder}/ns/net"]
        return ["nsenter", *spaces, *network, "--", "/bin/sh", "-euc", f"cd '{CHECKOUT}'; {command}"]

    def environment(self, *, online: bool = False) -> dict[str, str]:
        """Return the environment of such a command: podman's defaults, so that its arguments are those of the documentation."""
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / ("building.conf" if online else "running.conf")),
            "BUILDAH_ISOLATION": "chroot",
            "DISABLE_HC_SYSTEMD": "true",  # the health check is run by the test
        }

    def attempt(self, command: str, *, online: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a shell command."""
        return subprocess.run(
            self.argv(command, online=online),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env=self.environment(online=online),
        )

    def run(self, command: str, *, online: bool = False) -> str:
        """Run a shell command and return what it prints; a failure is an AssertionError with its words."""
        done = self.attempt(command, online=online)
        assert done.returncode == 0, f"{command}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def base_image() -> str:
    """Return the name of the image that the Containerfile begins with."""
    name: str
    (name,) = set(
        re.findall(r"^FROM (\S+)", (CHECKOUT / "packaging" / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    return name


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Set an engine up below a folder, with the base image and nothing else; it is gone afterwards, whatever it ran."""
    for name in ("storage", "log"):
        (folder / name).mkdir()
    (folder / "running.conf").write_text(RUNNING, encoding="utf-8")
    (folder / "building.conf").write_text(BUILDING, encoding="utf-8")
    tar = base(CONTENT)
    own = "".join(f"mkdir -p {path}; mount -t tmpfs tmpfs {path}; " for path in OWN)
    # It ends with its input, which ends with us at the latest, and takes in orphans.
    setup = (
        f"mkdir -p /var/lib/containers; mount --bind {folder}/storage /var/lib/containers; mount --bind {folder}/log /var/log; "
        f"{own} ip link set lo up; trap '' CHLD; echo ready; exec cat"
    )
    spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen(
        ["unshare", *spaces, "/bin/sh", "-euc", setup], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "ready\n"
            made = Engine(folder, holder.pid)
            made.run(f"podman import --quiet '{tar}' {base_image()}")
            yield made
            made.run("podman rm --all --force --time 1")
        finally:
            holder.stdin.close()
            holder.wait(STOP_SECONDS)
