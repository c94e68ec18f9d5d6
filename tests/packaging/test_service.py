"""The service under a real systemd: its rights, its life, and the logs it is given."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.waiting import until
from tests.packaging.conftest import EXAMPLES
from tests.packaging.machine import CHECKOUT, Machine

pytestmark = pytest.mark.packaging

UNIT = CHECKOUT / "packaging" / "systemd" / "racoon-exporter.service"
DROP_INS = "/etc/systemd/system/racoon-exporter.service.d"
LOG = 'source="/var/log/racoon.log"'
CONFIG = "/etc/racoon-exporter/racoon-exporter.yml"
WEB = "/etc/racoon-exporter/web.yml"
HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
DEAD_PEERS = 'racoon_log_messages_total{event="dpd_dead",level="INFO",severity="warning"}'
SECONDS = 30


def _sample(machine: Machine, series: str) -> float | None:
    """Return the value of a series; None while there is none, or nobody answers."""
    answer = machine.attempt("curl -sf --max-time 5 http://localhost:10500/metrics")
    values = [line.removeprefix(f"{series} ") for line in answer.stdout.splitlines() if line.startswith(f"{series} ")]
    return float(values[0]) if values else None


def _reached(machine: Machine, series: str, least: float) -> float:
    """Return the value of a series as soon as it is so large."""

    def look() -> tuple[float] | None:
        value = _sample(machine, series)
        return (value,) if value is not None and value >= least else None

    return until(look, f"{series} of {least} or more", SECONDS)[0]


def _shown(machine: Machine, name: str) -> str:
    return machine.run(f"systemctl show --property {name} --value racoon-exporter").strip()


@contextmanager
def _changed(machine: Machine, path: str, command: str) -> Iterator[None]:
    """Change a file by a shell command, and put it back or take it away at the end, whatever happens."""
    saved = f"/root/saved-{Path(path).name}"
    machine.run(f"mkdir -p {Path(path).parent}; test ! -e {path} || cp -p {path} {saved}")
    try:
        machine.run(command)
        yield
    finally:
        machine.run(f"if [ -e {saved} ]; then cat {saved} > {path}; rm {saved}; else rm -f {path}; fi")
        machine.run("systemctl daemon-reload")


@contextmanager
def _drop_in(machine: Machine, name: str, command: str) -> Iterator[None]:
    """Restart the service with a drop-in, which a shell command makes, and without it at the end."""
    with _changed(machine, f"{DROP_INS}/{name}", f"{command} {DROP_INS}/{name}"):
        machine.run("systemctl daemon-reload && systemctl restart racoon-exporter")
        yield
    machine.run("systemctl restart racoon-exporter")


def _is_active(machine: Machine) -> bool:
    return machine.attempt("systemctl is-active racoon-exporter").stdout.strip() == "active"


def test_the_unit_is_hardened_to_an_exposure_of_at_most_1_5() -> None:
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert rated.returncode == 0, rated.stdout


def test_with_the_kernel_witness_its_exposure_is_at_most_2(tmp_path: Path) -> None:
    unit = tmp_path / "racoon-exporter.service"
    drop_in = CHECKOUT / "packaging" / "examples" / "witness-kernel.conf"
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("[Install]", drop_in.read_text(encoding="utf-8") + "\n[Install]"))
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert rated.returncode == 0, rated.stdout


def test_systemd_finds_nothing_wrong_with_the_units(gateway: Machine) -> None:
    checked = gateway.attempt("systemd-analyze verify --man=no racoon-exporter.service racoon-exporter.socket")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_it_runs_as_a_user_without_rights_in_the_group_that_reads_logs(gateway: Machine) -> None:
    status = gateway.run(f"cat /proc/{_shown(gateway, 'MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    user, group = gateway.run("id -u racoon-exporter; getent group adm | cut -d: -f3").split()
    assert fields["Uid"].split() == [user] * 4
    assert group in fields["Groups"].split()
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_a_log_with_mode_640_is_read_and_a_scrape_tells_of_its_peers(gateway: Machine) -> None:
    assert gateway.run("stat --format '%A %U:%G' /var/log/racoon.log").strip() == "-rw-r----- root:adm"
    _reached(gateway, f"racoon_exporter_source_up{{{LOG}}}", 1)
    _reached(gateway, 'racoon_phase1_established_total{peer="192.168.0.41",role="initiator"}', 1)


def test_systemctl_shows_how_far_it_is(gateway: Machine) -> None:
    until(lambda: _shown(gateway, "StatusText") == "Ready.", "the service to have read the log", SECONDS)


def test_a_reload_takes_over_peers_and_a_bad_file_changes_nothing(gateway: Machine) -> None:
    first = _shown(gateway, "MainPID")
    peer = "peers:\\n  - address: 198.51.100.7\\n    name: branch\\n"
    with _changed(gateway, CONFIG, f"printf '{peer}' >> {CONFIG} && systemctl reload racoon-exporter"):
        _reached(gateway, 'racoon_peer_expected{kind="permanent",peer="branch"}', 1)
        gateway.run(f"echo 'nonsense: 1' >> {CONFIG}")
        assert gateway.attempt("systemctl reload racoon-exporter").returncode != 0, "a bad file is told where it is asked for"
        assert "unknown key 'nonsense'" in gateway.run("journalctl -u racoon-exporter")
        gateway.run("systemctl kill --kill-whom=main --signal=HUP racoon-exporter")
        until(lambda: _sample(gateway, "racoon_exporter_config_ok") == 0, "the bad file to be noticed", SECONDS)
        assert _sample(gateway, 'racoon_peer_expected{kind="permanent",peer="branch"}') == 1
    gateway.run("systemctl reload racoon-exporter")
    _reached(gateway, "racoon_exporter_config_ok", 1)
    assert _shown(gateway, "MainPID") == first


def test_a_password_in_the_web_configuration_is_asked_for_without_a_restart(gateway: Machine) -> None:
    user = f"prometheus: {HASH}"
    code = "curl -s -o /dev/null -w '%{http_code}' http://localhost:10500/metrics"
    with _changed(gateway, WEB, f"printf '%s\\n' basic_auth_users: '  {user}' >> {WEB}"):
        until(lambda: gateway.run(code) == "401", "a password to be asked for", SECONDS)
    until(lambda: gateway.run(code) == "200", "no password to be asked for", SECONDS)


def test_the_process_tells_when_it_started(gateway: Machine) -> None:
    uptime, now = gateway.run("cut -d' ' -f1 /proc/uptime; date +%s").split()
    started = _reached(gateway, "process_start_time_seconds", 1)
    assert float(now) - float(uptime) < started <= float(now) + 1


def test_killed_it_comes_back_and_no_counter_falls(gateway: Machine) -> None:
    series = f"racoon_exporter_source_lines_total{{{LOG}}}"
    state = "/var/lib/racoon-exporter/state.json"
    until(lambda: gateway.attempt(f"test -e {state}").returncode == 0, "a state file", SECONDS)
    before = _reached(gateway, series, 1)
    first = _shown(gateway, "MainPID")
    gateway.run(f"kill -9 {first}")
    until(lambda: _is_active(gateway) and _shown(gateway, "MainPID") != first, "the service to be back", SECONDS)
    assert _reached(gateway, series, before) >= before
    assert gateway.run(f"stat --format '%A %U' {state}").split() == ["-rw-------", "racoon-exporter"]


def test_a_stuck_process_is_noticed_by_the_watchdog(gateway: Machine) -> None:
    with _drop_in(gateway, "watchdog.conf", "printf '[Service]\\nWatchdogSec=2s\\nWatchdogSignal=SIGKILL\\n' >"):
        _reached(gateway, f"racoon_exporter_source_up{{{LOG}}}", 1)
        first = _shown(gateway, "MainPID")
        gateway.run(f"kill -STOP {first}")
        until(lambda: _is_active(gateway) and _shown(gateway, "MainPID") != first, "the service to be back", SECONDS)
        assert "Watchdog timeout" in gateway.run("journalctl --no-pager --unit racoon-exporter")


def test_a_living_process_gives_signs_of_life(gateway: Machine) -> None:
    with _drop_in(gateway, "watchdog.conf", "printf '[Service]\\nWatchdogSec=2s\\n' >"):
        first = _shown(gateway, "MainPID")
        signs = {_shown(gateway, "WatchdogTimestampMonotonic")}

        def look() -> bool:
            signs.add(_shown(gateway, "WatchdogTimestampMonotonic"))
            return len(signs) > 4

        until(look, "four signs of life", SECONDS)
        assert _shown(gateway, "MainPID") == first


def test_logrotate_with_our_example_keeps_the_log_readable(gateway: Machine) -> None:
    series = f"racoon_exporter_source_rotations_total{{{LOG}}}"
    before = _reached(gateway, series, 0)
    gateway.run(f"cp {EXAMPLES}/logrotate-racoon /etc/logrotate.d/racoon && logrotate --force /etc/logrotate.d/racoon")
    assert gateway.run("stat --format '%A %U:%G' /var/log/racoon.log").strip() == "-rw-r----- root:adm"
    assert _reached(gateway, series, before + 1) == before + 1
    assert _sample(gateway, f"racoon_exporter_source_up{{{LOG}}}") == 1


def test_the_acl_example_lets_the_exporter_in_and_nobody_else(gateway: Machine) -> None:
    gateway.run(f"cp {EXAMPLES}/tmpfiles-racoon-acl.conf /etc/tmpfiles.d/racoon-acl.conf && systemd-tmpfiles --create")
    log = "/var/log/racoon/racoon.log"
    for _ in ("first", "after a rotation"):
        gateway.run(f"rm -f {log}; umask 077; echo '2026-11-24 06:00:00: INFO: hello' >> {log}")
        assert "hello" in gateway.run(f"setpriv --reuid racoon-exporter --regid racoon-exporter --clear-groups cat {log}")
        other = gateway.attempt(f"setpriv --reuid nobody --regid nogroup --clear-groups cat {log}")
        assert "Permission denied" in other.stderr
        change = gateway.attempt(
            f"setpriv --reuid racoon-exporter --regid racoon-exporter --clear-groups sh -c 'echo x >> {log}'"
        )
        assert "Permission denied" in change.stderr


def test_the_rsyslog_example_writes_a_log_of_its_own_that_is_read(gateway: Machine) -> None:
    gateway.run("systemctl stop racoon && rm -f /var/log/racoon.log*")
    gateway.run(f"cp {EXAMPLES}/logrotate-racoon /etc/logrotate.d/racoon")
    gateway.run(f"cp {EXAMPLES}/rsyslog-racoon.conf /etc/rsyslog.d/10-racoon.conf && systemctl restart rsyslog")
    before = _sample(gateway, DEAD_PEERS) or 0
    message = "INFO: DPD: remote (ISAKMP-SA spi=0123456789abcdef:fedcba9876543210) seems to be dead."
    for count in (1, 2):
        gateway.run(f"logger --id=4711 --tag racoon '{message}'")
        assert _reached(gateway, DEAD_PEERS, before + count) == before + count
        assert gateway.run("stat --format '%A %U:%G' /var/log/racoon.log").strip() == "-rw-r----- root:adm"
        gateway.run("logrotate --force /etc/logrotate.d/racoon")
    assert "seems to be dead" not in gateway.run("cat /var/log/syslog")


def test_the_journald_example_lets_it_read_the_journal(gateway: Machine) -> None:
    gateway.run("systemd-cat --identifier=racoon echo 'INFO: hello from the journal'")
    seen = "/var/lib/racoon-exporter/seen"
    read = f"journalctl --identifier=racoon --lines=5 >{seen} 2>&1 || true"
    look = f'[Service]\\nSupplementaryGroups=\\nExecStartPre=/bin/sh -c "{read}"\\n'
    with _drop_in(gateway, "a-look.conf", f"printf '{look}' >"):
        assert "hello from the journal" not in gateway.run(f"cat {seen}")
        with _drop_in(gateway, "journald.conf", f"cp {EXAMPLES}/journald.conf"):
            assert "hello from the journal" in gateway.run(f"cat {seen}")
    gateway.run(f"rm {seen}")


def test_the_journal_is_followed_over_restarts_of_journald_and_of_the_exporter(gateway: Machine) -> None:
    established = "INFO: ISAKMP-SA established 10.0.0.1[500]-10.0.0.2[500] spi:2698c81446191f6{}:9b9127e3b6956065"
    source = "sources:\\n  - journal:\\n      identifiers: [racoon]\\n"
    host = gateway.run("hostname").strip()
    total = f'racoon_phase1_established_total{{gateway="{host}",peer="10.0.0.2",role="unknown"}}'

    def write(number: int) -> None:
        gateway.run(f"systemd-cat --identifier=racoon echo '{established.format(number)}'")

    with _changed(gateway, CONFIG, f"printf '{source}' > {CONFIG}"):
        gateway.run("systemctl restart racoon-exporter")
        _reached(gateway, 'racoon_exporter_source_up{source="journal"}', 1)
        write(1)
        _reached(gateway, total, 1)
        gateway.run("systemctl restart systemd-journald")
        write(2)
        _reached(gateway, total, 2)
        gateway.run("systemctl stop racoon-exporter")
        write(3)
        gateway.run("systemctl start racoon-exporter")
        assert _reached(gateway, total, 3) == 3
    gateway.run("systemctl restart racoon-exporter")


def test_the_group_example_replaces_the_group(gateway: Machine) -> None:
    gateway.run("groupadd --force --system log")
    with _drop_in(gateway, "group.conf", f"cp {EXAMPLES}/group.conf"):
        assert _shown(gateway, "SupplementaryGroups") == "log"
    assert _shown(gateway, "SupplementaryGroups") == "adm"


def test_with_socket_activation_a_scrape_during_a_restart_waits(gateway: Machine) -> None:
    example = f"{DROP_INS}/socket-activation.conf"
    with _changed(gateway, example, f"cp {EXAMPLES}/socket-activation.conf {example} && systemctl daemon-reload"):
        gateway.run("systemctl stop racoon-exporter && systemctl start racoon-exporter.socket racoon-exporter")
        answered = gateway.run(
            "systemctl restart --no-block racoon-exporter; "
            "curl -sf --max-time 30 -o /dev/null -w '%{http_code}' http://127.0.0.1:10500/metrics; "
            "curl -sf --max-time 30 -o /dev/null -w ' %{http_code}' 'http://[::1]:10500/metrics'"
        )
        assert answered == "200 200"
        gateway.run("systemctl stop racoon-exporter.socket racoon-exporter")
    gateway.run("systemctl start racoon-exporter")


def test_the_state_directory_is_all_it_may_write(gateway: Machine) -> None:
    pid = _shown(gateway, "MainPID")
    mounts = gateway.run(f"cat /proc/{pid}/mountinfo")
    writable = {line.split()[4] for line in mounts.splitlines() if line.split()[5].split(",")[0] == "rw"}
    of_files = {path for path in writable if not path.startswith(("/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp"))}
    assert of_files == {"/var/lib/racoon-exporter"}


@pytest.mark.parametrize("name", ["tmpfiles-racoon-log.conf", "tmpfiles-racoon-acl.conf"])
def test_examples_are_good_a_second_time(gateway: Machine, name: str) -> None:
    gateway.run(f"systemd-tmpfiles --create {Path(EXAMPLES) / name} && systemd-tmpfiles --create {Path(EXAMPLES) / name}")
