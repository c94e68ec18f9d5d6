"""The pages about messages, formats and terms say what the parsers know."""

import re
from pathlib import Path

from racoon_parsers.dialects import BASE, DIALECTS
from racoon_parsers.line import FORMATS, LineSplitter
from racoon_parsers.messages import TABLES
from tests.docs import generated, messages_page

DOCS = Path(__file__).parents[2] / "docs"
FENCED = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
TERM = re.compile(r"^\*\*(.+?)\*\*: (.+)$", re.MULTILINE)


def test_the_page_of_messages_is_what_the_tables_give() -> None:
    generated.check("messages.md", messages_page.messages)


def test_the_page_of_messages_has_every_table() -> None:
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert [name for name in TABLES if f"\n## {name}\n" not in text] == []


def test_the_page_of_formats_names_every_format() -> None:
    named = set(re.findall(r"^### .*\(`(.+)`\)$", (DOCS / "formats.md").read_text(encoding="utf-8"), re.MULTILINE))
    names = {name for heading in named for name in heading.split("`, `")}
    formats = {line_format.name for line_format in FORMATS} | {"json"}
    assert names == formats, "docs/formats.md has a heading for each head, with its name in brackets and a line of it below"


def test_every_dialect_has_a_page_of_its_system() -> None:
    pages = {path.stem for path in (DOCS / "vendors").glob("*.md")}
    assert DIALECTS.keys() - {BASE} - pages == set(), "docs/vendors has a page for each system: how to get its log"


def test_every_example_of_the_page_of_formats_is_read_in_its_format() -> None:
    """Each heading is followed by a block of lines of that format."""
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    for section in text.split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        block = FENCED.search(body)
        assert block is not None, heading
        for line in block[1].splitlines():
            splitter = LineSplitter()
            assert splitter.split(line) is not None, line
            assert ("json" if line.startswith("{") else splitter.format.name) in heading, line


def test_the_glossary_is_in_order_and_explains_each_term_once() -> None:
    terms = [term for term, _ in TERM.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))]
    assert len(terms) >= 40
    assert terms == sorted(set(terms), key=str.casefold)
