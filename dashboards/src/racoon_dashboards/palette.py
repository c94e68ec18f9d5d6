"""Colours and words: those of Okabe and Ito, which people with any colour vision tell apart; a state is a word as well."""

from collections.abc import Mapping, Sequence

BLUE, SKY, GREEN, YELLOW, ORANGE, VERMILION, GREY = (
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#E69F00",
    "#D55E00",
    "#808080",
)

Words = Mapping[str, tuple[str, str]]
"""Value, what is shown for it, and its colour."""
Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour."""

NEUTRAL: Steps = ((None, BLUE),)
ANY_IS_BAD: Steps = ((None, BLUE), (1, VERMILION))
ANY_IS_ODD: Steps = ((None, BLUE), (1, ORANGE))
