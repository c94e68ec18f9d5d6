"""Redaction: what stays is racoon's own, what is replaced is the same everywhere, and the story told is the same."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.history import COLUMNS
from racoon_exporter.sa.model import OTHER, UNATTRIBUTED
from racoon_parsers.messages import OWN, catalogue
from racoon_parsers.redaction import Redactor, vocabulary
from racoon_parsers.template import Hole
from tests.exporter.reading import LAB, lab_logs, read_logs

DIALECTS = sorted([*(LAB.parent / "dialects").glob("*.log"), *(LAB.parents[1] / "field" / "logs").glob("*.log")])
RECORDED = sorted({(path.parent.name, path.name[0]) for path in LAB.glob("*/[a-z].log")})


def told(paths: list[Path]) -> dict[str, list[dict[str, Any]]]:
    """The history of logs, as plain values."""
    state = read_logs(paths).state
    return {
        table: [{name: getattr(record, name) for name in COLUMNS[table]} for record in records]
        for table, records in state.history().items()
    }


def in_order(history: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of one time are in the order of their names, which are others now."""
    return {table: sorted(rows, key=repr) for table, rows in history.items()}


PSEUDO_PEERS = {UNATTRIBUTED, OTHER}
RENAMED = {"gateway", "local", "peer", "cookies", "source", "destination", "told_by"}


def renamed(history: dict[str, list[dict[str, Any]]], redactor: Redactor) -> dict[str, list[dict[str, Any]]]:
    def value(name: str, known: Any) -> Any:
        if name == "spi":
            return redactor.spi(known)
        return redactor.text(known) if name in RENAMED and known and known not in PSEUDO_PEERS else known

    return {
        table: [{name: value(name, known) for name, known in row.items()} for row in rows] for table, rows in history.items()
    }


@pytest.mark.parametrize(("scenario", "host"), RECORDED)
def test_a_redacted_recording_tells_the_same_history_up_to_names(scenario: str, host: str, tmp_path: Path) -> None:
    redactor, copies = Redactor(), []
    for log in lab_logs(scenario, host):
        lines = (redactor.line(line) for line in log.read_text(errors="backslashreplace").splitlines())
        copies.append(tmp_path / log.name)
        copies[-1].write_text("".join(f"{line}\n" for line in lines if line is not None))
    assert in_order(told(copies)) == in_order(renamed(told(lab_logs(scenario, host)), redactor))


def test_lines_of_every_dialect_and_collector_tell_the_same_history_up_to_names(tmp_path: Path) -> None:
    """Heads stay what they are, but for names; an address that a terminal broke in two is no longer one."""
    different = []
    for log in DIALECTS:
        redactor, copy = Redactor(), tmp_path / log.name
        lines = (redactor.line(line) for line in log.read_text(errors="backslashreplace").splitlines())
        copy.write_text("".join(f"{line}\n" for line in lines if line is not None))
        if in_order(told([copy])) != in_order(renamed(told([log]), redactor)):
            different.append(log.name)
    assert different == ["101-mikrotik-l2tp-server-wrapped.log"]


def test_an_object_of_a_collector_stays_one_and_says_as_little() -> None:
    redactor = Redactor()
    given = '{"MESSAGE":"ERROR: no policy found for 192.0.2.1","_HOSTNAME":"fw-berlin","acme":{"tenant":"hansen"},"PRIORITY":3}'
    assert redactor.line(given) == (
        '{"MESSAGE":"ERROR: no policy found for 198.18.1.1","_HOSTNAME":"name1","name2":{"name3":"name4"},"name5":3}'
    )
    assert redactor.line('{"MESSAGE":"1722e50f 088c096d 3d67e88a 3a0ed1a6"}') is None


def test_what_journald_writes_byte_by_byte_and_what_stands_deeper_is_redacted_as_well() -> None:
    redactor = Redactor()
    bytes_of = json.dumps([*b'ERROR: login failed for user "hans\xfc" from 192.0.2.1'])
    assert redactor.line(f'{{"MESSAGE":{bytes_of},"acme":[true,[2,300]]}}') == (
        '{"MESSAGE":"ERROR: login failed for user \\"name1\\" from 198.18.1.1","name2":[true,[2,300]]}'
    )
    assert redactor.line(f'{{"MESSAGE":{json.dumps([*b"12345678 12345678"])}}}') is None
    assert redactor.line('{"event":{"original":"12345678 12345678"}}') is None


