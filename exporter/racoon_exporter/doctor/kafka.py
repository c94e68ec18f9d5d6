"""A source `kafka`: its library, the files it names, and whether brokers answer. Nothing is read of a topic."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from racoon_exporter.doctor.finding import Findings, error, ok, warning
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.source.kafka.settings import KafkaOptions
from racoon_exporter.source.kinds import Wanted

_SECONDS: Final = 3.0
"""A broker that takes longer to take a connection is not there."""
_LIBRARY: Final = "confluent_kafka"
_NOTHING: Final = "No gateway of these topics is followed."


def check(each: Wanted, setup: Setup) -> Findings:
    """Look at a source, as the service's user."""
    options = each.options
    assert isinstance(options, KafkaOptions)
    if find_spec(_LIBRARY) is None:
        yield error(
            "log",
            each.name,
            f"{_LIBRARY} is not installed",
            "The exporter does not start.",
            "pip install 'racoon-exporter[kafka]'",
        )
    for path in _files(options):
        refusal = readable(path, setup.user)
        if refusal is not None:
            yield error("log", path, refusal.why, _NOTHING, refusal.mend)
    yield from _brokers(each.name, options)


def _files(options: KafkaOptions) -> Iterator[str]:
    tls, sasl = options.tls, options.sasl
    named = (tls.ca, tls.certificate, tls.key, tls.key_password_file) if tls is not None else ()
    yield from (path for path in (*named, None if sasl is None else sasl.password_file) if path)


def _brokers(name: str, options: KafkaOptions) -> Findings:
    servers = options.bootstrap.split(",")
    silent = {server: why for server in servers if (why := _refusal(server.strip())) is not None}
    if not silent:
        yield ok("log", name, f"{options.bootstrap}: takes connections")
        return
    found = "; ".join(f"{server}: {why}" for server, why in silent.items())
    host, _, port = next(iter(silent)).strip().rpartition(":")
    mend = (
        f"getent ahosts {shlex.quote(host)}; nc -vz {shlex.quote(host)} {port}    # firewall, advertised.listeners, bootstrap"
    )
    if len(silent) == len(servers):
        yield error("log", name, found, _NOTHING, mend)
    else:
        yield warning("log", name, found, "If the other brokers of bootstrap are gone as well, the exporter finds none.", mend)


def _refusal(server: str) -> str | None:
    """Say why a broker does not take a connection; None if it does."""
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except (OSError, ValueError) as failed:
        return getattr(failed, "strerror", None) or str(failed)
    return None
