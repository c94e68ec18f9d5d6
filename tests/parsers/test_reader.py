"""Stories of whole streams: records torn, glued, repeated, escaped and wrapped on their way into a file."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from racoon_parsers.clock import Clock
from racoon_parsers.json_entry import text_of
from racoon_parsers.messages import catalogue
from racoon_parsers.reader import LogReader, Record
from racoon_parsers.record import Records
from racoon_parsers.stems import Stem, Tally

from .samples import records_of, values_of

COOKIES = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
ESTABLISHED = f"ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:{COOKIES}"
STAMP = "2026-01-15 08:30:02: "


def reader() -> LogReader:
    return LogReader(catalogue(), Clock(UTC, 1_800_000_000.0))


def classes(records: list[Record]) -> list[str]:
    return [record.message.event if record.message else "unknown" for record in records]


def numbered(records: list[Record]) -> list[tuple[int, str]]:
    return list(zip((record.number for record in records), classes(records), strict=True))


def test_a_line_without_end_is_read_when_the_stream_is_flushed() -> None:
    log = reader()
    assert log.feed([f"{STAMP}INFO: {ESTABLISHED}"]) == []
    assert classes(log.flush()) == ["phase1_established"]
    assert log.flush() == []


def test_numbers_are_those_of_the_first_line_of_a_record() -> None:
    lines = [
        "May 1 nothing of racoon",
        f"{STAMP}INFO: ISAKMP-SA established",
        "192.0.2.1[500]-198.51.100.7[500]",
        f"spi:{COOKIES}",
        "",
        f"{STAMP}INFO: begin Aggressive mode.",
    ]
    assert numbered(records_of(lines)) == [(2, "phase1_established"), (6, "phase1_mode")]


def test_a_torn_record_that_is_whole_already_does_not_take_the_next_text() -> None:
    log = reader()
    records = (
        log.feed([f"{STAMP}INFO: caught signal 15", "text of somebody else", f"{STAMP}INFO: racoon shutdown"]) + log.flush()
    )
    assert [record.text for record in records] == ["caught signal 15", "racoon shutdown"]
    assert log.not_racoon == 1


def test_a_torn_record_ends_after_four_more_lines() -> None:
    log = reader()
    log.feed([f"{STAMP}INFO: ISAKMP-SA established", *["junk"] * 9])
    assert classes(log.flush()) == ["unknown"]
    assert log.not_racoon == 9


@pytest.mark.parametrize("head", ["psk: ", "nonce 1: ", "peer's ID:", "HASH(1) validate:", "received IDci2:"])
def test_records_glued_on_one_line_are_two(head: str) -> None:
    records = records_of([f"{STAMP}DEBUG: {head}{STAMP}INFO: {ESTABLISHED}"])
    assert classes(records) == ["negotiation_detail", "phase1_established"]
    assert records[1].level == "INFO"
    assert values_of(records[1])["cookies"] == COOKIES


def test_a_record_within_the_text_of_a_peer_is_not_split_off() -> None:
    records = records_of(
        [f"{STAMP}ERROR: certificate has expired(10) at depth:0 SubjectName:/CN=psk: {STAMP}INFO: {ESTABLISHED}"]
    )
    assert classes(records) == ["cert_error"]


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("Jan 15 08:30:09 gw last message repeated 3 times", 3),
        ("Jan 15 08:30:09 mac --- last message repeated 1 time ---", 1),
        ("<29>Jan 15 08:30:09 gw last message repeated 3 times", 3),
        ("2027-01-15T08:30:09Z gw last message repeated 3 times", 3),
    ],
)
def test_a_repetition_counts_the_last_message_again(line: str, times: int) -> None:
    records = records_of(["Jan 15 08:30:02 gw racoon: NOTIFY: the packet is retransmitted by 198.51.100.7[500] (1).", line])
    assert classes(records) == ["retransmit", "retransmit"]
    assert [record.times for record in records] == [1, times]
    first, again = (record.time for record in records)
    assert first is not None
    assert again == first + 7


def test_a_repetition_without_time_was_said_when_the_message_was() -> None:
    records = records_of(["2026-01-15 08:30:02: INFO: caught signal 15", "gateway one last message repeated 3 times"])
    assert [record.time for record in records] == [records[0].time] * 2


@pytest.mark.parametrize("tag", ["198.51.100.7", "2001:db8::7", "fe80::2%eth0", "fe80::2%br-lan.7", "xxx.xxx.xxx.xxx"])
def test_the_tag_is_an_address_in_every_form(tag: str) -> None:
    lines = [f"2026-01-15 08:30:0{second}: [{tag}] ERROR: phase1 negotiation failed." for second in (2, 3)]
    assert [(record.tag, record.level) for record in records_of(lines)] == [(tag, "ERROR")] * 2
    assert classes(records_of(lines)) == ["phase1_failed"] * 2


def test_a_repetition_of_another_programs_line_is_not_racoons() -> None:
    log = reader()
    lines = [
        "Jan 15 08:30:02 gw racoon: INFO: caught signal 15",
        "Jan 15 08:30:03 gw sshd[9]: Connection closed",
        "Jan 15 08:30:09 gw last message repeated 3 times",
    ]
    assert classes(log.feed(lines) + log.flush()) == ["daemon_signal"]
    assert log.not_racoon == 2


def test_what_rsyslog_wraps_is_read_and_counted() -> None:
    (record,) = records_of(
        ["Jan 15 08:30:02 gw racoon: message repeated 3 times: [ [198.51.100.7] ERROR: phase1 negotiation failed.]"]
    )
    assert (classes([record]), record.times, record.tag, record.level) == (["phase1_failed"], 3, "198.51.100.7", "ERROR")


def test_an_escaped_newline_at_the_end_is_dropped() -> None:
    (record,) = records_of(["Jan 15 08:30:02 gw racoon: INFO: caught signal 15#012"])
    assert record.message is not None
    assert record.message.event == "daemon_signal"


def test_a_journal_entry_of_bytes_is_text_and_its_junk_stays_visible() -> None:
    message = b'INFO: login failed for user "\xff\xfe"'
    entry = {"SYSLOG_IDENTIFIER": "racoon", "MESSAGE": list(message), "__REALTIME_TIMESTAMP": "1768465802000000"}
    (record,) = records_of([json.dumps(entry)])
    assert values_of(record) == {"user": r"\xff\xfe"}


@pytest.mark.parametrize(
    "message",
    [["INFO: begin Aggressive mode.", "other"], [list(b"INFO: begin Aggressive mode."), "other"]],
    ids=["texts", "bytes"],
)
def test_of_a_journal_field_that_occurs_several_times_the_first_counts(message: list[object]) -> None:
    (record,) = records_of([json.dumps({"SYSLOG_IDENTIFIER": "racoon", "MESSAGE": message})])
    assert classes([record]) == ["phase1_mode"]


def test_a_field_of_lists_within_lists_is_no_text_however_deep() -> None:
    """Some interpreters read JSON deeper than they call functions."""
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    assert text_of(value) is None


def test_a_newline_within_a_journal_entry_begins_no_record() -> None:
    name = f"x\n{STAMP}INFO: {ESTABLISHED}\nINFO: racoon process 1 shutdown"
    entry = {"SYSLOG_IDENTIFIER": "racoon", "MESSAGE": f'INFO: login failed for user "{name}"'}
    (record,) = records_of([json.dumps(entry)])
    assert classes([record]) == ["xauth_login_failed"]
    assert values_of(record)["user"] == name.replace("\n", "\\n")


@pytest.mark.parametrize(
    "line",
    [
        '{"MESSAGE":null,"SYSLOG_IDENTIFIER":"racoon"}',
        '{"MESSAGE":[1e400,-1,256,"x",{}],"SYSLOG_IDENTIFIER":7,"_PID":[]}',
        '{"log":17,"stream":"stdout"}',
        '{"log":"\\u0000","stream":"stdout","time":{}}',
        "[" * 100_000,
        '{"MESSAGE":' * 50_000,
        "{" + "9" * 100_000 + "}",
        '{"a":' + "9" * 10_000 + "}",
    ],
    ids=["null", "odd values", "number", "nul", "deep list", "deep object", "no key", "huge number"],
)
def test_odd_json_is_survived(line: str) -> None:
    assert len(records_of([line])) <= 1


def test_another_programs_journal_entries_are_not_racoons() -> None:
    entry = {"SYSLOG_IDENTIFIER": "charon", "MESSAGE": f"INFO: {ESTABLISHED}"}
    assert records_of([json.dumps(entry)]) == []


def test_a_container_named_otherwise_is_racoon_where_racoons_own_time_follows() -> None:
    (record,) = records_of([f"Jan 15 08:30:02 gw 4f5e6d7c8b9a[812]: {STAMP}INFO: {ESTABLISHED}"])
    assert classes([record]) == ["phase1_established"]


def test_dump_lines_are_counted_and_never_unknown() -> None:
    log = reader()
    lines = [f"{STAMP}DEBUG: ", "8f1b2c3d 4e5f6071 00000000", "0102", f"{STAMP}DEBUG: begin.", "deadbeef deadbeef"]
    assert classes(log.feed(lines) + log.flush()) == ["hexdump", "negotiation_detail"]
    assert (log.dump_lines, log.not_racoon) == (3, 0)


def test_a_name_with_more_lines_than_are_bearable_does_not_swallow_what_follows() -> None:
    lines = [
        f'{STAMP}INFO: login failed for user "x',
        *[f"{STAMP}INFO: begin Aggressive mode."] * 40,
        f'{STAMP}INFO: caught signal 2"',
    ]
    counted = classes(records_of(lines))
    assert counted.count("phase1_mode") == 40


def test_an_open_name_survives_a_restart_between_its_lines() -> None:
    first, second, third = (
        f'{STAMP}INFO: login failed for user "x',
        f"{STAMP}INFO: {ESTABLISHED}",
        f'{STAMP}INFO: racoon shutdown"',
    )
    before = reader()
    assert before.feed([first, second]) == []
    after = reader()
    after.restore(json.loads(json.dumps(before.to_json())))
    assert classes(after.feed([third], 3) + after.flush()) == ["xauth_login_failed"]


@pytest.mark.parametrize("line", ["2026-01-02 16:14:12 ipsec,info ", "2026-01-02 16:14:12 ipsec,debug "])
def test_a_message_without_text_is_the_same_one_after_a_restart(line: str) -> None:
    before = reader()
    before.feed([line])
    after = reader()
    after.restore(json.loads(json.dumps(before.to_json())))
    pending = after.flush()
    assert [(record.ident, record.text) for record in pending] == [("mikrotik", "")]
    assert pending == before.flush()


def test_a_name_cut_by_a_collector_of_syslog_opens_nothing() -> None:
    """There each line has a head that no peer can write."""
    lines = [
        'Jan 15 08:30:02 gw racoon: INFO: login failed for user "cut',
        f"Jan 15 08:30:02 gw racoon: INFO: {ESTABLISHED}",
        'Jan 15 08:30:02 gw racoon: INFO: login succeeded for user "bob"',
    ]
    assert classes(records_of(lines)) == ["unknown", "phase1_established", "xauth_login_ok"]


def test_a_name_cut_behind_a_message_without_newline_opens_nothing_either() -> None:
    """The record that follows on the line looks like one of a plain file; the stream is still a collector's."""
    lines = [
        f'Jan 15 08:30:02 gw racoon: DEBUG: psk: {STAMP}INFO: login failed for user "x',
        f"Jan 15 08:30:02 gw racoon: INFO: {ESTABLISHED}",
        'Jan 15 08:30:02 gw racoon: INFO: login succeeded for user "bob"',
    ]
    assert classes(records_of(lines))[-2:] == ["phase1_established", "xauth_login_ok"]


