"""How rotated files of a log are named: the one place that knows. Names only.

logrotate and newsyslog write `LOG.1` (the youngest) to `LOG.N`, or with `dateext` `LOG-20260131`; with `extension .log`
the number stands before the extension: `racoon.1.log`. Programs put a time behind the date, and scripts keep one `LOG.old`.
Each may be compressed.
"""

from __future__ import annotations

import re
from typing import Final

COMPRESSED: Final = (".gz", ".bz2", ".xz")
"""Compressions that can be read."""
_TIME: Final = r"[-_.T]?\d{2}(?:[-:]\d{2}){1,2}(?:\.\d{1,9})?|[-_.T]?\d{2,10}|-\d"
SUFFIX: Final = rf"(?:\.(?:(?P<number>\d{{1,4}})|old)|[-._](?P<date>\d{{4}}-?\d{{2}}-?\d{{2}}(?:(?:{_TIME})Z?)?|\d{{9,11}}))"
PACKED: Final = r"(?P<packed>\.(?:gz|bz2|xz))?"
AFTER: Final = re.compile(rf"(?P<stem>.+?){SUFFIX}{PACKED}", re.DOTALL)
BEFORE_EXTENSION: Final = re.compile(rf"(?P<stem>.+?){SUFFIX}(?P<extension>\.[^.\d][^.]*?){PACKED}", re.DOTALL)


__all__ = ["AFTER", "BEFORE_EXTENSION", "COMPRESSED", "PACKED", "SUFFIX"]
