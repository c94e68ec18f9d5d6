"""Racoon's messages as people quote them: a console or a web page that lost its line breaks."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from racoon_parsers.catalogue import Catalogue
from racoon_parsers.line import LEVELS, STAMPS, TAG

_STAMP: Final = rf"{STAMPS['local']}: |(?:{STAMPS['rfc3164']}|{STAMPS['iso']}) (?:\S{{1,255}}+ )?\S{{1,255}}: "
_LEVEL: Final = "|".join(map(re.escape, LEVELS))
_HEAD: Final = re.compile(rf"(?:{_STAMP})?(?:\[{TAG}\] )?(?:{_LEVEL}): ")


def quoted_messages(text: str, catalogue: Catalogue) -> list[str]:
    """Take a quotation apart before every level that a known message follows.

    For texts that a person hands in to have them explained. A log is not read so: a name that a peer chose may hold all
    that a message does, and would pose as one.
    """
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    starts = [head.start() for head, end in zip(heads, ends, strict=True) if _is_message(text[head.end() : end], catalogue)]
    if starts and not _is_message(text[: starts[0]], catalogue):
        del starts[0]  # what stands before the first level is its own head
    return [text[start:end].strip() for start, end in pairwise([0, *starts, len(text)])]


def _is_message(text: str, catalogue: Catalogue) -> bool:
    return catalogue.find(text.strip()) not in (None, catalogue.free_text)
