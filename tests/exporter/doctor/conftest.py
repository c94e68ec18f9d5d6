"""A gateway on which all is well, looked at as another user where the tests run as root, else as ourselves."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exporter.doctor.gateway import Gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    root = Path(tempfile.mkdtemp(prefix="gateway-"))  # pytest's own directories are shut to other users
    root.chmod(0o755)
    yield Gateway(root, "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    shutil.rmtree(root)
