"""The screens with Textual's pilot, over a real server: what stands there as text, keys, trouble, size, hostile text."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from racoon_exporter.sa import Expectation
from racoon_exporter.top.client import Client
from tests.browser import story
from tests.browser.conftest import EXPECTED, NOW
from tests.exporter.status.engines import Gateway
from tests.exporter.top.conftest import Answer, Serve
from tests.exporter.top.looking import SMALL, WIDE, look, screen_of, settled

SNAPSHOTS = Path(__file__).parent / "snapshots"
VIEWS = {"peers": (), "one-peer": ("enter",), "filtered": ("slash", *"dep", "enter")}
ESCAPES = "\x1b[31m\x1b]0;owned\x07[bold red]x[/bold red] [@click=app.quit]y[/] \u202egnp\ud800"


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(Gateway(EXPECTED).read(story.trouble(NOW).text()), NOW).urls[0]


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("view", VIEWS)
def test_what_stands_on_the_screen(url: str, view: str, size: tuple[int, int]) -> None:
    shown = re.sub(r"(?<=127\.0\.0\.1:)\d{5}", "10500", look(url, *VIEWS[view], size=size))
    lines = shown.splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    kept = SNAPSHOTS / f"{view}-{size[0]}x{size[1]}.txt"
    told = "\n".join(line.rstrip() for line in lines).rstrip() + "\n"
    if os.environ.get("REWRITE_SNAPSHOTS"):
        kept.write_text(told, encoding="utf-8")
        pytest.fail("the snapshot was written anew")
    assert told == kept.read_text(encoding="utf-8")


def rows(shown: str) -> list[str]:
    return [
        line.split()[1] for line in shown.splitlines()[3:] if line.startswith((" DOWN", " failing", " gone", " up", " idle"))
    ]


def test_the_worst_stands_first_and_a_key_sorts(url: str) -> None:
    assert rows(look(url))[:3] == ["branch-hamburg", "depot", "laptop-anna"]
    names = rows(look(url, "s"))
    assert names == sorted(names)
    assert rows(look(url, "s", "S")) == rows(look(url))
    assert "longest so" in look(url, "s", "s", "s", "s").splitlines()[1]


def test_a_filter_is_typed_kept_and_left(url: str) -> None:
    assert rows(look(url, "slash", *"expired")) == ["depot"]
    assert rows(look(url, "slash", *"down hamb")) == ["branch-hamburg"]
    assert len(rows(look(url, "slash", *"dep", "enter", "escape"))) == 6
    assert rows(look(url, "slash", *"nobody")) == []


def test_a_peer_is_opened_with_all_that_is_known_and_left(url: str) -> None:
    told = look(url, "down", "enter", size=(100, 60))
    for said in ("depot", "certificate_expired", "What to do", "Renew", "Runbook: /runbooks/", "Failures, the newest first"):
        assert said in told
    told = look(url, "slash", *"headq", "enter", "enter", size=(100, 60)).casefold()
    for said in ("sas\n", "isakmp main", "esp", "expires in", "availability", "day "):
        assert said in told
    assert rows(look(url, "enter", "escape")) == rows(look(url))


def test_an_exporter_that_goes_away_is_told_and_what_was_known_stays(serve: Serve) -> None:
    gateway = Gateway(EXPECTED).read(story.calm(NOW).text())
    server = serve(gateway, NOW)

    async def act(pilot: Pilot[None]) -> None:
        server.stop()
        await pilot.press("r")
        await settled(pilot)
        await pilot.press("p")

    shown = look(server.urls[0], act=act)
    assert "headquarters" in shown
    assert "PAUSED" in shown

    async def gone(pilot: Pilot[None]) -> None:
        server.stop()
        await pilot.press("r")

    server = serve(gateway, NOW)
    shown = look(server.urls[0], act=gone)
    assert shown.splitlines()[0].startswith(" NOT LIVE: nobody answers at ")
    assert "headquarters" in shown


def test_a_change_is_seen_and_the_cursor_stays_on_its_peer(serve: Serve) -> None:
    gateway = Gateway(EXPECTED).read(story.calm(NOW).text())
    server = serve(gateway)
    opened: list[str] = []

    async def act(pilot: Pilot[None]) -> None:
        app: Any = pilot.app
        await pilot.press("end")
        before = app.peers.query_one("#peers").chosen.name
        gateway.read("2026-11-24 06:00:10: INFO: caught signal 15\n2026-11-24 06:00:11: INFO: racoon process 1 shutdown\n")
        gateway.expected = {}
        app._client.close()
        app._client._kept.clear()
        await pilot.press("r")
        await settled(pilot)
        opened.extend((before, app.peers.query_one("#peers").chosen.name))

    shown = look(server.urls[0], act=act)
    assert opened[0] == opened[1]
    assert "headquarters" in shown


def test_a_thousand_peers_are_shown_sorted_and_filtered(serve: Serve) -> None:
    expected = {f"10.0.{number // 250}.{number % 250}": Expectation(f"shop-{number}") for number in range(1000)}
    server = serve(Gateway(expected).read(story.calm(NOW).text()), NOW)
    shown = look(server.urls[0])
    assert "1000 DOWN" in shown
    assert rows(shown)[:3] == ["shop-0", "shop-1", "shop-2"]
    assert rows(look(server.urls[0], "slash", *"shop-99"))[:2] == ["shop-99", "shop-990"]
    last = look(server.urls[0], "s", "end")
    assert "shop-999" in last


def hostile_answers() -> dict[str, Any]:
    peer = {
        "gateway": ESCAPES,
        "peer": ESCAPES,
        "name": f"evil{ESCAPES}",
        "address": ESCAPES,
        "kind": ESCAPES,
        "state": ESCAPES,
        "since": ESCAPES,
        "reason": ESCAPES,
        "phase1": [],
        "phase2": {"inbound_sas": 1e300, "outbound_sas": None, "flaps": True},
        "last_failure": dict.fromkeys(("time", "phase", "reason", "gloss", "advice", "runbook"), ESCAPES),
        "last_end": {"time": 5, "cause": ESCAPES},
        "last_seen": {},
    }
    rows = [dict.fromkeys(("ended", "phase", "reason", "told_by", "begin", "end", "cause", "cookies", "state"), ESCAPES)]
    return {
        "peers": {"time": ESCAPES, "peers": [peer, "no peer", None, 7]},
        "sas": {"phase1": rows, "ipsec": [*rows, 3]},
        "failures": {"failures": rows},
        "outages": {"outages": rows},
        "availability": {"peers": [{"availability": float("1e300"), "up_seconds": "x"}]},
    }


def harmless(shown: str) -> bool:
    return all(character == "\n" or unicodedata.category(character)[0] != "C" for character in shown)


def test_what_peers_and_servers_write_is_text(answer: Answer) -> None:
    url = answer(hostile_answers())
    every, one = look(url, size=WIDE), look(url, "enter", size=WIDE)
    for shown in (every, one):
        assert harmless(shown)
        assert r"\x1b[31m" in shown
    assert "[bold red]x[/bold red] [@click=app.quit]y[/]" in one


def test_an_older_exporter_is_shown_as_far_as_it_tells(answer: Answer) -> None:
    peer = {"peer": "192.0.2.1", "state": "down", "last_failure": {"phase": 1, "reason": "timeout", "advice": "Look."}}
    shown = look(answer({"peers": {"time": "2026-11-24T06:00:00+00:00", "peers": [peer]}}), "enter")
    for said in ("192.0.2.1", "DOWN, never up so far", "Reason: timeout", "Look."):
        assert said in shown
    assert "Availability" not in shown


def test_an_exporter_without_peers_says_so(answer: Answer) -> None:
    assert "no peers" in look(answer({"peers": {"peers": []}}), "enter", "end")


def test_without_colour_the_same_stands_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_colour = look(url)
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(url) == with_colour


def test_the_cursor_is_told_by_more_than_colour(url: str) -> None:
    reversed_lines: list[str] = []

    async def act(pilot: Pilot[None]) -> None:
        reversed_lines.extend(
            "".join(segment.text for segment in strip)
            for strip in pilot.app.screen._compositor.render_strips()
            if any(segment.style is not None and segment.style.reverse and segment.text.strip() for segment in strip)
        )

    look(url, "down", act=act)
    assert len(reversed_lines) == 1
    assert "depot" in reversed_lines[0]


def test_a_look_asks_once_for_all_peers(url: str) -> None:
    asked: list[str] = []

    class Counting(Client):
        def get(self, resource: str, **parameters: str | int) -> dict[str, Any]:
            asked.append(resource)
            return super().get(resource, **parameters)

    look(url, "r", client=Counting(url))
    assert asked == ["peers", "peers"]


__all__ = ["screen_of"]
