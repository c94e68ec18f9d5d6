"""A source `kafka`: its library, the files it names, whether brokers answer, and how the newest records are keyed."""

from __future__ import annotations

import shlex
import socket
from importlib.util import find_spec
from typing import Final

from racoon_exporter.doctor.finding import Findings, error, ok, warning, worst
from racoon_exporter.doctor.rights import readable
from racoon_exporter.doctor.setup import Setup
from racoon_exporter.source.kafka.settings import KafkaOptions, files_of
from racoon_exporter.source.kinds import Wanted

_SECONDS: Final = 3.0
"""A broker that takes longer to take a connection is not there."""
_LIBRARY: Final = "confluent_kafka"
_NOTHING: Final = "No gateway of these topics is followed."
_ASK: Final = "kafka-topics.sh --bootstrap-server {} --describe --topic {}    # as the user of sasl or tls"
_ALONE: Final = "One exporter of the group reads all partitions, in the order of time; others stand by and share no work."
_TORN: Final = "With `order: partition` a gateway's lines lose their order, and its state is two."


def check(each: Wanted, setup: Setup) -> Findings:
    """Look at a source, as the service's user."""
    options = each.options
    assert isinstance(options, KafkaOptions)
    found = [*_library(each.name), *_refused_files(options, setup), *_brokers(each.name, options)]
    yield from found
    if worst(found) != "error":
        for topic in options.topics:
            yield from _keys(topic, options)


def _library(name: str) -> Findings:
    if find_spec(_LIBRARY) is None:
        yield error(
            "log",
            name,
            f"{_LIBRARY} is not installed",
            "The exporter does not start.",
            "pip install 'racoon-exporter[kafka]'",
        )


def _refused_files(options: KafkaOptions, setup: Setup) -> Findings:
    for path in files_of(options.tls, options.sasl):
        refusal = readable(path, setup.user)
        if refusal is not None:
            yield error("log", path, refusal.why, _NOTHING, refusal.mend)


def _keys(topic: str, options: KafkaOptions) -> Findings:
    from racoon_exporter.source.kafka.newest_records import TopicError, look  # noqa: PLC0415  an extra

    subject = f"kafka:{topic}"
    try:
        seen = look(topic, options)
    except TopicError as refused:
        yield error("log", subject, str(refused), _NOTHING, _ASK.format(shlex.quote(options.bootstrap), shlex.quote(topic)))
        return
    if not seen.keys.seen and seen.passed_over:
        yield warning(
            "log",
            subject,
            "no record holds a line: " + ", ".join(f"{number} {reason}" for reason, number in seen.passed_over.items()),
            "They are passed over and counted.",
            "kafka: {envelope: …, fields: …}    # as the collector writes them: docs/sources.md, “Kafka”",
        )
    elif seen.partitions == 1 or seen.keys.order == "partition":
        keyed = "keyed by gateway" if seen.keys.seen else "no record yet"
        yield ok("log", subject, f"{seen.partitions} partitions, {keyed}" if seen.partitions > 1 else "one partition")
    elif options.order == "time":
        yield ok("log", subject, f"{seen.partitions} partitions, not keyed by gateway; read in the order of time, as is said")
    else:
        yield warning(
            "log",
            subject,
            f"not keyed by gateway: {seen.keys.torn} of {seen.keys.seen} records have no key, or another partition than before",
            _TORN if options.order == "partition" else _ALONE,
            "key the records by the gateway's name    # how: docs/sources.md, “Kafka”; or kafka: {order: time}",
        )


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
