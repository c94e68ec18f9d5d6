"""Metrics: one row each, and their samples, taken from the state at each scrape (`exposition.py` renders them).

SA gauges are built anew each time, so that what is gone disappears. Nothing is registered at import.
"""

from __future__ import annotations

import logging
import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from racoon_exporter import __version__, witness
from racoon_exporter.engine import UNPARSED_REASONS, Engine
from racoon_exporter.sa.current import credit, current_trouble
from racoon_exporter.sa.model import PSEUDO_PEERS, Peer
from racoon_exporter.sa.racoon import DURATION_BUCKETS, Racoon
from racoon_exporter.source.contract import SourceStatus
from racoon_exporter.text import visible
from racoon_exporter.witness import Shown
from racoon_parsers.reasons import zero_for_expected

_LOGGER: Final = logging.getLogger("racoon_exporter")
_ROLES: Final = ("initiator", "responder")


@dataclass(frozen=True, slots=True)
class Row:
    """A metric."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    help: str
    labels: tuple[str, ...] = ()
    counter: str = ""
    """Key under which the state counts it, for counters of a peer or of a racoon."""

    @property
    def has_gateway(self) -> bool:
        """Whether it is of a racoon, and so of a gateway."""
        return not self.name.startswith(("racoon_exporter_", "racoon_log_messages"))


METRICS: Final = (
    Row(
        "racoon_phase1_negotiations",
        "counter",
        "Phase 1 negotiations begun, from `initiate|respond new phase 1 negotiation` and `begin … mode`.",
        ("peer", "role", "exchange"),
        "phase1_negotiations",
    ),
    Row(
        "racoon_phase1_established",
        "counter",
        "ISAKMP SAs established, from `ISAKMP-SA established`.",
        ("peer", "role"),
        "phase1_established",
    ),
    Row(
        "racoon_phase1_failures",
        "counter",
        "Phase 1 negotiations that failed, each counted once under its most telling reason.",
        ("peer", "reason"),
        "phase1_failures",
    ),
    Row("racoon_phase1_ended", "counter", "ISAKMP SAs that ended, by cause.", ("peer", "cause"), "phase1_ended"),
    Row("racoon_phase1_sas", "gauge", "ISAKMP SAs alive.", ("peer",)),
    Row("racoon_phase1_up", "gauge", "Whether an ISAKMP SA is alive.", ("peer",)),
    Row(
        "racoon_phase1_last_established_timestamp_seconds",
        "gauge",
        "Time of the last `ISAKMP-SA established`, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_last_failure_timestamp_seconds",
        "gauge",
        "Time of the last failed phase 1 negotiation, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase1_negotiation_duration_seconds",
        "histogram",
        "Seconds from the start line of a phase 1 negotiation to `ISAKMP-SA established`; log times have whole seconds.",
        ("role",),
    ),
    Row(
        "racoon_phase2_negotiations",
        "counter",
        "Phase 2 negotiations begun, from `initiate|respond new phase 2 negotiation`.",
        ("peer", "role"),
        "phase2_negotiations",
    ),
    Row(
        "racoon_phase2_established",
        "counter",
        "Phase 2 negotiations that gave IPsec SAs in both directions.",
        ("peer", "role"),
        "phase2_established",
    ),
    Row(
        "racoon_phase2_failures",
        "counter",
        "Phase 2 negotiations that failed, and wishes that got no phase 1, each once under its most telling reason.",
        ("peer", "reason"),
        "phase2_failures",
    ),
    Row("racoon_phase2_up", "gauge", "Whether an IPsec SA is alive in each direction.", ("peer",)),
    Row(
        "racoon_phase2_flaps",
        "counter",
        "Times phase 2 with a peer went from up to down; a rekey is none.",
        ("peer",),
        "phase2_flaps",
    ),
    Row(
        "racoon_phase2_last_established_timestamp_seconds",
        "gauge",
        "Time of the last `IPsec-SA established`, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_phase2_last_failure_timestamp_seconds",
        "gauge",
        "Time of the last failed phase 2 negotiation, as the log has it.",
        ("peer",),
    ),
    Row(
        "racoon_ipsec_sas",
        "gauge",
        "IPsec SAs alive; dying ones had their soft expiry and still carry traffic.",
        ("peer", "protocol", "state"),
    ),
    Row("racoon_ipsec_sa_ended", "counter", "IPsec SAs that ended, by cause.", ("peer", "cause"), "ipsec_sa_ended"),
    Row("racoon_peer_expected", "gauge", "1 for every configured peer.", ("peer", "kind")),
    Row("racoon_peer_info", "gauge", "Address behind the name of a peer.", ("peer", "address")),
    Row(
        "racoon_peer_reason",
        "gauge",
        "1 for why a peer is not up, or what fails with it: the most telling reason of late, one for each peer at a time.",
        ("peer", "phase", "reason"),
    ),
    Row("racoon_peer_nat", "gauge", "Whether NAT was detected on the way to the peer.", ("peer",)),
    Row("racoon_dead_peers", "counter", "Peers found dead, from `DPD: remote … seems to be dead`.", ("peer",), "dead_peers"),
    Row(
        "racoon_certificate_problems",
        "counter",
        "Certificates and CRLs not found good, from `… at depth:… SubjectName:…`, by OpenSSL's error number.",
        ("peer", "code", "reason"),
        "certificate_problems",
    ),
    Row(
        "racoon_notifications_received",
        "counter",
        "Notifications of peers, by RFC name.",
        ("peer", "notification"),
        "notifications",
    ),
    Row("racoon_xauth_logins", "counter", "XAuth logins answered, by result.", ("result",), "xauth_logins"),
    Row("racoon_kernel_errors", "counter", "Requests that the kernel refused.", (), "kernel_errors"),
    Row("racoon_config_errors", "counter", "Errors in racoon.conf that racoon logged.", (), "config_errors"),
    Row(
        "racoon_log_messages",
        "counter",
        "Records of racoon by its own level, our severity and event class.",
        ("level", "severity", "event"),
    ),
    Row(
        "racoon_log_level_quiet",
        "gauge",
        "1 if SA lines are not written, by racoon's log level or RouterOS' logging rules: the SA metrics then say nothing.",
    ),
    Row("racoon_daemon_up", "gauge", "Whether racoon runs, as far as its log tells."),
    Row("racoon_daemon_start_timestamp_seconds", "gauge", "Time of racoon's last version banner."),
    Row("racoon_daemon_starts", "counter", "Version banners of racoon.", (), "daemon_starts"),
    Row("racoon_daemon_crashes", "counter", "Banners without a shutdown line before them.", (), "daemon_crashes"),
    Row("racoon_daemon_info", "gauge", "Version of racoon and of its OpenSSL.", ("version", "openssl")),
    Row("racoon_exporter_source_up", "gauge", "Whether the source can be read.", ("source",)),
    Row("racoon_exporter_source_lag_bytes", "gauge", "Bytes written and not read yet.", ("source",)),
    Row("racoon_exporter_source_last_line_timestamp_seconds", "gauge", "Time of the newest line.", ("source",)),
    Row("racoon_exporter_source_lines", "counter", "Lines read.", ("source",)),
    Row("racoon_exporter_source_bytes", "counter", "Bytes read.", ("source",)),
    Row("racoon_exporter_source_rotations", "counter", "Times the file was replaced or truncated.", ("source",)),
    Row("racoon_exporter_source_lost_bytes", "counter", "Bytes that were never read.", ("source",)),
    Row(
        "racoon_exporter_source_dropped_messages",
        "counter",
        "Syslog messages thrown away because too many came at once, by the kernel or by the limit for a sender.",
        ("source",),
    ),
    Row("racoon_exporter_unparsed_lines", "counter", "Lines that gave no event, by reason.", ("reason",)),
    Row(
        "racoon_exporter_record_errors",
        "counter",
        "Records that could not be read by an error of the exporter, and were counted as unknown messages.",
    ),
    Row("racoon_exporter_checkpoint_timestamp_seconds", "gauge", "Time of the last checkpoint; 0 before the first."),
    Row("racoon_exporter_checkpoint_failures", "counter", "Checkpoints that could not be written or read."),
    Row(
        "racoon_exporter_dropped_sas",
        "counter",
        "SAs that were taken to be over because there were too many; the oldest give way.",
        (),
        "dropped_sas",
    ),
    Row("racoon_exporter_folded_peers", "counter", "Peers counted under `other` as the limit was reached.", (), "folded_peers"),
    Row(
        "racoon_exporter_web_config_ok",
        "gauge",
        "0 while the web configuration file on disk is broken and an older one is in force.",
    ),
    Row(
        "racoon_exporter_family_ok",
        "gauge",
        "0 for a family of metrics that could not be taken by an error of the exporter; the others are served.",
        ("family",),
    ),
    Row("racoon_exporter_config_ok", "gauge", "0 while the configuration file on disk is broken and an older one is in force."),
    *(Row(*row) for row in witness.metrics.ROWS),
    Row("racoon_exporter_build_info", "gauge", "Version of the exporter and of Python.", ("version", "python")),
)
"""Every metric, in the order of `/metrics`."""

_MOST_EXPECTED: Final = 20_000
"""Configured peers times gateways that have series before anything was heard of them."""
_ROWS: Final = {row.name: row for row in METRICS}
_PEER_COUNTERS: Final = {row.counter: row for row in METRICS if row.counter and row.labels[:1] == ("peer",)}
_RACOON_COUNTERS: Final = {row.counter: row for row in METRICS if row.counter and row.labels[:1] != ("peer",)}


@dataclass(frozen=True, slots=True)
class OwnState:
    """What the exporter reports of itself."""

    sources: tuple[SourceStatus, ...] = ()
    checkpoint_time: float = 0.0
    checkpoint_failures: int = 0
    web_config_ok: bool = True
    config_ok: bool = True
    witnesses: Shown | None = None
    families_told: set[str] = field(default_factory=set)
    """Families that failed at the last scrape, which is logged once."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What samples are taken of."""

    engine: Engine
    own: OwnState
    gateways: frozenset[str]


