"""The JSON API: parameters in, bodies out. Pure."""
