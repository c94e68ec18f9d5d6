"""Witness `kernel`: netlink over a pair of sockets, dump files that age, commands that fail."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest

from racoon_exporter.witness import WitnessError, dumps, netlink
from racoon_exporter.witness.dumps import DumpCommand, DumpFile, PrintedKernel
from racoon_exporter.witness.netlink import NetlinkKernel
from tests.parsers.kernel.test_xfrm_messages import ALGORITHMS, message, policy_message, sa_message

SAMPLES = Path(__file__).parents[2] / "samples" / "kernel"


Kernel = Callable[..., NetlinkKernel]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """Makes a kernel that answers each request with given datagrams."""
    with contextlib.ExitStack() as open_:

        def answering(*answers: list[bytes]) -> NetlinkKernel:
            kernel_end, our_end = (open_.enter_context(end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
            for datagram in itertools.chain(*answers):
                kernel_end.send(datagram)
            return NetlinkKernel(connect=lambda: our_end)

        yield answering


def done(sequence: int) -> bytes:
    return message(3, bytes(4), sequence=sequence)


def test_both_tables_are_dumped_over_several_datagrams(kernel: Kernel) -> None:
    sa = message(0x10, sa_message(attributes=ALGORITHMS))
    look = kernel([sa, sa + sa, done(1)], [message(0x13, policy_message(), sequence=2) + done(2)]).look()
    assert len(look.sas) == 3
    assert look.policies is not None
    assert len(look.policies) == 1
    assert look.complete


def test_a_refusal_names_the_right_that_is_missing(kernel: Kernel) -> None:
    with pytest.raises(WitnessError, match="CAP_NET_ADMIN"):
        kernel([message(2, struct.pack("=i", -1) + bytes(16))]).look()


def test_an_answer_that_never_ends_is_given_up(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "SECONDS", 0.05)
    with pytest.raises(WitnessError, match=r"did not end|timed out"):
        kernel([message(0x10, sa_message())]).look()


def test_a_table_that_changed_meanwhile_is_not_complete(kernel: Kernel) -> None:
    look = kernel([message(3, bytes(4), flags=0x12)], [done(2)]).look()
    assert not look.complete


def printed(state: dumps.Printer, policy: dumps.Printer | None = None) -> PrintedKernel:
    return PrintedKernel(state, policy, zone=UTC)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "sad.txt"
    path.write_text((SAMPLES / "setkey-rekey.txt").read_text().partition("\n")[2])
    return path


def test_ages_of_a_dump_count_back_from_when_the_file_was_written(dump: Path) -> None:
    written = time.time() - 100
    os.utime(dump, (written, written))
    look = printed(DumpFile(dump)).look()
    assert look.sas[0].added == pytest.approx(written - 1, abs=0.01)
    assert look.sas[0].hard_expiry == pytest.approx(written + 39, abs=0.01)


def test_a_file_that_did_not_change_is_no_new_look(dump: Path) -> None:
    witness = printed(DumpFile(dump))
    first, second = witness.look(), witness.look()
    assert (first.new, len(first.sas)) == (True, 4)
    assert (second.new, second.sas) == (False, ())
    os.utime(dump, (time.time() - 5, time.time() - 5))
    assert witness.look().new


def test_a_policy_file_that_nothing_writes_any_more_is_told_though_the_sad_did_not_change(dump: Path, tmp_path: Path) -> None:
    policies = tmp_path / "spd.txt"
    policies.write_text("No SPD entries.\n")
    witness = printed(DumpFile(dump), DumpFile(policies))
    assert witness.look().policies == ()
    old = time.time() - dumps.STALE_SECONDS - 60
    os.utime(policies, (old, old))
    with pytest.raises(WitnessError, match=r"spd\.txt was last written"):
        witness.look()


def test_a_file_that_nothing_writes_any_more_says_nothing_of_now(dump: Path) -> None:
    old = time.time() - dumps.STALE_SECONDS - 60
    os.utime(dump, (old, old))
    with pytest.raises(WitnessError, match="was last written"):
        printed(DumpFile(dump)).look()


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(WitnessError, match="No such file"):
        printed(DumpFile(tmp_path / "none")).look()


def test_a_dump_that_ends_within_an_sa_is_not_complete(dump: Path) -> None:
    dump.write_text(dump.read_text()[:-300])
    look = printed(DumpFile(dump)).look()
    assert not look.complete


def test_what_is_no_dump_is_told_without_what_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "sad.txt").write_text("secret-of-somebody\n")
    with pytest.raises(WitnessError) as told:
        printed(DumpFile(tmp_path / "sad.txt")).look()
    assert "secret" not in str(told.value)


def test_a_command_is_run_and_its_output_read() -> None:
    script = f"print(open({str(SAMPLES / 'ip-state.txt')!r}).read())"
    look = printed(DumpCommand([sys.executable, "-c", script])).look()
    assert [sa.spi for sa in look.sas] == [235004356, 193811446]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/nowhere/ip"], "No such file"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "status 3"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "did not end within"),
    ],
    ids=["a program that is not there", "one that fails", "one that hangs"],
)
def test_a_command_that_gives_nothing_says_why(command: list[str], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "hangs" in why or "did not end" in why:
        monkeypatch.setattr(dumps, "COMMAND_SECONDS", 0.05)
    with pytest.raises(WitnessError, match=why):
        printed(DumpCommand(command)).look()