@dataclass(slots=True)
class Samples:
    """Samples by metric: label values to value. Values of equal labels add up, as for a peer with two addresses."""

    values: dict[str, dict[tuple[str, ...], float]] = field(default_factory=lambda: defaultdict(dict))
    durations: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add to a sample."""
        values = self.values[name]
        values[labels] = values.get(labels, 0) + value

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a sample; of two values the larger stands."""
        values = self.values[name]
        values[labels] = max(value, values.get(labels, value))

    def take(self, family: str, take: Callable[[Samples, Scrape], None], scrape: Scrape) -> None:
        """Take the samples of a family. If that fails none of them is given, and the others are: a part would be wrong."""
        part = Samples()
        told = scrape.own.families_told
        try:
            take(part, scrape)
        except Exception:  # whatever it is: the other families are served
            if family not in told:
                _LOGGER.exception("the metrics of %s cannot be taken; the others are served", family)
            told.add(family)
        else:
            self.values.update(part.values)
            self.durations.update(part.durations)
            told.discard(family)
        self.put("racoon_exporter_family_ok", float(family not in told), "", family)


def gateways_of(engine: Engine, sources: Iterable[SourceStatus]) -> frozenset[str]:
    """Name the gateways: those heard of, and those of the sources, of which nothing was heard yet."""
    heard = {racoon.gateway for racoon in engine.state.racoons.values()}
    return frozenset(heard | {name for status in sources if (name := engine.gateway_of(status.name))} or {""})


