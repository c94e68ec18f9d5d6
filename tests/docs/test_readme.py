"""What README promises is there, and its numbers are true."""

import re

from racoon_exporter.cli.program import main
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.messages import TABLES, catalogue, read_rows
from tests.docs import written
from tests.docs.written import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = {
    "android": "Android",
    "apple": "Apple",
    "f5": "F5",
    "iked": "iked",
    "ipsec_tools": "ipsec-tools",
    "meraki": "Meraki",
    "mikrotik": "MikroTik RouterOS",
    "netbsd": "NetBSD",
    "pfsense": "pfSense",
    "teamf1": "TeamF1",
}


def rows() -> int:
    """Count the rows of all tables of messages."""
    return sum(1 for name in TABLES for _ in read_rows(name))


def test_it_opens_with_a_picture_that_a_target_takes() -> None:
    first = README.split("\n\n")[1]
    picture = re.fullmatch(r"!\[(.+)\]\((docs/.+\.png)\)", first)
    assert picture is not None, first
    assert (ROOT / picture[2]).stat().st_size > 10_000
    assert "pictures:" in (ROOT / "tests/browser/browser.mk").read_text(encoding="utf-8")


def test_it_names_every_dialect() -> None:
    assert NAMES.keys() == DIALECTS.keys(), "name the new system in README, and how it is named there in NAMES"
    sentence = " ".join(README[README.index("It reads racoon of") :].split("each with")[0].split())
    assert [name for name in NAMES.values() if name not in sentence] == []


def test_it_says_how_many_messages_there_are() -> None:
    written.check(ROOT / "README.md", re.sub(r"[\d,]+ messages, each", f"{rows():,} messages, each", README, count=1))
    assert rows() >= len(catalogue().messages)


def test_it_shows_every_command() -> None:
    missing = [name for name in main.commands if f"racoon-exporter {name}" not in README]
    assert missing == [], "README has a line for each command: what somebody has in hand, and what they want to know"


def test_pages_and_files_that_it_names_are_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
