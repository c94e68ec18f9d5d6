"""Witness `files`: dates, CRLs by the name OpenSSL looks for, keys, files that are not what they should be."""

from __future__ import annotations

import builtins
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from racoon_exporter.witness import WitnessError
from racoon_exporter.witness.certificates import Certificates
from racoon_exporter.witness.crypto import Crypto
from racoon_exporter.witness.files import CertificateFiles
from racoon_exporter.witness.name_hash import name_hash, old_name_hash
from tests.exporter.witness.authority import NOW, Authority, installed, key_bytes, name, new_key, with_an_extension_twice

DAY = 86400


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def conf(tmp_path: Path, authority: Authority) -> Path:
    return installed(tmp_path, authority)


def looked(conf: Path) -> Certificates:
    return CertificateFiles(conf).look().certificates


def faults(conf: Path) -> list[tuple[str, str]]:
    return [(Path(fault.file).name, fault.text) for fault in looked(conf).faults]


def test_dates_of_certificates_are_read(conf: Path) -> None:
    dates = {Path(one.file).name: one.not_after for one in looked(conf).certificates}
    assert dates == {"ca.crt": NOW.timestamp() + 30 * DAY, "gw.crt": NOW.timestamp() + 30 * DAY}


def test_the_crl_that_is_missing_is_named_as_racoon_looks_for_it(conf: Path, authority: Authority) -> None:
    assert looked(conf).missing_crls == (str(conf.parent / f"{name_hash(name(authority.common))}.r0"),)


@pytest.mark.parametrize("hashed", [name_hash, old_name_hash], ids=["OpenSSL 1.0 and later", "OpenSSL before 1.0"])
def test_a_crl_under_its_name_is_found_and_dated(conf: Path, authority: Authority, hashed: object) -> None:
    assert callable(hashed)
    (conf.parent / f"{hashed(name(authority.common))}.r0").write_bytes(authority.crl(days=7))
    read = looked(conf)
    assert read.missing_crls == ()
    assert [crl.next_update for crl in read.crls] == [NOW.timestamp() + 7 * DAY]


def test_a_crl_of_another_issuer_is_a_fault_and_does_not_count(conf: Path, authority: Authority) -> None:
    other = Authority("Other CA")
    wanted = f"{name_hash(name(authority.common))}.r0"
    (conf.parent / wanted).write_bytes(other.crl())
    assert faults(conf) == [(wanted, f"of another issuer: racoon looks for this CRL as {name_hash(name('Other CA'))}.r0")]
    assert looked(conf).missing_crls == (str(conf.parent / wanted),)


def test_a_ca_under_the_wrong_hash_is_never_found(conf: Path, authority: Authority) -> None:
    (conf.parent / "00000000.0").write_bytes(authority.own())
    assert faults(conf) == [
        (
            "00000000.0",
            f"never found: racoon looks for this CA as {min(name_hash(name('Lab CA')), old_name_hash(name('Lab CA')))}.0",
        )
    ]


def test_a_key_that_others_may_read_is_a_fault(conf: Path) -> None:
    (conf.parent / "gw.key").chmod(0o644)
    assert faults(conf) == [("gw.key", "the private key is open to others (mode 0644)")]


def test_a_key_of_another_certificate_is_a_fault(conf: Path) -> None:
    (conf.parent / "gw.key").write_bytes(key_bytes(new_key()))
    assert faults(conf) == [("gw.key", "the private key does not belong to gw.crt")]


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x82\xff\xff", b"junk" * 9000]
)
def test_a_certificate_that_is_none_is_a_fault_and_the_others_are_read(conf: Path, content: bytes) -> None:
    (conf.parent / "gw.crt").write_bytes(content)
    assert ("gw.crt", "no certificate") in faults(conf)
    assert [Path(one.file).name for one in looked(conf).certificates] == ["ca.crt"]


def test_a_certificate_with_an_extension_twice_is_none(conf: Path) -> None:
    (conf.parent / "gw.crt").write_bytes(with_an_extension_twice())
    assert ("gw.crt", "no certificate") in faults(conf)


def test_a_certificate_without_an_end_has_one_that_can_be_written_in_any_zone(conf: Path, authority: Authority) -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    (conf.parent / "gw.crt").write_bytes(authority.certificate("gw", new_key(), ends=never))
    (ends,) = [one.not_after for one in looked(conf).certificates if one.file.endswith("gw.crt")]
    assert datetime.fromtimestamp(ends, timezone(timedelta(hours=14))).year == 9999


def test_a_key_that_is_a_pipe_is_not_waited_for(conf: Path) -> None:
    (conf.parent / "gw.key").unlink()
    os.mkfifo(conf.parent / "gw.key", 0o600)
    assert faults(conf) == [("gw.key", "not a regular file")]


def test_a_file_that_changes_is_read_again(conf: Path, authority: Authority) -> None:
    witness = CertificateFiles(conf)
    witness.look()
    (conf.parent / "gw.crt").write_bytes(authority.certificate("gw", new_key(), days=3))
    dates = {Path(one.file).name: one.not_after for one in witness.look().certificates.certificates}
    assert dates["gw.crt"] == NOW.timestamp() + 3 * DAY


def test_nothing_of_names_or_keys_is_kept(conf: Path) -> None:
    kept = repr(looked(conf))
    assert "Lab" not in kept
    assert "PRIVATE" not in kept


def test_what_racoon_conf_proposes_is_told_by_peer(conf: Path) -> None:
    assert CertificateFiles(conf).look().configured == (("192.0.2.2", Crypto(1, "main", "", "", "2", "rsasig")),)


def test_a_configuration_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match="No such file"):
        CertificateFiles(tmp_path / "racoon.conf").look()


def test_without_the_extra_it_is_told_how_to_get_it(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> object:
        if name.startswith("cryptography") or (name == "racoon_exporter.witness" and "x509" in fromlist):
            raise ModuleNotFoundError(name)
        return real(name, globals_, locals_, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"racoon-exporter\[certificates\]"):
        CertificateFiles(conf)


@pytest.mark.parametrize(
    "subject",
    [
        "/C=DE/O=Lab  Network/CN=ipsec-A",
        "/CN=ÄÖ Ü Test/emailAddress=Foo@Bar.example/O= lead trail ",
        "/C=US/CN=a+O=b",
        "/DC=example/DC=com/CN=x",
    ],
)
def test_hashes_are_openssls(tmp_path: Path, subject: str) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None
    certificate = tmp_path / "c.pem"
    made = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-utf8",
        "-multivalue-rdn",
    ]
    subprocess.run(
        [*made, "-keyout", tmp_path / "k.pem", "-out", certificate, "-subj", subject], check=True, capture_output=True
    )
    printed = subprocess.run(
        [openssl, "x509", "-in", certificate, "-noout", "-subject_hash", "-subject_hash_old"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    read = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
    assert [name_hash(read), old_name_hash(read)] == printed.split()
