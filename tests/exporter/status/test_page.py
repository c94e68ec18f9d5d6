from __future__ import annotations

import re
from datetime import UTC

import pytest

from racoon_exporter.sa import Expectation
from racoon_exporter.status.overview.view import STATES, State
from racoon_exporter.status.pages.status_page import MOST_PEERS
from racoon_exporter.wording.reasons import AFTER_ENDING, ENDINGS
from racoon_exporter.wording.words import moment
from racoon_parsers.reasons import NEVER_UP
from tests.browser import story
from tests.exporter.status.engines import PEER, Gateway, permanent, recording, status, until
from tests.exporter.status.test_markup import Parsed

STOP = "caught signal 15"
NOW = 1795500000.0
EXPECTED = {
    story.HEADQUARTERS: Expectation("headquarters"),
    story.BRANCH: Expectation("branch"),
    story.DEPOT: Expectation("depot"),
    story.LAPTOP: Expectation("laptop", "roaming"),
}


def headline(written: str) -> str:
    found = re.search(r'<p class="headline">(.*?)</p>', written)
    assert found is not None
    return found[1]


def sections(written: str) -> list[str]:
    return [str(attributes["id"]) for name, attributes in Parsed(written).elements if name == "section" and "id" in attributes]


def test_problems_come_before_peers_that_are_up_and_strangers_are_folded() -> None:
    written = Gateway(EXPECTED).read(story.trouble(NOW).text()).page()
    order = ["state-down", "state-failing", "state-gone", "state-up", "failures", "daemons", "sources"]
    assert [name for name in sections(written) if name in order] == order
    assert re.search(r'<details id="strangers" class="fold"><summary><h2>1 stranger', written)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (story.calm, "All 3 expected peers are up."),
        (story.trouble, "2 of 3 expected peers are down."),
    ],
)
def test_the_headline_says_how_it_stands(told: object, sentence: str) -> None:
    assert callable(told)
    assert headline(Gateway(EXPECTED).read(told(NOW).text()).page()) == sentence


def test_the_headline_promises_nothing_where_the_log_cannot_be_read() -> None:
    gateway = Gateway(EXPECTED, statuses=(status(up=False, error="Permission denied"),)).read(story.calm(NOW).text())
    assert headline(gateway.page()) == "All 3 expected peers are up, as far as can be told: see the warning below."


def test_the_headline_of_a_quiet_log_knows_nothing() -> None:
    written = Gateway(permanent()).read(recording("26-quiet-log-levels")).page()
    assert headline(written) == "Of 1 peer nothing is known: see the warning below."
    assert "Warning: racoon logs too little to see SAs" in written


def test_a_failure_comes_with_reason_meaning_advice_and_runbook() -> None:
    written = Gateway(permanent()).read(until("10-cert-expired", STOP)).page()
    text = Parsed(written).text
    assert "Phase 1: certificate_expired" in text
    assert "The certificate is past its last day." in text
    assert "What to do: Renew the peer's certificate." in text
    assert "runbooks/RacoonPeerCertificateRejected#certificate_expired" in written


def test_times_are_in_the_log_s_zone_and_relative() -> None:
    written = Gateway(permanent()).read(until("02-rekey", STOP)).page(after=720)
    since = re.search(r"Up since <time datetime=\"([^\"]*)\">([^<]*)</time> <span class=\"ago\">\(([^)]*)\)", written)
    assert since is not None
    assert since[1] == "2026-11-24T04:06:16+00:00"
    assert since[2] == "2026-11-24 04:06:16 +00:00"
    assert since[3] == "12 min ago"


def test_sas_show_their_age_and_expected_expiry() -> None:
    text = Parsed(Gateway(EXPECTED).read(story.calm(NOW).text()).page()).text
    assert re.search(r"ESP tunnel inbound 0x[0-9a-f]{8}mature2026-11-24 05:\d\d:\d\d \+00:00 \(\d+ min ago\)", text)
    assert re.search(r"2026-11-24 06:\d\d:\d\d \+00:00 \(in \d+ min\)", text)


def test_failures_that_repeat_stand_in_one_row() -> None:
    text = Parsed(Gateway(EXPECTED).read(story.trouble(NOW).text()).page()).text
    assert re.search(r"branch: phase 1, no_response20 times since 2026-11-2\d", text)


def test_what_is_well_takes_a_line_below_what_is_not() -> None:
    written = Gateway(EXPECTED).read(story.trouble(NOW).text()).page()
    rows = [name for name, attributes in Parsed(written).elements if "row" in (attributes.get("class") or "").split()]
    cards = [name for name, attributes in Parsed(written).elements if name == "article"]
    assert (rows, cards) == (["li"] * len(rows), ["article"] * len(cards))
    assert rows
    assert written.rindex("<article") < written.index('class="rows"')


