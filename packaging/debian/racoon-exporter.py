#!/usr/bin/python3 -IS
# ruff: noqa: INP001  the program of the Debian package
"""Start racoon-exporter with the libraries that came with it, and with no others (-I, -S)."""

import sys

sys.path.insert(0, "/usr/lib/racoon-exporter")

from racoon_exporter.cli import main  # noqa: E402  it is found now

main()
