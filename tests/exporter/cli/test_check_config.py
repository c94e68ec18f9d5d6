"""`check-config` opens what a configuration names, as the user that will read it."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from racoon_exporter.cli.program import main
from tests.exporter.witness.authority import Authority, key_bytes, new_key

USER = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def etc() -> Iterator[Path]:
    """A directory that other users may enter, with a log, racoon.conf and a key that they may read."""
    directory = Path(tempfile.mkdtemp(prefix="check-config-"))
    directory.chmod(0o755)
    for name in ("racoon.log", "racoon.conf", "policy", "dump"):
        (directory / name).write_text("")
    key = new_key()
    (directory / "server.crt").write_bytes(Authority().certificate("gw", key))
    (directory / "server.key").write_bytes(key_bytes(key))
    yield directory
    shutil.rmtree(directory)


def check(etc: Path, text: str, *more: str) -> Result:
    file = etc / "config.yml"
    file.write_text(text)
    return CliRunner().invoke(main, ["check-config", str(file), "--user", USER, *more])


CONFIG = """sources:
- path: racoon.log
racoon:
  config: racoon.conf
  policy_files:
  - policy
witnesses:
  kernel:
    state_file: dump
"""
WEB = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
NAMED = [
    pytest.param(CONFIG, "racoon.log", 2, id="a log"),
    pytest.param(CONFIG, "racoon.conf", 4, id="racoon.conf"),
    pytest.param(CONFIG, "policy", 6, id="policies"),
    pytest.param(CONFIG, "dump", 9, id="a dump"),
    pytest.param(WEB, "server.crt", 2, id="a certificate"),
    pytest.param(WEB, "server.key", 3, id="a key"),
]


@pytest.mark.parametrize("text", [CONFIG, WEB], ids=["configuration", "web configuration"])
def test_what_can_be_read_is_good(etc: Path, text: str) -> None:
    done = check(etc, text)
    assert (done.exit_code, done.output) == (0, f"{etc / 'config.yml'}: good\n")


@pytest.mark.parametrize(("text", "name", "line"), NAMED)
def test_a_file_that_is_not_there_is_told_with_the_line_that_names_it(etc: Path, text: str, name: str, line: int) -> None:
    (etc / name).unlink()
    done = check(etc, text)
    assert done.exit_code == 2
    assert done.output.startswith(f"{etc / 'config.yml'}:{line}: ")
    assert str(etc / name) in done.output


@pytest.mark.parametrize(("text", "name", "line"), NAMED)
def test_a_file_that_its_reader_may_not_read_is_told(etc: Path, text: str, name: str, line: int) -> None:
    (etc / name).chmod(0o600 if os.geteuid() == 0 else 0)
    done = check(etc, text)
    assert done.exit_code == 2
    assert done.output.startswith(f"{etc / 'config.yml'}:{line}: ")
    assert "may not read it" in done.output or "Permission denied" in done.output


def test_logs_may_come_later_where_a_reload_is_asked_for(etc: Path) -> None:
    (etc / "racoon.log").unlink()
    assert check(etc, CONFIG, "--without-logs").exit_code == 0


def test_a_glob_that_matches_nothing_is_told(etc: Path) -> None:
    assert "no file matches" in check(etc, "sources: [{path: '*.nothing'}]\n").output


def test_the_file_itself_must_be_readable(etc: Path) -> None:
    (etc / "config.yml").touch(0o600)
    (etc / "config.yml").chmod(0o600)
    done = check(etc, CONFIG)
    assert done.exit_code == (2 if os.geteuid() == 0 else 0)


def test_what_is_not_understood_in_a_file_of_racoon_is_said(etc: Path) -> None:
    (etc / "racoon.conf").write_text("log info;\nremoet x;\n")
    done = check(etc, CONFIG)
    assert done.exit_code == 0
    assert f"{etc / 'racoon.conf'}:2: " in done.output


def test_several_files_are_checked_and_one_bad_one_is_enough(etc: Path) -> None:
    web = etc / "web.yml"
    web.write_text("tls_server_config: {cert_file: nowhere}\n")
    done = check(etc, CONFIG, str(web))
    assert done.exit_code == 2
    assert "config.yml: good" in done.output


def test_files_of_each_gateway_are_looked_at(etc: Path) -> None:
    racoons = "racoon:\n- config: racoon.conf\n- config: nowhere.conf\n  gateways: ['gw-*']\n"
    assert check(etc, racoons).output.startswith(f"{etc / 'config.yml'}:3: config: ")


def test_files_of_a_topic_are_looked_at(etc: Path) -> None:
    text = "sources:\n- kafka:\n    bootstrap: broker:9092\n    topic: racoon\n    tls:\n      ca: nowhere.crt\n"
    assert f"{etc / 'config.yml'}:6: ca: " in check(etc, text).output
