"""Android's logcat, and the standard error of a build off the device."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import Dialect, head

_LEVELS: Final = {"E": "ERROR", "W": "WARNING", "I": "INFO", "N": "NOTIFY", "D": "DEBUG", "V": "DEBUG2"}
_TIME: Final = (
    r"(?:(?P<stamp_logcat>\d\d-\d\d \d\d:\d\d:\d\d\.\d+)|(?P<stamp_local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+))(?: [+-]\d{4})?"
)

DIALECT: Final = Dialect(
    "android",
    "Android",
    formats=(
        head(
            "logcat",
            "",
            rf"{_TIME}\s+(?:\w[\w.-]*\s+)?(?P<pid>\d+)\s+\d+ (?P<collected>[VDIWEN]) (?P<ident>\S+)\s*: (?P<text>.*)",
            levels=_LEVELS,
        ),
        head(
            "logcat-time",
            "",
            rf"{_TIME} (?P<collected>[VDIWEN])/(?P<ident>[^\s(]+)\s*\(\s*(?P<pid>\d+)\): (?P<text>.*)",
            levels=_LEVELS,
        ),
        head(
            "logcat-brief",
            "",
            r"(?P<collected>[VDIWEN])/(?P<ident>[^\s(]+)\s*\(\s*(?P<pid>\d+)\): (?P<text>.*)",
            levels=_LEVELS,
        ),
        head("android-stderr", "", r"(?P<collected>[EWIN]): (?P<text>.*)", raw=True, levels=_LEVELS),
    ),
)
