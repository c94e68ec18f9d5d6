"""The pages: an overview in, HTML out. Pure."""
