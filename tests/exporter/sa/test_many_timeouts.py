"""Many peers time out at once: who is blamed is the same as if all were weighed at each line, for a fraction of the work."""

import json
from collections.abc import Iterator
from random import Random

import pytest

from racoon_exporter.engine import Engine, to_json
from racoon_exporter.sa.blame import timeouts
from racoon_exporter.sa.blame.rules import Question, candidates
from racoon_exporter.sa.blame.timeouts import TimeOuts
from tests.exporter.reading import L, told

PEERS = [f"198.51.{number // 200}.{number % 200 + 1}" for number in range(200)]


def story(seed: int, peers: int, seconds: int = 200) -> Iterator[str]:
    """Peers begin in the same seconds; some come up, some fail by name, the others time out after 50 seconds or 51."""
    random = Random(seed)
    due: dict[int, list[tuple[str, str]]] = {}
    for now in range(seconds):
        at = f"08:{now // 60:02}:{now % 60:02}"
        for what, peer in due.pop(now, ()):
            cookies = f"{random.getrandbits(64):016x}:{random.getrandbits(64) | 1:016x}"
            if what == "comes up":
                yield f"{at} INFO: ISAKMP-SA established {L}[500]-{peer}[500] spi:{cookies}"
            elif what == "fails":
                yield f"{at} [{peer}] ERROR: phase1 negotiation failed."
            else:
                known = cookies if what == "answered" else f"{cookies[:16]}:{0:016x}"
                yield f"{at} ERROR: phase1 negotiation failed due to time up. {known}"
        for peer in random.sample(PEERS[:peers], random.choice([0, 0, 2, peers // 20])):
            what = random.choice(["comes up", "fails", "answered", "silent", "silent"])
            due.setdefault(now + random.choice([3, 20] if what in {"comes up", "fails"} else [50, 50, 51]), []).append(
                (what, peer)
            )
            yield f"{at} INFO: initiate new phase 1 negotiation: {L}[500]<=>{peer}[500]"


def outcome(*lines: str) -> str:
    engine = told(*lines)
    engine.finish()
    return json.dumps(to_json(engine))


@pytest.mark.parametrize("peers", [3, 80])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_not_weighed_again_could_not_have_been_decided(seed: int, peers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(story(seed, peers))
    found = outcome(*lines)
    monkeypatch.setattr(TimeOuts, "_undecided", lambda *_: False)
    assert found == outcome(*lines)


def weighed(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> float:
    """Give how often a time-out was weighed, for each line."""
    asked = 0

    def counting(question: Question) -> object:
        nonlocal asked
        asked += 1
        return candidates(question)

    with monkeypatch.context() as patched:
        patched.setattr(timeouts, "candidates", counting)
        engine: Engine = told(*lines)
        engine.finish()
    return asked / len(lines)


def test_a_line_costs_no_more_where_many_more_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (weighed(list(story(1, peers)), monkeypatch) for peers in (20, 200))
    assert many < 4 * few  # ten times as many; without what is tested, six times what a line costs with few
