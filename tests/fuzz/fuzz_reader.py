"""Whatever bytes a log holds, reading it raises nothing, and cutting it between any two lines changes nothing.

    python -m tests.fuzz.fuzz_reader CORPUS -max_total_time=60

libFuzzer's flags apply; `make fuzz` seeds the corpus from the samples first.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["racoon_parsers"]):
    from tests.fuzz.rule import check


def main() -> None:
    """Run the fuzzer."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
