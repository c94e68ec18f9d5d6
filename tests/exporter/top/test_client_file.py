from __future__ import annotations

from pathlib import Path

import pytest

from racoon_exporter.top.client_file import ClientFileError, ClientSettings, read_client_file


def read(tmp_path: Path, text: str) -> ClientSettings:
    path = tmp_path / "client.yml"
    path.write_text(text)
    return read_client_file(path)


def test_the_words_are_those_of_prometheus(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    given = read(
        tmp_path,
        "basic_auth: {username: anna, password_file: password}\n"
        "tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: gw, insecure_skip_verify: true}\n"
        "follow_redirects: false\n",
    )
    assert given == ClientSettings(
        basic=("anna", "hunter2"),
        ca_file=tmp_path / "ca.pem",
        cert_file=tmp_path / "c.pem",
        key_file=tmp_path / "k.pem",
        server_name="gw",
        insecure=True,
    )
    assert "hunter2" not in repr(given)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("authorization: {credentials: abc}", "Bearer abc"),
        ("authorization: {type: Token, credentials: abc}", "Token abc"),
        ("bearer_token: abc", "Bearer abc"),
        ("authorization: {credentials_file: token}", "Bearer from-file"),
        ("", None),
    ],
)
def test_a_token_is_a_header(tmp_path: Path, text: str, header: str | None) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert read(tmp_path, text).authorization == header


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("basic_auth: {username: anna\n", 2, "expected"),
        ("- list", 1, "must be a mapping"),
        ("basic_auth: {username: a}\nbasicauth: {}", 2, "unknown key 'basicauth'"),
        ("basic_auth:\n  username: a\n  pasword: sesame", 3, "unknown key 'pasword'"),
        ("basic_auth:\n  password: sesame", 2, "no username"),
        ("basic_auth: {username: a}\nbasic_auth: {username: b}", 2, "given twice"),
        ("basic_auth: {username: a, password: [sesame]}", 1, "password must be a text"),
        ("basic_auth: {username: a, password_file: nowhere}", 1, "nowhere cannot be read: No such file"),
        ("basic_auth: {username: a, password: sesame}\nauthorization: {credentials: sesame}", 1, "exclude each other"),
        ('authorization: {credentials: "sesame\\r\\nX: y"}', 1, "has a line break"),
        ("[a, b]: c", 1, "a key must be a text"),
        ("tls_config: {cert_file: c.pem}", 1, "belong together"),
        ("tls_config: {insecure_skip_verify: perhaps}", 1, "must be true or false"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_secrets(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ClientFileError) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert message in problem.message
    assert "sesame" not in problem.message


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClientFileError) as caught:
        read_client_file(tmp_path / "nothing.yml")
    assert "No such file" in caught.value.problems[0].message
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(ClientFileError) as caught:
        read_client_file(tmp_path / "binary.yml")
    assert "UTF-8" in caught.value.problems[0].message
