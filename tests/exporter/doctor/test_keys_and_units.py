"""TLS keys and certificates, the systemd unit and its drop-ins, witnesses, and the user as whom the service runs."""

import os
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.exporter.doctor.gateway import Gateway, lines
from tests.exporter.witness.authority import NOW, Authority, installed, key_bytes, new_key

AS_ROOT = os.geteuid() == 0
SERVE = "ExecStart=/bin/sh serve --config.file={config} --state.file={state} --web.listen-address=127.0.0.1:0\nRestart=always\n"
TLS = "tls_server_config: {{cert_file: {0}/server.crt, key_file: {0}/server.key}}\n"


def with_tls(gateway: Gateway, *, days: float = 90, key_mode: int = 0o644, other_key: bool = False) -> Gateway:
    """Give it a certificate that ends in so many days."""
    directory = gateway.config.parent
    key, authority = new_key(), Authority()
    pem = authority.certificate("gw", key, ends=NOW + timedelta(days=days))
    gateway.write(directory / "server.crt", pem.decode())
    gateway.write(directory / "server.key", key_bytes(new_key() if other_key else key).decode(), key_mode)
    gateway.own(directory / "server.key")
    gateway.web = TLS.format(directory)
    return gateway


def test_a_key_and_a_certificate_that_are_right(gateway: Gateway) -> None:
    assert with_tls(gateway, key_mode=0o400).look().bad() == []


def test_an_expired_certificate(gateway: Gateway) -> None:
    finding = with_tls(gateway, days=-3, key_mode=0o400).look().only()
    assert (finding["area"], finding["status"]) == ("certificate", "error")
    assert finding["found"] == "expired 3 d ago"


def test_a_certificate_that_soon_expires(gateway: Gateway) -> None:
    assert with_tls(gateway, days=5, key_mode=0o400).look().only()["found"].startswith("expires in ")


def test_a_key_that_the_service_may_not_read(gateway: Gateway) -> None:
    with_tls(gateway)
    key = gateway.config.parent / "server.key"
    if AS_ROOT:
        os.chown(key, 0, 0)
    gateway.shut(key)
    finding = gateway.look().only()
    assert (finding["area"], finding["status"], finding["subject"]) == ("certificate", "error", str(key))
    assert f"{gateway.user} may not read it" in finding["found"]


def test_a_key_of_another_certificate(gateway: Gateway) -> None:
    finding = with_tls(gateway, key_mode=0o400, other_key=True).look().only()
    assert "key values mismatch" in finding["found"]


def test_a_key_that_everybody_may_read(gateway: Gateway) -> None:
    finding = with_tls(gateway, key_mode=0o644).look().only()
    assert (finding["area"], finding["status"]) == ("certificate", "warning")
    assert finding["mend"].startswith("chmod o=")


def test_a_fault_of_the_web_configuration_has_its_line(gateway: Gateway) -> None:
    gateway.web = "basic_auth_users:\n  prometheus: secret\n"
    finding = gateway.look().only()
    assert (finding["area"], finding["status"]) == ("web", "error")
    assert "line 2" in finding["found"]
    assert "secret" not in str(gateway.findings)


def test_a_certificate_of_racoon_that_expired(gateway: Gateway) -> None:
    directory = gateway.racoon_conf.parent
    conf = installed(directory, Authority(), days=-3)
    gateway.own(directory / "gw.key")
    assert conf == gateway.racoon_conf
    gateway.look()
    assert ("certificate", "error") in gateway.bad()
    assert any(f["subject"].endswith("gw.crt") and "expired 3 d ago" in f["found"] for f in gateway.findings)


# --- units ---


def unit(gateway: Gateway, service: str = "", drop_in: str = "") -> Gateway:
    gateway.configure()
    gateway.unit(SERVE.format(config=gateway.config, state=gateway.state) + service, drop_in)
    return gateway.look("--unit", "racoon-exporter.service")


