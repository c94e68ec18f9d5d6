"""What a line costs does not grow with what is remembered: who writes the log, or knocks often enough, fills every bound."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.sa import isakmp, negotiations, phase2
from racoon_exporter.sa.blame import rules, timeouts
from tests.exporter.reading import BANNER, L, P, block, sa, start, told, up
from tests.steps import steps

FEW, MANY = 40, 640


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that both numbers are above."""
    monkeypatch.setattr(isakmp, "_MOST_ASKED", 16)
    monkeypatch.setattr(negotiations, "_MOST_NEWEST", 16)
    monkeypatch.setattr(phase2, "_MOST_ALIKE", 16)
    monkeypatch.setattr(timeouts, "_MOST_WAITING", 16)
    monkeypatch.setattr(timeouts, "_REST", 8)
    for module in (rules, timeouts):
        monkeypatch.setattr(module, "MOST_WEIGHED", 24)


def address(number: int) -> str:
    return f"10.1.{number // 200}.{number % 200 + 1}"


def timed_out(number: int, why: str = "time up") -> str:
    return f"ERROR: phase1 negotiation failed due to {why}. {number + 1:016x}:{0:016x}"


def sas(number: int) -> Iterator[str]:
    yield from (f"08:30:00 {sa(each + 1, peer=address(each))}" for each in range(number))
    yield f"08:30:01 {BANNER}"
    yield f"08:30:02 {BANNER}"


def sas_of_one_spi(number: int) -> Iterator[str]:
    return (f"08:30:00 {sa(7, peer=address(each))}" for each in range(number))


def isakmp_sas(number: int) -> Iterator[str]:
    return (f"08:30:00 {up(f'{each + 1:016x}:1111111111111111', address(each))}" for each in range(number))


def wishes(number: int) -> Iterator[str]:
    return (f"08:30:00 INFO: IPsec-SA request for {address(each)} queued due to no phase1 found." for each in range(number))


def begun(number: int) -> Iterator[str]:
    yield from (f"08:30:00 {start('initiate', address(each))}" for each in range(number))
    yield from (f"08:30:50 {timed_out(each)}" for each in range(20))


CASES = {
    "a daemon that starts again": (sas, f"08:30:03 {BANNER}"),
    "an SA of an SPI that many have": (sas_of_one_spi, f"08:30:01 {sa(7, peer=P)}"),
    "an expiry of an SPI that many have": (sas_of_one_spi, f"08:30:01 {sa(7, peer=P, event='expired')}"),
    "a purge of an SPI that many have": (sas_of_one_spi, "08:30:01 INFO: purged IPsec-SA proto_id=ESP spi=7."),
    "a login": (isakmp_sas, '08:40:00 INFO: login succeeded for user "a"'),
    "a refused login": (isakmp_sas, '08:30:00 INFO: login failed for user "a"'),
    "a wish that is given up": (
        wishes,
        "08:35:00 WARNING: PF_KEY EXPIRE message received from kernel for SA being negotiated. Stopping negotiation.",
    ),
    "a time-out beside many": (begun, f"08:30:50 {timed_out(99)}"),
    "a packet that was not sent": (begun, f"08:30:50 {timed_out(99, 'send error')}"),
}


def cost(lines: Iterable[str], line: str) -> int:
    """Give the steps of a line whose like came before."""
    engine = told(*lines)
    told(line, line, engine=engine)
    return steps(lambda: told(line, engine=engine))


@pytest.mark.parametrize(("filling", "line"), CASES.values(), ids=CASES)
def test_a_line_costs_what_it_costs_however_much_is_remembered(filling: Callable[[int], Iterator[str]], line: str) -> None:
    few, many = (cost(filling(number), line) for number in (FEW, MANY))
    assert many <= 1.3 * few + 100


def silent(number: int) -> Engine:
    """A gateway with many addresses; as many gateways fail with each of some of them, and its log tells no reason."""
    lines = [f"near racoon: INFO: {address(each)}[500] used as isakmp port (fd=6)" for each in range(number)]
    for each in range(number):
        host, own, peer = f"far{each}", f"10.2.{each // 200}.{each % 200 + 1}", address(each)
        lines.append(f"{host} racoon: INFO: {own}[500] used as isakmp port (fd=6)")
        lines.append(f"{host} racoon: INFO: initiate new phase 1 negotiation: {own}[500]<=>{peer}[500]")
        lines.append(f"{host} racoon: [{peer}] {timed_out(each)}")
    engine = told()
    engine.feed(block("".join(f"2026-01-15T08:30:00Z {line}\n" for line in lines).encode()))
    engine.flush()
    assert len(engine.state.two_ends._silent_about) == number
    return engine


def test_a_cause_is_looked_up_only_with_those_that_it_may_be_told_to() -> None:
    peer = "10.2.0.1"
    refused = (
        f"INFO: respond new phase 1 negotiation: {L}[500]<=>{peer}[500]",
        f"[{peer}] ERROR: failed to get valid proposal.",
        f"[{peer}] ERROR: phase1 negotiation failed.",
    )
    data = "".join(f"2026-01-15T08:50:00Z near racoon: {line}\n" for line in refused).encode()

    def cost_of(number: int) -> int:
        engine = silent(number)
        engine.feed(block(data))
        engine.flush()

        def once() -> None:
            engine.feed(block(data))
            engine.flush()

        return steps(once)

    assert cost_of(300) <= 1.3 * cost_of(60) + 100
