"""Why a peer is as it is and what to do about it, in the words of the exporter's page."""

from racoon_dashboards.palette import GREY, Words
from racoon_parsers.reasons import BRING_UP, NEVER_UP, REASONS, told

_OTHERWISE = {
    "up": ("Nothing fails.", "Nothing to do."),
    "idle": ("It is not connected, and need not be.", "Nothing to do, unless somebody misses it."),
    "down": ("No failure is known: nothing asked for it, or its end was not renewed.", BRING_UP),
    "never": ("It was never up since the log begins.", NEVER_UP),
    "stopped": (
        "racoon does not run at this gateway.",
        "Start racoon; its log, and the runbook RacoonDaemonDown, say why it ended.",
    ),
    "quiet": (
        "The log does not tell: racoon logs too little, or no line of it was read.",
        "Put `log info;` into racoon.conf, and see the board of health.",
    ),
    "away": ("The exporter cannot be scraped: nothing is known.", "Is the gateway up, and is racoon-exporter running there?"),
}
"""What is said where no reason is known: what it is, and what to do."""


def _words(part: int) -> Words:
    words = {why: (texts[part], GREY) for why, texts in _OTHERWISE.items()}
    for phase in (1, 2):
        for name in REASONS:
            words[f"{phase} {name}"] = (f"Phase {phase}: {told(name, phase)[0]}" if part == 0 else told(name, phase)[1], GREY)
    return words


WHY = _words(0)
WHAT_TO_DO = _words(1)
