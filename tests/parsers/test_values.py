"""Values in forms that racoon never prints: the message is known, and no value is made up or raised over."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers.fields import FIELDS
from racoon_parsers.messages import catalogue
from tests import strategies as its

from .samples import records_of, values_of

MANY = "9" * 5000


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("purging spi=041280704.", {"spi": "41280704"}),
        ("purging spi=deadbeef.", {}),
        (f"purging spi={MANY}.", {}),
        (f"caught signal {MANY}", {}),
        (f"ISAKMP-SA established 192.0.2.1[{MANY}]-198.51.100.7[500] spi:0123456789abcdef:0123456789abcdef", {}),
        (f"certificate has expired(10) at depth:{'0' * 30} SubjectName:/CN=x", {}),
        (f"IPsec-SA established: ESP/Tunnel 192.0.2.1[0]->198.51.100.7[0] spi={MANY}(0x1)", {}),
        (f"racoon process {MANY} shutdown", {}),
    ],
    ids=["octal", "bare hexadecimal", "long SPI", "long signal", "long port", "long depth", "long SPI of an SA", "long pid"],
)
def test_an_odd_number_is_no_value(text: str, values: dict[str, str]) -> None:
    (record,) = records_of([f"2026-01-15 08:30:02: INFO: {text}"])
    assert values_of(record) == values


@pytest.mark.parametrize("name", sorted(FIELDS))
@given(text=st.text("0123456789abcdefABCDEFx-+_[].:%٣² ", max_size=40) | its.log_texts | st.just(MANY))
def test_a_field_reads_whatever_its_pattern_takes(name: str, text: str) -> None:
    """Readers may not raise: the pattern bounds what they are given."""
    for value in FIELDS[name].values:
        if re.fullmatch(value.pattern, text, re.DOTALL) and value.read is not None:
            assert value.read(text) is not None


def test_messages_are_never_unreadable() -> None:
    assert all(row.read("") is not None for row in catalogue().messages)
