"""What docs/deployment.md and the packaging files name is there."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from racoon_exporter import __version__
from racoon_exporter.config.file import load_config
from racoon_exporter.source import kinds
from racoon_exporter.source.journal.journalctl import JournalOptions
from racoon_exporter.web import check_web_config
from racoon_parsers.kernel import parse_sad

CHECKOUT = Path(__file__).parents[2]
PACKAGING = CHECKOUT / "packaging"
TEXT = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8")
EXAMPLES = {path.name for path in (PACKAGING / "examples").iterdir()}


def test_every_example_is_explained_and_every_named_example_exists() -> None:
    assert set(re.findall(r"examples/([a-z][\w.-]*\w)", TEXT)) == EXAMPLES


@pytest.mark.parametrize("name", sorted(set(re.findall(r"packaging/[\w./-]*\w", TEXT))))
def test_files_of_the_repository_that_are_named_exist(name: str) -> None:
    assert (CHECKOUT / name).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\]\(([\w-]+\.md)\)", TEXT))))
def test_links_lead_somewhere(name: str) -> None:
    assert (CHECKOUT / "docs" / name).exists()


def test_the_package_has_the_version_of_the_program() -> None:
    first = (PACKAGING / "debian" / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"racoon-exporter ({__version__}) ")


def test_the_shipped_configuration_follows_the_usual_log_and_nothing_else() -> None:
    config = load_config(PACKAGING / "etc" / "racoon-exporter.yml")
    assert (config.sources, config.peers) == (kinds.paths("/var/log/racoon.log"), ())


def test_the_shipped_configuration_is_good_with_its_examples_too(tmp_path: Path) -> None:
    text = (PACKAGING / "etc" / "racoon-exporter.yml").read_text(encoding="utf-8")
    (tmp_path / "all.yml").write_text(re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.MULTILINE), encoding="utf-8")
    config = load_config(tmp_path / "all.yml")
    assert len(config.paths) == 2
    assert kinds.journal(JournalOptions(identifiers=("racoon",))) in config.sources
    assert [(peer.address, peer.kind) for peer in config.peers] == [("198.51.100.7", "permanent"), ("203.0.113.9", "roaming")]
    assert [str(network.network) for network in config.networks] == ["192.0.2.0/24"]


def test_the_shipped_web_configuration_changes_nothing() -> None:
    text = (PACKAGING / "etc" / "web.yml").read_text(encoding="utf-8")
    assert all(line.startswith("#") or not line for line in text.splitlines())
    assert check_web_config(text, PACKAGING / "etc") == []


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt"])
def test_what_is_pinned_is_pinned_by_hash(name: str) -> None:
    lines = (PACKAGING / name).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.match(r"[\w.-]+==\S+(?: ; .*?)?(?:\s+--hash=sha256:[0-9a-f]{64})+$", pin)] == []


def test_what_builds_is_pinned_too() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    builders = {re.split(r"[<>=]", each)[0] for each in project["build-system"]["requires"]}
    assert builders <= set(re.findall(r"^([\w-]+)==", (PACKAGING / "build-requirements.txt").read_text(), re.MULTILINE))


def test_every_library_has_a_lowest_version_that_is_tested() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [each for each in project["dependencies"] if not re.fullmatch(r"[\w-]+>=[0-9.]+", each)] == []
    assert "sh .ci/floors" in (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


def test_what_the_security_policy_names_is_there() -> None:
    text = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:docs|packaging)/[\w./-]*\w", text))
    targets = set(re.findall(r"`make ([\w-]+)`", text))
    made = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "Makefile", PACKAGING / "packaging.mk"))
    assert len(paths) >= 5
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []
    assert [target for target in targets if not re.search(rf"^{target}:", made, re.MULTILINE)] == []


def test_every_library_that_the_program_asks_for_is_pinned() -> None:
    pinned = set(re.findall(r"^([\w-]+)==", (PACKAGING / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split("[<>=~! ;]", dependency)[0] for dependency in project["dependencies"]}
    assert len(asked) > 5
    assert asked <= pinned


def test_every_library_of_the_package_has_its_licence_named() -> None:
    pinned = set(re.findall(r"^([\w-]+)==", (PACKAGING / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    copyright_file = (PACKAGING / "debian" / "copyright").read_text(encoding="utf-8")
    assert {name for name in pinned if f"/{name.replace('-', '_')}*" not in copyright_file} == set()


def test_a_dump_that_fails_leaves_the_last_one_and_one_that_does_not_has_no_key(tmp_path: Path) -> None:
    """An empty file would say that every SA is gone."""
    service = (PACKAGING / "examples" / "racoon-dump.service").read_text(encoding="utf-8")
    scripts = re.findall(
        r"(?m)^ExecStart=/bin/sh -c '(.*)'$", service.replace("$$", "$").replace("/run/racoon-dump", str(tmp_path))
    )
    state, policy = tmp_path / "state", tmp_path / "policy"
    for dump in (state, policy):
        dump.write_text("the last one")
    for program in ("exit 2", f'cat "{CHECKOUT}/tests/samples/kernel/ip-state.txt"'):
        before = [state.read_text(), policy.read_text()]
        (tmp_path / "ip").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "ip").chmod(0o755)
        for script in scripts:
            subprocess.run(["/bin/sh", "-c", script], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
        assert ([state.read_text(), policy.read_text()] == before) == (program == "exit 2")
    assert len(parse_sad(state.read_text()).sas) == 2
    assert not re.search(r"0x[0-9a-f]{16}", state.read_text())
