"""A message that does not say when and where it was written has the time it came, and the address it came from."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.source.syslog.relay import complete, name_of
from racoon_parsers.clock import Clock
from racoon_parsers.dialects import DIALECTS
from racoon_parsers.line import LineSplitter, is_racoon

NOW = 1_768_465_802.9
"""2026-01-15 08:30:02.9 UTC"""
UP = "ISAKMP-SA established 192.0.2.1[500]-198.51.100.7[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718"
HOST = b"192.0.2.9"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (f"<30>ipsec,info {UP}", f"<30>2026-01-15T08:30:02Z 192.0.2.9 ipsec,info {UP}"),
        (f"ipsec, info {UP}", f"2026-01-15T08:30:02Z 192.0.2.9 ipsec, info {UP}"),
        (f"<13>ipsec {UP}", f"<13>2026-01-15T08:30:02Z 192.0.2.9 ipsec {UP}"),
        (f"<30>ipsec,info gw1: {UP}", f"<30>2026-01-15T08:30:02Z 192.0.2.9 ipsec,info gw1: {UP}"),
        (f"<30>racoon: INFO: {UP}", f"<30>2026-01-15T08:30:02Z 192.0.2.9 racoon: INFO: {UP}"),
        (f"<30>racoon[99]: INFO: {UP}", f"<30>2026-01-15T08:30:02Z 192.0.2.9 racoon[99]: INFO: {UP}"),
        (f"INFO: {UP}", f"2026-01-15T08:30:02Z 192.0.2.9 racoon: INFO: {UP}"),
        (f"[198.51.100.7] INFO: {UP}", f"2026-01-15T08:30:02Z 192.0.2.9 racoon: [198.51.100.7] INFO: {UP}"),
        (f"2026-01-15 08:29:59: INFO: {UP}", f"2026-01-15T08:30:02Z 192.0.2.9 racoon: 2026-01-15 08:29:59: INFO: {UP}"),
        (f"<30>Jan 15 08:30:01 racoon[99]: INFO: {UP}", f"<30>Jan 15 08:30:01 192.0.2.9 racoon[99]: INFO: {UP}"),
        (
            f"<30>Jan 15 08:30:01 daemon.info racoon: INFO: {UP}",
            f"<30>Jan 15 08:30:01 192.0.2.9 daemon.info racoon: INFO: {UP}",
        ),
        (f"Jan 15 08:30:01 ipsec,info {UP}", f"Jan 15 08:30:01 192.0.2.9 ipsec,info {UP}"),
        (f"2026-01-15T08:30:01Z racoon: INFO: {UP}", f"2026-01-15T08:30:01Z 192.0.2.9 racoon: INFO: {UP}"),
        (f"<30>daemon.info racoon: INFO: {UP}", f"<30>2026-01-15T08:30:02Z 192.0.2.9 daemon.info racoon: INFO: {UP}"),
        (f"<30>1 - - racoon 99 - - INFO: {UP}", f"<30>1 2026-01-15T08:30:02Z 192.0.2.9 racoon 99 - - INFO: {UP}"),
    ],
)
def test_what_a_message_does_not_say_is_added(message: str, line: str) -> None:
    found = complete(message.encode(), HOST, NOW).decode()
    assert found == line
    parsed = LineSplitter().split(found)
    assert parsed is not None
    assert (parsed.host, parsed.text.removeprefix("gw1: ")) == (HOST.decode(), UP)
    assert is_racoon(parsed.ident) or DIALECTS["mikrotik"].program.search(parsed.ident)
    time = Clock(UTC, NOW).time(parsed.kind, parsed.stamp)
    assert time is not None
    assert abs(time - NOW) < 2


@pytest.mark.parametrize(
    "message",
    [
        "<14>VPN Information [Thu Jan 15 08:30:01 2026(GMT)] [DSR] [2] [VPN] [Info] [IPSEC] [Received unknown Vendor ID]",
        "<14>[VPN] [Information] [IPSEC] [Received unknown Vendor ID]",
        "2026 Jan 15 08:30:01 [FVS336GV2] [IKE] Received unknown Vendor ID_",
        "<30>2026-01-15 08:30:01: [rv120w][IKE] INFO:  Received unknown Vendor ID",
    ],
)
def test_what_a_system_puts_first_stays_in_one_piece_behind_the_head(message: str) -> None:
    found = complete(message.encode(), HOST, NOW).decode()
    assert found == f"{message[: message.find('>') + 1]}2026-01-15T08:30:02Z 192.0.2.9 {message[message.find('>') + 1 :]}"
    parsed = LineSplitter().split(found)
    assert parsed is not None
    assert (parsed.host, parsed.dialect, parsed.text) == (HOST.decode(), "teamf1", "Received unknown Vendor ID")


@pytest.mark.parametrize(
    "message",
    [
        "<30>Jan 15 08:30:01 berlin racoon: INFO: caught signal 15",
        "<30>Jan 15 08:30:01 2001:db8::1 racoon: INFO: caught signal 15",
        "<30>Jan 15 08:30:01 s_net@berlin/relay racoon: INFO: caught signal 15",
        "<30>Jan 15 08:30:01 <daemon.info> berlin racoon: INFO: caught signal 15",
        "<30>Jan 15 2026 08:30:01 berlin racoon: INFO: caught signal 15",
        "<30>1 2026-01-15T08:30:01.5+01:00 berlin racoon 99 - - INFO: caught signal 15",
        "Jan 15 08:30:02 rb4011 198.51.100.15 failed to get valid proposal.",
        "1768465802.894083034 MX84 events Site-to-site VPN: purging ISAKMP-SA spi=8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
        "Jan 15 08:30:01 192.0.2.8 VPN Information [Tue Dec  4 11:05:12 2018(GMT)] [DSR-250] [2.11] [VPN] [Info] [IPSEC] [x]",
        '{"message": "INFO: caught signal 15"}',
        "last message repeated 3 times",
        "",
        "<30>",
    ],
)
def test_what_says_both_or_nothing_that_could_be_racoons_stays(message: str) -> None:
    assert complete(message.encode(), HOST, NOW) == message.encode()


@given(
    st.lists(
        st.sampled_from([b"<30>", b"1 ", b"- ", b"Jan 15 08:30:01 ", b"racoon: ", b"INFO: ", b"ipsec,", b"x", b"\xff", b" "])
    )
)
def test_nothing_of_a_message_is_lost_and_it_stays_one_line(pieces: list[bytes]) -> None:
    message = b"".join(pieces) + b"the text\n"
    found = complete(message, HOST, NOW)
    assert found.count(b"\n") == 1
    assert found.endswith(b"the text\n")
    assert sum(map(found.count, (b"racoon", b"INFO", b"x"))) >= sum(map(message.count, (b"racoon", b"INFO", b"x")))


def test_a_sender_on_this_machine_names_no_gateway() -> None:
    assert complete(f"<30>ipsec,info {UP}".encode(), name_of("127.0.0.1"), NOW).decode() == (
        f"<30>2026-01-15T08:30:02Z ipsec,info {UP}"
    )
    message = f"<30>Jan 15 08:30:01 racoon: INFO: {UP}".encode()
    assert complete(message, name_of("::1"), NOW) == message


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.9", b"192.0.2.9"),
        ("::ffff:192.0.2.9", b"192.0.2.9"),
        ("fe80::1%eth0", b"fe80::1"),
        ("::ffff:127.0.0.1", b""),
        ("unix:///run/log.sock", b""),
    ],
)
def test_a_gateway_is_named_by_its_address(address: str, name: bytes) -> None:
    assert name_of(address) == name
