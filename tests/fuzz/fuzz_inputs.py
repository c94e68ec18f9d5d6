"""Whatever a sender, a collector, a configuration or a file holds, reading it gives a result or the one error that is promised.

    python -m tests.fuzz.fuzz_inputs [--seconds 60] [--seed N]

Whole streams of syslog, objects of collectors and of the journal, racoon.conf with what it includes, policies, certificates and
CRLs, checkpoints of a topic and what people paste: valid ones, changed in some places.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from racoon_exporter.engine import Engine
from racoon_exporter.source.contract import Block, SourceCounts
from racoon_exporter.source.files.lines import MAX_LINE
from racoon_exporter.source.journal.entry import read_entry as read_journal_entry
from racoon_exporter.source.kafka.checkpoint_pieces import cut, joined
from racoon_exporter.source.kafka.records import ENVELOPES, NAMINGS, Lines, Record
from racoon_exporter.source.streams.framing import Framer, as_line
from racoon_exporter.witness import x509
from racoon_exporter.witness.certificates import Kind
from racoon_parsers.clock import Clock
from racoon_parsers.messages import catalogue
from racoon_parsers.pasted import Paste
from racoon_parsers.racoon_conf import parse_racoon_conf
from racoon_parsers.redaction import Redactor
from racoon_parsers.setkey import parse_policies
from tests.parsers.samples import FOLDER

from .fuzz_lines import NOW
from .fuzz_witness import Answer, check_one, check_until_over

_LINE: Final = "<30>Jan 15 08:30:02 gw racoon[99]: [198.51.100.2] ERROR: phase1 negotiation failed due to time up."
_STRUCTURED: Final = '<30>1 2026-01-15T08:30:02Z gw racoon 99 - [a@1 b="c\\"]"][d e="f"] \ufeffINFO: caught signal 15'
_OWN: Final = "2026-01-15 08:30:02: INFO: caught signal 15"


def _read(data: bytes) -> None:
    """Read lines, as `serve` does, with the exception barrier off."""
    engine = Engine(UTC, reference_of=lambda _: NOW, strict=True)
    engine._feed(Block("fuzz", data, 1, None))
    engine.finish()


def _stream(data: bytes) -> None:
    """Frame a connection's bytes as they come in pieces, which changes nothing, and read the messages."""
    counts, framer = SourceCounts(), Framer(SourceCounts())
    whole = Framer(counts).feed(data)
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    assert [message for piece in pieces for message in framer.feed(piece)] == whole
    assert framer.held <= 2 * MAX_LINE
    _read(b"".join(map(as_line, whole)))


def _record(envelope: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        for naming in NAMINGS:
            lines = Lines(ENVELOPES[envelope], naming)
            for key, moment in ((b"gw", 1e9), (data[:40], -1e30), (None, None)):
                _read(lines.of(Record(key, data, moment)))

    return read


def _journal(data: bytes) -> None:
    for line in data.split(b"\n"):
        entry = read_journal_entry(line)
        if entry is not None:
            _read(entry.line())


def _conf(data: bytes) -> None:
    text = data.decode("utf-8", "backslashreplace")
    parse_racoon_conf(text, include=lambda pattern, _: [(pattern, text), (f"{pattern}2", None)])


def _certificate(kind: Kind) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        try:
            x509.fits(data, x509.read(data, kind))
        except ValueError:
            return

    return read


def _checkpoint(data: bytes) -> None:
    try:
        joined([data[:100], data[100:]], 1 << 20)
    except ValueError:
        return


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "backslashreplace"))


def _paste(text: str) -> None:
    for found in Paste(catalogue(), lambda: Clock(UTC, NOW)).messages(text):
        found.unmasked(found.record.text)


def _redact(text: str) -> None:
    redactor = Redactor()
    for line in text.split("\n"):
        redactor.line(line)


