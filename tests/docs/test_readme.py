"""What README promises is there, and its numbers are true."""

import re
from pathlib import Path

from racoon_parsers.dialects import DIALECTS
from racoon_parsers.messages import catalogue

ROOT = Path(__file__).parents[2]
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
    tables = (ROOT / "parsers" / "racoon_parsers").glob("**/*.tsv")
    texts = [table.read_text(encoding="utf-8") for table in tables if table.parent.name == "messages" or table.stem == "rows"]
    return sum(sum(1 for line in text.splitlines()[1:] if line) for text in texts)


def test_it_opens_with_a_picture_that_a_target_takes() -> None:
    first = README.split("\n\n")[1]
    picture = re.fullmatch(r"!\[(.+)\]\((docs/.+\.png)\)", first)
    assert picture is not None, first
    assert (ROOT / picture[2]).stat().st_size > 10_000
    assert "pictures:" in (ROOT / "tests/browser/browser.mk").read_text(encoding="utf-8")


def test_it_names_every_dialect_and_how_many_messages_there_are() -> None:
    assert set(NAMES) == set(DIALECTS)
    sentence = " ".join(README[README.index("It reads racoon of") :].split("each with")[0].split())
    assert [name for name in NAMES.values() if name not in sentence] == []
    assert f"{rows():,} messages" in sentence
    assert rows() >= len(catalogue().messages)


def test_pages_and_files_that_it_names_are_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