def collect(engine: Engine, own: OwnState) -> tuple[Samples, bool]:
    """Take the samples of everything, and tell whether they name gateways."""
    samples = Samples()
    gateways = gateways_of(engine, own.sources)
    scrape = Scrape(engine, own, gateways)
    for family, take in FAMILIES.items():
        samples.take(family, take, scrape)
    return samples, any(gateways) or any(expected.gateway for expected in engine.state.knowledge.peers.values())


def _collect_state(samples: Samples, scrape: Scrape) -> None:
    """What is believed of every racoon and its peers, and zeros for what is configured or not heard of yet."""
    racoons = list(scrape.engine.state.racoons.values())
    for racoon in racoons:
        _collect_racoon(samples, racoon)
    for gateway in scrape.gateways.difference(racoon.gateway for racoon in racoons):
        _collect_zeros(samples, visible(gateway))
    heard = _with_expected(scrape.engine, scrape.own, scrape.gateways)
    untold = frozenset(visible(one.gateway) for one in scrape.engine.state.racoons.values() if not one.life.phase2_told)
    _collect_expected(samples, scrape.engine, [visible(gateway) for gateway in heard], untold)
    for labels, count in list(samples.values["racoon_phase1_sas"].items()):
        samples.put("racoon_phase1_up", float(count > 0), *labels)


def _collect_messages(samples: Samples, scrape: Scrape) -> None:
    for (level, severity, event), count in scrape.engine.messages.items():
        samples.add("racoon_log_messages", count, "", level, severity, event)


