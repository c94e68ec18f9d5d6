"""Logs by `http://`: read as they are from a file, and what a server answers instead is told in its words."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

import pytest

from racoon_exporter.source.files.remote import expanded
from tests.exporter.reading import LAB

LOG: Final = LAB / "01-seed" / "b.log"
FILES: Final = {"/racoon.log": LOG.read_bytes(), "/racoon.log.gz": gzip.compress(LOG.read_bytes()), "/cut": LOG.read_bytes()}


class Server(BaseHTTPRequestHandler):
    """Has some files, whatever stands behind a question mark; refuses one, fails at one, and breaks off in one."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self.wfile.write(self._answer())

    def _answer(self) -> bytes:
        path = self.path.partition("?")[0]
        refused = {"/forbidden": HTTPStatus.FORBIDDEN, "/failing": HTTPStatus.INTERNAL_SERVER_ERROR}
        data = FILES.get(path, b"")
        self.send_response(refused.get(path, HTTPStatus.OK if path in FILES else HTTPStatus.NOT_FOUND))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.close_connection = path == "/cut"
        return data[: len(data) // 2] if path == "/cut" else data

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def history(*logs: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "racoon_exporter", "history", "--format=jsonl", "--time-zone=UTC", *logs]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", ["/racoon.log", "/racoon.log.gz", "/racoon.log?signature=a%2Fb&expires=1"])
def test_a_log_on_a_web_server_tells_what_its_file_tells(web: str, path: str) -> None:
    read = history(web + path)
    assert read.stderr == ""
    assert read.stdout == history(str(LOG)).stdout


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nothing", "No such file or directory"),
        ("/nothing*.log", "No such file or directory"),
        ("/forbidden", "403 Forbidden"),
        ("/forbidden?signature=a", "403 Forbidden"),
        ("/failing", "500 Internal Server Error"),
        ("/cut", "Response payload is not completed"),
    ],
)
def test_what_a_server_answers_instead_of_a_log_is_one_line(web: str, path: str, said: str) -> None:
    read = history(web + path)
    assert (read.returncode, read.stdout) == (1, "")
    (line,) = read.stderr.splitlines()
    assert line.startswith(f"racoon-exporter: {web}{path}: {said}")


def test_a_server_that_is_not_there_is_one_line() -> None:
    read = history("http://127.0.0.1:1/racoon.log")
    assert (read.returncode, read.stdout) == (1, "")
    (line,) = read.stderr.splitlines()
    assert line.startswith("racoon-exporter: http://127.0.0.1:1/racoon.log: Cannot connect to host 127.0.0.1:1")


def test_what_stands_behind_a_question_mark_is_no_wildcard_on_the_web() -> None:
    assert expanded("https://192.0.2.1/racoon.log?signature=a") == ["https://192.0.2.1/racoon.log?signature=a"]
