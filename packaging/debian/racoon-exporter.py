#!/usr/bin/python3 -IS
"""Start racoon-exporter with the libraries that came with it, and with no others (-I, -S)."""

import sys

sys.path.insert(0, "/usr/lib/racoon-exporter")

from racoon_exporter.cli import run

run()
