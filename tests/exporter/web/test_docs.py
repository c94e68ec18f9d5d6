from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import yaml

from racoon_exporter.web import Limits, check_web_config
from racoon_exporter.web.application import HEALTH_PATHS, SECURITY_HEADERS
from racoon_exporter.web.config_file import CURVES

DOCUMENT = (Path(__file__).parents[3] / "docs" / "web.md").read_text()


def example() -> str:
    found = re.search(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_names_keys_that_exist_and_nothing_but_its_files_is_missing() -> None:
    problems = check_web_config(example(), Path("/nowhere"))
    assert [problem.message for problem in problems] == [
        "cert_file: cannot read /nowhere/server.crt: No such file or directory"
    ]


def test_the_example_shows_every_section() -> None:
    assert set(yaml.safe_load(example())) == {"tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"}


def _shown(name: str, value: float) -> str:
    if not name.endswith("_bytes"):
        return f"{value:g}"
    return f"{value // 1024**2:g} MiB" if value >= 1024**2 else f"{value // 1024:g} KiB"


def test_every_limit_stands_in_the_table() -> None:
    table = DOCUMENT.partition("## Limits")[2]
    for name, value in asdict(Limits()).items():
        assert re.search(rf"\b{_shown(name, value)}\b", table), name


def test_headers_curves_and_health_paths_stand_in_the_text() -> None:
    for word in (*SECURITY_HEADERS, *CURVES, *HEALTH_PATHS):
        assert word in DOCUMENT
