"""A bad edit of a table is told with its file, its line and what mends it: as the tests begin, and as the exporter starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pytest

from racoon_exporter.alerts import read_alerts
from racoon_parsers import dialects
from racoon_parsers.event_classes import read_event_classes
from racoon_parsers.messages import TABLES, read_messages, read_rows, shared_rows
from racoon_parsers.reasons.reason import REASONS, read_advice, read_reasons
from racoon_parsers.tsv import TableError, text_of

PACKAGES: Final = tuple(Path(str(files(name))) for name in ("racoon_parsers", "racoon_exporter"))


class Table:
    """A table of ours, to be edited wrongly."""

    def __init__(self, name: str, read: Callable[[str, str], Iterator[Any]]) -> None:
        package, _, file = name.partition("/")
        self.text, _ = text_of(files(package).joinpath(file))
        self._read = read

    def said(self, text: str) -> str:
        """Say what is wrong in the table with another text."""
        with pytest.raises(TableError) as raised:
            list(self._read(text, "x.tsv"))
        return str(raised.value)

    def with_cell(self, column: str, cell: str, line: int = 3) -> str:
        """Write another cell into a line."""
        rows = [row.split("\t") for row in self.text.split("\n")]
        rows[line - 1][rows[0].index(column)] = cell
        return "\n".join("\t".join(row) for row in rows)

    def with_line(self, text: str, line: int = 3) -> str:
        """Put a line into it."""
        lines = self.text.split("\n")
        return "\n".join([*lines[: line - 1], text, *lines[line - 1 :]])


MESSAGES: Final = Table("racoon_parsers/messages/phase1.tsv", read_messages)
REASONS_TABLE: Final = Table("racoon_parsers/reasons/reasons.tsv", read_reasons)
ADVICE: Final = Table("racoon_parsers/reasons/advice.tsv", lambda text, file: read_advice(text, file, REASONS))
CLASSES: Final = Table("racoon_parsers/event_classes.tsv", read_event_classes)
ALERTS: Final = Table("racoon_exporter/alerts.tsv", read_alerts)
EVERY: Final = {"messages": MESSAGES, "reasons": REASONS_TABLE, "advice": ADVICE, "event classes": CLASSES, "alerts": ALERTS}
UNSEEN: Final = ("\0", "\v", "\r", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "\N{LINE SEPARATOR}", "\ufeff")
every_table = pytest.mark.parametrize("table", EVERY.values(), ids=EVERY)


@every_table
def test_the_table_as_it_is_has_nothing_wrong(table: Table) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        table.said(table.text)


@every_table
def test_a_line_without_one_of_its_columns(table: Table) -> None:
    lines = table.text.split("\n")
    width = lines[0].count("\t") + 1
    broken = lines[2].partition("\t")[2]
    assert table.said("\n".join([*lines[:2], broken, *lines[3:]])) == (
        f"x.tsv:3: {width - 1} columns, expected {width} ({lines[0].replace(chr(9), ' ')}), separated by tabs; "
        f"a cell without a value holds -: {broken.replace(chr(9), ' ')[:60].rstrip()!r}"
    )


@every_table
def test_a_line_with_a_column_too_many(table: Table) -> None:
    lines = table.text.split("\n")
    said = table.said("\n".join([*lines[:2], f"{lines[2]}\tmore", *lines[3:]]))
    assert said.startswith("x.tsv:3: ")
    assert "; a tab within a cell begins another: " in said


@every_table
def test_a_line_that_is_empty(table: Table) -> None:
    assert table.said(table.with_line("", 4)) == "x.tsv:4: an empty line; take it out"


@every_table
def test_a_line_that_stands_there_twice(table: Table) -> None:
    said = table.said(table.with_line(table.text.split("\n")[2], 5))
    assert said.startswith("x.tsv:5: ")
    assert said.endswith(" stands in line 3 already; keep one of them")


@every_table
def test_a_cell_that_is_empty_or_has_blanks_around_it(table: Table) -> None:
    columns = table.text.partition("\n")[0].split("\t")
    for column in columns:
        for cell in ("", "x ") if column != "template" else ():
            wrong = f"the column {column} is empty or has blanks around it: {cell!r}; - stands for nothing"
            assert table.said(table.with_cell(column, cell)) == f"x.tsv:3: {wrong}"


@every_table
@pytest.mark.parametrize(
    "character", ["\0", "\v", "\r", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "\N{LINE SEPARATOR}", "\ufeff"]
)
def test_a_character_that_nobody_sees(table: Table, character: str) -> None:
    column = table.text.partition("\n")[0].split("\t")[-1]
    said = table.said(table.with_cell(column, f"To be{character} seen."))
    wrong = f"x.tsv:3: a character that nobody sees, U+{ord(character):04X}, behind "
    assert said.startswith(wrong)
    assert said.endswith("To be'; take it out, or write a blank")


@every_table
def test_another_header(table: Table) -> None:
    header = table.text.partition("\n")[0].replace("\t", " ")
    named = f"x.tsv:1: its first line names the columns, separated by tabs: {header}; not "
    assert table.said(table.text.replace("\t", "x\t", 1)).startswith(named)
    assert table.said("") == f"{named}''"
    alone = table.text.partition("\n")[0]
    assert table.said(f"{alone}\n") == table.said(alone) != ""
    assert table.said(alone).startswith("x.tsv:2: no row stands below the names of the columns; ")
    assert table.said(f"\ufeff{table.text}").startswith("x.tsv:1: the file begins with a byte order mark; take it out: ")


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "x.tsv"
    file.write_bytes(b"event\tmeaning\r\nup\tM\xe4rz\n")
    with pytest.raises(TableError, match=r"x\.tsv:2: a byte that is no UTF-8: 0xe4; save the file as UTF-8$"):
        text_of(file)
    with pytest.raises(TableError, match=r"y\.tsv:1: No such file or directory; a table of ours belongs there$"):
        text_of(file.with_name("y.tsv"))
    file.write_bytes(b"event\tmeaning\r\nup\tJuly\r\n")
    assert text_of(file) == ("event\tmeaning\nup\tJuly\n", str(file))


ROW: Final = "ISAKMP-SA established {local}-{peer} spi:{cookies}"


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        (
            "event",
            "phase1_etablished",
            "no event class: phase1_etablished; did you mean phase1_established? (event_classes.tsv has a",
        ),
        ("severity", "warn", "no severity: warn; did you mean warning?"),
        ("severity", "error info", "no severity: error info; one of critical error info notice warning"),
        ("severity", "bad", "no severity: bad; one of critical error info notice warning"),
        (
            "reason",
            "timeuot",
            "no class of reasons: timeuot; did you mean timeout? (the column classes of reasons.tsv names them)",
        ),
        ("levels", "INFO ERR", "no level of racoon's: ERR; did you mean ERROR?"),
        ("tag", "maybe", "no tag: maybe; one of local mixed no yes"),
        (
            "dialects",
            "0.5-0.9 netbds",
            "no dialect: netbds; did you mean netbsd? (ipsec-tools is written by its versions, such as",
        ),
        ("dialects", "0.4", "no dialect: 0.4; one of android apple "),
        ("template", "begin {exchage} mode.", "no field: exchage; did you mean exchange? (fields.py has a row for each value"),
        ("template", "begin {Exchange} mode.", "no field: Exchange; did you mean exchange? "),
        ("template", "begin {exchange mode.", "the brace before exchange is not closed"),
        ("template", "{peer} and {peer}", "{peer} stands in the template twice; what is not read keeps racoon's own %s"),
        ("template", "at 5%q", "no conversion of printf: '%q'; a percent sign that racoon prints is written %%"),
        (
            "template",
            "of {subject}",
            "the event phase1_start has no value subject (events.py); what nobody needs keeps racoon's own %s",
        ),
        ("constants", "role=initiator role=responder", "the constant role stands there twice; keep one of them"),
        ("constants", "role", "no constant: role; written name=value"),
        ("constants", "stge=end", "no mark, nor value of the event phase1_start: stge; did you mean stage?"),
        (
            "constants",
            "stage=over",
            "no value of the mark stage: over; one of begin end first refusal step waiting (Message.marks",
        ),
        ("gloss", "up", "the gloss is no sentence that ends with a full stop: 'up'"),
    ],
)
def test_a_bad_cell_of_a_message(column: str, cell: str, said: str) -> None:
    assert MESSAGES.said(MESSAGES.with_cell(column, cell)).startswith(f"x.tsv:3: {said}")


def test_a_value_that_the_event_class_has_no_type_for() -> None:
    said = MESSAGES.said(MESSAGES.with_line("{peer} fell {error}\tother\tinfo\t-\tINFO\tno\t0.9\t-\t-\tIt fell."))
    kept = "what nobody needs keeps racoon's own %s"
    assert said == f"x.tsv:3: the event other has no value error (EVENT_TYPES in events.py has no type of it); {kept}"


def test_a_percent_sign_is_written_as_racoon_writes_it() -> None:
    assert list(read_messages(MESSAGES.with_cell("template", "at 5%% of %.*s and {,6}"), "x.tsv"))


def test_a_template_that_stands_in_another_table_already() -> None:
    with pytest.raises(TableError) as raised:
        list(shared_rows({"phase1": read_rows("phase1"), "netbsd": read_rows("phase1")}))
    assert str(raised.value) == (f"{TABLES['netbsd']}:2: the template stands in {TABLES['phase1']}:2 already; keep one of them")


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("reason", "Cert-Expired", "no name of a reason: 'Cert-Expired'; small letters, digits and _"),
        ("kind", "cuase", "no kind: cuase; did you mean cause?"),
        ("phases", "3", "the column phases holds '3'; 1, 2 or both, - for none"),
        ("phases", "-", "the column phases is empty: in which phases may a negotiation fail for it, 1, 2 or both?"),
        (
            "zero_for_expected",
            "2",
            "zero_for_expected names a phase in which nothing fails for it; add it to phases, or take it out",
        ),
        (
            "alert",
            "1:RacoonX 3:RacoonY",
            "no alert: 3:RacoonY; written 1:ALERT or 2:ALERT, for failures of a phase, or certificate:",
        ),
        ("alert", "RacoonX", "no alert: RacoonX; written 1:ALERT"),
        ("gloss", "no sentence", "the gloss is no whole sentence, from a capital letter to a full stop: 'no sentence'"),
    ],
)
def test_a_bad_cell_of_a_reason(column: str, cell: str, said: str) -> None:
    assert REASONS_TABLE.said(REASONS_TABLE.with_cell(column, cell)).startswith(f"x.tsv:3: {said}")


def test_an_alert_of_a_reason_whose_counter_does_not_begin_at_zero() -> None:
    line = 1 + [*REASONS].index("no_policy") + 1
    said = REASONS_TABLE.said(REASONS_TABLE.with_cell("zero_for_expected", "-", line))
    why = "which an alert counts: a counter that first appears at 1 shows no increase"
    assert said == f"x.tsv:{line}: zero_for_expected lacks 2, {why}"


def test_a_class_that_means_two_reasons() -> None:
    said = REASONS_TABLE.said(REASONS_TABLE.with_cell("classes", "no_policy", len(REASONS) + 1))
    before = [*REASONS].index("no_policy") + 2
    assert (
        said
        == f"x.tsv:{len(REASONS) + 1}: the class no_policy means the reason of line {before} already; a class has one reason"
    )


@pytest.mark.parametrize(
    ("table", "column", "cell", "said"),
    [
        (ADVICE, "reason", "time_out", "no reason: time_out; did you mean timeout? (reasons.tsv has a row for each)"),
        (ADVICE, "phase", "3", "no phase: 3; timeout has 1 2 in reasons.tsv"),
        (ADVICE, "authentication", "keys", "no authentication: keys; one of psk signature"),
        (CLASSES, "phase", "one", "no phase: one; 1 or 2, or - where it does not tell"),
        (CLASSES, "event", "Phase1", "no name of an event class: 'Phase1'; small letters, digits and _"),
        (CLASSES, "meaning", "up", "the meaning is no sentence that ends with a full stop: 'up'"),
    ],
)
def test_a_bad_cell_of_another_table(table: Table, column: str, cell: str, said: str) -> None:
    assert table.said(table.with_cell(column, cell)) == f"x.tsv:3: {said}"


# dialects, and the exporter that starts with a bad table

HEAD: Final = 'DIALECT = Dialect("strange", "A system", formats=(head("strange", "iso", r"(?P<stamp>\\S+) (?P<text>.*)"),))'


class Scratch:
    """A copy of the exporter, to be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "racoon_exporter", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def file(self, name: str) -> Path:
        """Give a file of the copy as one that can be written: what is linked becomes a file of its own."""
        path = self.folder / name
        links = [*takewhile(lambda parent: parent != self.folder, path.parents)]
        for parent in reversed(links):
            if parent.is_symlink():
                original = parent.resolve()
                parent.unlink()
                parent.mkdir()
                for entry in original.iterdir():
                    (parent / entry.name).symlink_to(entry)
        text = path.read_text() if path.exists() else ""
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    for package in PACKAGES:
        (tmp_path / package.name).symlink_to(package)
    return Scratch(tmp_path)


