from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, TypeVar, get_args

import httpx
import pytest
import schemathesis
import yaml

from racoon_exporter import sa
from racoon_exporter.engine import Engine
from racoon_exporter.history import COLUMNS
from racoon_exporter.sa import Expectation
from racoon_exporter.sa.findings import VANISHED
from racoon_exporter.sa.ipsec import IpsecSas
from racoon_exporter.sa.model import Phase1End
from racoon_exporter.source.contract import SourceStatus
from racoon_exporter.status import EventRing, status_routes
from racoon_exporter.status.api.bodies import OVERVIEW_BODIES
from racoon_exporter.status.api.query import KINDS
from racoon_exporter.status.overview.view import STATES
from racoon_exporter.status.responses import PAGE_CSP
from racoon_exporter.status.routes import openapi
from racoon_exporter.web import WebServer
from racoon_exporter.wording.reasons import AFTER_ENDING, ENDINGS
from racoon_parsers.reasons import REASONS
from tests.browser import story
from tests.exporter.status.engines import PEER, Gateway, permanent, recording, until

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
RECORDINGS = sorted(path.parent.name for path in (ROOT / "tests/scenarios/lab").glob("*/a.log"))


class Ask(Protocol):
    def __call__(self, gateway: Gateway, now: Callable[[], float] | None = None) -> httpx.Client: ...


@pytest.fixture
def client() -> Iterator[Ask]:
    """Serve gateways on free loopback ports, and give clients of them."""
    with ExitStack() as opened:

        def serve(gateway: Gateway, now: Callable[[], float] | None = None) -> httpx.Client:
            routes = status_routes(
                gateway.take, now=now or (lambda: gateway.now), zone=gateway.zone, telemetry_path="/metrics", ring=gateway.ring
            )
            server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=None)
            server.start()
            opened.callback(server.stop)
            return opened.enter_context(httpx.Client(base_url=server.urls[0], trust_env=False))

        yield serve


@pytest.fixture
def branch(client: Ask) -> httpx.Client:
    return client(Gateway(permanent()).read(until("10-cert-expired", "caught signal 15")))


def test_every_runbook_is_served_and_listed(branch: httpx.Client) -> None:
    listed = branch.get("/runbooks/")
    names = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert set(re.findall(r'<li><a href="(Racoon\w+)">', listed.text)) == names
    for name in names:
        answer = branch.get(f"/runbooks/{name}")
        assert (answer.status_code, answer.headers["content-security-policy"]) == (200, PAGE_CSP)
        assert f'<h1 id="{name.lower()}">{name}</h1>' in answer.text
        assert "<script" not in answer.text
        assert branch.get(answer.url.join(re.findall(r'href="([^"]*status.css[^"]*)"', answer.text)[0])).status_code == 200


@pytest.mark.parametrize("name", ["", "Racoon", "RacoonPhase1Down.html", "..%2f..%2fpage.py", "%3Cscript%3E", "a/b"])
def test_there_is_no_other_runbook(branch: httpx.Client, name: str) -> None:
    answer = branch.get(f"/runbooks/{name}x")
    assert answer.status_code == 404
    assert "script" not in answer.text


@pytest.mark.parametrize("phase", [1, 2])
def test_a_reason_of_a_phase_leads_to_its_section(branch: httpx.Client, phase: int) -> None:
    """Boards know the reason and not the runbook."""
    for reason in (row.name for row in REASONS.values() if phase in row.phases):
        answer = branch.get(f"/runbooks/{phase}/{reason}", follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.fragment == reason
        assert f'id="{reason}"' in answer.text
    for unknown in (f"/runbooks/{phase}/no_such", "/runbooks/3/timeout"):
        assert branch.get(unknown).status_code == 404


def test_links_to_runbooks_lead_to_sections(branch: httpx.Client) -> None:
    page = branch.get("/")
    peers = branch.get("/api/v1/peers")
    links = {page.url.join(link) for link in re.findall(r'href="([^"]*runbooks/\w+#\w+)"', page.text)}
    links |= {peers.url.join(peer["last_failure"]["runbook"]) for peer in peers.json()["peers"] if peer["last_failure"]}
    assert links
    for link in links:
        assert f'id="{link.fragment}"' in branch.get(link).text


def test_the_description_is_the_one_in_the_docs(branch: httpx.Client) -> None:
    given = branch.get("/api/v1/openapi.json")
    assert given.headers["content-type"] == "application/json"
    assert given.json() == yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))