def test_the_arguments_of_the_service_are_those_of_its_unit(gateway: Gateway) -> None:
    unit(gateway)
    assert gateway.bad() == []
    assert str(gateway.log) in {finding["subject"] for finding in gateway.findings}


def test_variables_of_the_unit_are_filled_in(gateway: Gateway) -> None:
    gateway.write(
        gateway.root / "etc/default/racoon-exporter",
        f'# arguments\nARGS="--expect-peer=203.0.113.9 --config.file={gateway.config}"\n',
    )
    gateway.configure()
    gateway.unit(
        f"EnvironmentFile=-/etc/default/racoon-exporter\nRestart=always\nEnvironment=STATE={gateway.state}\n"
        "ExecStart=/bin/sh serve --state.file=${STATE} \\\n  --web.listen-address=127.0.0.1:0 $ARGS\n"
    )
    finding = gateway.look("--unit", "racoon-exporter.service").only()
    assert (finding["area"], finding["subject"]) == ("peers", "203.0.113.9")


@pytest.mark.parametrize(
    ("drop_in", "said"),
    [
        pytest.param("ExecStart=/bin/sh serve x.log", "2 commands", id="a second command"),
        pytest.param("MemoryMax=32M", "MemoryMax=32M", id="too little memory"),
        pytest.param("Restart=no", "Restart=no", id="it stays away"),
        pytest.param("EnvironmentFile=/nowhere/settings", "not there", id="variables that are missing"),
        pytest.param("PrivateTmp=yes\nProtectHome=yes", "PrivateTmp=yes hides", id="a log that is hidden"),
        pytest.param("ProtectSystem=strict", "keeps the service from writing", id="a state that cannot be written"),
        pytest.param(
            "ExecStart=\nExecStart=/nowhere/racoon-exporter serve /x.log",
            "/nowhere/racoon-exporter is not there",
            id="no program",
        ),
    ],
)
def test_what_a_drop_in_takes_away_is_found(gateway: Gateway, drop_in: str, said: str) -> None:
    unit(gateway, drop_in=drop_in)
    found = [finding["found"] for finding in gateway.findings if finding["area"] == "unit" and finding["status"] != "ok"]
    assert any(said in each for each in found), gateway.findings


def test_an_empty_value_begins_a_list_anew_and_a_masked_drop_in_says_nothing(gateway: Gateway) -> None:
    gateway.configure()
    gateway.unit(SERVE.format(config=gateway.config, state=gateway.state), "MemoryMax=32M")
    masked = gateway.root / "etc/systemd/system/racoon-exporter.service.d/ours.conf"
    masked.unlink()
    masked.symlink_to("/dev/null")
    assert gateway.look("--unit", "racoon-exporter.service").bad() == []


def test_a_masked_unit(gateway: Gateway) -> None:
    units = gateway.root / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "racoon-exporter.service").symlink_to("/dev/null")
    assert "systemctl unmask" in gateway.look(*gateway.configure()).only()["mend"]


def test_a_unit_that_nobody_starts(gateway: Gateway) -> None:
    gateway.configure()
    gateway.unit(SERVE.format(config=gateway.config, state=gateway.state))
    (gateway.root / "etc/systemd/system/multi-user.target.wants/racoon-exporter.service").unlink()
    assert gateway.look("--unit", "racoon-exporter.service").only()["found"] == "not enabled"


def test_groups_of_the_unit_count(gateway: Gateway) -> None:
    """As systemd does, the supplementary groups are given to the user; without root we are who we are."""
    gateway.configure()
    gateway.write(gateway.log, lines(), 0o640)
    if AS_ROOT:
        os.chown(gateway.log, 0, 4)
    gateway.unit(
        SERVE.format(config=gateway.config, state=gateway.state) + f"User={gateway.user}\nSupplementaryGroups=4\n" * AS_ROOT
    )
    assert [bad for bad in gateway.look("--unit", "racoon-exporter.service", as_the_unit=True).bad() if bad[0] == "log"] == []


# --- witnesses ---


