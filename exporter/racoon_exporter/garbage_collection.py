"""How often a program that reads logs lets Python look for reference cycles."""

from __future__ import annotations

import atexit
import gc


def spare_the_collector() -> None:
    """Let Python look for reference cycles rarely: what an engine makes of lines has none, and it makes a lot.

    At the end it need not look at all: the process gives back everything at once. For programs that read logs; a library
    leaves the collector alone.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.freeze)
    gc.set_threshold(500_000, 20, 20)
