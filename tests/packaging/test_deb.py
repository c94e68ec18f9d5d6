"""The Debian package on a real Debian: what it brings, and that it leaves without a trace."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import DEB
from tests.packaging.machine import CHECKOUT, Machine

pytestmark = pytest.mark.packaging

KEEPS = (
    # Places where Debian itself remembers what happened.
    "/etc/.pwd.lock",
    "/root",
    "/run",
    "/tmp",
    "/var/cache",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/log",
)


def _files(machine: Machine) -> set[str]:
    pruned = " -o ".join(f"-path {path}" for path in KEEPS)
    return set(machine.run(rf"find / -xdev \( {pruned} \) -prune -o -print").splitlines())


def test_lintian_finds_no_error(package: Path) -> None:
    found = subprocess.run(
        ["lintian", "--fail-on=error", "--allow-root", package], capture_output=True, text=True, check=False, timeout=300
    )
    assert found.returncode == 0, found.stdout


def test_install_remove_install_again_and_purge_leave_nothing(bare: Machine) -> None:
    before = _files(bare)
    bare.run(f"dpkg -i {DEB}")
    assert bare.run("systemctl is-enabled racoon-exporter").strip() == "enabled"
    assert bare.run("systemctl is-active racoon-exporter").strip() == "active"
    assert bare.attempt("systemctl is-enabled racoon-exporter.socket").stdout.strip() == "disabled"
    bare.run("systemctl stop racoon-exporter && systemctl enable --now racoon-exporter.socket")
    state = bare.run("cat /var/lib/racoon-exporter/state.json")

    bare.run("dpkg --remove racoon-exporter")
    stopped = bare.attempt("systemctl is-active racoon-exporter.service racoon-exporter.socket").stdout.split()
    assert stopped == ["inactive", "inactive"]
    assert bare.run("cat /var/lib/racoon-exporter/state.json") == state
    left = _files(bare) - before
    assert {path for path in left if path.startswith("/usr")} == set()
    assert left >= {"/etc/default/racoon-exporter", "/etc/racoon-exporter/web.yml"}

    bare.run(f"dpkg -i {DEB}")
    assert bare.run("systemctl is-active racoon-exporter").strip() == "active"

    bare.run("dpkg --purge racoon-exporter")
    assert bare.attempt("systemctl is-active racoon-exporter").stdout.strip() == "inactive"
    assert _files(bare) - before <= {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"}
    assert before - _files(bare) == set()


def test_the_user_has_no_shell_no_home_and_no_groups(gateway: Machine) -> None:
    name, _, _, _, _, home, shell = gateway.run("getent passwd racoon-exporter").strip().split(":")
    assert (name, home, shell) == ("racoon-exporter", "/nonexistent", "/usr/sbin/nologin")
    assert gateway.run("id --groups --name racoon-exporter").split() == ["racoon-exporter"]


def test_libraries_are_those_that_came_with_it(gateway: Machine) -> None:
    gateway.run("mkdir -p /tmp/other && echo 'raise SystemExit(3)' > /tmp/other/click.py")
    assert "version" in gateway.run("cd /tmp/other && PYTHONPATH=/tmp/other racoon-exporter --version")


def test_manual_page_and_completions_are_installed(gateway: Machine) -> None:
    page = gateway.root / "usr/share/man/man1/racoon-exporter.1.gz"
    assert ".SS serve" in subprocess.run(["zcat", page], capture_output=True, text=True, check=True, timeout=60).stdout
    completion = "/usr/share/bash-completion/completions/racoon-exporter"
    words = "COMP_WORDS=(racoon-exporter his); COMP_CWORD=1"
    script = f'. {completion}; {words}; _racoon_exporter_completion racoon-exporter; echo "${{COMPREPLY[@]}}"'
    assert gateway.run(f"bash -c '{script}'").split() == ["history"]
    assert "#compdef racoon-exporter" in gateway.run("cat /usr/share/zsh/vendor-completions/_racoon-exporter")
    assert "racoon-exporter" in gateway.run("cat /usr/share/fish/vendor_completions.d/racoon-exporter.fish")


def test_rules_dashboards_and_documentation_come_along(gateway: Machine) -> None:
    share, doc = gateway.root / "usr/share/racoon-exporter", gateway.root / "usr/share/doc/racoon-exporter"
    boards = {board.name for board in (CHECKOUT / "dashboards").glob("racoon-*.json")}
    assert boards
    assert {board.name for board in (share / "dashboards").glob("*.json")} == boards
    for rules in ("rules/racoon.yaml", "rules/fleet/racoon-fleet.yaml"):
        assert (share / rules).read_bytes() == (CHECKOUT / "dashboards" / rules).read_bytes()
    pages = {str(page.relative_to(CHECKOUT)) for page in (CHECKOUT / "docs").rglob("*.md")}
    assert {str(page.relative_to(doc)) for page in (doc / "docs").rglob("*.md")} == pages
    assert any(page.startswith("docs/runbooks/") for page in pages)


def test_the_doctor_finds_nothing_wrong_with_the_package(gateway: Machine) -> None:
    """What a fresh install leaves to do is told: peers are not named yet. Nothing else is wrong."""
    done = gateway.attempt("racoon-exporter doctor --format json")
    found = [each for each in json.loads(done.stdout)["findings"] if each["status"] != "ok"]
    assert {each["area"] for each in found} <= {"peers"}, found


def test_the_web_configuration_is_good_and_not_for_everyone(gateway: Machine) -> None:
    assert gateway.run("racoon-exporter check-config /etc/racoon-exporter/web.yml").endswith("good\n")
    assert gateway.run("stat --format '%A %U:%G' /etc/racoon-exporter/web.yml").strip() == "-rw-r----- root:racoon-exporter"


def test_an_upgrade_keeps_counters_and_settings(gateway: Machine) -> None:
    gateway.run("echo '# mine' >> /etc/default/racoon-exporter")
    before = float(gateway.run("curl -sf localhost:10500/metrics | grep '^racoon_daemon_starts_total ' | cut -d' ' -f2"))
    gateway.run(f"dpkg -i {DEB}")
    after = float(gateway.run("curl -sf localhost:10500/metrics | grep '^racoon_daemon_starts_total ' | cut -d' ' -f2"))
    assert 0 < before <= after
    assert gateway.run("tail -n 1 /etc/default/racoon-exporter") == "# mine\n"
