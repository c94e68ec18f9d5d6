"""The container image, built and run with the very commands of docs/deployment.md."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter import replay
from tests.e2e.waiting import until
from tests.packaging.engine import TOOLS, Engine, base_image, engine
from tests.packaging.machine import CHECKOUT, missing_tools

pytestmark = pytest.mark.image

SECTION = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8").split("### Container\n")[1].split("\n## ")[0]
BUILD, RUN = re.findall(r"^podman (?:.*\\\n)*.*", SECTION, re.MULTILINE)
IN_BERLIN, FROM_A_PIPE = re.findall(r"`(serve [^`]+)`", SECTION)
NAME = "racoon-exporter"
STATE = "/var/lib/racoon-exporter/state.json"
SOURCE = 'source="/var/log/racoon.log"'
LINES = f"racoon_exporter_source_lines_total{{{SOURCE}}}"
RECORDED = replay.bundled().count("\n")
DEAD_PEER = "INFO: DPD: remote (ISAKMP-SA spi=0123456789abcdef:fedcba9876543210) seems to be dead."
HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
ADM = 4
SECONDS = 30
MEGABYTES = 40
"""What the image may weigh more than its base: the libraries, their compiled parts and the served pages weigh some 33."""


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Build the image."""
    missing = missing_tools(TOOLS)
    if missing:
        pytest.fail(f"install first: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.fail("run as root: containers are given networks and users")
    folder = tmp_path_factory.mktemp("engine")
    with engine(folder) as made:
        made.run(BUILD, online=True)
        yield made
    shutil.rmtree(folder)


@pytest.fixture
def log(podman: Engine) -> Path:
    """Lay the bundled recording where racoon would write it, readable by root and the group adm."""
    path = podman.log / "racoon.log"
    for old in podman.log.iterdir():
        old.unlink()
    _written(path, replay.bundled())
    return path


@pytest.fixture
def gateway(podman: Engine, log: Path) -> Iterator[Engine]:
    """A machine with a log; its containers and volumes are gone afterwards."""
    assert log.exists()
    yield podman
    podman.run("podman rm --all --force --time 5 && podman volume rm --all --force")


def _written(path: Path, text: str, group: int = ADM) -> None:
    path.touch()
    path.chmod(0o640)
    os.chown(path, 0, group)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _sample(gateway: Engine, series: str) -> float | None:
    """Return the value of a series; None while there is none, or nobody answers."""
    answer = gateway.attempt("curl -sf --max-time 5 http://127.0.0.1:10500/metrics")
    values = [line.removeprefix(f"{series} ") for line in answer.stdout.splitlines() if line.startswith(f"{series} ")]
    return float(values[0]) if values else None


def _reached(gateway: Engine, series: str, least: float) -> float:
    """Return the value of a series as soon as it is so large."""

    def look() -> tuple[float] | None:
        value = _sample(gateway, series)
        return (value,) if value is not None and value >= least else None

    return until(look, f"{series} of {least} or more", SECONDS)[0]


def _inspect(gateway: Engine, kind: str, name: str) -> dict[str, Any]:
    (told,) = json.loads(gateway.run(f"podman {kind} inspect {name}"))
    assert isinstance(told, dict)
    return told


def _inside(gateway: Engine, command: str) -> str:
    return gateway.run(f"podman exec {NAME} {command}")


def _is_healthy(gateway: Engine) -> bool:
    return gateway.attempt(f"podman healthcheck run {NAME}").returncode == 0


def test_nothing_that_built_it_is_in_the_image(podman: Engine) -> None:
    look = (
        "ls -d /source /opt/racoon-exporter/bin/pip* /opt/racoon-exporter/lib/python3*/site-packages/{pip,setuptools,hatchling}"
    )
    found = podman.attempt(f"podman run --rm --entrypoint bash {NAME} -c '{look}'")
    assert (found.returncode, found.stdout) == (2, "")
    size, of_base = (_inspect(podman, "image", name)["Size"] for name in (NAME, base_image()))
    assert size - of_base < MEGABYTES * 1_000_000


def test_a_log_of_the_group_adm_is_read_and_a_scrape_tells_of_its_peers(gateway: Engine) -> None:
    gateway.run(RUN)
    assert _reached(gateway, LINES, RECORDED) == RECORDED
    assert _sample(gateway, 'racoon_phase1_established_total{peer="192.168.0.41",role="initiator"}')


def test_it_runs_as_a_user_without_rights_and_may_write_its_state_only(gateway: Engine) -> None:
    gateway.run(RUN)
    _reached(gateway, LINES, RECORDED)
    fields = dict(line.split(":\t", 1) for line in _inside(gateway, "cat /proc/1/status").splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10500"] * 4
    assert (fields["Gid"].split(), fields["Groups"].split()) == ([str(ADM)] * 4, [str(ADM)])
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    mounts = [line.split() for line in _inside(gateway, "cat /proc/1/mountinfo").splitlines()]
    writable = {mount[4] for mount in mounts if mount[5].split(",")[0] == "rw"}
    of_files = {path for path in writable if not path.startswith(("/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp"))}
    assert of_files == {"/var/lib/racoon-exporter"}


def test_sigterm_ends_it_and_the_next_container_goes_on_from_the_volume(gateway: Engine, log: Path) -> None:
    gateway.run(RUN)
    _reached(gateway, LINES, RECORDED)
    gateway.run(f"podman stop --time 20 {NAME}")
    assert _inspect(gateway, "container", NAME)["State"]["ExitCode"] == 0
    gateway.run(f"podman rm {NAME}")

    _written(log, f"2026-11-24 06:00:00: {DEAD_PEER}\n")
    gateway.run(RUN)
    assert _reached(gateway, LINES, RECORDED + 1) == RECORDED + 1
    assert _inside(gateway, f"stat --format '%A %U' {STATE}").split() == ["-rw-------", "racoon-exporter"]


def test_a_rotated_log_is_followed_through_the_mount(gateway: Engine, log: Path) -> None:
    gateway.run(RUN)
    _reached(gateway, LINES, RECORDED)
    log.rename(log.with_suffix(".log.1"))
    _written(log, f"2026-11-24 06:00:00: {DEAD_PEER}\n")
    assert _reached(gateway, LINES, RECORDED + 1) == RECORDED + 1
    assert _sample(gateway, f"racoon_exporter_source_rotations_total{{{SOURCE}}}") == 1


def test_a_log_of_another_group_is_read_when_the_group_is_given(gateway: Engine, log: Path) -> None:
    os.chown(log, 0, 4711)
    gateway.run(RUN.replace("--detach", "--detach --group-add 4711"))
    assert _reached(gateway, LINES, RECORDED) == RECORDED


@pytest.mark.parametrize(("arguments", "hour"), [("", 5), (IN_BERLIN, 4)])
def test_the_zone_is_utc_unless_it_is_given(gateway: Engine, arguments: str, hour: int) -> None:
    gateway.run(f"{RUN} {arguments}")
    _reached(gateway, LINES, RECORDED)
    last = datetime(2026, 11, 24, hour, 3, 48, tzinfo=UTC).timestamp()
    assert _sample(gateway, f"racoon_exporter_source_last_line_timestamp_seconds{{{SOURCE}}}") == last


def test_a_log_comes_through_a_pipe(gateway: Engine) -> None:
    command = f"{RUN.replace('--detach', '--interactive')} {FROM_A_PIPE}"
    with subprocess.Popen(
        gateway.argv(f"exec {command}"), env=gateway.environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(replay.bundled())
        process.stdin.flush()
        assert _reached(gateway, 'racoon_exporter_source_lines_total{source="-"}', RECORDED) == RECORDED
        _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said


def test_the_health_check_notices_a_stuck_process(gateway: Engine) -> None:
    gateway.run(RUN)
    until(lambda: _is_healthy(gateway), "a healthy container", SECONDS)
    gateway.run(f"podman kill --signal STOP {NAME}")
    assert not _is_healthy(gateway)
    gateway.run(f"podman kill --signal CONT {NAME}")
    until(lambda: _is_healthy(gateway), "a healthy container", SECONDS)


def test_with_passwords_the_health_check_works_as_documented(gateway: Engine) -> None:
    (flag,) = re.findall(r"`(--web\.health[^`]+)`", SECTION)
    _written(gateway.log / "web.yml", f"basic_auth_users:\n  prometheus: {HASH}\n")
    gateway.run(f"{RUN} serve --web.listen-address=:10500 --web.config.file=/var/log/web.yml {flag} /var/log/racoon.log")
    until(lambda: _is_healthy(gateway), "a healthy container", SECONDS)
    assert gateway.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:10500/metrics") == "401"
