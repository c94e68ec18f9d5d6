"""Rotated files are the same stream as their log, whatever they are called."""

from __future__ import annotations

import pytest

from racoon_exporter.source.files.siblings import bases
from racoon_exporter.source.stream_name import stream_of

ROTATED = (
    *(
        "racoon.log.1",
        "racoon.log.1234.gz",
        "racoon.log.old",
        "racoon.log.old.xz",
        "racoon.log-20260131",
        "racoon.log.20260131.bz2",
    ),
    *("racoon.log-2026-01-31", "racoon.log-20260131-1", "racoon.log-20260131T080000Z.gz", "racoon.log-2026-01-31_08-30-02"),
    *("racoon.log_20260131", "racoon.log-1769846402", "racoon-20260131.log", "racoon-2026-01-31.log.gz", "racoon.old.log"),
)


@pytest.mark.parametrize("name", [name for name in ROTATED if name != "racoon.old.log"])
@pytest.mark.parametrize("folder", ["", "/var/log/", "a.1/"])
def test_a_rotated_file_is_the_stream_of_its_log(folder: str, name: str) -> None:
    assert stream_of(f"{folder}{name}") == f"{folder}racoon.log"


@pytest.mark.parametrize("name", ROTATED)
def test_the_same_names_are_known_where_files_are_looked_for_beside_a_log(name: str) -> None:
    assert f"/var/log/{'racoon.log'}" in bases(f"/var/log/{name}")


def test_a_log_that_is_only_compressed_is_the_stream_of_the_log() -> None:
    assert stream_of("/var/log/racoon.log.gz") == "/var/log/racoon.log"


@pytest.mark.parametrize(
    "name",
    ["/var/log/gw.1.log", "/var/log/racoon-0.8.2.log", "udp:127.0.0.1:5514", "kafka:racoon/3", "stdin", "journal", "/a.1/b"],
)
def test_what_may_be_no_rotated_file_is_a_stream_of_its_own(name: str) -> None:
    assert stream_of(name) == name
