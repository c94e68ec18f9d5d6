"""The example with TLS and a password, in a real Prometheus: it scrapes, and with another password it does not."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import bcrypt
import pytest
import yaml

from tests.dashboards.tools import DASHBOARDS, program, run
from tests.e2e.chain import HOST, Program, exporter, free_port
from tests.e2e.waiting import until
from tests.exporter.reading import LAB
from tests.exporter.web.certificates import Authority

pytestmark = pytest.mark.e2e
EXAMPLE = DASHBOARDS / "provisioning" / "prometheus-https.yml"
PASSWORD = "kept apart"
SECONDS = 60


def secured(folder: Path) -> Program:
    """Start an exporter as docs/web.md says."""
    authority = Authority.create(folder)
    issued = authority.issue("gateway")
    web = folder / "web.yml"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    web.write_text(
        f"tls_server_config: {{cert_file: {issued.certificate}, key_file: {issued.key}}}\n"
        f"basic_auth_users: {{prometheus: '{hashed}'}}\n"
    )
    return exporter(
        folder,
        free_port(),
        LAB / "01-seed" / "b.log",
        options=[f"--web.config.file={web}", "--web.health-without-auth"],
    )


def prometheus(folder: Path, port: int, password: str) -> tuple[Program, str]:
    """Give a Prometheus with the example: its own words, but for the target and the times."""
    folder.mkdir()
    (folder / "racoon-ca.crt").write_bytes((folder.parent / "ca.crt").read_bytes())
    (folder / "racoon-password").write_text(password)
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    example["scrape_configs"][0]["static_configs"] = [{"targets": [f"{HOST}:{port}"]}]
    example["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(example), encoding="utf-8")
    run("promtool", "check", "config", folder / "prometheus.yml")
    url = f"http://{HOST}:{free_port()}"
    arguments = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--log.level=warn",
    ]
    return Program("prometheus", arguments, folder, f"{url}/-/ready"), url


def said(url: str, query: str) -> str | None:
    """Give the value of the only series of a query."""
    with urlopen(f"{url}/api/v1/query?{urlencode({'query': query})}", timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    return found[0]["value"][1] if found else None


@pytest.fixture
def served(tmp_path: Path) -> Iterator[int]:
    started = secured(tmp_path)
    port = int(started.ready_url.split(":")[2].split("/")[0])
    listening = Program(started.name, started.arguments, started.folder, f"https://{HOST}:{port}/-/ready")
    listening.start(trusting=tmp_path / "ca.crt")
    yield port
    listening.stop()


@pytest.mark.parametrize(("password", "up"), [(PASSWORD, "1"), ("another", "0")], ids=["the password", "another password"])
def test_prometheus_scrapes_with_the_password_and_not_without(served: int, tmp_path: Path, password: str, up: str) -> None:
    scraper, url = prometheus(tmp_path / "prometheus", served, password)
    scraper.start()
    try:
        until(lambda: said(url, 'up{job="racoon"}') == up, f"up to be {up}", SECONDS)
        if up == "1":
            assert said(url, "racoon_daemon_starts_total") == "1"
    finally:
        scraper.stop()
