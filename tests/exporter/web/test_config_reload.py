"""A web configuration that is written in place is read when nobody writes to it any more, and asks for no less than before."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from racoon_exporter.web.config_reload import LiveConfig
from tests.clock import Clock
from tests.exporter.web.test_server import HASH, OTHER_HASH, replace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.exporter.web.certificates import Authority

USERS = f"basic_auth_users:\n  bob: {OTHER_HASH}\n  alice: {HASH}\n"


def live(config_file: Path, clock: Clock) -> LiveConfig:
    """Read a file whose dates are of the clock."""
    return LiveConfig(config_file, logging.getLogger(), clock, clock)


def write(path: Path, text: str, clock: Clock) -> None:
    """Write into a file, now by the clock."""
    path.write_text(text)
    os.utime(path, (clock.now, clock.now))


def asking(authority: Authority, ca: Path | None = None, allowed: str | None = None) -> str:
    """Give a configuration that asks for certificates of clients."""
    pair = authority.issue("server")
    lines = (
        "tls_server_config:",
        f"cert_file: {pair.certificate}",
        f"key_file: {pair.key}",
        f"client_ca_file: {ca or authority.certificate}",
        "client_auth_type: RequireAndVerifyClientCert",
        *(() if allowed is None else (f"client_allowed_sans: {allowed}",)),
    )
    return "\n  ".join(lines) + "\n"


def test_halves_of_a_file_that_is_written_in_place_are_not_read(config_file: Path, clock: Clock) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    whole = USERS.replace("bob", "carol")
    for end in range(0, len(whole), 7):
        write(config_file, whole[:end], clock)
        assert set(config.current().config.users) == {"alice", "bob"}
        clock.now += 0.9
        assert set(config.current().config.users) == {"alice", "bob"}
    write(config_file, whole, clock)
    clock.now += 1
    assert set(config.current().config.users) == {"alice", "carol"}
    assert config.ok


@pytest.mark.parametrize("whole", [f"{USERS}  carol: {HASH}\n", USERS.replace(OTHER_HASH, HASH)])
def test_a_file_that_is_whole_by_all_signs_is_used_at_once(config_file: Path, clock: Clock, whole: str) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    for end in range(0, len(whole) - 1, 7):
        write(config_file, whole[:end], clock)
        assert dict(config.current().config.users) == {"alice": HASH, "bob": OTHER_HASH}
        assert config.ok
    write(config_file, whole, clock)
    assert {"alice", "bob"} <= set(config.current().config.users)
    assert config.current().config.users["bob"] == (HASH if "carol" not in whole else OTHER_HASH)


def test_a_file_that_is_broken_counts_as_broken_when_nobody_writes_to_it(config_file: Path, clock: Clock) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    write(config_file, f"{USERS}nonsense: true\n", clock)
    assert config.current().config.users
    assert config.ok
    clock.now += 1
    assert config.current().config.users
    assert not config.ok


def test_a_file_that_was_written_between_two_looks_is_read_at_the_second(config_file: Path, clock: Clock) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    write(config_file, USERS.replace("bob", "carol"), clock)
    clock.now += 1
    assert "carol" in config.current().config.users


def test_a_file_dated_in_the_future_is_read_after_a_while(config_file: Path, clock: Clock) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    config_file.write_text(USERS.replace("bob", "carol"))
    os.utime(config_file, (clock.now + 3600, clock.now + 3600))
    assert "bob" in config.current().config.users
    clock.now += 1
    assert "carol" in config.current().config.users


def test_a_file_that_takes_the_place_of_another_is_read_at_once(config_file: Path, clock: Clock) -> None:
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    replace(config_file, USERS.replace("bob", "carol"))
    assert "carol" in config.current().config.users


@pytest.mark.parametrize("rest", ["", "#", "basic_auth_users:", "rate_limit: {interval: 1s, burst: 9}"])
def test_a_file_that_stays_cut_off_lets_nobody_in(
    config_file: Path, clock: Clock, rest: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As a full disk leaves it, or a program that ended while it wrote."""
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    write(config_file, rest, clock)
    for _ in range(3):
        clock.now += 3600
        assert set(config.current().config.users) == {"alice", "bob"}
        assert not config.ok
    said = "it asks for less than before and its last line has no end: put a new file in its place, or restart"
    assert caplog.messages == [f"web configuration kept as it was: {config_file}: {said}"]
    replace(config_file, rest)
    assert not config.current().config.users
    assert config.ok


def test_a_file_that_asks_for_less_is_used_if_it_is_the_same_ten_seconds_later(
    config_file: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """As an editor writes it that keeps the file, or `cp`; who wrote it slowly is at its end by then."""
    write(config_file, USERS, clock)
    config = live(config_file, clock)
    for text in ("# nobody yet\n", "# nobody\n"):
        write(config_file, text, clock)
        clock.now += 9
        assert set(config.current().config.users) == {"alice", "bob"}
        assert not config.ok
    said = "it asks for less than before and was written in place: it is used if it is the same 10 seconds later"
    assert caplog.messages == [f"web configuration kept as it was: {config_file}: {said}"]
    clock.now += 10
    assert not config.current().config.users
    assert config.ok


@pytest.mark.parametrize("lost", ["client_auth_type", "client_allowed_sans"])
def test_a_file_that_has_lost_what_it_asks_of_certificates_is_not_used(
    config_file: Path, clock: Clock, authority: Authority, lost: str
) -> None:
    write(config_file, asking(authority, allowed="[localhost]"), clock)
    config = live(config_file, clock)
    before = config.current()
    with_lost = ("client_auth_type", "client_allowed_sans", "client_ca_file") if lost == "client_auth_type" else (lost,)
    kept = [line for line in config_file.read_text().splitlines() if not line.strip().startswith(with_lost)]
    write(config_file, "\n".join(kept), clock)
    clock.now += 3600
    assert config.current() is before
    assert not config.ok


def test_half_a_bundle_of_client_cas_is_not_used(config_file: Path, clock: Clock, authority: Authority, tmp_path: Path) -> None:
    bundle = tmp_path / "clients.crt"
    write(bundle, authority.certificate.read_text() * 2, clock)
    write(config_file, asking(authority, ca=bundle), clock)
    config = live(config_file, clock)
    before = config.current()
    write(bundle, authority.certificate.read_text(), clock)
    assert config.current() is before
    clock.now += 1
    assert config.current() is not before


def test_certificate_and_key_that_are_written_in_place_are_used_as_soon_as_they_fit(
    config_file: Path, clock: Clock, authority: Authority, tmp_path: Path
) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    certificate, key = tmp_path / "s.crt", tmp_path / "s.key"
    shutil.copy(first.certificate, certificate)
    shutil.copy(first.key, key)
    write(config_file, "tls_server_config: {cert_file: s.crt, key_file: s.key}\n", clock)
    config = live(config_file, clock)
    before = config.current()
    shutil.copy(second.certificate, certificate)
    assert config.current() is before
    shutil.copy(second.key, key)
    assert config.current() is not before
