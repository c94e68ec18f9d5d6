"""How keys are dumped: digits in groups of any width with anything between, one long number, or a list of numbers."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "[0-9a-fA-F]"
_PREFIX: Final = "(?:0[xX]|[xXuU]|)"
"""What may stand before the digits of a group; none of it begins with two of them, so nothing is matched in another way."""
_BETWEEN: Final = rf"[^0-9A-Za-z\n]{{1,3}}+{_PREFIX}[^0-9A-Za-z\n]?+"
"""What may stand between two groups of digits: blanks and marks, `, 0x`, `\\x`, `%`, `}\\u{`, `;&#x`."""
_END: Final = "(?![0-9A-Za-z])"
"""Behind the last digit of a group: what goes on is a word or a longer number."""


def _more(group: str, between: str, fewest: int, cut: str = "", torn: int = 0) -> str:
    """Give the pattern of so many further groups, or more, with the same between each two.

    Lines may be broken between them, and behind them may stand what they say in characters. At the end of a text, which is torn
    there, fewer are enough, and the last may be cut, or what stands between.
    """
    name = f"b{fewest}{len(group)}{len(between)}"  # a name for each that stands in one pattern
    same = rf"(?:(?P={name})|\s{{1,8}}+)"
    again = f"{same}{group}"
    ends = rf"(?:{same}(?:{cut})|[^0-9A-Za-z\n]{{1,3}}+(?:0?[xX]?+|[uU])?+[^0-9A-Za-z\n]?+)?+\Z"
    behind = rf"(?:{ends}|[ \t]{{2,8}}+\S{{3,20}}+|[ \t]{{1,4}}+[^\n]{{1,20}}+(?=\n|\Z))?+"
    few = rf"|(?:{again}){{0,{fewest - 1 - torn}}}+{ends}" if torn else ""
    least = max(torn, 1) - 1
    return rf"(?P<{name}>{between}){group}{again * least}(?:(?:{again}){{{fewest - 1 - least},2048}}+{behind}{few})"


_TWO, _FOUR, _EIGHT = (f"{_DIGITS}{{{width}}}{_END}" for width in (2, 4, 8))
_DATE: Final = "(?:19|20)[0-9]{6}"
"""Eight digits before a time, in names of files and versions."""
_SMALL: Final = rf"(?>[0-9]{{1,3}}+{_END}|{_TWO})"
"""A byte, in decimal or in hexadecimal digits."""
_PAIRS: Final = (
    rf"{_more(_TWO, ' ', 3, f'{_DIGITS}?', 2)}|(?<!:..){_more(_TWO, ':', 6, f'{_DIGITS}?', 3)}|{_more(_TWO, '[.]', 5)}"
)
_FOURS: Final = (
    rf"(?<!:.{{4}})(?:{_more(_FOUR, ':', 8)}|(?<![23Ff].{{3}}){_more(_FOUR, ':', 5, f'{_DIGITS}{{1,3}}', 3)})"
    rf"|{_more(_FOUR, f'(?!:){_BETWEEN}', 3, f'{_DIGITS}{{1,3}}', 2)}"
)
_NEXT: Final = r"(?: |\n\s{0,3}+)"
"""What `plogdump()` has between two groups."""
_EIGHTS: Final = (
    rf"(?<!:.{{8}})(?<!{_DATE})(?:{_NEXT}{_DIGITS}{{2,8}}+){{1,512}}+(?:{_NEXT}{_DIGITS}\Z)?+"
    rf"|{_END}{_more(_EIGHT, _BETWEEN, 2, f'{_DIGITS}{{1,7}}', 1)}|{_END}{_BETWEEN}{_DIGITS}{{2,7}}+\Z"
)
_NUMBER: Final = rf"{_DIGITS}{{3,7}}+\Z|(?<!:.{{8}}){_DIGITS}{{8,4096}}+(?!:)"
_LIST: Final = rf"{_SMALL}{_more(_SMALL, f'(?![.:]){_BETWEEN}', 5, f'{_DIGITS}?', 3)}"
_DUMP: Final = re.compile(
    rf"[^0-9A-Za-z](?=[0-9A-FXUa-fxu])(?=[0-9](?![.:]|[0-9][0-9][.:])|[A-FXUa-fxu]{_DIGITS})(?P<dump>{_PREFIX}"
    rf"(?:{_DIGITS}{{2}}(?:{_END}(?:{_PAIRS})|{_DIGITS}{{2}}(?:{_END}(?:{_FOURS})|{_DIGITS}{{4}}(?:{_EIGHTS}|{_NUMBER})))|{_LIST})"
    r"|(?<!:)0s[0-9A-Za-z+/]{8,4096}+)"
)
"""A dump, or a key as one number, or as a list of them; and before it what ends a word: few places of a text are tried.

Cookies are two numbers of 16 digits with a colon between them; six pairs with colons are an address of Ethernet, eight groups
one of IPv6, which begin with 2, 3 or f; lists with dots name algorithms. Where a line ends within a group, what begins of it
belongs to the rest.
"""
_ONLY_DIGITS: Final = re.compile(rf"\s*+(?:{_DIGITS}{{2,}}+\s*+)++$")
NEWLINE: Final = r"(?:[#\\]01[1-5]|\\[nrt]|\^[IJM])"
"""The end of a line as collectors write it: `#012` (rsyslog, and as it can be told, `\\012` and `\\n`), `^J` (syslogd)."""
_NEWLINE: Final = re.compile(NEWLINE)


def only_digits(text: str) -> bool:
    """Whether a text is nothing but groups of digits."""
    return _ONLY_DIGITS.match(_with_newlines(text)) is not None


def dumps(text: str) -> list[tuple[int, int]]:
    """Find the dumps in a text."""
    behind_a_blank = f" {_with_newlines(text)}"
    spans = []
    found = _DUMP.search(behind_a_blank)
    while found is not None:
        spans.append((found.start("dump") - 1, found.end() - 1))
        found = _DUMP.search(behind_a_blank, found.end() - 1)  # its last character may be what ends a word
    return spans


def _with_newlines(text: str) -> str:
    """Give a text of the same length in which the ends of lines are ones."""
    if "#" not in text and "\\" not in text and "^" not in text:
        return text
    return _NEWLINE.sub(lambda found: f"\n{' ' * (len(found[0]) - 1)}", text)
