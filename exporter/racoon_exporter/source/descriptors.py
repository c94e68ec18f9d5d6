"""How many files may be open: the limit is raised as far as it goes; the web endpoint and the state file keep their share."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)

WANTED = 65_536
"""More than anybody has logs; some systems have no hard limit at all."""

RESERVED = 512
"""Kept for the connections of the web endpoint (256), watched directories (three each), the state file and the like."""

LEAST = 16


def raise_limit() -> int:
    """Raise the limit of open files as far as this user may; returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return WANTED if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # macOS has a lower limit that it does not tell
        logger.warning("the limit of %d open files cannot be raised: %s", soft, error)
        return soft
    return wanted


def for_files(limit: int, *, connections: int = 0) -> int:
    """Return how many logs may be open at a limit, where `connections` more may be open to senders of syslog."""
    return max(LEAST, limit - RESERVED - connections)
