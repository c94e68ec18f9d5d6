"""The page of all messages, rendered from the catalogue's tables."""

from collections.abc import Iterator
from pathlib import Path

from racoon_parsers.events import EVENT_TYPES, Event
from racoon_parsers.message import Message
from racoon_parsers.messages import OWN, TABLES, catalogue, own_rows, read_rows
from racoon_parsers.reasons import REASON_OF_CLASS
from racoon_parsers.tsv import read_table

EVENT_CLASSES = Path(__file__).with_name("event_classes.tsv")
DECIDED_LATER = {"by_code": "as OpenSSL's number says", "replaced": "none: a newer SA took over", "": "none"}


def messages() -> str:
    """Give the generated part of `docs/messages.md`."""
    lines = [*_classes(), *_values()]
    for name in TABLES:
        lines += _table(name)
    return "\n".join(lines) + "\n"


def _classes() -> Iterator[str]:
    counts: dict[str, int] = {}
    for message in (*catalogue().messages, *(row for name in OWN for row in own_rows(name))):
        counts[message.event] = counts.get(message.event, 0) + 1
    yield from ("## Event classes", "", "| event | meaning | messages |", "|---|---|---|")
    for _, row in read_table(EVENT_CLASSES.read_text(encoding="utf-8"), EVENT_CLASSES.name):
        yield f"| `{row['event']}` | {row['meaning']} | {counts[row['event']]} |"
    yield ""


def _values() -> Iterator[str]:
    yield from ("## Values that are read", "", "| event | values | meaning |", "|---|---|---|")
    for name, kind in EVENT_TYPES.items():
        values = ", ".join(f"`{value}`" for value in kind._fields) or "none"
        yield f"| `{name}` | {values} | {_first_paragraph(kind)} |"
    yield ""


def _first_paragraph(kind: type[Event]) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _table(name: str) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[Message]] = {}
    for message in read_rows(name):
        groups.setdefault((message.event, message.severity, message.reason, message.gloss), []).append(message)
    yield from (f"## {name}", "")
    for (event, severity, reason, gloss), rows in groups.items():
        yield f"`{event}`, {severity}, reason {_reason(reason)}. {gloss}"
        yield from ("", "```text", *(message.template or "(empty)" for message in rows), "```", "")


def _reason(reason: str) -> str:
    return DECIDED_LATER.get(reason) or f"`{REASON_OF_CLASS[reason]}`"
