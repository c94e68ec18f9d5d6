"""How good it was: up, down, unknown and planned time of each peer, and the outages. Pure; times are seconds of the epoch."""
