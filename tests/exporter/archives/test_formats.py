"""What peers chose stays text in every format: it moves no cursor, and a spreadsheet does not reckon with it."""

import csv
import json

import pytest

from racoon_exporter.archives.formats import COLUMNS, FORMATS, RowFormat
from racoon_exporter.report.text import as_csv
from racoon_exporter.text import visible

HOSTILE = "a\x1b[31m\x7f\x9b\u202eb\u2028\ufeff"


@pytest.mark.parametrize("output", FORMATS)
def test_what_moves_a_cursor_is_escaped(output: str) -> None:
    text = RowFormat(output, ("negotiations",)).text("negotiations", dict.fromkeys(COLUMNS["negotiations"], HOSTILE))
    assert visible(text) == text


@pytest.mark.parametrize("output", ["json", "jsonl"])
def test_a_value_is_the_same_behind_the_escapes_of_json(output: str) -> None:
    text = RowFormat(output, ("negotiations",)).text("negotiations", {"peer": f"é{HOSTILE}"})
    assert "é" in text
    assert json.loads(text)["peer"] == f"é{HOSTILE}"


@pytest.mark.parametrize("peer", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(peer: str) -> None:
    (row,) = csv.DictReader(
        [
            ",".join(COLUMNS["negotiations"]),
            RowFormat("csv", ("negotiations",)).text("negotiations", {"gateway": "gw-1", "peer": peer}),
        ]
    )
    assert (row["gateway"], row["peer"]) == ("gw-1", f"'{peer}")


def test_no_cell_of_a_report_is_a_formula() -> None:
    columns = as_csv({"peers": []}).strip().split(",")
    peer: dict[str, object] = dict.fromkeys(columns, 0) | {
        "peer": "=1+1\x1b",
        "since": None,
        "outages": [],
        "failures": {"timeout": 2},
    }
    (row,) = csv.DictReader(as_csv({"peers": [peer]}).splitlines())
    assert (row["peer"], row["since"], row["failures"], row["availability"]) == ("'=1+1\\x1b", "", "2", "0")