def _collect_witnesses(samples: Samples, scrape: Scrape) -> None:
    shown, gateways = scrape.own.witnesses, scrape.gateways
    if shown is None:
        return
    knowledge = scrape.engine.state.knowledge
    expected = [
        (gateway, address)
        for address, known in knowledge.peers.items()
        for gateway in ([known.gateway] if known.gateway is not None else gateways)
    ]
    witness.metrics.collect_witnesses(
        samples, shown, lambda gateway, address: visible(knowledge.at(gateway).name(address)), expected
    )


def _collect_reasons(samples: Samples, scrape: Scrape) -> None:
    """Give each peer the one reason that the page shows, also where several racoons of a gateway know the peer."""
    believed: dict[tuple[str, str], tuple[Racoon, Peer]] = {}
    for racoon in scrape.engine.state.racoons.values():
        for address, peer in racoon.peers.items():
            other = believed.get((racoon.gateway, address))
            if address not in PSEUDO_PEERS and (other is None or credit(peer) > credit(other[1])):
                believed[racoon.gateway, address] = racoon, peer
    for (gateway, address), (racoon, peer) in believed.items():
        expected = racoon.knowledge.expected(address)
        permanent = expected is not None and expected.kind != "roaming"
        trouble = None if racoon.now is None else current_trouble(peer, racoon.now, permanent=permanent)
        if trouble is not None:
            name = _name(racoon, address)
            samples.put("racoon_peer_reason", 1, visible(gateway), name, str(trouble.phase), trouble.reason)


def _collect_racoon(samples: Samples, racoon: Racoon) -> None:
    gateway = visible(racoon.gateway)
    for key, count in racoon.counters.items():
        row = _RACOON_COUNTERS[key[0]]
        samples.add(row.name, count, gateway, *key[1:])
    _collect_zeros(samples, gateway)
    for role, counts in racoon.durations.items():
        known = samples.durations.setdefault((gateway, role), [0.0] * len(counts))
        samples.durations[gateway, role] = [one + other for one, other in zip(known, counts, strict=True)]
    for address, peer in racoon.peers.items():
        _collect_peer(samples, gateway, peer, _name(racoon, address))
        if racoon.life.phase2_told and peer.address not in PSEUDO_PEERS:
            samples.put("racoon_phase2_up", float(peer.phase2_up), gateway, _name(racoon, address))
    _collect_sas(samples, racoon)
    _collect_daemon(samples, racoon)


def _name(racoon: Racoon, address: str) -> str:
    """Name a peer as labels show it: an address is what a line says, a name what a comment in racoon.conf does."""
    return visible(racoon.knowledge.name(address))


def _collect_zeros(samples: Samples, gateway: str) -> None:
    """Give a gateway the series that do not depend on peers, so that their first growth is seen as growth."""
    for row in _RACOON_COUNTERS.values():
        if not row.labels:
            samples.add(row.name, 0, gateway)
    for result in ("success", "failure"):
        samples.add("racoon_xauth_logins", 0, gateway, result)
    for role in _ROLES:
        samples.durations.setdefault((gateway, role), [0.0] * (len(DURATION_BUCKETS) + 2))


def _collect_peer(samples: Samples, gateway: str, peer: Peer, name: str) -> None:
    for key, count in peer.counters.items():
        samples.add(_PEER_COUNTERS[key[0]].name, count, gateway, name, *key[1:])
    if peer.address not in PSEUDO_PEERS:
        samples.put("racoon_peer_info", 1, gateway, name, visible(peer.address))
        samples.add("racoon_phase1_sas", 0, gateway, name)
        samples.add("racoon_phase2_flaps", 0, gateway, name)
        if peer.nat is not None:
            samples.put("racoon_peer_nat", float(peer.nat), gateway, name)
    for time, metric in (
        (peer.phase1_last_established, "racoon_phase1_last_established_timestamp_seconds"),
        (peer.phase1_last_failure, "racoon_phase1_last_failure_timestamp_seconds"),
        (peer.phase2_last_established, "racoon_phase2_last_established_timestamp_seconds"),
        (peer.phase2_last_failure, "racoon_phase2_last_failure_timestamp_seconds"),
    ):
        if time is not None:
            samples.put(metric, time, gateway, name)


def _collect_sas(samples: Samples, racoon: Racoon) -> None:
    gateway = visible(racoon.gateway)
    for address, isakmp in racoon.isakmp.of_peer.items():
        samples.add("racoon_phase1_sas", len(isakmp), gateway, _name(racoon, address))
    for address, sas in racoon.ipsec.of_peer.items():
        name = _name(racoon, address)
        for sa in sas:
            samples.add("racoon_ipsec_sas", 1, gateway, name, sa.protocol, sa.state)