def _signed() -> tuple[certificates.Certificate, certificates.CertificateRevocationList]:
    """Make a CA and its CRL."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = certificates.Name([certificates.NameAttribute(NameOID.COMMON_NAME, "a CA")])
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    builder = certificates.CertificateBuilder(name, name, key.public_key(), 7, begins, ends)
    builder = builder.add_extension(certificates.BasicConstraints(ca=True, path_length=None), critical=True)
    crl = certificates.CertificateRevocationListBuilder(name, begins, ends)
    return builder.sign(key, hashes.SHA256()), crl.sign(key, hashes.SHA256())


def _objects() -> dict[str, object]:
    """Give objects as the collectors write them."""
    time_, host = "2026-01-15T08:30:02.123Z", "gw"
    return {
        "json": {
            "__REALTIME_TIMESTAMP": "1768465802000000",
            "_HOSTNAME": host,
            "_COMM": "racoon",
            "MESSAGE": [*map(ord, _OWN)],
        },
        "vector": {"message": _LINE, "timestamp": time_, "host": host, "appname": "racoon", "procid": 99},
        "fluent-bit": {"log": f"{_OWN}\n", "time": 1768465802.5, "host": host, "ident": "racoon", "pid": "99"},
        "rsyslog": {"msg": " INFO: caught signal 15", "timereported": time_, "hostname": host, "programname": "racoon"},
        "filebeat": {
            "message": _OWN,
            "@timestamp": time_,
            "log": {"syslog": {"hostname": host}},
            "process": {"name": "racoon"},
        },
    }


def _inputs() -> tuple[Answer, ...]:
    certificate, crl = _signed()
    stream = f"{len(_LINE)} {_LINE}{_LINE}\n\n{len(_STRUCTURED.encode())} {_STRUCTURED}{_STRUCTURED}\n".encode()
    objects = {name: json.dumps(each).encode() for name, each in _objects().items()}
    journal = json.dumps(_objects()["json"] | {"__CURSOR": "s=1", "_TRANSPORT": "syslog"}).encode()  # type: ignore[operator]
    pasted = f'> "{_OWN}" | <b>{_LINE}</b>\n  ``` phase2 negotiation failed due to\ntime up x.x.x.x[500]'.encode()
    return (
        *(("stream of syslog", _stream, piece) for piece in (stream, stream * 3)),
        *((f"record of {name}", _record(name), data) for name, data in objects.items()),
        ("record, plain", _record("plain"), _LINE.encode()),
        ("entry of the journal", _journal, journal + b"\n" + objects["json"]),
        *(("racoon.conf", _conf, path.read_bytes()) for path in sorted((FOLDER / "conf").glob("*racoon.conf"))),
        (
            "racoon.conf that includes itself",
            _conf,
            b'path include "x";\ninclude "a";\nremote anonymous { exchange_mode main; }',
        ),
        *(("policies", _text(parse_policies), path.read_bytes()) for path in sorted((FOLDER / "conf").glob("*setkey*"))),
        ("certificate", _certificate("ca"), certificate.public_bytes(Encoding.PEM)),
        ("certificate, DER", _certificate("certificate"), certificate.public_bytes(Encoding.DER)),
        ("CRL", _certificate("crl"), crl.public_bytes(Encoding.PEM)),
        ("CRL, DER", _certificate("crl"), crl.public_bytes(Encoding.DER)),
        ("checkpoint of a topic", _checkpoint, b"".join(cut({"place": 7, "text": _LINE}))),
        ("pasted", _text(_paste), pasted),
        ("to be redacted", _text(_redact), b"\n".join((_LINE.encode(), objects["json"], pasted))),
        ("base64", _read, base64.b64encode(stream)),
    )


INPUTS: Final = _inputs()
"""Valid inputs."""


def check(seed: int) -> None:
    """Read the input of a seed. Raises whatever is raised that is not promised."""
    check_one(seed, INPUTS)


if __name__ == "__main__":
    sys.exit(check_until_over(__doc__ or "", check))
