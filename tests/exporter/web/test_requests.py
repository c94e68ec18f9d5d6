"""What is a request and what is none: a table of raw ones."""

from __future__ import annotations

import codecs
import csv
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import h11
import pytest

from racoon_exporter.web import Limits, requests
from racoon_exporter.web.requests import MOST_LINES, StrictConnection
from tests.exporter.web.client import PATIENCE, connect, read_all, status

if TYPE_CHECKING:
    from tests.exporter.web.conftest import Serve

#: Asked after a request whose connection should be kept.
NEXT = b"GET /-/healthy HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"


class Case(NamedTuple):
    name: str
    answers: list[int]
    then: str
    end: str
    request: bytes


def cases() -> list[Case]:
    lines = (Path(__file__).parent / "requests.tsv").read_text().splitlines()
    rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        Case(
            row["name"],
            [int(answer) for answer in row["answers"].split() if answer != "-"],
            row["then"],
            row["end"],
            codecs.decode(row["request"], "unicode_escape").encode("latin-1"),
        )
        for row in rows
    ]


@pytest.mark.parametrize("case", cases(), ids=[case.name for case in cases()])
def test_a_request_is_answered_as_the_table_says(serve: Serve, case: Case) -> None:
    with connect(serve()) as client:
        client.sendall(case.request)
        if case.end == "half":
            client.shutdown(socket.SHUT_WR)
        elif case.then == "kept":
            client.sendall(NEXT)
        answer = read_all(client)
    statuses = [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]
    assert statuses == case.answers + [200] * (case.then == "kept")


def test_a_request_that_is_refused_closes_before_what_comes_after_it(serve: Serve) -> None:
    """As a whole: no request behind a refused one is answered."""
    server = serve()
    for case in cases():
        if case.answers == [400] and case.end == "open":
            with connect(server) as client:
                client.sendall(case.request + NEXT)
                assert read_all(client).count(b"HTTP/1.1 ") == 1, case.name


def test_a_body_in_chunks_of_a_byte_is_not_read_to_its_end(serve: Serve) -> None:
    server = serve(limits=Limits(request_timeout=10 * PATIENCE))
    with connect(server) as client:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 65)
        assert read_all(client).count(b"HTTP/1.1 ") <= 1


def test_a_head_may_come_in_two_pieces_wherever_it_is_cut(serve: Serve) -> None:
    head = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * (MOST_LINES - 3) + b"Connection: close\r\n\r\n"
    server = serve()
    for end in range(1, 6):
        with connect(server) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(head[:-end])
            client.sendall(head[-end:])
            assert status(read_all(client)) == 200


def _is_read(pieces: list[bytes]) -> bool:
    connection = StrictConnection(h11.SERVER)
    try:
        for piece in pieces:
            connection.receive_data(piece)
            while isinstance(connection.next_event(), h11.Event):
                pass
    except h11.RemoteProtocolError:
        return False
    return True


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_request_is_read_alike_wherever_it_is_cut(case: Case) -> None:
    whole = _is_read([case.request])
    assert _is_read([case.request[place : place + 1] for place in range(len(case.request))]) == whole
    for place in range(len(case.request)):
        assert _is_read([case.request[:place], case.request[place:]]) == whole


def test_each_byte_of_a_head_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long one that comes byte by byte costs no more than its length: it was searched from its beginning each time."""
    searched = []

    class Searched:
        def search(self, data: bytes, start: int = 0) -> None:
            searched.append(len(data) - start)

    monkeypatch.setattr(requests, "_END_OF_HEAD", Searched())
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 4000
    assert _is_read([head[place : place + 1] for place in range(len(head))])
    assert sum(searched) <= 3 * len(head)


def test_names_of_cases_are_told_apart() -> None:
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