def test_the_description_names_the_columns_of_history() -> None:
    schemas = openapi()["components"]["schemas"]
    for name, table in (("IsakmpSa", "phase1"), ("IpsecSa", "ipsec"), ("Failure", "negotiations")):
        assert schemas[name]["required"][: len(COLUMNS[table])] == list(COLUMNS[table])


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_answer_to_every_recording_keeps_the_contract(name: str, client: Ask) -> None:
    schema = schemathesis.openapi.from_dict(openapi())
    for log in (recording(name), until_half(name)):
        gateway = Gateway({PEER: Expectation("branch"), "192.0.2.9": Expectation("away", "roaming")}).read(log)
        asked = client(gateway)
        for path in ("/peers", "/gateways", "/sas", "/failures", "/outages", "/availability", "/crypto", "/events"):
            schema[path]["GET"].validate_response(
                asked.get(f"/api/v1{path}", params={"limit": 1000} if path == "/events" else {})
            )


def until_half(name: str) -> bytes:
    lines = recording(name).splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def test_a_peer_tells_why_it_is_down(branch: httpx.Client) -> None:
    (peer,) = branch.get("/api/v1/peers").json()["peers"]
    assert (peer["name"], peer["peer"], peer["address"], peer["state"]) == ("branch", PEER, PEER, "down")
    failure = peer["last_failure"]
    assert (failure["phase"], failure["reason"]) == (1, "certificate_expired")
    assert failure["gloss"] == "The certificate is past its last day."
    assert failure["advice"].startswith("Renew")
    assert peer["phase1"]["failures"]["certificate_expired"] >= 1


def test_sas_have_names_of_history_true_directions_and_expiry(client: Ask) -> None:
    gateway = Gateway({story.HEADQUARTERS: Expectation("hq")}).read(story.calm(1795500000.0).text())
    given = client(gateway).get("/api/v1/sas", params={"peer": "hq"}).json()
    assert [sa["direction"] for sa in given["ipsec"]] == ["in", "out"]
    inbound = given["ipsec"][0]
    assert (inbound["source"], inbound["destination"]) == (story.HEADQUARTERS, story.LOCAL)
    assert inbound["expires"] is not None
    assert len(given["phase1"]) == 1


def test_failures_come_newest_first_and_end_at_the_limit(branch: httpx.Client) -> None:
    every = branch.get("/api/v1/failures").json()["failures"]
    assert len(every) > 1
    ended = [failure["ended"] for failure in every]
    assert ended == sorted(ended, reverse=True)
    assert branch.get("/api/v1/failures", params={"limit": 1}).json()["failures"] == every[:1]


def test_pages_of_failures_are_the_whole(branch: httpx.Client) -> None:
    every = branch.get("/api/v1/failures").json()
    pages = [branch.get("/api/v1/failures", params={"limit": 2, "offset": at}).json() for at in range(0, every["total"] + 1, 2)]
    assert [failure for page in pages for failure in page["failures"]] == every["failures"]
    assert {page["total"] for page in pages} == {every["total"]} == {len(every["failures"])}


