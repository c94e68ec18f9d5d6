"""Records of a topic become lines as a syslog server would write them."""

import json
from typing import Any

import pytest

from racoon_exporter.source.kafka.records import ENVELOPES, MOST_BYTES, Lines, Naming, Record, origin_of
from racoon_parsers.line import LineSplitter

UP = "ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
TIME = 1_768_465_802.5
"""2026-01-15T08:30:02.5Z"""


def lines(value: object, *, key: str | None = "gw-1", envelope: str = "plain", naming: Naming = "key") -> list[str]:
    data = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    given = Lines(ENVELOPES[envelope], naming).of(Record(None if key is None else key.encode(), data, TIME))
    return given.decode().splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"2026-01-15 09:30:01: INFO: {UP}", f"2026-01-15T09:30:01 gw-1 racoon: INFO: {UP}"),
        (f"INFO: {UP}", f"2026-01-15T08:30:02.500+00:00 gw-1 racoon: INFO: {UP}"),
        (f"[198.51.100.7] INFO: {UP}", f"2026-01-15T08:30:02.500+00:00 gw-1 racoon: [198.51.100.7] INFO: {UP}"),
        (f"racoon[7]: INFO: {UP}", f"2026-01-15T08:30:02.500+00:00 gw-1 racoon[7]: INFO: {UP}"),
        (f"ipsec,info {UP}", f"2026-01-15T08:30:02.500+00:00 gw-1 ipsec,info {UP}"),
        (f"<30>Jan 15 08:30:01 MikroTik ipsec,info {UP}", f"<30>Jan 15 08:30:01 gw-1 ipsec,info {UP}"),
        (f"Jan 15 08:30:01 racoon: INFO: {UP}", f"Jan 15 08:30:01 gw-1 racoon: INFO: {UP}"),
        (
            f"<30>1 2026-01-15T08:30:01Z other racoon 7 - - INFO: {UP}",
            f"<30>1 2026-01-15T08:30:01Z gw-1 racoon 7 - - INFO: {UP}",
        ),
        ("sshd[4]: Accepted publickey", "2026-01-15T08:30:02.500+00:00 gw-1 sshd[4]: Accepted publickey"),
    ],
    ids=["racoon's own file", "bare", "tag", "program", "RouterOS", "host replaced", "no host", "RFC 5424", "another program"],
)
def test_the_key_names_the_gateway_of_a_plain_line(text: str, line: str) -> None:
    assert lines(text) == [line]
    assert lines(text + "\n") == [line]


@pytest.mark.parametrize("naming", ["key", "line"])
def test_a_byte_order_mark_is_no_text(naming: Naming) -> None:
    marked = f"\ufeffJan 15 08:30:01 gw-1 racoon: INFO: {UP}"
    assert lines(marked, naming=naming) == [marked[1:]]
    found = lines("\ufeff" + json.dumps({"message": f"\ufeffINFO: {UP}", "host": "gw-1"}), envelope="vector")
    assert found == [f"2026-01-15T08:30:02.500+00:00 gw-1 racoon: INFO: {UP}"]


def test_a_line_stays_as_it_is_where_it_names_its_gateway_itself() -> None:
    text = f"Jan 15 08:30:01 berlin racoon: INFO: {UP}"
    assert lines(text, naming="line") == [text]
    assert lines(text, key=None) == [text]
    assert lines(f"2026-01-15 09:30:01: INFO: {UP}", key=None) == [f"2026-01-15 09:30:01: INFO: {UP}"]


WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "vector, syslog": (
        "vector",
        {
            "appname": "racoon",
            "host": "gw-1",
            "hostname": "gw-1",
            "procid": 7,
            "timestamp": "2026-01-15T08:30:01Z",
            "facility": "daemon",
            "severity": "info",
            "source_type": "syslog",
            "message": f"INFO: {UP}",
        },
    ),
    "vector, file": (
        "vector",
        {
            "file": "/var/log/racoon.log",
            "host": "gw-1",
            "source_type": "file",
            "timestamp": "2026-01-15T08:30:01.000Z",
            "message": f"2026-01-15 08:30:01: INFO: {UP}",
        },
    ),
    "fluent bit, syslog": (
        "fluent-bit",
        {"@timestamp": 1768465801.0, "pri": "30", "host": "gw-1", "ident": "racoon", "pid": "7", "message": f"INFO: {UP}"},
    ),
    "fluent bit, tail": (
        "fluent-bit",
        {"@timestamp": 1768465801.25, "host": "gw-1", "log": f"Jan 15 08:30:01 x racoon: INFO: {UP}"},
    ),
    "rsyslog": (
        "rsyslog",
        {
            "msg": f" INFO: {UP}",
            "hostname": "gw-1",
            "timereported": "2026-01-15T08:30:01+00:00",
            "programname": "racoon",
            "syslogtag": "racoon[7]:",
            "procid": "7",
            "fromhost-ip": "192.0.2.1",
        },
    ),
    "rsyslog, RouterOS": (
        "rsyslog",
        {
            "msg": f"ipsec,info {UP}",
            "hostname": "gw-1",
            "timereported": "2026-01-15T08:30:01+00:00",
            "programname": "ipsec,info",
        },
    ),
    "rsyslog, RouterOS, topics taken off": (
        "rsyslog",
        {
            "msg": f" {UP}",
            "hostname": "gw-1",
            "timereported": "2026-01-15T08:30:01+00:00",
            "programname": "ipsec,info",
        },
    ),
    "vector, RouterOS, one topic": (
        "vector",
        {"message": UP, "host": "gw-1", "timestamp": "2026-01-15T08:30:01Z", "appname": "ipsec"},
    ),
    "filebeat, syslog": (
        "filebeat",
        {
            "@timestamp": "2026-01-15T08:30:01.000Z",
            "message": f"INFO: {UP}",
            "hostname": "gw-1",
            "process": {"program": "racoon", "pid": 7},
            "host": {"name": "collector"},
            "event": {"severity": 6},
            "log": {"source": {"address": "192.0.2.1:514"}},
        },
    ),
    "filebeat, file": (
        "filebeat",
        {
            "@timestamp": "2026-01-15T08:30:01.000Z",
            "message": f"2026-01-15 08:30:01: INFO: {UP}",
            "host": {"name": "gw-1"},
            "log": {"file": {"path": "/var/log/racoon.log"}},
            "agent": {"type": "filebeat"},
        },
    ),
    "any": ("json", {"time": "2026-01-15T08:30:01Z", "host": "gw-1", "program": "racoon", "message": f"INFO: {UP}"}),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_what_collectors_write_is_a_line_of_its_gateway(written: tuple[str, dict[str, Any]]) -> None:
    envelope, value = written
    for key, naming in (("gw-1", "key"), (None, "key"), ("ignored", "host")):
        (line,) = lines(value, key=key, envelope=envelope, naming=naming)  # type: ignore[arg-type]
        read = LineSplitter().split(line)
        assert read is not None
        assert (read.host, read.text) == ("gw-1", UP)
        assert read.ident in {"racoon", "ipsec,info", "ipsec"}
        assert read.kind in {"iso", "rfc3164"}


def test_a_record_of_several_lines_gives_each_its_head_but_what_goes_on() -> None:
    first, second, third = lines(f"INFO: {UP}\n  goes on\nINFO: {UP}\n")
    assert first == third == f"2026-01-15T08:30:02.500+00:00 gw-1 racoon: INFO: {UP}"
    assert second == "  goes on"


@pytest.mark.parametrize(
    ("value", "envelope", "reason"),
    [
        (None, "plain", "tombstone"),
        (b"", "vector", "tombstone"),
        (b"\xff\xfe not json", "vector", "not_json"),
        (b"[1]", "vector", "not_json"),
        (b"[" * 100_000, "vector", "not_json"),
        (b'{"level": "info"}', "vector", "no_text"),
        (b'{"message": 7}', "filebeat", "no_text"),
        (b"x" * 70_000, "plain", "too_long"),
        (b"x" * (MOST_BYTES + 1), "plain", "too_long"),
    ],
)
def test_a_record_without_a_line_is_passed_over_and_counted(value: bytes | None, envelope: str, reason: str) -> None:
    reading = Lines(ENVELOPES[envelope])
    assert reading.of(Record(b"gw-1", value, TIME)) == b""
    assert reading.passed_over == {reason: 1}
    good = b'{"message": "INFO: x"}' if ENVELOPES[envelope] else b"INFO: x"
    assert reading.of(Record(b"gw-1", good, TIME)).endswith(b"INFO: x\n")


