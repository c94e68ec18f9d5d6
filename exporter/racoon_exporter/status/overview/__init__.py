"""What is shown of the engine, as values: copied while the reader waits, worked out afterwards. Pure."""
