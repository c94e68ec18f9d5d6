"""Docs that follow from tables: what they say, rendered from the code."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from racoon_exporter.metrics import METRICS
from racoon_exporter.sa.handlers import HANDLERS
from racoon_exporter.sa.tables import (
    ALIVE,
    EVIDENCE,
    IPSEC,
    IPSEC_EVENTS,
    ISAKMP,
    ISAKMP_EVENTS,
    NEGOTIATION,
    NEGOTIATION_EVENTS,
    Cause,
)
from racoon_parsers.reasons import FAILURE_REASONS, told
from tests.docs import written

DOCS = written.ROOT / "docs"
_REASONS = re.compile(r"^(    Reason:\n      type: string\n      enum:\n)(?:        - \w+\n)*", re.MULTILINE)
BEGIN, END = "<!-- from the tables: begin -->", "<!-- from the tables: end -->"


def check(name: str, render: Callable[[], str]) -> None:
    """Compare the generated part of a page with what the tables give."""
    page = DOCS / name
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    written.check(page, f"{before}{BEGIN}\n{render()}{END}{after}")


def api_description() -> str:
    """Give docs/openapi.yaml with the reasons of the table."""
    reasons = "".join(f"        - {reason}\n" for reason in FAILURE_REASONS)
    return _REASONS.sub(rf"\g<1>{reasons}", (DOCS / "openapi.yaml").read_text(encoding="utf-8"), count=1)


def metrics() -> str:
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.sample_name}` | {row.kind} | {', '.join(row.labels) or 'none'} | {row.help} |" for row in METRICS]
    return "\n".join(lines) + "\n"


Machine = Mapping[Any, Mapping[Any, str]]


def _diagram(table: Machine, begin: Mapping[str, str]) -> list[str]:
    """Draw a table as a Mermaid state diagram, the events of one arrow together."""
    lines = ["```mermaid", "stateDiagram-v2", *(f"    [*] --> {state}: {classes}" for state, classes in begin.items())]
    for state, events in table.items():
        arrows: dict[str, list[str]] = {}
        for event, following in events.items():
            arrows.setdefault(following, []).append(event)
        lines += [f"    {state} --> {following}: {', '.join(names)}" for following, names in arrows.items()]
    lines += [f"    {state} --> [*]" for state, events in table.items() if not events or state == "ended"]
    return [*lines, "```", ""]


def _table(table: Machine, causes: Mapping[Any, Cause]) -> list[str]:
    lines = ["| state | what happens | next state |", "|---|---|---|"]
    lines += [f"| {state} | {event} | {following} |" for state, events in table.items() for event, following in events.items()]
    lines += ["", "| what happens | told by | that is |", "|---|---|---|"]
    lines += [f"| {event} | {_told_by(cause)} | {cause.because} |" for event, cause in causes.items()]
    return [*lines, ""]


def _told_by(cause: Cause) -> str:
    return ", ".join(
        [
            *(f"`{name}`" for name in cause.classes),
            *(["time"] if cause.by_time else []),
            *(["a witness"] if cause.by_witness else []),
        ]
    )


def sa_states() -> str:
    lines = ["## Negotiations", ""]
    lines += _diagram(NEGOTIATION, {"negotiating": "phase1_start, phase2_start", "waiting": "phase2_queued"})
    lines += _table(NEGOTIATION, NEGOTIATION_EVENTS)
    lines += ["## ISAKMP SAs (phase 1)", ""]
    lines += _diagram(ISAKMP, {"established": "phase1_established"})
    lines += _table(ISAKMP, ISAKMP_EVENTS)
    lines += ["## IPsec SAs (phase 2)", ""]
    lines += _diagram(IPSEC, {"mature": "ipsec_sa_established"})
    lines += _table(IPSEC, IPSEC_EVENTS)
    lines += [f"An SA exists in these states: {', '.join(sorted(ALIVE))}.", ""]
    lines += ["## Reasons, the most telling first", ""]
    lines += ["| reason | what to do |", "|---|---|"]
    lines += [f"| `{reason}` | {told(reason).advice} |" for reason in FAILURE_REASONS]
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
