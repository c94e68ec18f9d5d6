"""Android's logcat, and the standard error of a build off the device."""

from __future__ import annotations

from typing import Final

from racoon_parsers.dialects.base import Dialect, head

_LEVELS: Final = {"E": "ERROR", "W": "WARNING", "I": "INFO", "N": "NOTIFY", "D": "DEBUG", "V": "DEBUG2"}
_TIME: Final = r"(?P<stamp>\d\d-\d\d \d\d:\d\d:\d\d\.\d+)"

DIALECT: Final = Dialect(
    "android",
    "Android",
    formats=(
        head(
            "logcat",
            "logcat",
            rf"{_TIME}\s+(?P<pid>\d+)\s+\d+ (?P<collected>[VDIWEN]) (?P<ident>\S+)\s*: (?P<text>.*)",
            levels=_LEVELS,
        ),
        head(
            "logcat-time",
            "logcat",
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
