"""What the configuration file says of a topic, and how librdkafka is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

from racoon_exporter.source.kafka.records import ENVELOPES, NAMINGS, Naming
from racoon_exporter.yaml_document import Section, shown
from racoon_parsers.json_entry import Keys

Word = TypeVar("Word", bound=str)
STATE_FILE: Final = "file"
"""Stands for the state file where a topic for checkpoints may be named."""
Order = Literal["partition", "time"]
"""How a topic is read: each partition by itself, or all of them as one in the order of time."""
ORDERS: Final[tuple[Order, ...]] = ("partition", "time")
_KEYS: Final = (
    *("bootstrap", "topic", "topics", "group", "gateway", "order", "envelope", "fields", "checkpoints"),
    *("checkpoint_replicas", "session_timeout", "tls", "sasl"),
)
_FIELDS: Final = {"text": "messages", "time": "times", "host": "hosts", "program": "programs", "process": "processes"}
"""What a field is for, and its place in `Keys`."""
_TLS: Final = ("ca", "certificate", "key", "key_password_file", "verify_name")
_SASL: Final = ("mechanism", "username", "password_file")
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_FORGOTTEN_SECONDS: Final = 30
"""Without a broker that tells of the others for so long, those of the configuration are asked again; librdkafka takes 300."""
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""Of a topic, as brokers take it."""
_SESSION_SECONDS: Final = 10
"""Without a sign of life for so long, an instance loses its partitions to others."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How the connection is encrypted."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password_file: str | None = None
    verify_name: bool = True


@dataclass(frozen=True, slots=True)
class Sasl:
    """Who we are."""

    mechanism: str
    username: str
    password_file: str


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """A source `kafka`."""

    bootstrap: str
    topics: tuple[str, ...]
    group: str = "racoon-exporter"
    naming: Naming = "key"
    keys: Keys | None = None
    """Where an envelope says what; None where records are text."""
    checkpoints: str = ""
    """The topic of checkpoints, or `STATE_FILE`."""
    checkpoint_replicas: int = -1
    """Copies of that topic where it is made; the broker's default."""
    session_seconds: int = _SESSION_SECONDS
    tls: Tls | None = None
    sasl: Sasl | None = None
    order: Order | None = None
    """None where the records tell."""
    proofs: int = field(default=0, repr=False)
    """Tells what the files named in `tls` and `sasl` hold from what they held before: a reload takes up those that changed."""

    @property
    def name(self) -> str:
        """What the source is called."""
        return f"kafka:{','.join(self.topics)}"

    def client(self) -> dict[str, str | int | bool]:
        """Give what every client of librdkafka is told. Raises OSError for a password file that cannot be read."""
        told: dict[str, str | int | bool] = {
            "bootstrap.servers": self.bootstrap,
            "client.id": "racoon-exporter",
            "metadata.recovery.rebootstrap.trigger.ms": _FORGOTTEN_SECONDS * 1000,
            "security.protocol": f"{'SASL_' if self.sasl else ''}{'SSL' if self.tls else 'PLAINTEXT'}",
        }
        if self.tls is not None:
            places = {"ssl.ca.location": self.tls.ca, "ssl.certificate.location": self.tls.certificate}
            told |= {key: place for key, place in (places | {"ssl.key.location": self.tls.key}).items() if place}
            if self.tls.key_password_file:
                told["ssl.key.password"] = _secret(self.tls.key_password_file)
            if not self.tls.verify_name:
                told["ssl.endpoint.identification.algorithm"] = "none"
        if self.sasl is not None:
            told |= {"sasl.mechanism": self.sasl.mechanism, "sasl.username": self.sasl.username}
            told["sasl.password"] = _secret(self.sasl.password_file)
        return told


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").rstrip("\r\n")


def read_options(section: Section, directory: Path) -> KafkaOptions:
    """Read a source of the configuration file; what is wrong is noted in the section."""
    given = section.section("kafka", _KEYS)
    topics = _topics(given)
    group = given.text("group") or "racoon-exporter"
    if section.mentions("gateway"):
        section.note("the records of a topic name their gateways: say in kafka how (gateway: key, host or line)", "gateway")
    tls, sasl = _tls(given, directory), _sasl(given, directory)
    return KafkaOptions(
        _bootstrap(given),
        topics,
        group,
        _one_of(given, "gateway", NAMINGS) or NAMINGS[0],
        _envelope(given),
        _checkpoints(given, group, topics),
        _number(given, "checkpoint_replicas", -1),
        _number(given, "session_timeout", _SESSION_SECONDS),
        tls,
        sasl,
        _one_of(given, "order", ORDERS),
        _proofs([*files_of(tls, sasl)]),
    )