def test_failures_of_a_time_and_of_a_reason(branch: httpx.Client) -> None:
    every = branch.get("/api/v1/failures").json()["failures"]
    middle = every[len(every) // 2]["ended"]
    newer = branch.get("/api/v1/failures", params={"since": middle}).json()["failures"]
    older = branch.get("/api/v1/failures", params={"until": middle}).json()["failures"]
    assert newer + older == every
    assert newer
    assert older
    assert branch.get(f"/api/v1/failures?since={middle}").json()["failures"] == newer, "a plus sign is read as it is meant"
    reason = every[0]["reason"]
    given = branch.get("/api/v1/failures", params={"reason": reason}).json()["failures"]
    assert given == [failure for failure in every if failure["reason"] == reason]


def test_peers_of_a_state_and_of_a_kind_in_pages(client: Ask) -> None:
    expected = {f"192.0.2.{number}": Expectation(f"shop-{number}") for number in range(1, 12)}
    gateway = Gateway({**expected, "192.0.2.99": Expectation("laptop", "roaming"), **permanent()}).read(recording("02-rekey"))
    asked = client(gateway)
    every = asked.get("/api/v1/peers").json()
    for key, values in (("state", STATES), ("kind", KINDS)):
        given = {value: asked.get("/api/v1/peers", params={key: value}).json() for value in values}
        assert {value: answer["total"] for value, answer in given.items() if answer["total"]} == Counter(
            peer[key] for peer in every["peers"]
        )
        assert all(peer[key] == value for value, answer in given.items() for peer in answer["peers"])
    second = asked.get("/api/v1/peers", params={"kind": "permanent", "limit": 5, "offset": 5}).json()
    assert second["peers"] == [peer for peer in every["peers"] if peer["kind"] == "permanent"][5:10]
    assert second["total"] == 12


def test_the_enumerations_are_closed_and_are_those_of_the_code() -> None:
    schemas = openapi()["components"]["schemas"]
    assert schemas["State"]["enum"] == list(STATES)
    assert schemas["Kind"]["enum"] == list(KINDS)
    assert schemas["Cause"]["enum"] == list(ENDINGS) == list(AFTER_ENDING)


def test_every_cause_that_the_state_may_give_is_in_the_description() -> None:
    """Literals where an IPsec SA is ended, and the type of what a teardown explains: nothing else ends one."""
    told = set(get_args(Phase1End)) - {"expired"}
    for path in Path(sa.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"end", "presume_ended"}
            ):
                told |= {one.value for one in node.args[2:3] if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    assert told | {IpsecSas.taken_over, VANISHED, "expired"} <= set(ENDINGS)
    assert {"lifetime", "restart", "deleted_in_kernel", "expired"} <= told | {"expired"}


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_end_of_an_sa_has_its_words(name: str) -> None:
    ended = Gateway(permanent()).read(recording(name)).view().facts.ended_ipsec
    assert {sa.end for sa in ended} <= set(ENDINGS)


def test_events_go_on_where_they_ended(client: Ask) -> None:
    gateway = Gateway(permanent(), ring=EventRing(1000)).read(recording("02-rekey", lines=20))
    asked = client(gateway)
    first = asked.get("/api/v1/events").json()
    assert first["events"][-1]["event"] == "ipsec_sa_expired"
    assert not first["missed"]
    assert asked.get("/api/v1/events", params={"since": first["cursor"]}).json()["events"] == []
    gateway.read(b"2026-11-24 04:06:17: INFO: caught signal 15\n")
    (event,) = asked.get("/api/v1/events", params={"since": first["cursor"]}).json()["events"]
    assert (event["event"], event["cursor"]) == ("daemon_signal", first["cursor"] + 1)
    assert asked.get("/api/v1/events", params={"since": 5}).json()["missed"]


def test_information_without_state_is_no_event(client: Ask) -> None:
    gateway = Gateway().read(b"2026-11-24 04:01:14: INFO: received Vendor ID: DPD\n")
    assert gateway.engine.messages.total() == 1
    assert client(gateway).get("/api/v1/events").json()["events"] == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("events?since=-1", "'since' must be a whole number"),
        ("events?since=1e3", "'since' must be a whole number"),
        ("events?since=", "'since' must be a whole number"),
        ("events?since=99999999999999999999", "'since' must be a whole number"),
        ("events?since=%D9%A1", "'since' must be a whole number"),
        ("events?limit=0", "'limit' must be a whole number from 1 to 1000"),
        ("failures?limit=1001", "'limit' must be a whole number from 1 to 1000"),
        ("sas?state=up", "unknown parameter 'state'"),
        ("availability?since=7", "'since' must be a time with its zone"),
        ("outages?since=-1d", "'since' must be a time with its zone"),
        ("availability?since=0001-01-01T00:00:00%2B14:00", "'since' must be a time with its zone"),
        ("availability?since=9999-12-31T23:59:59-14:00", "'since' must be a time with its zone"),
        ("witnesses?limit=3", "unknown parameter 'limit'"),
        ("peers?limit=0", "'limit' must be a whole number from 1 to 1000"),
        ("peers?offset=-1", "'offset' must be a whole number"),
        ("peers?state=broken", "'state' must be one of down, failing"),
        ("peers?kind=", "'kind' must be one of permanent, roaming"),
        ("failures?reason=bad_luck", "'reason' must be one of certificate_revoked"),
        ("failures?since=2026-11-24T04:00:00", "'since' must be a time with its zone"),
        ("failures?until=yesterday", "'until' must be a time with its zone"),
        ("failures?since=2026-11-24T04:00:00Z&since=2026-11-24T05:00:00Z", "'since' is given twice"),
        ("sas?peer=a&peer=b", "'peer' is given twice"),
    ],
)
def test_a_bad_parameter_is_told_as_json(branch: httpx.Client, query: str, why: str) -> None:
    given = branch.get(f"/api/v1/{query}")
    assert given.status_code == 400
    assert why in given.json()["error"]


