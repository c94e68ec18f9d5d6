"""The example with TLS and a password, in a real Prometheus: it scrapes, and with another password it does not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
import yaml

from tests.dashboards.tools import DASHBOARDS, run
from tests.e2e.chain import HOST, Prometheus, exporter
from tests.e2e.waiting import until
from tests.exporter.reading import LAB
from tests.exporter.web.certificates import Authority
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
EXAMPLE = DASHBOARDS / "provisioning" / "prometheus-https.yml"
PASSWORD = "kept apart"
SECONDS = 200


def scraping(folder: Path, port: int, password: str) -> Prometheus:
    """Give a Prometheus with the example: its own words, but for the target and the times."""
    folder.mkdir()
    (folder / "racoon-ca.crt").write_bytes((folder.parent / "ca.crt").read_bytes())
    (folder / "racoon-password").write_text(password)
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    example["scrape_configs"][0]["static_configs"] = [{"targets": [f"{HOST}:{port}"]}]
    example["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    prometheus = Prometheus(folder, example)
    run("promtool", "check", "config", folder / "prometheus.yml")
    return prometheus


@pytest.fixture
def served(tmp_path: Path) -> Iterator[int]:
    """Run an exporter as docs/web.md says."""
    issued = Authority.create(tmp_path).issue("gateway")
    web, port = tmp_path / "web.yml", free_port()
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    web.write_text(
        f"tls_server_config: {{cert_file: {issued.certificate}, key_file: {issued.key}}}\n"
        f"basic_auth_users: {{prometheus: '{hashed}'}}\n"
    )
    options = [f"--web.config.file={web}", "--web.health-without-auth"]
    program = replace(
        exporter(tmp_path, port, LAB / "01-seed" / "b.log", options=options), ready_url=f"https://{HOST}:{port}/-/ready"
    )
    program.start(trusting=tmp_path / "ca.crt")
    yield port
    program.stop()


@pytest.mark.parametrize(("password", "up"), [(PASSWORD, "1"), ("another", "0")], ids=["the password", "another password"])
def test_prometheus_scrapes_with_the_password_and_not_without(served: int, tmp_path: Path, password: str, up: str) -> None:
    prometheus = scraping(tmp_path / "prometheus", served, password)

    def said(query: str) -> list[str]:
        return [one["value"][1] for one in prometheus.now(query)]

    prometheus.program.start()
    try:
        until(lambda: said('up{job="racoon"}') == [up], f"up to be {up}", SECONDS)
        if up == "1":
            assert said("racoon_daemon_starts_total") == ["1"]
    finally:
        prometheus.program.stop()
