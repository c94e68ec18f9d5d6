"""Real Kafka brokers on loopback: KRaft nodes from the jars that `.ci/kafka` fetches, on free ports, ended by their own ids."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_ports

_PROJECT: Final = Path(__file__).parents[2]
_CLUSTER: Final = "racoonexporterfleet001"
_START_SECONDS: Final = 300
"""Until brokers are there, and for what they are asked."""
_QUIET: Final = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_JAVA: Final = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", _QUIET)


def jars() -> Path:
    """Fetch the jars where they are missing, and give their folder."""
    fetched = subprocess.run(["sh", _PROJECT / ".ci/kafka"], check=True, capture_output=True, text=True)
    return Path(fetched.stdout.strip())


@dataclass
class Node:
    """A broker that is a controller as well."""

    number: int
    ports: tuple[int, int, int]
    """For clients, for controllers, and for clients that prove who they are."""
    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def properties(self) -> Path:
        return self.directory / "server.properties"

    def format(self, classpath: str) -> subprocess.Popen[bytes] | None:
        """Begin to make its storage, where it has none."""
        if (self.directory / "data" / "meta.properties").exists():
            return None
        tool = [*_JAVA, "-cp", classpath, "kafka.tools.StorageTool"]
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen([*tool, "format", "-t", _CLUSTER, "-c", str(self.properties)], stdout=log, stderr=log)

    def start(self, classpath: str) -> None:
        with (self.directory / "log").open("ab") as log:
            command = [*_JAVA, "-cp", classpath, "kafka.Kafka", str(self.properties)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


class Cluster:
    """One node or several."""

    def __init__(self, directory: Path, nodes: int = 1, more: Mapping[str, str] | None = None) -> None:
        """Keep everything below `directory`. `more` are settings of each broker."""
        self._classpath = f"{jars()}/*"
        ports = free_ports(3 * nodes)
        triples = list(zip(ports[::3], ports[1::3], ports[2::3], strict=True))
        self.nodes = [Node(number, triples[number], directory / f"node{number}") for number in range(nodes)]
        voters = ",".join(f"{node.number}@127.0.0.1:{node.ports[1]}" for node in self.nodes)
        for node in self.nodes:
            shutil.rmtree(node.directory, ignore_errors=True)
            node.directory.mkdir(parents=True)
            settings = _settings(node, nodes, voters) | dict(more or {})
            node.properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    @property
    def bootstrap(self) -> str:
        """Where clients find the cluster."""
        return ",".join(f"127.0.0.1:{node.ports[0]}" for node in self.nodes)

    def start(self, *numbers: int) -> None:
        """Start all nodes, or some; returns when all that run have found each other."""
        started = [node for node in self.nodes if not numbers or node.number in numbers]
        formatting = [node.format(self._classpath) for node in started]  # all at once: each is a start of Java
        assert not any(each.wait() for each in formatting if each is not None), "storage could not be made"
        for node in started:
            node.start(self._classpath)
        self.wait(sum(node.process is not None for node in self.nodes))

    def wait(self, nodes: int) -> None:
        """Wait until so many brokers serve."""
        admin = self.admin()
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(KafkaException):
                if len(admin.list_topics(timeout=1).brokers) >= nodes:
                    return
            admin.poll(0.1)
        logs = "\n".join((node.directory / "log").read_text()[-2000:] for node in self.nodes)
        raise TimeoutError(f"{nodes} brokers were not up after {_START_SECONDS} seconds:\n{logs}")

    def wait_for_leaders(self, topic: str) -> None:
        """Wait until every partition of a topic is led by a broker that runs."""
        admin, running = self.admin(), {node.number for node in self.nodes if node.process is not None}
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(KafkaException):
                partitions = admin.list_topics(topic, timeout=1).topics[topic].partitions.values()
                if {partition.leader for partition in partitions} <= running:
                    return
            admin.poll(0.1)
        raise TimeoutError(f"partitions of {topic} had no leader after {_START_SECONDS} seconds")

    def admin(self) -> AdminClient:
        """Give a client that administers."""
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def make_topic(self, name: str, partitions: int) -> None:
        """Make a topic."""
        admin = self.admin()
        admin.create_topics([NewTopic(name, partitions, -1)])[name].result(_START_SECONDS)
        self.wait_for_leaders(name)

    @property
    def secure(self) -> str:
        """Where clients prove who they are."""
        return ",".join(f"127.0.0.1:{node.ports[2]}" for node in self.nodes)

    @property
    def authority(self) -> Path:
        """Whose certificates they trust there."""
        return self.nodes[0].directory / "ca.pem"

    def allow(self, user: str, topic: str) -> None:
        """Let a user read a topic in a group of its name, and keep checkpoints in one that begins with it."""
        kinds = (ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)
        admin = self.admin()
        for done in admin.create_acls([_rule(user, kind, topic, AclPermissionType.ALLOW) for kind in kinds]).values():
            done.result(_START_SECONDS)

    @contextlib.contextmanager
    def denied(self, user: str, kind: ResourceType, name: str) -> Iterator[None]:
        """Refuse a user what begins with a name, for a while."""
        admin = self.admin()
        rule = _rule(user, kind, name, AclPermissionType.DENY)
        for done in admin.create_acls([rule]).values():
            done.result(_START_SECONDS)
        try:
            yield
        finally:
            for removed in admin.delete_acls([_all_like(rule)]).values():
                removed.result(_START_SECONDS)

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()


def _rule(user: str, kind: ResourceType, name: str, permission: AclPermissionType) -> AclBinding:
    return AclBinding(kind, name, ResourcePatternType.PREFIXED, f"User:{user}", "*", AclOperation.ALL, permission)


def _all_like(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype, rule.name, rule.resource_pattern_type, rule.principal, rule.host, rule.operation, rule.permission_type
    )


def _settings(node: Node, nodes: int, voters: str) -> dict[str, str]:
    copies = str(min(nodes, 3))
    client, controller, secure = node.ports
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}",
        **_secure(node.directory),
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
        "log.dirs": str(node.directory / "data"),
        "default.replication.factor": copies,
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "3",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "auto.create.topics.enable": "false",
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "log.cleaner.threads": "1",
    }


def _secure(directory: Path) -> dict[str, str]:
    """Give the settings of the listener at which clients prove who they are; all others may do anything."""
    identity = directory / "broker.pem"
    write_identity(identity, directory / "ca.pem")
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(identity),
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f'{module} required user_exporter="correct horse";',
    }


def write_identity(identity: Path, authority: Path) -> None:
    """Write key and certificate of 127.0.0.1 into one file, and the certificate again for those who are to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    identity.write_bytes(private + certificate.public_bytes(pem))
    authority.write_bytes(certificate.public_bytes(pem))


@contextlib.contextmanager
def cluster(directory: Path, nodes: int = 1, more: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """Run a cluster for as long as it is needed."""
    made = Cluster(directory, nodes, more)
    try:
        made.start()
        yield made
    finally:
        made.stop()


if __name__ == "__main__":
    with cluster(Path(os.environ.get("KAFKA_DIRECTORY", "/tmp/racoon-kafka"))) as running:
        print(running.bootstrap, flush=True)
        signal.pause()