def test_what_is_asked_for_longer_ago_than_there_were_computers_is_answered(branch: httpx.Client) -> None:
    given = branch.get("/api/v1/availability?since=999999w")
    assert given.status_code == 200
    assert given.json()["since"] == "1970-01-01T00:00:00+00:00"


def test_an_unknown_resource_is_told_as_json(branch: httpx.Client) -> None:
    given = branch.get("/api/v2/nothing")
    assert given.status_code == 404
    assert "/api/v2/nothing" in given.json()["error"]


@pytest.mark.parametrize("path", ["/", "/api/v1/peers?x=1"])
def test_what_changes_is_not_stored(branch: httpx.Client, path: str) -> None:
    assert branch.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", [*OVERVIEW_BODIES, "events"])
def test_who_has_the_same_but_for_the_time_is_told_so(client: Ask, name: str) -> None:
    gateway = Gateway(permanent()).read(recording("17-soak-chaos", lines=100))
    clock = [gateway.now]
    asked = client(gateway, now=lambda: clock[0])
    first = asked.get(f"/api/v1/{name}")
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    for given in (tag, f'"x", {tag}', tag.removeprefix("W/")):
        again = asked.get(f"/api/v1/{name}", headers={"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    gateway.read(recording("17-soak-chaos", lines=1000)[len(recording("17-soak-chaos", lines=100)) :])
    clock[0] = gateway.now
    changed = asked.get(f"/api/v1/{name}", headers={"if-none-match": tag})
    assert changed.status_code == (304 if name == "witnesses" else 200)


def test_events_of_a_peer_pass_over_those_of_others(client: Ask) -> None:
    asked = client(Gateway(permanent()).read(recording("13-many-120")))
    every = asked.get("/api/v1/events", params={"limit": 1000}).json()
    peer = next(event["peer"] for event in reversed(every["events"]) if "peer" in event)
    wanted = [event for event in every["events"] if event.get("peer") == peer]
    first = asked.get("/api/v1/events", params={"peer": peer, "limit": 1}).json()
    assert first["events"] == wanted[:1]
    rest = asked.get("/api/v1/events", params={"peer": peer, "limit": 1000, "since": first["cursor"]}).json()
    assert first["events"] + rest["events"] == wanted
    assert rest["cursor"] == every["cursor"]


def test_pages_of_sas_are_the_whole(client: Ask) -> None:
    asked = client(Gateway().read(recording("13-many-120", lines=500)))
    every = asked.get("/api/v1/sas").json()
    pages = [asked.get("/api/v1/sas", params={"limit": 7, "offset": at}).json() for at in range(0, len(every["ipsec"]) + 7, 7)]
    assert [one for page in pages for one in page["ipsec"]] == every["ipsec"]
    assert every["total"] == {"phase1": len(every["phase1"]), "ipsec": len(every["ipsec"])}
    assert every["total"]["ipsec"] > 7


def test_the_page_has_its_policy_and_finds_its_assets(branch: httpx.Client) -> None:
    given = branch.get("/")
    assert given.headers["content-security-policy"] == PAGE_CSP
    assert "unsafe" not in PAGE_CSP
    for name, media_type in (("status.css", "text/css"), ("status.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        address = next(part for part in given.text.split('"') if part.startswith(f"assets/{name}?v="))
        asset = branch.get(f"/{address}")
        assert asset.headers["content-type"].startswith(media_type)
        assert asset.content


def test_who_takes_gzip_gets_it(branch: httpx.Client) -> None:
    assert branch.get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in branch.get("/", headers={"accept-encoding": "identity"}).headers


def test_many_requests_within_a_second_share_one_look(client: Ask) -> None:
    gateway = Gateway(permanent()).read(recording("02-rekey"))
    looks = 0

    class Counting(Gateway):
        def take(self, copy: Callable[[Engine, tuple[SourceStatus, ...]], T]) -> T:
            nonlocal looks
            looks += 1
            return gateway.take(copy)

    clock = [gateway.now]
    asked = client(Counting(ring=gateway.ring), now=lambda: clock[0])
    for path in ("/", "/api/v1/peers", "/?q=branch", "/api/v1/sas"):
        assert asked.get(path).status_code == 200
    assert looks == 1
    clock[0] += 1.5
    assert asked.get("/").status_code == 200
    clock[0] -= 3600  # the clock was set back: the old look must not stay for an hour
    assert asked.get("/").status_code == 200
    assert looks == 3
