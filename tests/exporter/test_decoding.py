"""What a log's transport adds to its text is none of it."""

from datetime import UTC

import pytest

from racoon_exporter.engine import Engine
from tests.exporter.reading import block, phase1

UP = "INFO: ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:0123456789abcdef:fedcba9876543210"


@pytest.mark.parametrize(
    "line",
    [
        f"\ufeff2026-01-15 08:30:02: {UP}",
        f"\ufeffJan 15 08:30:02 berlin racoon: {UP}",
        f"<30>1 2026-01-15T08:30:02Z berlin racoon 99 - - \ufeff{UP}",
        f'\ufeff{{"message": "\\ufeff{UP}", "host": "berlin", "program": "racoon"}}',
    ],
    ids=["a file saved on Windows", "syslog", "RFC 5424", "JSON"],
)
def test_a_byte_order_mark(line: str) -> None:
    engine = Engine(UTC)
    engine.feed(block(f"{line}\n".encode()))
    engine.finish()
    assert [sa.peer for sa in phase1(engine)] == ["198.51.100.7"]
