"""What `explain` says: of a pasted message, of a reason, of an alert. Rows of heading and text."""

from __future__ import annotations

from collections.abc import Iterator

from racoon_exporter import events_output
from racoon_exporter.alerts import alerts
from racoon_exporter.text import visible
from racoon_exporter.wording.reasons import explain as explain_reason
from racoon_parsers.pasted import Found, Paste
from racoon_parsers.reasons import REASONS
from racoon_parsers.record_errors import RecordErrors

Rows = list[tuple[str, str]]


def explanations(text: str, paste: Paste, errors: RecordErrors) -> Iterator[Rows]:
    """Explain a text: the name of a reason or an alert, or messages, as people paste them."""
    named = _named(text.strip())
    if named:
        yield named
        return
    for found in paste.messages(text):
        yield _message(found, errors)


def _named(word: str) -> Rows:
    """Explain a failure reason or an alert; nothing for any other text."""
    if word in REASONS:
        of_phases = {phase: explain_reason(word, phase) for phase in (1, 2)}
        rows = [("reason", word)]
        told = {(one.gloss, one.advice, one.runbook) for one in of_phases.values()}
        for phase, one in of_phases.items():
            of_phase = f" (phase {phase})" if len(told) > 1 else ""
            rows += [
                (f"meaning{of_phase}", one.gloss),
                (f"what to do{of_phase}", one.advice),
                (f"runbook{of_phase}", one.runbook),
            ]
            if len(told) == 1:
                break
        return rows
    alert = alerts().get(word)
    if alert is None:
        return []
    return [("alert", alert.name), ("meaning", alert.meaning), ("causes", alert.causes), ("runbook", alert.runbook)]


def _message(found: Found, errors: RecordErrors) -> Rows:
    rows = [(heading, found.unmasked(value)) for heading, value in events_output.explanation(found.record, errors)]
    if found.guesses:
        rows.insert(1, ("guessed", visible("; ".join(found.guesses))))
    return rows


__all__ = ["Rows", "explanations"]