def test_a_name_with_newlines_is_one_record_in_the_journal_of_standard_output() -> None:
    head = f"Jan 15 08:30:02 gw racoon[7]: {STAMP}INFO: "
    records = records_of([f'{head}login failed for user "x', f'{head}{ESTABLISHED}"', f"{head}caught signal 15"])
    assert classes(records) == ["xauth_login_failed", "daemon_signal"]


def test_a_message_quoted_alone_is_read_without_a_stream() -> None:
    record = reader().read_text(ESTABLISHED)
    assert record is not None
    assert classes([record]) == ["phase1_established"]


def test_the_configured_gateway_has_precedence_over_the_host_of_the_line() -> None:
    log = LogReader(catalogue(), Clock(UTC), gateway="vpn1")
    (record,) = log.feed(["Jan 15 08:30:02 gw racoon: INFO: caught signal 15"]) + log.flush()
    assert record.gateway == "vpn1"


def test_what_one_listener_does_with_a_stem_is_not_done_for_another() -> None:
    class Counts(Records):
        """Hears no line of a stem for itself."""

        def prepare(self, stem: Stem, *, numbered: bool) -> None:  # noqa: ARG002
            stem.heard, stem.tally = False, tally

    tally, counts = Tally(), Counts()
    reader = LogReader(catalogue(), Clock(UTC))
    lines = ["2026-01-15 08:30:02: INFO: begin Identity Protection mode."] * 6
    reader.read(lines, 1, counts)
    assert (tally.number, len(counts)) == (4, 1)
    assert [record.number for record in (*reader.feed(lines, 7), *reader.flush())] == [6, *range(7, 13)]
