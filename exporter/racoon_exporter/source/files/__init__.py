"""Files that are followed through rotation, and files that are read once."""