@pytest.mark.parametrize("state", STATES)
def test_peers_of_a_state_are_found_without_a_script(state: State) -> None:
    gateway = Gateway(EXPECTED).read(story.trouble(NOW).text())
    shown = {peer.name for peer in gateway.view().peers if peer.state == state and peer.kind != "stranger"}
    written = gateway.page("", state)
    assert set(re.findall(r'<h4 id="\w+-name">(.*?)</h4>', written)) == shown
    assert f'<option value="{state}" selected>' in written
    if shown:
        assert f'href="./?state={state}"' in gateway.page()
    else:
        assert "No peer is found so" in written


def test_peers_of_a_gateway_are_found_and_so_are_its_failures_only() -> None:
    lines = "Nov 24 05:00:0{0} {1} racoon: ERROR: phase1 negotiation failed due to time up. 38cbca5ed4596c21:0000000000000000\n"
    said = "Nov 24 05:00:00 {0} racoon: INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>198.51.100.{1}[500]\n"
    log = "".join(said.format(f"gw{number}", number) + lines.format(number, f"gw{number}") for number in (1, 2))
    gateway = Gateway().read(log)
    assert "phase 1" in gateway.page()
    written = gateway.page("", "", "gw2")
    assert '<option value="gw2" selected>' in written
    assert "198.51.100.2" in written
    assert "198.51.100.1" not in written


def test_the_log_begins_where_it_begins_however_much_was_forgotten_since() -> None:
    gateway = Gateway({"192.0.2.9": Expectation("never")}, history=3)
    begins = set()
    for line in recording("17-soak-chaos").splitlines(keepends=True)[:4000]:
        gateway.read(line)
        begins.add(gateway.engine.first_line["racoon.log"])
    assert len(begins) == 1
    shown = gateway.view()
    assert shown.log_begins == min(begins)
    assert shown.known_from == shown.log_begins
    told = Parsed(gateway.page()).text
    assert f"Never up since the log begins, {moment(shown.log_begins, UTC)}" in told


def test_unattributed_failures_are_said_openly() -> None:
    written = Gateway(permanent()).read(recording("08-no-sainfo-initiator")).page()
    assert "unattributed" in sections(written)
    assert "No line tells whose these were" in written


def test_what_peers_write_is_text() -> None:
    written = Gateway(EXPECTED).read(story.trouble(NOW).text()).page()
    parsed = Parsed(written)
    assert story.HOSTILE_SUBJECT in parsed.text
    assert [name for name, _ in parsed.elements].count("script") == 1
    assert not [name for name, attributes in parsed.elements if any(key.startswith("on") for key in attributes)]
    assert "\\x1b[31m\\u202e" in parsed.text
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_names_and_searches_are_text_too() -> None:
    hostile = '"><script>alert(1)</script>'
    parsed = Parsed(Gateway({PEER: Expectation(hostile)}).read(recording("02-rekey")).page(hostile, hostile, hostile))
    assert [name for name, _ in parsed.elements].count("script") == 1
    assert [attributes["value"] for name, attributes in parsed.elements if name == "input"] == [hostile]


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    parsed = Parsed(Gateway(EXPECTED).read(story.trouble(NOW).text()).page())
    assert not [name for name, attributes in parsed.elements if name == "style" or "style" in attributes]
    loaded = [
        attributes.get("src") or attributes.get("href") for name, attributes in parsed.elements if name in {"script", "link"}
    ]
    assert loaded == ["assets/icon.svg", "assets/status.css", "assets/status.js"]


def test_a_search_finds_by_name_address_and_says_when_there_is_none() -> None:
    gateway = Gateway(EXPECTED).read(story.trouble(NOW).text())
    for query in ("HEADQ", story.HEADQUARTERS):
        written = gateway.page(query)
        assert "headquarters" in written
        assert "depot" not in written
    assert "contains “nowhere”" in gateway.page("nowhere")


def test_more_peers_than_fit_are_counted_openly() -> None:
    expected = {
        f"192.0.{number // 200}.{number % 200 + 1}": Expectation(f"site-{number:03}") for number in range(MOST_PEERS + 7)
    }
    written = Gateway(expected).read(until("02-rekey", STOP)).page()
    assert written.count("<article") == MOST_PEERS
    assert "8 more are not shown" in written


def test_every_id_is_unique() -> None:
    parsed = Parsed(Gateway(EXPECTED).read(story.trouble(NOW).text()).page())
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["02-rekey", "17-soak-chaos", "13-many-120", "16-ipv6-transport", "14-config-errors"])
def test_a_timeline_says_in_words_what_it_draws(name: str) -> None:
    gateway = Gateway().read(recording(name))
    labels = [
        attributes["aria-label"] for tag, attributes in Parsed(gateway.page()).elements if attributes.get("role") == "img"
    ]
    assert len(labels) == sum(1 for peer in gateway.view().peers if peer.kind != "stranger")
    assert all(
        re.fullmatch(r"Last (24 hours|\d+ (s|min)|\d+ h( \d+ min)?): (not known|up .*(down|never down).*)\.", str(label))
        for label in labels
    )


