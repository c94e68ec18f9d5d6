"""What witnesses say, on the page and in the API: fresh, escaped, in the described form, and absent without a witness."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis

from racoon_exporter.sa import Expectation
from racoon_exporter.status import status_routes
from racoon_exporter.status.pages.witnesses import size
from racoon_exporter.status.routes import openapi
from racoon_exporter.web import WebServer
from racoon_exporter.witness import Shown, WitnessStatus
from racoon_exporter.witness.certificates import Certificate, Certificates, Crl, Fault
from racoon_exporter.witness.crypto import Crypto
from racoon_exporter.witness.inventory import Inventory, Seen
from racoon_exporter.witness.policies import PolicyCounts
from racoon_exporter.witness.traffic import Owner
from racoon_parsers.admin_socket import Endpoint, Event, Phase1
from tests.browser import story
from tests.exporter.status.engines import Gateway

NOW = 1795500000.0
HQ = story.HEADQUARTERS
HOSTILE = "<script>alert(1)</script>\x1b[2J"
WEAK = Crypto(1, "aggressive", "3des", "md5", "2", "pre_shared_key")


def witnessed() -> Shown:
    inventory = Inventory(
        {
            ("", HQ, WEAK): Seen(NOW - 86400, NOW),
            ("", "203.0.113.77", Crypto(2, "quick", "aes_256", "sha256")): Seen(NOW - 10**7, NOW - 10**6),
        }
    )
    return Shown(
        statuses=(
            WitnessStatus("kernel", None, up=True, last_success=NOW - 5, trouble=""),
            WitnessStatus("racoon", "gw", trouble=HOSTILE),
        ),
        traffic={Owner("", HQ, "in"): {"bytes": 3 * 1024**3, "packets": 7, "replay": 1, "replay_window": 0, "integrity": 2}},
        expiry={("", HQ, 1): NOW + 3600.0, ("", HQ, 2): NOW + 60.0},
        crypto={("", HQ): frozenset({WEAK})},
        policies={("", HQ): PolicyCounts(3, 1)},
        certificates={
            "": Certificates(
                (Certificate("/etc/racoon/certs/gw.crt", "certificate", 0.0, NOW + 86400),),
                (Crl("/etc/racoon/certs/aaaaaaaa.r0", 0.0, NOW + 10),),
                ("/etc/racoon/certs/2ac56f21.r0",),
                (Fault("/etc/racoon/certs/gw.key", "the private key is open to others (mode 0644)"),),
            )
        },
        phase1={
            "": (Phase1("a" * 16 + ":" + "b" * 16, "established", None, Endpoint(HQ, 500), user=HOSTILE, remote_id=HOSTILE),)
        },
        configured={"": ((HQ, Crypto(1, "main", "aes_256", "sha256", "14", "rsasig")),)},
        events=(("", Event("phase1_auth_failed", NOW - 3, None, Endpoint(HQ, 500))),),
        disagreements={("kernel", "vanished"): 4, ("kernel", "unlogged"): 0},
        inventory=inventory,
    )


@pytest.fixture
def gateway() -> Gateway:
    return Gateway({HQ: Expectation("hq")}).read(story.calm(NOW).text())


@pytest.fixture(params=[True, False], ids=["with witnesses", "without"])
def client(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    shown = witnessed() if request.param else None
    routes = status_routes(
        gateway.take, now=lambda: NOW, zone=gateway.zone, telemetry_path="/metrics", ring=gateway.ring, witnessed=lambda: shown
    )
    server = WebServer(routes, addresses=["127.0.0.1:0"], config_file=None)
    server.start()
    with httpx.Client(base_url=server.urls[0], trust_env=False) as opened:
        yield opened
    server.stop()


@pytest.mark.parametrize("path", ["/witnesses", "/crypto", "/peers"])
def test_answers_keep_the_contract(client: httpx.Client, path: str) -> None:
    schemathesis.openapi.from_dict(openapi())[path]["GET"].validate_response(client.get(f"/api/v1{path}"))


@pytest.mark.parametrize("client", [True], indirect=True)
def test_a_peer_has_its_traffic_expiry_and_algorithms(client: httpx.Client) -> None:
    peer = client.get("/api/v1/peers", params={"peer": "hq"}).json()["peers"][0]
    assert peer["traffic"]["in"]["bytes"] == 3 * 1024**3
    assert peer["traffic"]["out"] == {"bytes": 0, "packets": 0, "errors": {"replay": 0, "replay_window": 0, "integrity": 0}}
    assert peer["expires"]["phase2"] is not None
    assert peer["crypto"][0]["weak"] == list(WEAK.weaknesses)


@pytest.mark.parametrize("client", [True], indirect=True)
def test_the_inventory_tells_who_fell_silent(client: httpx.Client) -> None:
    rows = client.get("/api/v1/crypto").json()["crypto"]
    told = {(row["name"], row["told_by"]): (row["exchange"], row["in_use"]) for row in rows}
    assert told["hq", "witness"] == ("aggressive", True)
    assert told["203.0.113.77", "witness"] == ("quick", False)
    assert told["hq", "log"] == ("main", True)
    assert told["hq", "racoon.conf"] == ("main", None)


@pytest.mark.parametrize("client", [True], indirect=True)
def test_the_page_shows_it_escaped_and_names_the_missing_file(client: httpx.Client) -> None:
    page = client.get("/").text
    assert "3.0 GiB in, 0 B out; phase 1 expires " in page
    assert "1 of 3 policies without an IPsec SA" in page
    assert "/etc/racoon/certs/2ac56f21.r0" in page
    assert "4 vanished" in page
    assert "<script>alert" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize("client", [False], indirect=True)
def test_without_a_witness_the_page_says_nothing_of_it(client: httpx.Client) -> None:
    assert "Beside the log" not in client.get("/").text
    assert client.get("/api/v1/witnesses").json()["witnesses"] == []
    assert client.get("/api/v1/peers").json()["peers"][0]["traffic"] is None
    assert {row["told_by"] for row in client.get("/api/v1/crypto").json()["crypto"]} == {"log"}


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**70, "1024.0 EiB")])
def test_sizes_are_written_as_people_read_them(number: int, text: str) -> None:
    assert size(number) == text
