"""The kernel witness on a real kernel with ESP and AH: SAs added, used, rekeyed and flushed by `ip xfrm`, and compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kernel.uml import boot

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", name="figures")
def boot_and_note(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the story within the kernel noted."""
    out = tmp_path_factory.mktemp("kernel")
    boot("tests.kernel.story", out)
    figures: dict[str, Any] = json.loads((out / "figures.json").read_text())
    return figures


def test_netlink_and_iproute2_tell_the_same(figures: dict[str, Any]) -> None:
    assert figures["netlink_sas"] == figures["printed_sas"]
    assert len(figures["netlink_sas"]) == 2
    assert figures["netlink_policies"] == figures["printed_policies"]
    assert len(figures["netlink_policies"]) == 2
    assert figures["complete"]


def test_traffic_equals_the_kernels_over_a_rekey(figures: dict[str, Any]) -> None:
    assert (figures["answered"], figures["answered_after_rekey"]) == (20, 10)
    assert (figures["bytes_in"], figures["bytes_out"]) == (figures["kernel_in"], figures["kernel_out"])


def test_algorithms_and_expiry_are_told(figures: dict[str, Any]) -> None:
    assert (figures["encryption"], figures["weak"]) == (1, 1)
    assert 3000 < figures["expires_in"] <= 3600
    assert (figures["policies"], figures["without_sa"]) == (1, 0)


def test_sas_flushed_without_a_line_have_vanished(figures: dict[str, Any]) -> None:
    assert figures["vanished"] >= 2


def test_sas_without_a_line_appear(figures: dict[str, Any]) -> None:
    assert figures["appeared_after"] >= 0
    assert figures["ah"] == 2


def test_nothing_falls_over_a_kill(figures: dict[str, Any]) -> None:
    assert figures["after_kill"] >= figures["before_kill"] > 0
    assert figures["up_after_kill"] == 1


def test_keys_are_nowhere(figures: dict[str, Any]) -> None:
    assert figures["keys_found"] == []


def test_one_capability_is_enough_and_needed(figures: dict[str, Any]) -> None:
    assert "CAP_NET_ADMIN" in figures["nobody"]
    assert figures["capable"] == "2"


def test_a_large_table_is_read_whole(figures: dict[str, Any]) -> None:
    assert (figures["many"], figures["many_complete"]) == (20_000, True)