def ended_by(*lines: str) -> str:
    """The page of a permanent peer that was up and is down after these lines: `08:54:00 INFO: …`."""
    up = [
        "08:00:00 INFO: 192.168.0.40[500] used as isakmp port (fd=6)",
        f"08:00:01 INFO: ISAKMP-SA established 192.168.0.40[500]-{PEER}[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
        f"08:00:02 INFO: IPsec-SA established: ESP/Tunnel 192.168.0.40[500]->{PEER}[500] spi=1001(0x3e9)",
        f"08:00:02 INFO: IPsec-SA established: ESP/Tunnel 192.168.0.40[500]->{PEER}[500] spi=2002(0x7d2)",
    ]
    text = "".join(f"2026-01-15 {line.replace(' ', ': ', 1)}\n" for line in (*up, *lines))
    return Parsed(Gateway(permanent()).read(text).page()).text


def expiry(source: str, destination: str, spi: int) -> str:
    return f"INFO: IPsec-SA expired: ESP/Tunnel {source}[500]->{destination}[500] spi={spi}(0x{spi:x})"


EXPIRY = [expiry(PEER, "192.168.0.40", 1001), expiry("192.168.0.40", PEER, 2002)]
COOKIES = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718"


@pytest.mark.parametrize(
    ("lines", "advice"),
    [
        pytest.param(
            [*(f"08:48:00 {line}" for line in EXPIRY), *(f"09:00:00 {line}" for line in EXPIRY)],
            AFTER_ENDING["expired"],
            id="expired",
        ),
        pytest.param(
            [
                f"08:48:00 [{PEER}] INFO: DPD: remote (ISAKMP-SA spi={COOKIES}) seems to be dead.",
                f"08:48:00 INFO: purging ISAKMP-SA spi={COOKIES}.",
                "08:48:00 INFO: purged IPsec-SA spi=2002.",
                "08:48:00 INFO: purged IPsec-SA spi=1001.",
                f"08:48:00 INFO: purged ISAKMP-SA spi={COOKIES}.",
            ],
            AFTER_ENDING["dead_peer"],
            id="found dead",
        ),
        pytest.param(
            ["08:48:00 INFO: purged IPsec-SA proto_id=ESP spi=2002."], AFTER_ENDING["deleted_by_peer"], id="deleted by the peer"
        ),
        pytest.param(
            ["08:48:00 INFO: caught signal 15", "08:48:01 INFO: racoon process 7 shutdown"],
            AFTER_ENDING["restart"],
            id="restart",
        ),
    ],
)
def test_a_peer_that_is_down_without_a_failure_has_a_way_back(lines: list[str], advice: str) -> None:
    assert f"What to do: {advice}" in ended_by(*lines)


def test_every_end_of_an_sa_has_its_advice() -> None:
    assert set(AFTER_ENDING) == set(ENDINGS)


def test_a_peer_that_was_never_tried_has_a_beginning() -> None:
    text = Parsed(Gateway(permanent()).read("2026-01-15 08:00:00: INFO: 192.168.0.40[500] used as isakmp port (fd=6)\n").page())
    assert f"What to do: {NEVER_UP}" in text.text


def test_while_phase_1_is_tried_the_card_says_since_when() -> None:
    """Phase 2 gave up first; that there was no phase 1 is no news."""
    text = Parsed(Gateway(permanent()).read(until("04-unreachable-no-daemon", "phase1 negotiation failed")).page()).text
    assert "Phase 1 is being tried since" in text
    assert "nothing came back so far that the log shows" in text
    assert "look for the phase 1 failure" not in text


@pytest.mark.parametrize(("method", "word"), [("psk", "pre-shared keys"), ("signature", "ike_frag")])
def test_advice_fits_what_the_peer_proves_itself_with(method: str, word: str) -> None:
    expected = {PEER: Expectation("branch", authentication=method)}
    text = Parsed(Gateway(expected).read(recording("05-psk-mismatch-main", lines=30)).page()).text
    assert "Phase 1: timeout" in text
    assert word in text
    assert ("pre-shared" in text) == (method == "psk")


def test_a_certificate_tells_that_keys_are_no_matter() -> None:
    gateway = Gateway(permanent()).read(recording("02-rekey"))
    peers = next(iter(gateway.engine.state.racoons.values())).peers
    assert peers[PEER].authentication == "signature"


def test_what_the_other_end_named_is_said_to_be_told() -> None:
    gateway = Gateway(permanent())
    gateway.engine.state.two_ends.catching_up = True
    gateway.read(recording("05-psk-missing", "b"), "b.log").read(recording("05-psk-missing"), "a.log")
    text = Parsed(gateway.page()).text
    assert "The other end's log says so (b.log)." in text
    assert "Seen from the other end: Add the peer's key" in text
