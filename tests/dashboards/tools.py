"""External programs the tests need. Where one is missing the test fails and says which package has it."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
RULES = DASHBOARDS / "rules" / "racoon.yaml"
RULE_TESTS = DASHBOARDS / "rules" / "tests"
RUNBOOKS = ROOT / "docs" / "runbooks"

PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}


def program(name: str) -> str:
    """Return the path of a program, or fail with the Debian package that has it."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: apt-get install {PACKAGES[name]}"
    return path


def run(name: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run a program to its end and return what it said; fail with that where it failed."""
    done = subprocess.run(
        [program(name), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
