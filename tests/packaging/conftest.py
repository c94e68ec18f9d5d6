"""The package, built anew, and a machine on which it is installed and has a log that grows."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.machine import CHECKOUT, Machine, booted, missing_tools

DEB = "/root/racoon-exporter.deb"
EXAMPLES = "/usr/share/doc/racoon-exporter/examples"
REPLAY = "systemd-run --quiet --unit=racoon --property=UMask=0077 racoon-exporter replay --speed 100 /var/log/racoon.log"
"""Writes the bundled recording as racoon -l would: as root, opening the log for each line, with racoon's umask."""


@pytest.fixture(scope="session")
def package() -> Path:
    """Build the package; PACKAGE names one that is built already."""
    missing = missing_tools()
    if missing:
        pytest.fail(f"install first: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.fail("run as root: a Debian is booted in a container")
    built = os.environ.get("PACKAGE")
    if built:
        return Path(built)
    subprocess.run(["make", "deb"], cwd=CHECKOUT, check=True, timeout=900)
    (made,) = (CHECKOUT / "dist").glob("racoon-exporter_*.deb")
    return made


@pytest.fixture(scope="module")
def bare(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot a machine; the package lies there and is not installed."""
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        machine.put(package, DEB)
        yield machine


@pytest.fixture(scope="module")
def gateway(bare: Machine) -> Machine:
    """Install the package beside a racoon that writes /var/log/racoon.log, readable as our example makes it."""
    bare.run(f"dpkg -i {DEB}")
    bare.run(f"cp {EXAMPLES}/tmpfiles-racoon-log.conf /etc/tmpfiles.d/racoon-log.conf && systemd-tmpfiles --create")
    bare.run(REPLAY)
    return bare
