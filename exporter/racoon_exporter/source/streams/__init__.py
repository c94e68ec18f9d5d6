"""Lines that come through pipes."""
