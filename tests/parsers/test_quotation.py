"""Quotations that lost their line breaks, taken apart again."""

from __future__ import annotations

import pytest

from racoon_parsers.messages import catalogue
from racoon_parsers.quotation import quoted_messages

from .samples import FOLDER, read_samples

SEED = tuple(line for sample in read_samples(FOLDER / "seed.log") for line in sample.lines)
STARTED = "INFO: begin Aggressive mode."
ENDED = "INFO: caught signal 15"


@pytest.mark.parametrize("joint", [" ", "", "  \n "], ids=["a blank", "nothing", "blanks and a newline"])
@pytest.mark.parametrize(
    "head", ["", "2005-04-21 10:00:00: ", "Apr 21 10:00:00 gw racoon: ", "2005-04-21T10:00:00Z gw racoon[7]: "]
)
def test_a_console_without_line_breaks_gives_its_messages(joint: str, head: str) -> None:
    lines = [head + line for line in SEED]
    assert quoted_messages(joint.join(lines), catalogue()) == lines


@pytest.mark.parametrize(
    "text",
    [
        STARTED,
        "begin Aggressive mode.",
        "2026-01-15 08:30:02: [198.51.100.7] ERROR: no suitable proposal found.",
        "Jan 15 08:30:02 berlin racoon: INFO: begin Aggressive mode.",
        "<30>1 2026-01-15T08:30:02Z berlin racoon 99 - - INFO: begin Aggressive mode.",
        'INFO: login succeeded for user "INFO: nothing that racoon says"',
        "no message at all",
        "",
    ],
)
def test_one_message_stays_one(text: str) -> None:
    assert quoted_messages(text, catalogue()) == [text]


def test_a_message_without_level_may_stand_first() -> None:
    assert quoted_messages(f"begin Aggressive mode. {ENDED}", catalogue()) == ["begin Aggressive mode.", ENDED]
