"""Witnesses beside a followed log: what they end, add and correct, what is shown and kept, and what they leave alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from racoon_exporter.engine import Engine
from racoon_exporter.exposition_cache import ExpositionCache
from racoon_exporter.metrics import collect
from racoon_exporter.sa import Knowledge
from racoon_exporter.serve.loop import Follower
from racoon_exporter.source.inputs import Inputs
from racoon_exporter.source.kinds import paths
from racoon_exporter.witness import KernelLook, Look, RacoonLook, WitnessError, WitnessPanel
from racoon_exporter.witness.dumps import DumpFile, PrintedKernel
from racoon_exporter.witness.poller import Poller
from racoon_parsers.admin_socket import Endpoint, Phase1, Phase2
from racoon_parsers.kernel import KernelSa
from racoon_parsers.setkey import parse_setkey
from tests.exporter.reading import I1, I2, L, P, Q, ipsec, knowing, peer_of, phase1, sa, up

PAIR = (f"08:30:00 {up()}", f"08:30:02 {sa(1)}", f"08:30:02 {sa(2)}")
NOON = 1768478400.0


def inbound(spi: int = 1, peer: str = P, **more: Any) -> KernelSa:
    return KernelSa(peer, L, "esp", spi, "Tunnel", **more)


def outbound(spi: int = 2, peer: str = P, **more: Any) -> KernelSa:
    return KernelSa(L, peer, "esp", spi, "Tunnel", **more)


class Told:
    """A witness that says what the test gives it."""

    gateway: str | None = None

    def __init__(self, name: str = "kernel") -> None:
        self.name = name
        self.says: Look | WitnessError = WitnessError("nothing yet")
        self.closed = False

    def look(self) -> Look:
        if isinstance(self.says, WitnessError):
            raise self.says
        return self.says

    def close(self) -> None:
        self.closed = True


class Gateway:
    """A log, its follower, and the witnesses beside it."""

    def __init__(self, tmp_path: Path, knowledge: Knowledge | None = None) -> None:
        self.log = tmp_path / "racoon.log"
        self.state = tmp_path / "state.json"
        self.kernel, self.racoon = Told("kernel"), Told("racoon")
        self.panel = WitnessPanel([self.kernel, self.racoon])
        self.inputs = Inputs(paths(str(self.log)))
        self.follower = Follower(Engine(UTC, knowledge=knowledge), self.inputs, state_file=self.state, witnesses=self.panel)
        self.follower.restore()

    def logs(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.writelines(f"2026-01-15 {line.replace(' ', ': ', 1)}\n" for line in lines)
        self.read()

    def read(self) -> None:
        while self.follower.step():
            pass

    def sees(self, *sas: KernelSa, taken: float = NOON, times: int = 1, **more: Any) -> None:
        for number in range(times):
            self.panel.heard(self.kernel, KernelLook(taken + 15 * number, sas, **more))

    def hears(self, *sas: Phase1, taken: float = NOON, times: int = 1, **more: Any) -> None:
        for number in range(times):
            self.panel.heard(self.racoon, RacoonLook(taken + 15 * number, sas, **more))

    @property
    def engine(self) -> Engine:
        return self.follower.engine

    def value(self, metric: str, *labels: str) -> float | None:
        return self.follower.look(collect)[0].values[metric].get(("", *labels))

    def text(self) -> str:
        return b"".join(ExpositionCache().answer(self.follower.look, openmetrics=False)).decode()


MakeGateway = Callable[..., Gateway]


@pytest.fixture
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> MakeGateway:
    def make(knowledge: Knowledge | None = None) -> Gateway:
        made = Gateway(tmp_path, knowledge)
        request.addfinalizer(made.inputs.close)
        return made

    return make


def test_an_sa_that_is_gone_without_a_line_has_vanished_by_the_second_look(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees(inbound(), outbound())
    here.sees(taken=NOON + 15)
    assert peer_of(here.engine).phase2_up
    here.sees(taken=NOON + 30)
    assert not peer_of(here.engine).phase2_up
    assert {(one.spi, one.end, one.ended) for one in ipsec(here.engine)} == {
        (1, "vanished", NOON + 15),
        (2, "vanished", NOON + 15),
    }
    assert here.value("racoon_exporter_witness_disagreements", "kernel", "vanished") == 2


def test_what_the_log_tells_in_time_has_not_vanished(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees()
    here.logs("08:30:20 INFO: purged IPsec-SA spi=1.", "08:30:20 INFO: purged IPsec-SA spi=2.")
    here.sees()
    assert {one.end for one in ipsec(here.engine)} == {"purged"}
    assert here.value("racoon_exporter_witness_disagreements", "kernel", "vanished") == 0


def test_a_look_that_was_cut_ends_nothing(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees(times=5, complete=False)
    assert peer_of(here.engine).phase2_up


def test_a_dump_file_that_did_not_change_is_no_second_look(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees()
    here.sees(times=5, new=False)
    assert peer_of(here.engine).phase2_up


def test_nothing_is_compared_while_the_log_is_still_being_read(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    with here.log.open("a") as file:
        file.write("2026-01-15 08:31:00: INFO: received Vendor ID: DPD\n" * 3000)
    assert here.follower.step()
    here.sees(times=5)
    assert peer_of(here.engine).phase2_up


def test_an_sa_whose_line_was_lost_appears(gateway: MakeGateway) -> None:
    here = gateway(knowing(P))
    here.logs(*PAIR[:1])
    here.sees(inbound(added=NOON - 60), outbound(added=NOON - 60), times=2)
    assert peer_of(here.engine).phase2_up
    assert {(one.spi, one.direction, one.established) for one in ipsec(here.engine)} == {
        (1, "in", NOON - 60),
        (2, "out", NOON - 60),
    }
    assert here.value("racoon_exporter_witness_disagreements", "kernel", "unlogged") == 2


def test_an_sa_of_nobody_we_know_is_left_alone(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees(inbound(), outbound(), inbound(7, Q), outbound(8, Q), times=3)
    assert here.value("racoon_ipsec_bytes", Q, "in") is None
    assert len(ipsec(here.engine)) == 2


def test_a_direction_is_corrected(gateway: MakeGateway) -> None:
    """A log that begins with the second line of a pair takes the outbound SA for the inbound one."""
    here = gateway(knowing(P))
    here.logs(f"08:30:00 {up()}", f"08:30:02 {sa(2)}")
    here.sees(outbound())
    assert [(one.spi, one.direction, one.source) for one in ipsec(here.engine)] == [(2, "out", L)]


def test_an_isakmp_sa_that_racoon_has_no_more_has_vanished(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.hears(times=2)
    assert [(one.end, one.ended) for one in phase1(here.engine)] == [("vanished", NOON)]
    assert here.value("racoon_phase1_up", P) == 0


def known_to_racoon(cookies: str = I1, peer: str = P, **more: Any) -> Phase1:
    return Phase1(cookies, "established", Endpoint(L, 500), Endpoint(peer, 500), "initiator", "main", NOON - 60, **more)


def test_an_isakmp_sa_whose_line_was_lost_appears(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.hears(known_to_racoon(), known_to_racoon(I2), times=2)
    assert {one.cookies for one in phase1(here.engine)} == {I1, I2}
    assert here.value("racoon_phase1_sas", P) == 2


def test_traffic_is_summed_over_a_rekey_and_a_restart(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.sees(inbound(bytes=100, packets=1, replay=2), outbound(bytes=50))
    here.logs(f"08:40:00 {sa(3)}", f"08:40:00 {sa(4)}")
    here.sees(inbound(bytes=150, packets=1, replay=2), inbound(3, bytes=10), outbound(bytes=50))
    here.follower.save()
    again = gateway()
    again.read()
    again.sees(inbound(3, bytes=40), taken=NOON + 60)
    assert again.value("racoon_ipsec_bytes", P, "in") == 190
    assert again.value("racoon_ipsec_bytes", P, "out") == 50
    assert again.value("racoon_ipsec_errors", P, "in", "replay") == 2


def test_traffic_of_an_expected_peer_begins_at_nothing(gateway: MakeGateway) -> None:
    here = gateway(knowing(P))
    assert here.value("racoon_ipsec_bytes", P, "in") == 0
    assert here.value("racoon_ipsec_errors", P, "out", "integrity") == 0


def test_expiry_and_algorithms_are_those_of_now(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    strong: dict[str, Any] = {"encryption": "cbc(aes)", "authentication": "hmac(sha256)", "key_bits": 256}
    here.sees(inbound(hard_expiry=NOON + 100, encryption="cbc(des3_ede)", authentication="hmac(md5)", key_bits=192))
    assert here.value("racoon_peer_weak_crypto", P, "2") == 1
    here.sees(inbound(hard_expiry=NOON + 400, **strong), outbound(hard_expiry=NOON + 300, **strong))
    assert here.value("racoon_phase2_expiry_timestamp_seconds", P) == NOON + 400
    assert here.value("racoon_peer_weak_crypto", P, "2") == 0
    assert here.value("racoon_peer_crypto_info", P, "2", "quick", "aes_256", "sha256", "", "") == 1
    assert len(here.panel.shown().inventory.ways) == 2


def test_the_group_of_phase_2_is_racoons_to_tell(gateway: MakeGateway) -> None:
    here = gateway()
    here.logs(*PAIR)
    here.hears(
        known_to_racoon(encryption="AES-CBC", hash="SHA256", group="14", authentication="pre-shared key"),
        phase2=(Phase2(I1, "established", group=2),),
    )
    here.sees(inbound(encryption="cbc(aes)", authentication="hmac(sha256)", key_bits=128))
    assert here.value("racoon_peer_crypto_info", P, "2", "quick", "aes_128", "sha256", "2", "") == 1
    assert here.value("racoon_peer_weak_crypto", P, "2") == 1
    assert here.value("racoon_peer_crypto_info", P, "1", "main", "aes", "sha256", "14", "pre_shared_key") == 1
    assert here.value("racoon_peer_weak_crypto", P, "1") == 0


def test_a_policy_without_an_sa_is_shown(gateway: MakeGateway) -> None:
    here = gateway(knowing(P))
    here.logs(f"08:30:00 {up()}")
    policies = parse_setkey(f"spdadd 10.1.0.0/24 10.2.0.0/24 any -P out ipsec esp/tunnel/{L}-{P}/require;").policies
    here.sees(policies=policies)
    assert (here.value("racoon_policies", P), here.value("racoon_policies_without_sa", P)) == (1, 1)
    here.sees(outbound(), policies=policies)
    assert here.value("racoon_policies_without_sa", P) == 0


def test_a_witness_that_fails_changes_nothing_and_is_shown(gateway: MakeGateway, caplog: pytest.LogCaptureFixture) -> None:
    here = gateway()
    here.logs(*PAIR)
    before = here.text()
    poller = Poller(here.kernel, here.panel.heard)
    for _ in range(3):
        poller.ask()
    assert (poller.status.up, poller.status.trouble) == (False, "nothing yet")
    assert here.text() == before
    assert [record.message for record in caplog.records if "witness" in record.message] == [
        "witness kernel cannot be asked: nothing yet"
    ]


def test_an_answer_that_nobody_foresaw_is_trouble_of_that_witness_which_is_asked_again(
    gateway: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    here = gateway()
    here.kernel.says = KernelLook(NOON)

    def heard(_witness: object, look: Look) -> None:
        raise LookupError(f"secret {look.taken}")

    poller = Poller(here.kernel, heard)
    poller.ask()
    poller.ask()
    assert not poller.status.up
    assert "LookupError in heard (test_panel.py:" in poller.status.trouble
    assert len([record for record in caplog.records if "witness kernel cannot be asked" in record.message]) == 1
    assert "secret" not in caplog.text


def test_it_is_told_when_a_witness_answers_again(gateway: MakeGateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    here = gateway()
    poller = Poller(here.kernel, here.panel.heard, wall=lambda: NOON)
    poller.ask()
    here.kernel.says = KernelLook(NOON)
    poller.ask()
    poller.ask()
    assert (poller.status.up, poller.status.last_success, poller.status.trouble) == (True, NOON, "")
    assert [record.message for record in caplog.records if "answers" in record.message] == ["witness kernel answers"]


def test_a_poller_asks_in_a_thread_of_its_own_until_it_is_stopped() -> None:
    witness, asked = Told(), []
    witness.says = KernelLook(NOON)
    poller: Poller

    def heard(_witness: object, _look: Look) -> None:
        asked.append(1)
        if len(asked) == 3:
            poller.stop()

    poller = Poller(witness, heard, interval=0.0)
    poller.start()
    poller.join()
    assert (len(asked), witness.closed) == (3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"traffic": {"totals": [["", P, "in", [1, 2]]], "last": []}},
        {"inventory": [["", P, 3, "", "", "", "", "", 1, 2]]},
        {"disagreements": 7},
        {"disagreements": [["kernel", "vanished", -5]]},
        {"inventory": [["", P, 1, "", "", "", "", "", "nan", 2]]},
    ],
    ids=["counts", "inventory", "disagreements", "a count below 0", "a time that is none"],
)
def test_a_mangled_part_of_a_state_file_sets_the_whole_file_aside(gateway: MakeGateway, change: dict[str, Any]) -> None:
    here = gateway()
    here.sees(inbound(bytes=5))
    with pytest.raises((KeyError, TypeError, ValueError)):
        here.panel.restore(here.panel.to_json() | change)
    assert here.panel.shown().traffic == {}


def test_the_key_of_a_dump_is_nowhere(gateway: MakeGateway, tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "samples" / "kernel" / "setkey-rekey.txt"
    text = sample.read_text().replace("192.168.0.40", L).replace("192.168.0.41", P)
    (tmp_path / "sad.txt").write_text(text)
    here = gateway(knowing(P))
    here.logs(*PAIR)
    here.panel.heard(here.kernel, PrintedKernel(DumpFile(tmp_path / "sad.txt"), zone=UTC).look())
    here.follower.save()
    kept = here.state.read_text() + here.text() + repr(here.panel.shown()) + json.dumps(here.panel.to_json())
    keys = re.findall(r"(?m)^\s[EA]: \S+\s+([0-9a-f]{8})", text)
    assert len(keys) == 8
    assert here.value("racoon_ipsec_bytes", P, "in") == 2112
    assert not any(key in kept for key in keys)