@pytest.mark.parametrize("arguments", [["explain", "begin Identity Protection mode."], ["--version"]], ids=" ".join)
def test_a_bad_table_of_reasons_stops_every_start_in_one_line(scratch: Scratch, arguments: list[str]) -> None:
    file = scratch.file("racoon_parsers/reasons/reasons.tsv")
    file.write_text(REASONS_TABLE.with_cell("kind", "cuase"))
    ended = scratch.start(*arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"racoon-exporter: {file}:3: no kind: cuase; did you mean cause?\n"


def test_a_bad_table_of_messages_stops_the_first_look_up_in_one_line(scratch: Scratch) -> None:
    file = scratch.file("racoon_parsers/messages/phase1.tsv")
    file.write_text(MESSAGES.with_cell("severity", "warn"))
    ended = scratch.start("explain", "begin Identity Protection mode.")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"racoon-exporter: {file}:3: no severity: warn; did you mean warning?\n"


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (
            HEAD.replace('"strange", "A', '"stranger", "A'),
            "1: the dialect is named stranger, its folder strange; both have one name",
        ),
        (HEAD.replace("DIALECT", "DIALCT"), "1: no DIALECT; the file holds one, made with Dialect(...)"),
        (HEAD.replace("formats=", "fromats="), "3: Dialect.__init__() got an unexpected keyword argument 'fromats'"),
        (HEAD.replace("stamp>", "tsamp>"), "3: head strange: no part of a head: tsamp; did you mean stamp?"),
        (
            HEAD.replace("(?P<text>.*)", "(.*)"),
            "3: head strange: its pattern does not say where the message stands; name that part ",
        ),
        (
            HEAD.replace(r"(?P<stamp>\S+)", r"(?P<stamp>\S+"),
            r"3: head strange: no pattern: missing ), unterminated subpattern: ",
        ),
        (
            HEAD.replace('"iso"', '"isoo"'),
            "3: head strange: no kind of time: isoo; did you mean iso? (empty where stamp(...) tells",
        ),
        (
            HEAD.replace('r"(?P<stamp>', 'stamp("isoo") + r"(?P<host>'),
            "3: no kind of time: isoo; did you mean iso? (base.STAMPS says",
        ),
        (
            HEAD.replace('.*)"', '.*)", levels={"err": "EROR"}'),
            "3: head strange: no level of racoon's: EROR; did you mean ERROR?",
        ),
        (
            HEAD.replace('.*)"', '.*)", needs="knwn"'),
            "3: head strange: no need: knwn; did you mean known? (empty where the head is",
        ),
        (HEAD.replace('head("strange"', 'head("meraki"'), "1: meraki has a head named meraki already; name it otherwise"),
        (
            HEAD.replace("formats=", 'spellings=spelling(("(", "")), formats='),
            "3: spelling: no pattern: missing ), unterminated sub",
        ),
    ],
)
def test_a_dialect_that_is_wrong(scratch: Scratch, dialect: str, said: str) -> None:
    scratch.file("racoon_parsers/dialects/strange/__init__.py")
    file = scratch.file("racoon_parsers/dialects/strange/dialect.py")
    file.write_text(f'"""A system."""\nfrom racoon_parsers.dialects.base import Dialect, head, spelling, stamp\n{dialect}\n')
    ended = scratch.start("--version")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"racoon-exporter: {file}:{said}")
    assert ended.stderr.count("\n") == 1


def test_a_dialect_without_a_file(scratch: Scratch) -> None:
    scratch.file("racoon_parsers/dialects/strange/__init__.py")
    folder = scratch.folder / "racoon_parsers" / "dialects" / "strange"
    assert scratch.start("--version").stderr == (
        f"racoon-exporter: {folder / 'dialect.py'}:1: No module named 'racoon_parsers.dialects.strange.dialect'; "
        "a dialect's folder holds a dialect.py\n"
    )


def test_the_dialects_as_they_are_have_nothing_wrong() -> None:
    assert len(dialects.FORMATS) == len({one.name for one in dialects.FORMATS})