def test_a_socket_of_racoon_that_is_not_there(gateway: Gateway) -> None:
    gateway.more = "witnesses: {racoon: {socket: /nowhere/racoon.sock}}\n"
    finding = gateway.look().only()
    assert (finding["area"], finding["status"]) == ("witness", "error")
    assert "adminsock" in finding["mend"]


def test_a_socket_on_which_nobody_answers(gateway: Gateway) -> None:
    path = gateway.root / "racoon.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    gateway.more = f"witnesses: {{racoon: {{socket: {path}}}}}\n"
    assert "refused" in gateway.look().only()["found"] or "ermission" in gateway.look().only()["found"]


DUMP = """192.0.2.1 198.51.100.7
\tesp mode=tunnel spi=172461417(0x0a478969) reqid=0(0x00000000)
\tE: aes-cbc  2f6a7fd1 8a1de2b4 0f8d1c22 9a0b3c4d
\tA: hmac-sha1  2f6a7fd1 8a1de2b4 0f8d1c22 9a0b3c4d 11223344
\tseq=0x00000000 replay=4 flags=0x00000000 state=mature
"""


def test_a_dump_that_is_old(gateway: Gateway) -> None:
    dump = gateway.write(gateway.root / "dump", "")
    os.utime(dump, (time.time() - 3600,) * 2)
    gateway.more = f"witnesses: {{kernel: {{state_file: {dump}}}}}\n"
    finding = gateway.look().only()
    assert "was last written 36" in finding["found"]
    assert "racoon-dump.timer" in finding["mend"]


def test_a_dump_with_keys_for_everybody(gateway: Gateway) -> None:
    dump = gateway.write(gateway.root / "dump", DUMP)
    gateway.more = f"witnesses: {{kernel: {{state_file: {dump}}}}}\n"
    finding = gateway.look().only()
    assert (finding["area"], finding["status"]) == ("witness", "warning")
    assert "2f6a7fd1" not in str(gateway.findings)


def test_a_capability_that_the_unit_does_not_pass_on(gateway: Gateway) -> None:
    gateway.more = "witnesses: {kernel: {netlink: true}}\n"
    unit(
        gateway,
        "AmbientCapabilities=CAP_NET_ADMIN\nCapabilityBoundingSet=\nPrivateUsers=yes\nRestrictAddressFamilies=AF_INET\n",
    )
    (finding,) = [finding for finding in gateway.findings if finding["status"] != "ok"]
    assert finding["found"] == (
        "the unit lacks CapabilityBoundingSet=CAP_NET_ADMIN, PrivateUsers=no, RestrictAddressFamilies=AF_NETLINK"
    )


# --- the user ---


def test_a_user_that_does_not_exist_is_wrong_usage(gateway: Gateway) -> None:
    gateway.user = "nobody-of-this-name"
    done = gateway.run(*gateway.configure())
    assert done.exit_code == 2
    assert "does not exist" in done.output


def test_what_is_said_has_no_control_characters(gateway: Gateway) -> None:
    gateway.write(gateway.log, "\x1b[31mnot racoon\n")
    gateway.look()
    assert "\x1b" not in str(gateway.findings)
    assert Path(gateway.log).exists()


def test_a_user_of_the_unit_that_does_not_exist_is_found(gateway: Gateway) -> None:
    gateway.configure()
    gateway.unit(SERVE.format(config=gateway.config, state=gateway.state) + "User=nobody-of-this-name\n")
    gateway.look("--unit", "racoon-exporter.service", as_the_unit=True)
    assert ("user", "error") in gateway.bad()
    assert any("systemd-sysusers" in finding["mend"] for finding in gateway.findings)


def test_arguments_of_the_unit_that_are_wrong_are_found(gateway: Gateway) -> None:
    gateway.unit("ExecStart=/bin/sh serve --expct-peer x\nRestart=always\n")
    gateway.look("--unit", "racoon-exporter.service")
    assert any("--expct-peer" in finding["found"] and finding["area"] == "unit" for finding in gateway.findings)
