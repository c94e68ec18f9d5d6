"""The client file: who we are to the exporter, in the words of Prometheus' HTTP client configuration (`http_config`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from racoon_exporter.yaml_document import Problem, compose

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
    root, faults = compose(text)
    if faults:
        raise ClientFileError(path, *faults)
    return _Reading(path).settings(root)


class _Reading:
    """Reads one file, and remembers what is wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def settings(self, root: yaml.Node | None) -> ClientSettings:
        sections = {} if root is None else self._mapping(root, {*_SECTIONS, *_OTHERS}, "the file")
        basic = self._section(sections, "basic_auth")
        token = self._section(sections, "authorization")
        tls = self._section(sections, "tls_config")
        if "bearer_token" in sections or "bearer_token_file" in sections:
            token = {"credentials": sections.get("bearer_token"), "credentials_file": sections.get("bearer_token_file")}
        if basic and token:
            self._fault(root, "basic_auth and authorization exclude each other")
        found = ClientSettings(
            basic=self._basic(basic) if basic else None,
            authorization=self._token(token) if token else None,
            ca_file=self._file(tls, "ca_file"),
            cert_file=self._file(tls, "cert_file"),
            key_file=self._file(tls, "key_file"),
            server_name=self._text(tls, "server_name"),
            insecure=self._flag(tls, "insecure_skip_verify"),
        )
        if (found.cert_file is None) != (found.key_file is None):
            self._fault(sections.get("tls_config"), "cert_file and key_file belong together")
        if self._problems:
            raise ClientFileError(self._path, *self._problems)
        return found

    def _section(self, sections: dict[str, yaml.Node], name: str) -> dict[str, Any]:
        node = sections.get(name)
        return {} if node is None else self._mapping(node, _SECTIONS[name], name)

    def _basic(self, section: dict[str, Any]) -> tuple[str, str] | None:
        name = self._secret(section, "username")
        if name is None:
            self._fault(next(iter(section.values())), "basic_auth has no username")
            return None
        return name, self._secret(section, "password") or ""

    def _token(self, section: dict[str, Any]) -> str | None:
        credentials = self._secret(section, "credentials")
        return None if credentials is None else f"{self._text(section, 'type') or 'Bearer'} {credentials}"

    def _secret(self, section: dict[str, Any], key: str) -> str | None:
        """Give a value that stands in the file, or in a file of its own whose end of line is none of it."""
        if (path := self._file(section, f"{key}_file")) is None:
            return self._text(section, key)
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self._fault(section[f"{key}_file"], f"{key}_file {path} cannot be read: {why}")
            return None

    def _file(self, section: dict[str, Any], key: str) -> Path | None:
        text = self._text(section, key)
        return self._path.parent / text if text else None

    def _flag(self, section: dict[str, Any], key: str) -> bool:
        text = self._text(section, key)
        if text not in {None, "true", "false"}:
            self._fault(section[key], f"{key} is true or false")
        return text == "true"

    def _text(self, section: dict[str, Any], key: str) -> str | None:
        node = section.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._fault(node, f"{key} is a text")
            return None
        value: str = node.value
        if any(character in value for character in "\r\n\0"):
            self._fault(node, f"{key} has a line break")
            return None
        return value or None

    def _mapping(self, node: yaml.Node, known: Any, what: str) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, f"{what} is no mapping of {', '.join(sorted(known))}")
            return {}
        found: dict[str, Any] = {}
        for key, value in node.value:
            if key.value not in known:
                self._fault(key, f"unknown key {key.value!r}; known here: {', '.join(sorted(known))}")
            elif key.value in found:
                self._fault(key, f"{key.value} is given twice")
            else:
                found[key.value] = value
        return found

    def _fault(self, node: yaml.Node | None, message: str) -> None:
        self._problems.append(Problem(None if node is None else int(node.start_mark.line) + 1, message))


__all__ = ["ClientFileError", "ClientSettings", "read_client_file"]
