"""The client file: who we are to the exporter, in the words of Prometheus' HTTP client configuration (`http_config`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from racoon_exporter.yaml_document import Problem, Section, compose

_SECTIONS: Final = {
    "basic_auth": frozenset({"username", "username_file", "password", "password_file"}),
    "authorization": frozenset({"type", "credentials", "credentials_file"}),
    "tls_config": frozenset({"ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify"}),
}
_OTHERS: Final = frozenset({"bearer_token", "bearer_token_file", "follow_redirects", "enable_http2"})
"""Older words for `authorization`, and what changes nothing here."""


class ClientFileError(Exception):
    """A client file that cannot be used; `problems` say why, with their lines, and never quote a secret."""

    def __init__(self, path: Path, *problems: Problem) -> None:
        super().__init__(str(path))
        self.path = path
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Who we are, and whom we believe."""

    basic: tuple[str, str] | None = field(default=None, repr=False)
    """User and password."""
    authorization: str | None = field(default=None, repr=False)
    """The header's value."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    insecure: bool = False


def read_client_file(path: Path) -> ClientSettings:
    """Read a client file. Raises ClientFileError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ClientFileError(path, Problem(None, f"cannot be read: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise ClientFileError(path, Problem(None, "is not UTF-8")) from error
    node, problems = compose(text)
    found = _settings(Section("the file", node, problems, (*_SECTIONS, *_OTHERS)), path.parent)
    if problems:
        raise ClientFileError(path, *sorted(problems, key=lambda problem: problem.line or 0))
    return found


def _settings(top: Section, directory: Path) -> ClientSettings:
    basic, token, tls = (top.section(name, keys) for name, keys in _SECTIONS.items())
    bearer = top.mentions("bearer_token") or top.mentions("bearer_token_file")
    if basic.keys() and (token.keys() or bearer):
        top.note("basic_auth and authorization exclude each other")
    credentials = _secret(top, "bearer_token", directory) if bearer else _secret(token, "credentials", directory)
    found = ClientSettings(
        basic=_basic(basic, directory),
        authorization=None if credentials is None else f"{_text(token, 'type') or 'Bearer'} {credentials}",
        ca_file=_file(tls, "ca_file", directory),
        cert_file=_file(tls, "cert_file", directory),
        key_file=_file(tls, "key_file", directory),
        server_name=_text(tls, "server_name"),
        insecure=tls.boolean("insecure_skip_verify", default=False),
    )
    if (found.cert_file is None) != (found.key_file is None):
        tls.note("cert_file and key_file belong together")
    return found


def _basic(section: Section, directory: Path) -> tuple[str, str] | None:
    if not section.keys():
        return None
    name = _secret(section, "username", directory)
    if name is None:
        section.note("basic_auth has no username", section.keys()[0])
    return name or "", _secret(section, "password", directory) or ""


def _secret(section: Section, key: str, directory: Path) -> str | None:
    """Give a value that stands in the file, or in a file of its own whose end of line is none of it."""
    if (path := _file(section, f"{key}_file", directory)) is None:
        return _text(section, key)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        section.note(f"{key}_file {path} cannot be read: {why}", f"{key}_file")
        return None


def _file(section: Section, key: str, directory: Path) -> Path | None:
    text = _text(section, key)
    return directory / text if text else None


def _text(section: Section, key: str) -> str | None:
    text = section.text(key)
    if text and any(character in text for character in "\r\n\0"):
        section.note(f"{key} has a line break", key)
        return None
    return text or None


__all__ = ["ClientFileError", "ClientSettings", "read_client_file"]