@pytest.mark.parametrize(("scenario", "host"), RECORDED)
def test_nothing_of_a_host_is_left(scenario: str, host: str) -> None:
    text = "\n".join(log.read_text(errors="backslashreplace") for log in lab_logs(scenario, host))
    redactor = Redactor()
    kept = "\n".join(filter(None, map(redactor.line, text.splitlines())))
    addresses = set(re.findall(r"\b(?:192\.168|10)\.\d+\.\d+(?:\.\d+)?\b|fd00:[0-9a-f:]+", text))
    cookies = set(re.findall(r"\b[0-9a-f]{16}\b", text)) - {"0" * 16}
    assert not [one for one in addresses | cookies if re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", kept)]
    assert not re.search(r"Lab (?:Network|Root)|ipsec-[ab]\b|lab\.test|[0-9a-f]{8} [0-9a-f]{8}", kept)


def test_the_same_is_the_same_and_networks_stay_together() -> None:
    redactor = Redactor()
    first, second, other = redactor.text("192.0.2.7 192.0.2.8 198.51.100.7").split()
    assert redactor.text("[192.0.2.7] 192.0.2.7[500]") == f"[{first}] {first}[500]"
    assert first.rpartition(".")[0] == second.rpartition(".")[0] != other.rpartition(".")[0]
    assert redactor.text("192.0.2.0/24") == f"{first.rpartition('.')[0]}.0/24"


def test_the_networks_of_many_strangers_are_apart_and_nobodys() -> None:
    redactor = Redactor()
    shown = [ip_address(redactor.text(f"203.{number // 256}.{number % 256}.7")) for number in range(2_000)]
    assert len(set(shown)) == len(shown)
    pools = (ip_network("198.18.0.0/15"), ip_network("240.0.0.0/4"))
    assert [address for address in shown if not any(address in pool for pool in pools)] == []


def test_what_is_nobodys_stays() -> None:
    line = "127.0.0.1 0.0.0.0 :: 0000000000000000 2026-11-24 04:01:15 spi=0(0x0) rekey:1"
    assert Redactor().text(line) == line


def test_subjects_users_and_hosts_are_replaced_as_wholes() -> None:
    subject = "SubjectName:/C=DE/O=Secure Transport Network/CN=gw"
    shown = Redactor().text(f'Nov 24 04:01:15 fw-berlin racoon[123]: INFO: login succeeded for user "phase 1" {subject}')
    name = r"name\d"
    head = rf"Nov 24 04:01:15 {name} racoon\[123\]: INFO: "
    expected = rf'{head}login succeeded for user "{name}" SubjectName:/C={name}/O={name}/CN={name}'
    assert re.fullmatch(expected, shown)


@pytest.mark.parametrize("depth", [400, 900, 2_000, 30_000])
@pytest.mark.parametrize("begin_end", ['{"a": }', '{"MESSAGE": []}'])
def test_an_object_nested_without_end_is_left_out_or_redacted(begin_end: str, depth: int) -> None:
    begin, end = begin_end.split(" ")
    inside = (begin * depth, '"gw1.example.org"', end * depth) if end == "}" else (begin + "[" * depth, "1", "]" * depth + end)
    assert "example" not in (Redactor().line("".join(inside)) or "")


def test_keys_and_dumps_are_left_out() -> None:
    redactor = Redactor()
    assert redactor.line("1722e50f 088c096d 3d67e88a 3a0ed1a6") is None
    assert redactor.line("DEBUG: key 1722e50f088c096d3d67e88a") == "DEBUG: key REDACTED"
    assert redactor.dropped == 1


@pytest.mark.parametrize("newline", ["#012", "\\n", "^J"])
def test_dumps_are_left_out_where_a_collector_wrote_their_newlines_otherwise(newline: str) -> None:
    """The digits of a key may all be decimal: those of 12345678 are."""
    dump = f"{newline}31323334 35363738" * 2
    assert Redactor().line(f"DEBUG: {dump}") == f"DEBUG: {newline}REDACTED"
    assert Redactor().line(f"DEBUG: SKEYID computed:{dump}{newline}31") == f"DEBUG: SKEYID computed:{newline}REDACTED"


def test_every_message_of_the_catalogue_is_read_as_the_same_row() -> None:
    redactor, table = Redactor(), catalogue()
    printed = [row.render(lambda hole: hole.field.samples[0] if hole.field else "7") for row in table.messages]
    assert [text for text in printed if table.find(redactor.text(text)) is not table.find(text)] == []


def printed_value(hole: Hole) -> str:
    """A value that racoon might print; some stand at the end of a word, and would make another of it."""
    return hole.field.samples[0] if hole.field else {"%s": " 7"}.get(hole.conversion, "7")


@pytest.mark.parametrize("name", OWN)
def test_every_message_of_a_dialect_with_heads_of_its_own_is_read_as_the_same_row(name: str) -> None:
    redactor, table = Redactor(), catalogue().in_dialect(name)
    printed = [row.render(printed_value).strip() for row in catalogue().own[name]]
    found = {text: table.find(text) for text in printed if text}
    assert None not in found.values()
    assert [text for text, row in found.items() if table.find(redactor.text(text)) is not row] == []


def test_racoons_own_words_are_the_vocabulary() -> None:
    assert {"established", "negotiation", "proposal", "racoon"} <= vocabulary()
    assert not {"lab", "berlin", "alice"} & vocabulary()


@given(st.text(max_size=300))
def test_any_text_is_redacted_without_raising_and_twice_the_same(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == redactor.text(text)


@given(st.text(alphabet="abcdefghij", min_size=9, max_size=20))
def test_a_word_that_is_not_racoons_never_stays(word: str) -> None:
    assert word not in Redactor().text(f"INFO: login failed for {word} at {word}.example ({word})") or word in vocabulary()
