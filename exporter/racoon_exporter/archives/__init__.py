"""Old logs, read once from front to back: what to read in which order, on all cores, and what comes of it."""