@pytest.mark.parametrize("key", [b"a b\n c", b"\xff\x00", b"x" * 5000, b"  ", b"gw\ttab", b"gw:", b"a%b+c"])
def test_no_key_breaks_the_head_of_a_line(key: bytes) -> None:
    (line,) = Lines(None).of(Record(key, f"INFO: {UP}".encode(), None)).decode().splitlines()
    read = LineSplitter().split(line)
    assert read is not None
    assert read.text == UP


@pytest.mark.parametrize(
    ("key", "gateway"),
    [
        ("acme/berlin", "acme_berlin"),
        ("berlin@acme", "berlin_acme"),
        ("eu:berlin", "eu_berlin"),
        ("2001:db8::1", "2001:db8::1"),
        ("1001", "1001"),
        ("2026", "2026"),
        ("münchen-1.example", "münchen-1.example"),
    ],
)
@pytest.mark.parametrize(
    "head", ["", "2026-01-15 08:30:01: ", "<30>Jan 15 08:30:01 2001:db8::9 racoon: ", "<30>Jan 15 08:30:01 x racoon[7]: "]
)
def test_whatever_a_gateway_is_called_its_lines_are_read(key: str, gateway: str, head: str) -> None:
    (line,) = lines(f"{head}INFO: {UP}", key=key)
    read = LineSplitter().split(line)
    assert read is not None
    assert (read.host, read.ident, read.text) == (gateway, "racoon", UP)
    assert origin_of(line.encode())[0] == gateway


@pytest.mark.parametrize(
    "time",
    [
        "2026-13-45T00:00:00Z",
        "2026-02-30 00:00:00",
        "2026-01-15T08:00:00+99:99",
        "2026-01-15T25:00:00Z",
        "soon",
        1e308,
        -1e18,
        True,
    ],
)
def test_a_time_that_is_none_gives_way_to_that_of_the_record(time: object) -> None:
    value = {"message": f"INFO: {UP}", "host": "gw-1", "timestamp": time}
    (line,) = lines(value, envelope="vector")
    assert line == f"2026-01-15T08:30:02.500+00:00 gw-1 racoon: INFO: {UP}"


@pytest.mark.parametrize("nothing", ["-", "", None, [], {}])
def test_a_name_that_nobody_told_gives_way_to_the_next(nothing: object) -> None:
    """RFC 5424 writes a dash for it."""
    value = {"msg": f"INFO: {UP}", "hostname": nothing, "fromhost-ip": "192.0.2.1", "programname": nothing, "procid": nothing}
    (line,) = lines(value, key=None, envelope="rsyslog")
    assert line == f"2026-01-15T08:30:02.500+00:00 192.0.2.1 racoon: INFO: {UP}"


@pytest.mark.parametrize("program", ["racoon\n<30>Jan 15 08:30:01 other racoon", "ra coon", "racoon: INFO", "racoon\r"])
def test_no_program_makes_a_line_of_another_gateway(program: str) -> None:
    (line,) = lines({"message": f"INFO: {UP}", "host": "gw-1", "appname": program, "procid": "٣"}, envelope="vector")
    read = LineSplitter().split(line)
    assert read is None or read.host == "gw-1"


def test_fields_of_its_own_are_looked_for_by_their_names() -> None:
    keys = ENVELOPES["json"]
    assert keys is not None
    own = keys._replace(messages=("raw.line",), hosts=("site",), times=("seen",))
    value = {"raw": {"line": f"INFO: {UP}"}, "message": "not this", "site": "gw-9", "seen": "2026-01-15T08:30:01Z"}
    assert Lines(own, "host").of(Record(b"k", json.dumps(value).encode(), TIME)).decode() == (
        f"2026-01-15T08:30:01Z gw-9 racoon: INFO: {UP}\n"
    )
