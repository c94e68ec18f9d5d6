"""The page of all messages, rendered from the catalogue's tables."""

from collections.abc import Iterator

from racoon_parsers.event_classes import EVENT_CLASSES
from racoon_parsers.events import EVENT_TYPES, Event
from racoon_parsers.message import Message
from racoon_parsers.messages import OWN, TABLES, catalogue, own_rows, read_rows
from racoon_parsers.messages.table import DECIDED_LATER
from racoon_parsers.reasons import REASON_OF_CLASS


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
    for kind in EVENT_CLASSES.values():
        yield f"| `{kind.name}` | {kind.meaning} | {counts.get(kind.name, 0)} |"
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
    if not reason:
        return "none"
    return DECIDED_LATER.get(reason) or f"`{REASON_OF_CLASS[reason]}`"