def _collect_daemon(samples: Samples, racoon: Racoon) -> None:
    gateway, run = visible(racoon.gateway), racoon.life.run
    samples.put("racoon_daemon_up", float(racoon.life.up), gateway)
    samples.put("racoon_log_level_quiet", float(racoon.life.is_quiet(racoon.now)), gateway)
    if run is not None:
        if run.started is not None:
            samples.put("racoon_daemon_start_timestamp_seconds", run.started, gateway)
        samples.put("racoon_daemon_info", 1, gateway, visible(run.version or ""), visible(run.openssl or ""))


def _with_expected(engine: Engine, own: OwnState, gateways: frozenset[str]) -> list[str]:
    """Choose the gateways at which every configured peer has its series: all, or the first, as lines may name any host."""
    most = max(1, _MOST_EXPECTED // max(1, len(engine.state.knowledge.peers)))
    configured = [engine.gateway_of(status.name) for status in own.sources]
    heard = [racoon.gateway for racoon in engine.state.racoons.values()]
    return [gateway for gateway in dict.fromkeys((*configured, *heard, *sorted(gateways))) if gateway in gateways][:most]


def _collect_expected(samples: Samples, engine: Engine, gateways: Iterable[str], untold: frozenset[str]) -> None:
    """Give every configured peer its series, whether its racoon was heard of or not; but no phase 2 where none is told of."""
    for address, expected in engine.state.knowledge.peers.items():
        for gateway in gateways if expected.gateway is None else (visible(expected.gateway),):
            name = visible(expected.name)
            samples.put("racoon_peer_expected", 1, gateway, name, expected.kind)
            samples.put("racoon_peer_info", 1, gateway, name, address)
            if gateway not in untold:
                samples.put("racoon_phase2_up", 0, gateway, name)
            for metric in ("racoon_phase1_sas", "racoon_phase2_flaps", "racoon_dead_peers"):
                samples.add(metric, 0, gateway, name)
            for role in _ROLES:
                samples.add("racoon_phase1_established", 0, gateway, name, role)
                samples.add("racoon_phase2_established", 0, gateway, name, role)
            for reason in zero_for_expected(1):
                samples.add("racoon_phase1_failures", 0, gateway, name, reason)
            for reason in zero_for_expected(2):
                samples.add("racoon_phase2_failures", 0, gateway, name, reason)


def _collect_own(samples: Samples, scrape: Scrape) -> None:
    engine, own = scrape.engine, scrape.own
    for reason in UNPARSED_REASONS:
        samples.add("racoon_exporter_unparsed_lines", engine.unparsed[reason], "", reason)
    samples.add("racoon_exporter_record_errors", engine.errors.number, "")
    for status in own.sources:
        name = visible(status.name)
        samples.put("racoon_exporter_source_up", float(status.up), "", name)
        samples.put("racoon_exporter_source_lag_bytes", status.lag_bytes, "", name)
        samples.add("racoon_exporter_source_lines", status.counts.lines, "", name)
        samples.add("racoon_exporter_source_bytes", status.counts.bytes, "", name)
        samples.add("racoon_exporter_source_rotations", status.counts.rotations, "", name)
        samples.add("racoon_exporter_source_lost_bytes", status.counts.lost_bytes, "", name)
        samples.add("racoon_exporter_source_dropped_messages", status.counts.dropped, "", name)
        samples.add("racoon_exporter_unparsed_lines", status.counts.too_long, "", "too_long")
        if status.name in engine.last_line:
            samples.put("racoon_exporter_source_last_line_timestamp_seconds", engine.last_line[status.name], "", name)
    samples.put("racoon_exporter_checkpoint_timestamp_seconds", own.checkpoint_time, "")
    samples.add("racoon_exporter_checkpoint_failures", own.checkpoint_failures, "")
    samples.put("racoon_exporter_web_config_ok", float(own.web_config_ok), "")
    samples.put("racoon_exporter_config_ok", float(own.config_ok), "")
    samples.put("racoon_exporter_build_info", 1, "", __version__, platform.python_version())


FAMILIES: Final[Mapping[str, Callable[[Samples, Scrape], None]]] = {
    "state": _collect_state,
    "reasons": _collect_reasons,
    "messages": _collect_messages,
    "exporter": _collect_own,
    "witnesses": _collect_witnesses,
}
"""What is taken together, by name; no metric is of two. One that fails is missing, and the others are served."""
