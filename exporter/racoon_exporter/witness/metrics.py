"""Metrics of witnesses: their rows, and their samples. What no witness said has no series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from racoon_exporter.text import visible
from racoon_exporter.witness.crypto import Crypto
from racoon_exporter.witness.panel import Shown
from racoon_exporter.witness.traffic import DIRECTIONS, KINDS

ROWS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    (
        "racoon_ipsec_bytes",
        "counter",
        "Bytes that IPsec SAs carried, summed over rekeys; counted by the kernel.",
        ("peer", "direction"),
    ),
    (
        "racoon_ipsec_packets",
        "counter",
        "Packets that IPsec SAs carried, summed over rekeys; counted by the kernel.",
        ("peer", "direction"),
    ),
    (
        "racoon_ipsec_errors",
        "counter",
        "Packets that the kernel dropped: repeated, too old for the replay window, or with a wrong integrity check.",
        ("peer", "direction", "kind"),
    ),
    (
        "racoon_phase1_expiry_timestamp_seconds",
        "gauge",
        "Time at which the youngest ISAKMP SA of a peer is over, as racoon has it.",
        ("peer",),
    ),
    (
        "racoon_phase2_expiry_timestamp_seconds",
        "gauge",
        "Time at which the youngest IPsec SA of a peer is over, as the kernel has it.",
        ("peer",),
    ),
    (
        "racoon_peer_crypto_info",
        "gauge",
        "1 for each way in which a peer is spoken to now; what nobody told is empty.",
        ("peer", "phase", "exchange", "encryption", "hash", "group", "authentication"),
    ),
    (
        "racoon_peer_weak_crypto",
        "gauge",
        "Whether a phase with a peer is weakly protected (docs/witnesses.md).",
        ("peer", "phase"),
    ),
    ("racoon_policies", "gauge", "Outbound policies that ask for IPsec with a peer.", ("peer",)),
    ("racoon_policies_without_sa", "gauge", "Those of them whose traffic no IPsec SA carries.", ("peer",)),
    ("racoon_certificate_not_after_timestamp_seconds", "gauge", "Time until which a certificate is valid.", ("file",)),
    ("racoon_crl_next_update_timestamp_seconds", "gauge", "Time by which a CRL promises its successor.", ("file",)),
    ("racoon_crl_missing", "gauge", "1 for a CRL that racoon looks for and that is not there.", ("file",)),
    ("racoon_exporter_witness_up", "gauge", "Whether the witness answered when it was last asked.", ("witness",)),
    (
        "racoon_exporter_witness_last_success_timestamp_seconds",
        "gauge",
        "Time of the witness's last answer.",
        ("witness",),
    ),
    (
        "racoon_exporter_witness_disagreements",
        "counter",
        "SAs of which log and witness said different things: vanished without a line, there without one, the other way round.",
        ("witness", "kind"),
    ),
)
"""Name, type, help and labels of each."""


class Samples(Protocol):
    """Where samples go (`metrics.Samples`)."""

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add to a sample."""

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a sample; of two values the larger stands."""


NameOf = Callable[[str, str], str]
"""Names a peer as labels show it, by gateway and address."""


def collect_witnesses(samples: Samples, shown: Shown, name_of: NameOf, expected: Iterable[tuple[str, str]] = ()) -> None:
    """Take the samples of everything that witnesses said. Traffic of `expected` peers, by gateway and address, begins at 0."""
    if any(status.name == "kernel" for status in shown.statuses):
        for gateway, address in expected:
            _add_traffic(samples, visible(gateway), name_of(gateway, address), {})
    _collect_traffic(samples, shown, name_of)
    for (gateway, address, phase), when in shown.expiry.items():
        samples.put(f"racoon_phase{phase}_expiry_timestamp_seconds", when, visible(gateway), name_of(gateway, address))
    for (gateway, address), used in shown.crypto.items():
        _collect_crypto(samples, visible(gateway), name_of(gateway, address), used)
    for (gateway, address), counts in shown.policies.items():
        labels = visible(gateway), name_of(gateway, address)
        samples.add("racoon_policies", counts.policies, *labels)
        samples.add("racoon_policies_without_sa", counts.without_sa, *labels)
    _collect_files(samples, shown)
    _collect_witnesses(samples, shown)


def _collect_traffic(samples: Samples, shown: Shown, name_of: NameOf) -> None:
    directions: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for owner, counts in shown.traffic.items():
        directions.setdefault((owner.gateway, owner.peer), {})[owner.direction] = counts
    for (gateway, address), known in directions.items():
        _add_traffic(samples, visible(gateway), name_of(gateway, address), known)


def _add_traffic(samples: Samples, gateway: str, name: str, known: dict[str, dict[str, int]]) -> None:
    for direction in DIRECTIONS:
        counts = known.get(direction, {})
        samples.add("racoon_ipsec_bytes", counts.get("bytes", 0), gateway, name, direction)
        samples.add("racoon_ipsec_packets", counts.get("packets", 0), gateway, name, direction)
        for kind in KINDS:
            samples.add("racoon_ipsec_errors", counts.get(kind, 0), gateway, name, direction, kind)


def _collect_crypto(samples: Samples, gateway: str, name: str, used: frozenset[Crypto]) -> None:
    for crypto in used:
        details = (crypto.exchange, crypto.encryption, crypto.hash, crypto.group, crypto.authentication)
        samples.put("racoon_peer_crypto_info", 1, gateway, name, str(crypto.phase), *map(visible, details))
        samples.put("racoon_peer_weak_crypto", float(bool(crypto.weaknesses)), gateway, name, str(crypto.phase))


def _collect_files(samples: Samples, shown: Shown) -> None:
    for gateway, files in shown.certificates.items():
        label = visible(gateway)
        for certificate in files.certificates:
            file = visible(certificate.file)
            samples.put("racoon_certificate_not_after_timestamp_seconds", certificate.not_after, label, file)
        for crl in files.crls:
            if crl.next_update is not None:
                samples.put("racoon_crl_next_update_timestamp_seconds", crl.next_update, label, visible(crl.file))
        for missing in files.missing_crls:
            samples.put("racoon_crl_missing", 1, label, visible(missing))


def _collect_witnesses(samples: Samples, shown: Shown) -> None:
    for status in shown.statuses:
        samples.put("racoon_exporter_witness_up", float(status.up), "", status.name)
        if status.last_success is not None:
            samples.put("racoon_exporter_witness_last_success_timestamp_seconds", status.last_success, "", status.name)
    for (witness, kind), count in shown.disagreements.items():
        samples.add("racoon_exporter_witness_disagreements", count, "", witness, kind)
