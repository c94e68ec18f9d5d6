"""Hosts on which one thing is wrong: the doctor finds it, and nothing else, and says what mends it."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from racoon_exporter import checkpoint
from racoon_exporter.cli.serve import serve, settings_of
from racoon_exporter.doctor import port
from racoon_exporter.doctor.service_user import ourselves
from racoon_exporter.doctor.setup import Setup
from tests.exporter.doctor.gateway import PEER, STORY, Gateway, by_syslog, lines

Break = Callable[[Gateway], object]
HOURS = timezone(timedelta(hours=2)), timezone(timedelta(hours=-5))
QUIET = [f"{level}: none message must be encrypted" for level in ("ERROR", "NOTIFY", "WARNING")] * 8
LONG_AGO = 3 * 86400.0


def silent(gateway: Gateway) -> None:
    gateway.write(gateway.log, lines(ends=LONG_AGO))
    os.utime(gateway.log, (time.time() - LONG_AGO,) * 2)


def writer_stayed(gateway: Gateway) -> None:
    old = time.time() - 600
    gateway.write(gateway.log.with_name("racoon.log.1"), lines())
    os.utime(gateway.log, (old, old))
    gateway.write(gateway.log, "")
    os.utime(gateway.log, (old, old))


def two_rules(gateway: Gateway) -> None:
    other = f"{gateway.log.parent}/*.log {{\n rotate 4\n}}\n"
    gateway.write(gateway.root / "etc/logrotate.d/all", other)


def newsyslog(gateway: Gateway, fields: str) -> None:
    (gateway.root / "etc/logrotate.d/racoon").unlink()
    gateway.write(gateway.root / "etc/newsyslog.conf", f"# log\tmode\n{gateway.log}\t{fields}\n")


def shut_directory(gateway: Gateway) -> None:
    gateway.configure()
    gateway.log.parent.chmod(0o700 if os.geteuid() == 0 else 0)


def a_directory(gateway: Gateway) -> None:
    gateway.log.unlink()
    gateway.log.mkdir()


def shut_configuration(gateway: Gateway) -> None:
    gateway.configure()
    gateway.shut(gateway.config)


def shut_state(gateway: Gateway) -> None:
    if os.geteuid() == 0:
        os.chown(gateway.state.parent, 0, 0)
    gateway.state.parent.chmod(0o555)


def state_of_another(gateway: Gateway) -> None:
    gateway.shut(gateway.write(gateway.state, "{}"))


HOSTS: list[tuple[str, Break, str, str, str]] = [
    ("the log has mode 600", lambda g: g.shut(g.log), "log", "error", "setfacl"),
    ("the log is not there", lambda g: g.log.unlink(), "log", "error", "racoon"),
    ("a glob matches nothing", lambda g: g.write(g.config, "sources: [{path: /nowhere/*.log}]"), "log", "error", "ls -la"),
    ("the log is a directory", a_directory, "log", "error", "ls -la"),
    ("racoon has been silent for days", silent, "log", "warning", "[r]acoon"),
    ("a rotated file is shut", lambda g: g.shut(g.write(Path(f"{g.log}.1"), "x\n")), "log", "warning", "setfacl"),
    ("local time of the east is read as UTC", lambda g: g.write(g.log, lines(zone=HOURS[0])), "clock", "error", "+02:00"),
    ("local time of the west is read as UTC", lambda g: g.write(g.log, lines(zone=HOURS[1])), "clock", "error", "-05:00"),
    ("a log of notices and errors", lambda g: g.write(g.log, lines(QUIET)), "level", "error", "log info"),
    ("racoon debugs", lambda g: g.write(g.log, lines([*STORY, "DEBUG: pfkey X_SPDDUMP"])), "level", "warning", "log info"),
    (
        "a log of sshd",
        lambda g: g.write(g.log, "Jan 15 08:30:02 gw sshd[7]: Accepted publickey\n"),
        "messages",
        "error",
        "grep",
    ),
    (
        "a log of strongSwan",
        lambda g: g.write(g.log, "Jan 15 08:30:02 gw charon: 05[IKE] x\n"),
        "messages",
        "error",
        "[c]haron",
    ),
    ("a log in UTF-16", lambda g: g.log.write_bytes("INFO: x\n".encode("utf-16")), "messages", "error", "grep"),
    ("a circular log", lambda g: g.log.write_bytes(b"\0" * 512 + b"CLOG" + b"\0" * 16), "messages", "error", "clog -f"),
    ("an empty log", lambda g: g.write(g.log, ""), "messages", "warning", "racoon"),
    (
        "each line is there twice",
        lambda g: g.write(g.log, "".join(2 * f"{x}\n" for x in lines().split("\n")[:-1])),
        "doubled lines",
        "warning",
        "rsyslog",
    ),
    (
        "racoon was stopped",
        lambda g: g.write(g.log, lines([*STORY, "INFO: racoon process 77 shutdown"])),
        "daemon",
        "warning",
        "start racoon",
    ),
    ("copytruncate", lambda g: g.rotate("rotate 8\n    copytruncate"), "rotation", "warning", "create 0640"),
    ("no rotated file is kept", lambda g: g.rotate("create 0644 root root\n    rotate 0"), "rotation", "error", "rotate 8"),
    (
        "the new log is root's alone",
        lambda g: g.rotate("rotate 8\n    create 0600 root root"),
        "rotation",
        "error",
        "create 0640",
    ),
    (
        "rotated files are kept elsewhere",
        lambda g: g.rotate("create 0644 root root\n    rotate 8\n    olddir ../archive"),
        "rotation",
        "warning",
        "olddir",
    ),
    ("racoon makes the new log", lambda g: g.rotate("rotate 8\n    nocreate"), "rotation", "warning", "create 0640"),
    ("syslog is not told", lambda g: g.write(g.log, by_syslog()), "rotation", "error", "postrotate"),
    ("syslog writes the rotated file", writer_stayed, "rotation", "error", "rsyslog-rotate"),
    ("two rules for one log", two_rules, "rotation", "warning", "EDITOR"),
    (
        "a rule that others may write",
        lambda g: (g.root / "etc/logrotate.d/racoon").chmod(0o666),
        "rotation",
        "warning",
        "chmod 644",
    ),
    ("newsyslog makes it root's", lambda g: newsyslog(g, "root:wheel 600 7 1000 * Z"), "rotation", "error", "640"),
    ("newsyslog keeps none", lambda g: newsyslog(g, "644 0 1000 * Z"), "rotation", "error", "count"),
    ("racoon.conf is shut", lambda g: g.shut(g.racoon_conf), "racoon.conf", "error", "setfacl"),
    (
        "racoon.conf has a fault",
        lambda g: g.racoon_conf.write_text(g.racoon_conf.read_text() + "remoet x {}\n"),
        "racoon.conf",
        "warning",
        "racoon -C",
    ),
    (
        "racoon.conf says notify",
        lambda g: g.racoon_conf.write_text(g.racoon_conf.read_text().replace("info", "notify")),
        "level",
        "error",
        "log info",
    ),
    (
        "keys that everybody may read",
        lambda g: g.racoon_conf.write_text(
            f'path pre_shared_key "{g.write(g.root / "psk", "x")}";\n' + g.racoon_conf.read_text()
        ),
        "racoon.conf",
        "error",
        "chmod 600",
    ),
    (
        "policies are not there",
        lambda g: setattr(g, "arguments", ("--racoon.policy-file", "/nowhere/ipsec.conf")),
        "policies",
        "error",
        "ls -la",
    ),
    (
        "a peer that was never seen",
        lambda g: setattr(g, "arguments", ("--expect-peer", "203.0.113.9=depot")),
        "peers",
        "warning",
        "203.0.113.9",
    ),
    (
        "a peer by its name",
        lambda g: setattr(g, "arguments", ("--expect-peer", "vpn.example.org")),
        "peers",
        "warning",
        "getent",
    ),
    (
        "the state directory is shut",
        shut_state,
        "state",
        "error",
        "chown",
    ),
    ("the state directory is not there", lambda g: g.state.parent.rmdir(), "state", "error", "install -d"),
    ("the state is another user's", state_of_another, "state", "error", "chown"),
    ("the state is no state", lambda g: g.write(g.state, "{}"), "state", "error", "mv"),
    ("a state was set aside", lambda g: g.write(Path(f"{g.state}.unusable"), "x"), "state", "warning", "journalctl"),
    ("a key that is none", lambda g: setattr(g, "more", "sourcess: []\n"), "configuration", "error", "check-config"),
    ("the configuration is shut", shut_configuration, "configuration", "error", "setfacl"),
    (
        "the port is for everybody",
        lambda g: setattr(g, "arguments", ("--web.listen-address", "0.0.0.0:0")),
        "web",
        "warning",
        "localhost",
    ),
    (
        "an address that is not ours",
        lambda g: setattr(g, "arguments", ("--web.listen-address", "198.51.100.9:0")),
        "port",
        "error",
        "ip address",
    ),
]


@pytest.mark.parametrize(("broken", "area", "status", "mend"), [row[1:] for row in HOSTS], ids=[row[0] for row in HOSTS])
def test_what_is_wrong_is_found_and_nothing_else(gateway: Gateway, broken: Break, area: str, status: str, mend: str) -> None:
    broken(gateway)
    found = gateway.look().findings
    bad = [finding for finding in found if finding["status"] != "ok"]
    assert (area, status) in gateway.bad(), found
    assert {finding["area"] for finding in bad} <= {area, *FOLLOWS.get(area, ())}, bad
    assert any(mend in finding["mend"] for finding in bad)
    assert all(finding["meaning"] for finding in bad)
    assert gateway.status == {"warning": 1, "error": 2}[max((f["status"] for f in bad), key=["warning", "error"].index)]


FOLLOWS = {
    "port": ("web",),
    "log": ("peers", "daemon"),
    "messages": ("peers", "rotation"),
    "level": ("peers",),
    "configuration": ("log", "peers"),
    "web": ("port",),
    "racoon.conf": ("peers",),
    "rotation": ("peers",),
}
"""What a fault may bring along: of a log that cannot be read no peer is known."""


def test_a_gateway_on_which_all_is_well_has_status_0(gateway: Gateway) -> None:
    assert gateway.look().bad() == []
    assert gateway.status == 0
    assert {"log", "messages", "level", "clock", "rotation", "racoon.conf", "peers", "state", "port"} <= {
        finding["area"] for finding in gateway.findings
    }


def test_a_directory_on_the_way_is_named(gateway: Gateway) -> None:
    shut_directory(gateway)
    found = gateway.look().findings
    gateway.log.parent.chmod(0o755)
    (finding,) = [finding for finding in found if (finding["area"], finding["status"]) == ("log", "error")]
    assert finding["status"] == "error"
    assert f"may not enter {gateway.log.parent}" in finding["found"]
    assert f":x {gateway.log.parent}" in finding["mend"]


def test_a_port_that_another_program_has(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway.arguments = ("--web.listen-address", f"127.0.0.1:{port}")
        finding = gateway.look().only()
    assert (finding["area"], finding["status"]) == ("port", "error")
    assert f":{port}" in finding["mend"]
    assert "pytest" in finding["found"] or "python" in finding["found"], "who has it is told"


def test_a_log_that_is_read_twice(gateway: Gateway) -> None:
    copy = gateway.write(gateway.log.with_name("messages"), gateway.log.read_text())
    gateway.more = ""
    gateway.write(gateway.config, f"sources: [{{path: {gateway.log}}}, {{path: {copy}}}]\npeers: [{{address: {PEER}}}]\n")
    assert gateway.look(
        "--config.file", str(gateway.config), "--time-zone", "UTC", "--state.file", str(gateway.state)
    ).bad() == [("doubled lines", "warning")]


def test_nothing_at_all_is_an_error(gateway: Gateway) -> None:
    gateway.write(gateway.config, "peers: []\n")
    assert ("log", "error") in gateway.look("--config.file", str(gateway.config)).bad()


def test_a_healthy_log_by_syslog_has_a_rotation_that_tells_syslog(gateway: Gateway) -> None:
    gateway.write(gateway.log, by_syslog())
    gateway.rotate(
        "create 0644 root root\n    rotate 8", "    postrotate\n        /usr/lib/rsyslog/rsyslog-rotate\n    endscript\n"
    )
    assert gateway.look().bad() == []


def test_a_broker_that_is_not_there_and_a_password_that_may_not_be_read(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        password = gateway.shut(gateway.write(gateway.root / "password", "x"))
        sasl = f"{{mechanism: PLAIN, username: x, password_file: {password}}}"
        kafka = f"{{bootstrap: '127.0.0.1:{port},127.0.0.1:1', topic: racoon, sasl: {sasl}}}"
        gateway.write(gateway.config, f"sources:\n- kafka: {kafka}\n")
        found = [each for each in gateway.look().findings if each["area"] == "log" and each["status"] != "ok"]
    said = {each["subject"]: each["found"] for each in found if "not installed" not in each["found"]}
    assert said[str(password)].startswith(f"{gateway.user} may not read it")
    assert said["kafka:racoon"] == "127.0.0.1:1: Connection refused"


def test_a_file_that_racoon_conf_includes_and_the_service_may_not_read(gateway: Gateway) -> None:
    shut = gateway.shut(gateway.write(gateway.racoon_conf.with_name("peers.conf"), "log info;\n"))
    gateway.racoon_conf.write_text(f'include "{shut}";\n' + gateway.racoon_conf.read_text())
    found = [each for each in gateway.look().findings if each["subject"] == str(shut)]
    assert [(each["area"], each["status"]) for each in found] == [("racoon.conf", "error")]


def test_a_racoon_conf_that_is_missing_hides_no_fault_of_another(gateway: Gateway) -> None:
    gateway.racoon_conf.write_text(gateway.racoon_conf.read_text().replace("info", "notify"))
    racoons = f"[{{config: /nowhere/racoon.conf}}, {{config: {gateway.racoon_conf}, gateways: [gw]}}]"
    gateway.write(gateway.config, f"sources: [{{path: {gateway.log}}}]\nracoon: {racoons}\ntime_zone: UTC\n")
    assert {("racoon.conf", "error"), ("level", "error")} <= set(gateway.look().bad())


def test_an_exporter_that_serves_elsewhere_does_not_vouch_for_a_port_of_syslog() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = taken.getsockname()[1]
        context = serve.make_context("serve", ["--syslog.listen-address", f"udp://127.0.0.1:{address}"])
        holders = {10500: "/usr/bin/racoon-exporter serve", address: "rsyslogd"}
        setup = Setup(settings_of(context, context.params), ourselves(), holders=holders)
        (finding,) = port.check_syslog(setup)
        assert finding.status == "error"
        (finding,) = port.check_syslog(replace(setup, holders={address: "/usr/bin/racoon-exporter serve"}))
        assert finding.status == "ok"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("/usr/bin/racoon-exporter serve /var/log/racoon.log", "ok"),
        (f"/srv/{'deep/' * 30}python3 /opt/racoon-exporter/bin/racoon-exporter serve -", "ok"),
        ("python3 -m racoon_exporter serve /var/log/racoon.log", "ok"),
        ("/home/me/racoon-exporter/.venv/bin/racoon-exporter demo", "ok"),
        ("/home/me/racoon-exporter/.venv/bin/python -m pytest", "error"),
        ("vi /etc/racoon-exporter/racoon-exporter.yml", "error"),
        ("nginx: master process", "error"),
    ],
)
def test_only_the_exporter_is_no_stranger_at_its_port(command: str, status: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        context = serve.make_context("serve", ["--web.listen-address", f"127.0.0.1:{number}"])
        setup = Setup(settings_of(context, context.params), ourselves(), holders={number: command})
        (finding,) = port.check_rights(setup)
    assert finding.status == status


def test_a_state_file_that_a_start_would_set_aside_is_found(gateway: Gateway) -> None:
    """Its checksum is good, and what it holds is nothing that an exporter writes."""
    checkpoint.write(gateway.state, {"saved": 0.0})
    gateway.own(gateway.state)
    finding = gateway.look().only()
    assert (finding["area"], finding["status"], finding["subject"]) == ("state", "error", str(gateway.state))
    assert "set aside" in finding["meaning"]


def test_copytruncate_for_all_logs_is_found_where_it_is_written(gateway: Gateway) -> None:
    rules = "weekly\nrotate 4\ncopytruncate\ninclude /etc/logrotate.d\n"
    main = gateway.write(gateway.root / "etc/logrotate.conf", rules)
    gateway.rotate("compress")
    finding = gateway.look().only()
    assert finding["found"].endswith(": copytruncate")
    assert finding["mend"].endswith(str(main))
