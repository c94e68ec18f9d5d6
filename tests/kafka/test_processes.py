"""What watches the exporters outlives them."""

import socket
import threading
from pathlib import Path

from tests.kafka.processes import Exporter

CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nracoon_phase1_up"


def test_an_exporter_that_dies_within_its_answer_did_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def die_within_an_answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(CUT)

        dying = threading.Thread(target=die_within_an_answer)
        dying.start()
        assert Exporter(0, server.getsockname()[1], tmp_path, 1.0).scrape() is None
        dying.join()
