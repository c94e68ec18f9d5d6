"""Runbooks: their part that follows from the table of reasons, and the pages that the exporter serves of them.

What is served is written here and committed, so that the exporter needs no Markdown reader of its own.
"""

import re
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from racoon_parsers.reasons import REASONS, Reason, told

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "docs" / "runbooks"
SERVED = Path(str(files("racoon_exporter.status").joinpath("runbooks")))
GENERAL = {"RacoonPhase1Failing": 1, "RacoonPhase2Failing": 2}
"""Pages of alerts that any reason of a phase may have."""
TITLE = "## The reasons"
_SECTION = re.compile(rf"^{TITLE}\n.*?(?=^## )", re.MULTILINE | re.DOTALL)
_BEFORE = "## What to run\n"


def reasons_of(page: str) -> list[Reason]:
    """Give the reasons that a page is about, the most telling first."""
    phase = GENERAL.get(page)
    chosen = [
        reason
        for reason in REASONS.values()
        if page == reason.runbook or page in {alert for _, alert in reason.alerts} or phase in reason.phases
    ]
    return sorted(chosen, key=lambda reason: reason.rank)


def with_reasons(page: str, text: str) -> str:
    """Write a runbook's section about its reasons anew; a page without reasons has none."""
    reasons = reasons_of(page)
    text = _SECTION.sub("", text)
    if not reasons:
        return text
    section = "".join(f"### `{reason.name}`\n\n{_told(page, reason)}\n\n" for reason in reasons)
    return text.replace(_BEFORE, f"{TITLE}\n\n{section}{_BEFORE}", 1)


def _told(page: str, reason: Reason) -> str:
    phases = [GENERAL[page]] if page in GENERAL else sorted(reason.phases)
    told_of = {phase: told(reason.name, phase) for phase in phases}
    if len(set(told_of.values())) == 1:
        gloss, advice = told_of[phases[0]]
        said = f"{gloss} {advice}"
    else:
        said = "\n\n".join(f"Phase {phase}: {gloss} {advice}" for phase, (gloss, advice) in told_of.items())
    own = reason.runbook if reason.runbook not in {"", page} else ""
    return said + (f" More: [{own}]({own}.md)." if own else "")


def rendered(text: str) -> str:
    """Write a runbook as HTML; markup in it is text, and links lead to the runbooks that are served."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[number + 1].content))
        if token.type == "fence":
            token.info = ""  # no class of a language: nothing colours it
        for child in token.children or ():
            _lead_to_served(child)
    return str(reader.renderer.render(tokens, reader.options, {}))


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", heading.strip("`").lower()).strip("-")


def _lead_to_served(token: Token) -> None:
    if token.type == "link_open":
        token.attrSet("href", re.sub(r"^(\w+)\.md(?=#|$)", r"\1", str(token.attrs["href"])))