def files_of(tls: Tls | None, sasl: Sasl | None) -> Iterator[str]:
    """Give the files that are named there."""
    named = [] if tls is None else [tls.ca, tls.certificate, tls.key, tls.key_password_file]
    yield from (path for path in (*named, None if sasl is None else sasl.password_file) if path)


def _proofs(files: Sequence[str]) -> int:
    """Tell what files hold from what they held before; those that can be read once only are left to whoever uses them."""
    return hash(tuple(_held(Path(path)) for path in files)) if files else 0


def _held(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:  # whoever uses it is told
        return None


def _bootstrap(given: Section) -> str:
    servers = given.text("bootstrap") or ""
    if not servers:
        given.note("bootstrap is missing: HOST:PORT of brokers, with commas between them", "bootstrap")
    for server in servers.split(",") if servers else ():
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            given.note(f"{shown(server)} is no HOST:PORT", "bootstrap")
    return servers


def _topics(given: Section) -> tuple[str, ...]:
    if given.mentions("topic") == given.mentions("topics"):
        given.note("name either a topic or topics", "topic" if given.mentions("topic") else None)
        return ()
    if given.mentions("topic"):
        named = [(given.text("topic") or "", given.line_at("topic") or 0)]
    else:
        named = [(entry.text, entry.line) for entry in given.entries("topics") or ()]
        if not named:
            given.note("topics must not be empty", "topics")
    for topic, line in named:
        if not _NAME.fullmatch(topic):
            given.note_at(line, f"{shown(topic)} is no name of a topic")
    return tuple(dict.fromkeys(topic for topic, _ in named))


def _checkpoints(given: Section, group: str, topics: tuple[str, ...]) -> str:
    name = given.text("checkpoints") or f"{group}-checkpoints"
    if not _NAME.fullmatch(name):
        given.note(f"{shown(name)} is no name of a topic for checkpoints", "checkpoints")
    elif name in topics:
        given.note(f"checkpoints need a topic of their own: {name} holds lines", "checkpoints")
    return name


def _one_of(given: Section, key: str, allowed: tuple[Word, ...]) -> Word | None:
    text = given.text(key)
    found = next((each for each in allowed if each == text), None)
    if found is None and given.mentions(key):
        given.note(f"{key} must be one of {', '.join(allowed)}", key)
    return found


def _envelope(given: Section) -> Keys | None:
    name = given.text("envelope")
    if name is not None and name not in ENVELOPES:
        given.note(f"envelope must be one of {', '.join(ENVELOPES)}", "envelope")
        return None
    fields = given.section("fields", tuple(_FIELDS))
    own = {_FIELDS[key]: (text,) for key, text in fields.texts().items() if text}
    keys = ENVELOPES["json" if own and name is None else name or "plain"]
    if own and keys is None:
        given.note("a plain record has no fields", "fields")
    return keys if keys is None or not own else keys._replace(**own)


def _number(given: Section, key: str, default: int) -> int:
    number = given.integer(key, default)
    if number != default and not 1 <= number <= 3600:
        given.note(f"{key} must be from 1 to 3600", key)
    return number


def _tls(given: Section, directory: Path) -> Tls | None:
    if not given.mentions("tls"):
        return None
    tls = given.section("tls", _TLS)
    ca, certificate, key, password = (_file(tls, name, directory) for name in _TLS[:4])
    if (certificate is None) != (key is None):
        tls.note("a certificate needs its key, and a key its certificate")
    return Tls(ca, certificate, key, password, tls.boolean("verify_name", default=True))


def _sasl(given: Section, directory: Path) -> Sasl | None:
    if not given.mentions("sasl"):
        return None
    sasl = given.section("sasl", _SASL)
    mechanism, username = sasl.text("mechanism") or "PLAIN", sasl.text("username") or ""
    if mechanism not in _MECHANISMS:
        sasl.note(f"mechanism must be one of {', '.join(_MECHANISMS)}", "mechanism")
    password = _file(sasl, "password_file", directory)
    for key, value in (("username", username), ("password_file", password)):
        if not value:
            sasl.note(f"{key} is missing", key)
    return Sasl(mechanism, username, password or "")


def _file(given: Section, key: str, directory: Path) -> str | None:
    text = given.text(key)
    if not text:
        return None
    path = directory / text
    if not path.is_file():
        given.note(f"{key}: there is no file {shown(str(path))}", key)
    return str(path)
