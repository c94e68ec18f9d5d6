"""Docs that follow from tables: rendered from the code, committed, and compared.

`REWRITE_DOCS=1 pytest tests/docs` writes them anew; a run that rewrote fails.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from racoon_exporter.metrics import METRICS, Row
from racoon_exporter.sa.state import HANDLERS
from racoon_exporter.sa.tables import (
    ALIVE,
    EVIDENCE,
    IPSEC_TRANSITIONS,
    ISAKMP_TRANSITIONS,
    MOST_TELLING,
    NEGOTIATION_TRANSITIONS,
)
from racoon_parsers.advice import BY_REASON

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- from the tables: begin -->", "<!-- from the tables: end -->"


def check(name: str, render: Callable[[], str]) -> None:
    """Compare the generated part of a page with what the tables give."""
    page = DOCS / name
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    wanted = f"{before}{BEGIN}\n{render()}{END}{after}"
    if os.environ.get("REWRITE_DOCS") and wanted != text:
        page.write_text(wanted, encoding="utf-8")
        pytest.fail(f"{name} rewritten: look at the difference, then run without REWRITE_DOCS")
    assert text == wanted, f"docs/{name} is not what the tables say (REWRITE_DOCS=1 writes it anew)"


def metrics() -> str:
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    lines += [f"| `{_name(row)}` | {row.kind} | {', '.join(row.labels) or 'none'} | {row.help} |" for row in METRICS]
    return "\n".join(lines) + "\n"


def _name(row: Row) -> str:
    return f"{row.name}_total" if row.kind == "counter" else row.name


def _diagram(table: dict[str, dict[str, str]], first: str, begin: str) -> list[str]:
    """Draw a table as a Mermaid state diagram, the events of one arrow together."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}: {begin}"]
    if "waiting" in table:
        lines.append("    [*] --> waiting: phase2_queued")
    for state, events in table.items():
        arrows: dict[str, list[str]] = {}
        for event, following in events.items():
            arrows.setdefault(following, []).append(event)
        lines += [f"    {state} --> {following}: {', '.join(names)}" for following, names in arrows.items()]
    ends = {following for events in table.values() for following in events.values()} - set(table)
    lines += [f"    {end} --> [*]" for end in sorted(ends)]
    return [*lines, "```", ""]


def _table(table: dict[str, dict[str, str]]) -> list[str]:
    lines = ["| state | event | next state |", "|---|---|---|"]
    lines += [
        f"| {state} | `{event}` | {following} |" for state, events in table.items() for event, following in events.items()
    ]
    return [*lines, ""]


def sa_states() -> str:
    lines = ["## Negotiations", ""]
    lines += _diagram(NEGOTIATION_TRANSITIONS, "negotiating", "phase1_start, phase2_start")
    lines += _table(NEGOTIATION_TRANSITIONS)
    lines += ["## ISAKMP SAs (phase 1)", ""]
    lines += _diagram(ISAKMP_TRANSITIONS, "established", "phase1_established")
    lines += _table(ISAKMP_TRANSITIONS)
    lines += ["## IPsec SAs (phase 2)", ""]
    lines += _diagram(IPSEC_TRANSITIONS, "mature", "ipsec_sa_established")
    lines += _table(IPSEC_TRANSITIONS)
    lines += [f"An SA exists in these states: {', '.join(sorted(ALIVE))}.", ""]
    lines += ["## Reasons, the most telling first", ""]
    lines += ["| reason | what to do |", "|---|---|"]
    lines += [f"| `{reason}` | {BY_REASON[reason]} |" for reason in MOST_TELLING]
    lines += ["", "## Event classes that may be evidence", "", "| event | phase |", "|---|---|"]
    lines += [f"| `{event}` | {phase or 'of the negotiation it belongs to'} |" for event, phase in EVIDENCE.items()]
    lines += ["", "## What each event class does", "", "| event | function |", "|---|---|"]
    lines += [
        f"| `{event}` | `{handler.__module__.rpartition('.')[2]}.{handler.__name__}`: {_first_line(handler)} |"
        for event, handler in HANDLERS.items()
    ]
    return "\n".join(lines) + "\n"


def _first_line(handler: Callable[..., None]) -> str:
    return (handler.__doc__ or "").strip().partition("\n")[0]
