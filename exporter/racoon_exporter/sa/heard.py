"""What a handler is given: a message, its values, and what follows from both."""

from __future__ import annotations

from typing import Generic, TypeVar

from racoon_parsers.message import Message
from racoon_parsers.reasons import severity_and_reason

Values = TypeVar("Values")


class Heard(Generic[Values]):
    """A message of racoon with its values. Its severity and reason are worked out when somebody asks for them.

    A message that is said again and again is one of these: nothing in it depends on the time or on the daemon.
    """

    __slots__ = ("_verdict", "address", "event", "message", "sender")

    def __init__(self, message: Message, event: Values, tag: str) -> None:
        self.message = message
        self.event = event
        peer = getattr(event, "peer", None)
        self.sender = tag if tag and message.tag != "local" else None
        """The peer's address, where it stands before the level."""
        self.address: str | None = self.sender if peer is None else peer.address
        """The peer's address, from a value of the message or from before the level."""
        self._verdict: tuple[str, str | None] | None = None

    @property
    def severity(self) -> str:
        """How bad it is, whatever racoon's level says."""
        return self._judged()[0]

    @property
    def reason(self) -> str | None:
        """Why a negotiation fails, if the message tells."""
        return self._judged()[1]

    @property
    def blames(self) -> str | None:
        """The reason, unless the message is harmless: no failure follows from it then."""
        return None if self.severity in NOT_EVIDENCE else self.reason

    def _judged(self) -> tuple[str, str | None]:
        if self._verdict is None:
            self._verdict = severity_and_reason(self.message, self.event)  # type: ignore[arg-type]
        return self._verdict


NOT_EVIDENCE = frozenset({"info", "notice"})
"""Severities that no failure follows from."""
