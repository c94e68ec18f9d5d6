"""A secret that racoon prints is nowhere behind the reader: not in a state file, page, API, output, nor in our own log."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Final

import pytest

from racoon_exporter import events_output, history
from racoon_exporter.archives.foreign_input import nothing_of_racoon
from racoon_exporter.archives.survey import Sample
from racoon_exporter.engine import Engine, to_json
from racoon_exporter.exposition import render
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.status.api.bodies import events_body
from racoon_exporter.status.api.query import Parameters
from racoon_exporter.status.overview.event_ring import EventRing
from racoon_exporter.status.overview.facts import take_facts
from racoon_exporter.status.overview.view import overview
from racoon_exporter.status.pages.context import PageContext
from racoon_exporter.status.pages.status_page import page
from racoon_parsers.masking import LONGEST_SEARCHED, MASK, mask_unknown
from racoon_parsers.messages import catalogue
from racoon_parsers.template import Hole
from tests.exporter.reading import I1, block, up
from tests.parsers.test_message_tables import ALL_ROWS, OWN_ROWS, ROWS, sample_text

SECRET: Final = "Sw0rdfish"
HEXADECIMAL: Final = SECRET.encode().hex()
DUMPED: Final = " ".join(HEXADECIMAL[place : place + 8] for place in range(0, len(HEXADECIMAL), 8))
HEADS: Final = (
    "2026-01-15 08:30:02: {level}: ",
    "Jan 15 08:30:02 gw racoon: {level}: ",
    "Jan 15 08:30:02 gw racoon[7]: [192.0.2.7] {level}: ",
)
ASSETS: Final = dict.fromkeys(("icon.svg", "status.css", "status.js"), "")

SECRET_ROWS: Final = [row for row in ROWS if row.secret and "secret" not in row.marks]
"""Rows whose values are secrets; of one that is marked, only what stands in quotes is."""


def planted(level: str, text: str) -> list[bytes]:
    """A text under each head, cut short as well, and the line behind which another is written."""
    whole = [f"{head.format(level=level)}{text}" for head in HEADS]
    return [f"{line}\n".encode() for line in [*whole, f"{whole[0]} {whole[0]}", f"{whole[0]}\n  {SECRET} goes on"]]


def everywhere(data: bytes) -> Iterator[tuple[str, str]]:
    """Give all that is kept or shown of a log, by the name of the place."""
    ring = EventRing()
    engine = Engine(UTC, on_record=ring.add, reference_of=lambda _: 1_800_000_000.0)
    engine.feed(block(data))
    yield "state file while the record may go on", json.dumps(to_json(engine))
    engine.finish()
    yield "state file", json.dumps(to_json(engine))
    samples, gateways = collect(engine, OwnState())
    yield "metrics", render(samples, gateways=gateways, openmetrics=False).decode()
    shown = overview(take_facts(engine, ()), 1_800_000_000.0)
    yield "page", page(PageContext(shown, UTC, "/metrics", ASSETS), ring.newest(100))
    yield "API", json.dumps(events_body(ring.since(None, 100), Parameters(), 1_800_000_000.0, UTC))
    yield "history", json.dumps(history.tables(engine.state, UTC))
    reader = Engine(UTC, reference_of=lambda _: 1_800_000_000.0)
    records = [*reader.records(block(data)), *reader.rest("racoon.log")]
    assert records
    yield "events", "".join(json.dumps(events_output.as_dict(record, "racoon.log", UTC)) for record in records)
    yield "explain", str([events_output.explanation(record) for record in records])


def leaks(data: bytes, *secrets: str) -> list[str]:
    return [place for place, content in everywhere(data) for secret in secrets if secret in content]


@pytest.mark.parametrize("row", SECRET_ROWS, ids=lambda row: row.template)
def test_what_a_row_calls_a_secret_is_nowhere(row: object, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(row, type(ROWS[0]))
    text = row.render(lambda hole: SECRET if hole.field is not None and hole.field.secret else sample_of(hole)).strip()
    with caplog.at_level(logging.DEBUG):
        for data in planted(row.levels[0], text)[:4]:
            assert leaks(data, SECRET) == [], data
    assert SECRET not in caplog.text


def sample_of(hole: Hole) -> str:
    return hole.field.samples[0] if hole.field is not None else {"s": "x", "x": "1f", "p": "0x1"}.get(hole.conversion[-1], "7")


@pytest.mark.parametrize("row", SECRET_ROWS, ids=lambda row: row.template)
def test_a_masked_text_is_still_its_message(row: object) -> None:
    assert isinstance(row, type(ROWS[0]))
    masked = row.mask(sample_text(row))
    assert MASK in masked
    assert row.fits(masked)


def test_the_word_at_which_racoons_parser_stopped_is_a_secret_in_every_row() -> None:
    """`cfparse.y: yyerror()` prints file, line and, in quotes, what it read last."""
    quoted = [row.template for row in ALL_ROWS if row.printf.startswith('%s:%d: "%s"')]
    assert len(quoted) > 100
    assert [row.template for row in ALL_ROWS if row.template in quoted and not row.secret] == []
    assert {row.template for row in SECRET_ROWS} == {
        *(template for template in quoted if template not in {row.template for rows in OWN_ROWS.values() for row in rows}),
        *(row.template for row in ROWS if row.template.startswith("illegal format")),
    }


ERROR: Final = '/etc/racoon/racoon.conf:27: "{}" syntax error'
NEXT: Final = "2026-01-15 08:30:05: INFO: caught signal 15\n"
WRAPPED: Final[dict[str, Callable[[str], str]]] = {
    "a file": lambda text: f"2026-01-15 08:30:02: ERROR: {text}",
    "syslog": lambda text: f"<30>Jan 15 08:30:02 gw racoon[99]: ERROR: {text}",
    "RFC 5424": lambda text: f"<30>1 2026-01-15T08:30:02Z gw racoon 99 - - ERROR: {text}",
    "a container": lambda text: f"2026-01-15T08:30:02.1Z stderr F 2026-01-15 08:30:02: ERROR: {text}",
    "the journal": lambda text: json.dumps({"_COMM": "racoon", "MESSAGE": f"ERROR: {text}"}),
    "the journal, in bytes": lambda text: json.dumps({"_COMM": "racoon", "MESSAGE": [*f"ERROR: {text}".encode()]}),
    "Apple": lambda text: f"Jan 15 08:30:02 mac racoon[490] (IPSec) <Notice>: {text}",
    "RouterOS": lambda text: f"09:12:31 ipsec,error {text}",
    "RouterOS with a rule's prefix": lambda text: f"<30>Jan 15 17:08:43 rb4011 ipsec,info gw1: {text}",
    "iked": lambda text: f"2023-01-13 11:39:21 [PROTO_ERR]: ikev1.c:520:isakmp_main(): {text}",
    "TeamF1": lambda text: f"Mon Oct 24 09:47:47 2011 (GMT -0500): [FVS336GV2] [IKE] INFO:  {text}",
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize(
    "secret", [SECRET, f'"{SECRET}"', f"{SECRET} and more", f"it's {SECRET}", f'pass"{SECRET}', "87650321"], ids=repr
)
def test_the_word_at_which_racoons_parser_stopped_is_nowhere_however_its_line_was_changed(
    wrap: Callable[[str], str], secret: str
) -> None:
    """Cut short, in other words, in other quotes, twice on a line, or said again: no row may know it then."""
    text = ERROR.format(secret)
    hidden = SECRET if SECRET in secret else secret
    others = [text[: text.rindex('"') + 4], text.replace("syntax", "new"), text.replace('"', "'"), f"{text} {text}"]
    others.append(f"{text} {text}".rpartition('"')[0])
    for one in (text, *others, f"message repeated 3 times: [ {text}]"):
        data = f"{wrap(one)}\nJan 15 08:30:03 gw last message repeated 3 times\n{NEXT}".encode()
        assert leaks(data, hidden) == [], data


@pytest.mark.parametrize("wrap", [WRAPPED["a file"], WRAPPED["syslog"], WRAPPED["Apple"]], ids=["a file", "syslog", "Apple"])
def test_the_word_at_which_racoons_parser_stopped_is_nowhere_where_its_line_is_torn(wrap: Callable[[str], str]) -> None:
    text = ERROR.format(f"{SECRET} {SECRET}")
    for place in range(1, len(text)):
        for following in ("", NEXT):
            data = f"{wrap(text[:place])}\n  {text[place:]}\n{following}".encode()
            whole = SECRET if SECRET in text[:place] + "\0" + text[place:] else "nothing"
            assert leaks(data, whole) == [], data


def test_what_routeros_said_at_once_is_remembered_without_secrets() -> None:
    """Its rules may log a message twice, so the last ones are kept; also those that nobody knows."""
    for text in (f"password: {SECRET}", ERROR.format(SECRET)):
        lines = [f"09:12:31 ipsec,error {text}", f"09:12:31 ipsec,error gw1: {text}", f"09:12:31 ipsec,error {text} gw1"]
        assert leaks("\n".join(lines).encode() + b"\n", SECRET) == []


@pytest.mark.parametrize(
    "name", ["password", "psk", "pin", "otp", "totp", "pwd", "creds", "token", "community", "Kennwort", "senha"]
)
def test_the_name_of_a_secret_is_no_prefix_of_a_rule_of_routeros(name: str) -> None:
    known = sample_text(next(row for row in ROWS if row.template.startswith('%s:%d: "{yytext}" no authentication algorithm')))
    for said in (f"{name}: {SECRET} {known}", f"{name}: {SECRET}"):
        assert leaks(f"09:12:31 ipsec,error {said}\n{NEXT}".encode(), SECRET) == [], said


def test_what_stands_behind_a_message_without_newline_is_masked_in_lines_of_every_dialect() -> None:
    for head in ("system,ipsec,debug ", "09:12:31 ipsec,debug ", "2026-01-15 08:30:02: DEBUG: "):
        line = f"{head}cannot open 72026-01-15 08:30:02: ERROR: unknown to all, password: {SECRET}\n"
        assert leaks(f"09:12:31 ipsec,info caught signal 15\n{line}".encode(), SECRET) == [], head


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "text",
    [
        DUMPED,
        f"\n{DUMPED}",
        HEXADECIMAL * 2,
        f"some new dump: {DUMPED}",
        f"the new thing has key {SECRET!r}",
        f"password: {SECRET}",
        f'psk = "{SECRET} and more"',
        f"no row knows: pre-shared key: {SECRET}",
    ],
    ids=[
        "a dump",
        "a dump on its own line",
        "one number",
        "a dump in a text",
        "a quoted key",
        "password",
        "psk",
        "pre-shared key",
    ],
)
def test_what_no_row_knows_loses_what_may_be_a_key(head: str, text: str) -> None:
    for level in ("DEBUG2", "DEBUG", "ERROR"):
        data = f"{head.format(level=level)}{text}\n{head.format(level='INFO')}{up()[6:]}\n".encode()
        assert leaks(data, SECRET, HEXADECIMAL, DUMPED, DUMPED[:8]) == [], level


@pytest.mark.parametrize("end", ["#012", "\\012", "\\n", "^J"])
@pytest.mark.parametrize("groups", [2, 4, 8, 9])
def test_a_dump_is_nowhere_however_a_collector_wrote_the_ends_of_its_lines(end: str, groups: int) -> None:
    """`plogdump()` begins with a newline and has one behind each eight groups."""
    digits = [f"{0x5D3E71A9 * number:08x}"[-8:] for number in range(1, groups + 1)]
    dump = "".join(f"{end if place % 8 == 0 else ' '}{group}" for place, group in enumerate(digits))
    for text in (dump, f"some new dump:{dump}", f"SKEYID_a computed:{dump}", f"the psk found.{dump}"):
        for head in HEADS:
            assert leaks(f"{head.format(level='DEBUG2')}{text}\n{NEXT}".encode(), *digits) == [], (head, text)


@pytest.mark.parametrize("text", ["some new thing of {}", "unable to get certificate CRL(3) at depth:0 SubjectName:{}"])
@pytest.mark.parametrize("filler", ["/CN=", "a b ", "racoon.conf:27: a ", "x"], ids=repr)
def test_behind_what_is_searched_of_a_long_text_no_secret_stands(text: str, filler: str) -> None:
    for length in range(LONGEST_SEARCHED - 3 * len(SECRET), LONGEST_SEARCHED + 40, 3):
        long = text.format((filler * length)[: length - len(text)])
        for key in (f" password {SECRET}", f" {SECRET * 2}", *([SECRET] if len(long) >= LONGEST_SEARCHED else ())):
            assert leaks(f"2026-01-15 08:30:02: ERROR: {long}{key}\n".encode(), SECRET) == [], (length, key)


@pytest.mark.parametrize(
    "text",
    [
        f"some unknown thing of {I1}",
        "key exchange is strange",
        "unknown 0xdeadbeef of 12345678",
        "the passenger: nobody",
        "packets pass the tunnel and pass in on em0",
        "certificates pass",
        "monkey: business",
        "a sacred: oath of eyJack",
        "peer ID: bob@example.org, email:ops@example.org at gw:500",
        "no answer of gw@example.org:500",
    ],
)
def test_what_names_sas_and_numbers_is_not_masked(text: str) -> None:
    assert mask_unknown(text, catalogue()) == text


UNKNOWN: Final[dict[str, str]] = {
    "after an arrow": f"secret -> {SECRET}",
    "of a peer": f"psk for 192.0.2.1: {SECRET}",
    "said": f"the passphrase is {SECRET}",
    "part of a name": f"secret_key={SECRET}",
    "of an object": json.dumps({"user": "u", "password": SECRET}),
    "an attribute": f"XAUTH_USER_PASSWORD, {SECRET}",
    "behind the words": f'/etc/racoon/racoon.conf:27: syntax error at "{SECRET}"',
    "no quotes": f"/etc/racoon/psk.txt:3: 192.0.2.1 {SECRET}",
    "other quotes": f"/etc/racoon/racoon.conf:27: `{SECRET}' is no word",
    "brackets": f"racoon.conf: 27: [{SECRET}] is no word",
    "near": f"parse error near {SECRET}",
    "a backup": f"illegal format line#3 in /var/backup.sa: {SECRET}",
    "a backup, in other words": f"no good line #3 in /var/backup.sa: {SECRET}",
    "a number": f"got 0x{HEXADECIMAL}",
    "pairs": f"got {':'.join(HEXADECIMAL[place : place + 2] for place in range(0, len(HEXADECIMAL), 2))}",
    "RFC 2537": f"got 0s{SECRET * 2}",
    "a name behind another": f"with key: authkey: {SECRET} of it",
    "names and marks": f"key = enc_key = auth_key: {SECRET}",
    "a name, said": f"with key: authkey is {SECRET}",
    "a name and an arrow": f"with key: api_key -> {SECRET}",
    "a name and quotes": f'with key: private_key = "never {SECRET}"',
    "a bare word": f"login user nobody pass {SECRET}",
}
ENCODED: Final = (SECRET, HEXADECIMAL, ":".join(HEXADECIMAL[place : place + 2] for place in range(0, len(HEXADECIMAL), 2)))


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_what_no_row_knows_keeps_no_secret_in_whatever_words(wrap: Callable[[str], str], text: str) -> None:
    assert leaks(f"{wrap(text)}\n".encode(), *ENCODED) == []


ESCAPES: Final = ("\\x{:02x}", "%{:02x}", "\\{:03o}", "\\u{:04x}")
CALLED: Final[dict[str, str]] = {
    "a line of psk.txt": f"192.0.2.1\t{SECRET}",
    "a login in an address": f"loading https://admin:{SECRET}@192.0.2.9/racoon.conf",
    "a login before a host": f"cannot reach bob:{SECRET}@192.0.2.9",
    "a login before a host, in brackets": f"login (corp\\bob:a@{SECRET}@[2001:db8::9]) failed",
    "a login behind what a peer may choose": f'login failed for user "bob:{SECRET}@gw.example.org"',
    "logins in a row": "a:b@c " * 40 + f"bob:{SECRET}@192.0.2.9",
    "a token in JSON": f"rejected prf: DB(prop#1:trns#1):Peer(prop#1:trns#1) = x.7:x.7, eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
    "in short": f"ldap bind pw {SECRET}",
    "in place of a number": f"SPI: pwd={SECRET}",
    "in German": f"Passwort: {SECRET}",
    "a variable": f"RACOON_PASS={SECRET}",
    "a header of HTTP": f"Authorization: Basic {SECRET}",
    "a line of setkey": f'add 192.0.2.1 192.0.2.2 esp 7 -E 3des-cbc "{SECRET}";',
    "a line of racoon.conf, as it is dumped": f'pre_shared_key "{SECRET}";',
    "made by chance": f"private value {SECRET * 2}",
    "behind what a peer may choose": f'login failed for user "bob" password "{SECRET}"',
    "an attribute": f"Attribute XAUTH_USER_PASSWORD, len {SECRET}",
    "behind a number": f"compute intermediate encryption key K1 {HEXADECIMAL}",
    "behind a whole message": f"SKEYID_a computed: {SECRET}",
    "behind a message that is a secret": f'/etc/racoon/racoon.conf:3: "ec" port number must be "any". ldap_pass {SECRET}',
    "behind free text": f"getsockname(PF_NETLINK) failed: x, key: {SECRET}",
    **{f"written as {form}": "private value " + "".join(form.format(ord(one)) for one in SECRET) for form in ESCAPES},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("text", CALLED.values(), ids=CALLED)
def test_what_may_be_a_secret_is_nowhere_in_messages_of_a_known_row_neither(wrap: Callable[[str], str], text: str) -> None:
    written = [form.format(ord(SECRET[0])) + form.format(ord(SECRET[1])) for form in ESCAPES]
    in_json = [json.dumps(one).strip('"') for one in written]
    assert leaks(f"{wrap(text)}\n{NEXT}".encode(), *ENCODED, *written, *in_json) == []


@pytest.mark.parametrize("text", ["SKEYID_a computed:", "the psk found.", "compute IV for phase2", "hmac(modp1536)"])
@pytest.mark.parametrize("key", [SECRET, HEXADECIMAL, DUMPED])
def test_a_dump_that_a_collector_left_in_the_message_before_it_is_nowhere(text: str, key: str) -> None:
    if key == SECRET and "SKEYID" not in text and "psk" not in text:
        key = HEXADECIMAL
    message = json.dumps({"_COMM": "racoon", "MESSAGE": f"DEBUG: {text}\n{key}"})
    assert leaks(f"{message}\n".encode(), *ENCODED, DUMPED) == []


@pytest.mark.parametrize(
    "text",
    [
        "ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
        "couldn't find the pskey for 192.0.2.7.",
        'login failed for user "bob"',
        "unable to get certificate CRL(3) at depth:0 SubjectName:/C=DE/O=Example/CN=gw.example.org",
        "Attribute XAUTH_TYPE, len 2",
        "initiate new phase 1 negotiation: 192.0.2.1[500]<=>psk-gw.example.org[500]",
    ],
)
def test_what_is_no_secret_in_a_message_of_a_known_row_stays(text: str) -> None:
    (record,) = Engine(UTC).records(block(f"2026-01-15 08:30:02: INFO: {text}\n{NEXT}".encode()))
    assert record.text == text


@pytest.mark.parametrize("text", [*UNKNOWN.values(), f"password: {SECRET}"], ids=[*UNKNOWN, "password"])
def test_what_no_row_knows_keeps_no_secret_where_it_is_torn(text: str) -> None:
    for place in range(1, len(text)):
        whole = [one for one in ENCODED if one in f"{text[:place]}\0{text[place:]}"]
        for indented in ("  ", ""):
            data = f"{WRAPPED['a file'](text[:place])}\n{indented}{text[place:]}\n".encode()
            assert leaks(data, *whole) == [], data


def test_the_rest_of_a_torn_message_that_names_a_secret_is_read() -> None:
    for text in ("couldn't find the pskey for 192.0.2.7.", "failed to open pre_share_key file /etc/psk.txt"):
        for place in (text.index(" ", 22), text.rindex(" ")):
            engine = Engine(UTC, reference_of=lambda _: 1_800_000_000.0)
            data = f"{WRAPPED['a file'](text[:place])}\n  {text[place:]}\n{NEXT}".encode()
            (record, _) = [*engine.records(block(data)), *engine.rest("racoon.log")]
            assert record.text == text


def test_what_is_written_behind_any_message_on_its_line_keeps_no_secret() -> None:
    """Two processes, or a newline that was lost: a value at the end of the row takes it all."""
    glued = [f"2026-01-15 08:30:02: ERROR: {text}" for text in (ERROR.format(SECRET), f"password: {SECRET}")]
    lines = [f"2026-01-15 08:30:02: INFO: {sample_text(row)}{behind}" for row in ROWS for behind in glued for _ in range(2)]
    assert leaks("\n".join(lines).encode() + b"\n", SECRET) == []


def test_what_stands_within_an_open_quote_keeps_no_secret() -> None:
    opened = '2026-01-15 08:30:02: INFO: login failed for user "bob'
    lines = [
        WRAPPED["a file"](text)
        for text in (ERROR.format(SECRET), f"password: {SECRET}", "couldn't find the pskey for 192.0.2.7.")
    ]
    engine = Engine(UTC, reference_of=lambda _: 1_800_000_000.0)
    engine.feed(block("\n".join([opened, *lines]).encode() + b"\n"))
    assert SECRET not in json.dumps(to_json(engine))
    engine.finish()
    assert engine.messages["ERROR", "error", "auth_failed"] == 1
    for end in ("", '"\n', f'"\n{NEXT}'):
        assert leaks("\n".join([opened, *lines, end]).encode(), SECRET) == []


def test_what_goes_on_within_an_open_quote_is_searched_together_with_what_stands_before_it() -> None:
    opened = '2026-01-15 08:30:02: INFO: login failed for user "bob'
    for before in (f"{WRAPPED['Apple']('nobody knows this, psk =')}", "psk =", f"{WRAPPED['syslog']('password')}"):
        for end in ("", "\n", f"\n{NEXT}"):
            assert leaks(f'{opened}\n{before}\n  "{SECRET}"{end}'.encode(), SECRET) == [], (before, end)


def test_a_line_whose_reading_raises_keeps_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(_message: object, _text: str) -> bool:
        raise ValueError(SECRET)

    monkeypatch.setattr(type(ROWS[0]), "fits", raising)
    assert leaks(f"{WRAPPED['a file'](f'password: {SECRET}')}\n{NEXT}".encode(), SECRET) == []


def test_a_file_that_is_not_racoons_is_shown_without_secrets() -> None:
    data = f"192.0.2.1 psk {SECRET}\n".encode()
    assert SECRET not in nothing_of_racoon([Sample("psk.txt", len(data), data, identity=(0, 0))])


def test_the_line_that_a_console_may_print_twice_is_kept_nowhere() -> None:
    line = f"11/26/26 5:00:00.123 AM gw racoon[77]: unknown to all, password: {SECRET}\n".encode()
    assert [place for place, text in everywhere(line * 2) if SECRET in text] == []


@pytest.mark.parametrize("between", [":", " "])
def test_a_key_in_pairs_is_nowhere_wherever_its_line_is_torn(between: str) -> None:
    pairs = [f"{number:02x}" for number in range(0xB1, 0xD5, 2)]
    key = between.join(pairs)
    parts = [key[place : place + 5] for place in range(len(key) - 4)]
    for place in range(len(between.join(pairs[:9])), len(key)):
        data = f"{WRAPPED['a file'](f'some words {key[:place]}')}\n{key[place:]}\n".encode()
        assert leaks(data, *parts) == [], data


def test_a_number_behind_a_dump_whose_last_character_ends_a_word_is_masked() -> None:
    dump = f"01 02 03 04  {'x' * 19}-"
    assert mask_unknown(f"got {dump}{HEXADECIMAL}", catalogue()) == f"got {MASK}{MASK}"


@pytest.mark.parametrize("cut", [False, True], ids=["at once", "in two blocks"])
@pytest.mark.parametrize("head", ["2026-01-15 08:30:02: {}: ", "Jan 15 08:30:02 gw racoon: {}: "], ids=["file", "syslog"])
@pytest.mark.parametrize("level", ["DEBUG", "DEBUG2"])
def test_what_goes_on_a_debug_line_that_is_dropped_is_no_part_of_the_record_before(level: str, head: str, *, cut: bool) -> None:
    lines = [f"{head.format('INFO')}begin Aggressive mode.", f"{head.format(level)}no row knows its password:", SECRET]
    engine = Engine(UTC, reference_of=lambda _: 1_800_000_000.0)
    blocks = [lines[:2], lines[2:]] if cut else [lines]
    for one in blocks:
        engine.feed(block("\n".join(one).encode() + b"\n"))
    assert SECRET not in json.dumps(to_json(engine))


@pytest.mark.parametrize("cut", [False, True], ids=["at once", "in two blocks"])
@pytest.mark.parametrize("levels", [("DEBUG", "DEBUG"), ("DEBUG", "DEBUG2"), ("DEBUG2", "DEBUG2")])
def test_what_goes_on_a_debug_record_written_behind_another_is_no_part_of_the_record_before(
    levels: tuple[str, str], *, cut: bool
) -> None:
    first, second = (f"2026-01-15 08:30:02: {level}: " for level in levels)
    lines = ["2026-01-15 08:30:02: INFO: begin Aggressive mode.", f"{first}nonce1: {second}its password:", SECRET]
    engine = Engine(UTC, reference_of=lambda _: 1_800_000_000.0)
    for one in [lines[:2], lines[2:]] if cut else [lines]:
        engine.feed(block("\n".join(one).encode() + b"\n"))
    assert SECRET not in json.dumps(to_json(engine))
    engine.finish()
    assert sum(engine.messages.values()) == 3


@pytest.mark.parametrize("wrap", [WRAPPED["RouterOS"], WRAPPED["iked"], WRAPPED["a file"]], ids=["RouterOS", "iked", "a file"])
@pytest.mark.parametrize(
    "text",
    [
        f"authmethod = some words Cookie: sid={SECRET}",
        f'Short attribute some words apikey = "{SECRET}"',
        f"enctype = some words, https://{SECRET}@192.0.2.9/x",
        f"resend phase1 packet 8f1b2c3d4e5f6071:a1b2c3d4e5f60718 userPassword {SECRET}",
        f"resend phase2 packet 8f1b2c3d4e5f6071:a1b2c3d4e5f60718:00008b03, https://192.0.2.9/?password={SECRET}",
    ],
)
def test_a_secret_whose_name_another_value_of_its_message_holds_is_nowhere(wrap: Callable[[str], str], text: str) -> None:
    assert leaks(f"{wrap(text)}\n{NEXT}".encode(), SECRET) == []


METHODS = (
    "pre-shared key",
    "RSA signatures",
    "Revised encryption with El-Gamal",
    "GSS-API on Kerberos 5",
    "Hybrid RSA client",
    "XAuth pskey server",
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "before",
    ["DEBUG: authmethod = ", "ERROR: rejected authmethod: DB(prop#1:trns#1):Peer(prop#1:trns#1) = "],
)
def test_methods_of_authentication_that_are_called_like_a_secret_stay(before: str, method: str) -> None:
    for ours, peers in ((method, "pre-shared key"), ("pre-shared key", method)):
        (record,) = Engine(UTC).records(block(f"2026-01-15 08:30:02: {before}{ours}:{peers}\n{NEXT}".encode()))
        assert record.text == f"{before.partition(' ')[2]}{ours}:{peers}"


@pytest.mark.parametrize(
    "parts",
    [("", "psk=", SECRET), ("", "pre", f"SharedKey {SECRET}"), ("., p", f"in={SECRET}"), ("", "pass", f"word {SECRET}")],
)
@pytest.mark.parametrize("indented", ["", "  "])
@pytest.mark.parametrize("text", ["vdup(NULL) called", "some words", "check spi(packet)=7 spi(db)=7"])
def test_a_secret_whose_name_stands_in_a_line_that_goes_on_another_is_nowhere(
    text: str, indented: str, parts: tuple[str, ...]
) -> None:
    first, *others = parts
    for wrap in (WRAPPED["a file"], WRAPPED["iked"]):
        data = "\n".join([wrap(f"{text}{first}"), *(f"{indented}{part}" for part in others)]).encode()
        assert leaks(data + b"\n", SECRET) == [], data


@pytest.mark.parametrize("name", ["keys", "api-tokens", "psk"])
def test_what_is_called_a_secret_is_no_prefix_of_a_rule(name: str) -> None:
    """RouterOS puts the prefix of a logging rule before the text: what follows that is dropped would be read as a message."""
    line = f"09:12:31 ipsec,error {name}: {SECRET} phase1 negotiation failed.\n"
    assert leaks(line.encode(), SECRET) == []


@pytest.mark.parametrize(("piece", "most"), [("key(x) ", 16), ("shopping ", 16), ("://a ", 16), ("interface-10 ", 32)])
def test_behind_more_names_than_any_message_has_all_is_a_secret(piece: str, most: int) -> None:
    assert mask_unknown(f"heard {piece * most}hunter", catalogue()).endswith("hunter")
    masked = mask_unknown(f"heard {piece * (most + 1)}hunter", catalogue())
    assert "hunter" not in masked
    assert masked.startswith(f"heard {piece}")
