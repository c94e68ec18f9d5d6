"""Lives of racoon: starts and ends that were not seen, crashes, and privilege separation."""

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.metrics import OwnState, collect
from racoon_exporter.sa.model import DaemonRun
from tests.exporter.reading import BANNER, LISTENS, ipsec, peer_of, phase1, read_lines, sa, start, up

PAIR = (f"08:30:03 {up()}", f"08:30:04 {start(phase=2)}", f"08:30:04 {sa(1001)}", f"08:30:04 {sa(2002)}")
SIGNAL = "08:40:00 INFO: caught signal 15"
SHUTDOWN = "08:40:01 INFO: racoon process 17 shutdown"
HELPER = "08:40:01 INFO: racoon privileged process 16 terminated"
STARTED = (f"08:29:00 {BANNER}", f"08:29:01 {LISTENS}")


def runs(engine: Engine) -> list[tuple[bool, str | None]]:
    """Whether the start of each run was seen, and how it ended."""
    lives: list[DaemonRun] = engine.state.history()["daemon"]
    return [(run.started is not None, run.end) for run in lives]


def up_and_crashes(engine: Engine) -> tuple[float, float]:
    samples, _ = collect(engine, OwnState())
    return samples.values["racoon_daemon_up"]["",], samples.values["racoon_daemon_crashes"]["",]


@pytest.mark.parametrize(
    ("lines", "lives", "believed"),
    [
        pytest.param([SIGNAL, SHUTDOWN], [(False, "shutdown")], (0, 0), id="all that is heard of it is its end"),
        pytest.param([*PAIR, SIGNAL, SHUTDOWN], [(False, "shutdown")], (0, 0), id="the log begins after its start"),
        pytest.param([*PAIR, SHUTDOWN, HELPER], [(False, "shutdown")], (0, 0), id="both halves say goodbye, once is enough"),
        pytest.param(
            [*PAIR, f"08:40:00 {BANNER}"], [(False, "crash"), (True, None)], (1, 1), id="a start after a life without a start"
        ),
        pytest.param([*STARTED, *PAIR, HELPER], [(True, "crash")], (0, 1), id="only the privileged half says goodbye"),
        pytest.param(
            [*STARTED, *PAIR, HELPER, f"08:40:02 {BANNER}"],
            [(True, "crash"), (True, None)],
            (1, 1),
            id="the start after that is no second crash",
        ),
        pytest.param([*STARTED, *PAIR, SIGNAL, HELPER], [(True, "shutdown")], (0, 0), id="the shutdown line was lost"),
        pytest.param(
            [*STARTED, SHUTDOWN, f"08:50:01 {LISTENS}"], [(True, "shutdown")], (1, 0), id="one that listens runs, banner or not"
        ),
        pytest.param(
            [*STARTED, SHUTDOWN, f"08:50:01 {up()}"], [(True, "shutdown")], (1, 0), id="one that negotiates runs, banner or not"
        ),
        pytest.param([f"08:40:00 {BANNER}"], [(True, None)], (1, 0), id="the first line is a start"),
    ],
)
def test_what_is_believed_of_a_daemon(lines: list[str], lives: list[tuple[bool, str]], believed: tuple[int, int]) -> None:
    engine = read_lines(*lines)
    assert runs(engine) == lives
    assert up_and_crashes(engine) == believed


def test_a_crash_whose_start_was_never_seen_ends_isakmp_sas_and_leaves_the_kernels() -> None:
    engine = read_lines(*PAIR, f"08:40:00 {BANNER}")
    assert [one.end for one in phase1(engine)] == ["restart"]
    assert [one.orphan for one in ipsec(engine)] == [True, True]
    assert peer_of(engine).phase2_up


def test_the_kernel_keeps_the_sas_of_a_half_that_crashed() -> None:
    engine = read_lines(*STARTED, *PAIR, HELPER)
    assert [one.ended for one in ipsec(engine)] == [None, None]
    assert [one.end for one in phase1(engine)] == ["restart"]
