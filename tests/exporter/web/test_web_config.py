from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.web import Problem, check_web_config
from racoon_exporter.web.config import ClientAuth, RateLimit
from racoon_exporter.web.config_file import CIPHER_SUITES, parse_duration, parse_web_config
from tests.exporter.web.certificates import encrypt_key

if TYPE_CHECKING:
    from tests.exporter.web.certificates import Authority

CONFIGS = Path(__file__).parent / "configs"
GOOD = sorted((CONFIGS / "good").glob("*.yml"))
BAD = sorted(path for path in (CONFIGS / "bad").glob("*.yml") if path.stem != "not_utf8")  # that one is bytes, not text
EXPECT = "# expect "


@pytest.fixture(scope="module")
def directory(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what the files of the corpus name."""
    directory = tmp_path_factory.mktemp("named")
    server = authority.issue("server")
    shutil.copy(server.certificate, directory / "server.crt")
    shutil.copy(server.key, directory / "server.key")
    shutil.copy(authority.issue("other").key, directory / "other.key")
    shutil.copy(authority.certificate, directory / "client-ca.crt")
    encrypt_key(server.key, directory / "encrypted.key")
    (directory / "junk.pem").write_text("no PEM")
    return directory


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_has_no_problem(path: Path, directory: Path) -> None:
    assert check_web_config(path.read_bytes().decode(), directory) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_told_by_line(path: Path, directory: Path) -> None:
    """Each file begins with the problems it must give, as far as their text is ours."""
    text = path.read_bytes().decode()
    expected = [line.removeprefix(EXPECT) for line in text.splitlines() if line.startswith(EXPECT)]
    found = list(map(str, check_web_config(text, directory)))
    assert expected
    assert [problem[: len(begin)] for problem, begin in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_problem_is_one_line_without_control_characters(path: Path, directory: Path) -> None:
    for problem in check_web_config(path.read_bytes().decode(), directory):
        assert problem.message.isprintable()


def test_a_problem_never_shows_a_hash_or_a_key() -> None:
    text = "tls_server_config:\n  key: |\n    sesame\n  key: 'sesame\nbasic_auth_users:\n  alice: sesame\n  bob: {sesame: 1"
    for cut in range(len(text)):
        assert "sesame" not in "".join(map(str, check_web_config(text[:cut], Path("/nowhere"))))


def test_certificate_key_and_ca_may_stand_in_the_file_itself(authority: Authority) -> None:
    server = authority.issue("server")

    def block(path: Path) -> str:
        return "|\n" + "".join(f"    {line}\n" for line in path.read_text().splitlines())

    text = (
        f"tls_server_config:\n  cert: {block(server.certificate)}  key: {block(server.key)}"
        f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca: {block(authority.certificate)}"
    )
    assert check_web_config(text, Path("/nowhere")) == []


def test_a_relative_path_starts_at_the_file(tmp_path: Path) -> None:
    config, problems = parse_web_config("tls_server_config: {cert_file: a.crt, key_file: /b.key}", tmp_path)
    assert not problems
    assert config.tls is not None
    assert config.tls.certificate.path == tmp_path / "a.crt"
    assert config.tls.key.path == Path("/b.key")


def test_an_empty_file_asks_for_nothing(tmp_path: Path) -> None:
    config, problems = parse_web_config("", tmp_path)
    assert not problems
    assert (config.tls, dict(config.headers), dict(config.users), config.rate_limit) == (None, {}, {}, None)


@pytest.mark.parametrize(
    ("settings", "allow_tls12", "allow_tls13"),
    [
        ("", True, True),
        ("min_version: TLS13", False, True),
        ("max_version: TLS12", True, False),
        ("min_version: TLS10", True, True),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", False, True),
    ],
)
def test_versions_are_the_ones_asked_for_but_none_before_tls_1_2(
    settings: str, *, allow_tls12: bool, allow_tls13: bool
) -> None:
    config, problems = parse_web_config(f"tls_server_config:\n  cert_file: a\n  key_file: b\n  {settings}\n", Path("/nowhere"))
    assert not problems
    assert config.tls is not None
    assert (config.tls.allow_tls12, config.tls.allow_tls13) == (allow_tls12, allow_tls13)


@pytest.mark.parametrize(
    ("curves", "offered"),
    [
        ("[X25519, CurveP256]", "prime256v1"),
        ("[CurveP521, CurveP384]", "secp521r1"),
        ("[X25519]", "X25519"),
        ("[]", None),
    ],
)
def test_the_curve_offered_is_one_that_every_client_knows_if_it_is_listed(curves: str, offered: str | None) -> None:
    text = f"tls_server_config: {{cert_file: a, key_file: b, curve_preferences: {curves}}}"
    config, _ = parse_web_config(text, Path("/nowhere"))
    assert config.tls is not None
    assert config.tls.curve == offered


def test_asking_for_a_certificate_that_nobody_looks_at_is_not_asking() -> None:
    text = "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}"
    config, problems = parse_web_config(text, Path("/nowhere"))
    assert not problems
    assert config.tls is not None
    assert config.tls.client_auth is ClientAuth.NONE


def test_ciphers_keep_their_order() -> None:
    names = [name for name, openssl_name in CIPHER_SUITES.items() if openssl_name][::-1]
    text = f"tls_server_config: {{cert_file: a, key_file: b, cipher_suites: [{', '.join(names)}]}}"
    config, _ = parse_web_config(text, Path("/nowhere"))
    assert config.tls is not None
    assert config.tls.ciphers == tuple(CIPHER_SUITES[name] for name in names)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("250ms", 0.25),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("3us", 3e-6),
        ("3µs", 3e-6),
        ("+2s", 2.0),
        ("0", 0.0),
        ("1000000000", 1.0),
        ("-1s", None),
        ("1", 1e-9),
        ("s", None),
        ("1 s", None),
        ("1d", None),
        ("", None),
        ("1s2", None),
        ("٣s", None),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


def test_a_rate_limit_with_interval_0_is_none() -> None:
    assert parse_web_config("rate_limit: {interval: 0, burst: 5}", Path("/nowhere"))[0].rate_limit is None
    assert parse_web_config("rate_limit: {interval: 1s, burst: 5}", Path("/nowhere"))[0].rate_limit == RateLimit(1.0, 5)


_WORDS = ["tls_server_config", "basic_auth_users", "<<", "key: ", "&a ", "*a", "- ", "!!int ", *":{}[]|>'\"#% ,?\n\t\x00é1"]
_YAML = st.lists(st.sampled_from(_WORDS), max_size=40).map("".join)


@given(_YAML)
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for problem in check_web_config(text, Path("/nowhere")):
        assert isinstance(problem, Problem)
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1


def test_deep_nesting_is_a_problem_and_no_crash() -> None:
    assert check_web_config("[" * 5_000, Path("/nowhere"))
