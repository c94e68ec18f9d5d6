"""What docs/deployment.md and the packaging files name is there."""

import re
import tomllib
from pathlib import Path

import pytest

from racoon_exporter import __version__
from racoon_exporter.config import Journal, load_config
from racoon_exporter.web import check_web_config

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
    assert (config.paths, config.peers, config.journal) == (("/var/log/racoon.log",), (), None)


def test_the_shipped_configuration_is_good_with_its_examples_too(tmp_path: Path) -> None:
    text = (PACKAGING / "etc" / "racoon-exporter.yml").read_text(encoding="utf-8")
    (tmp_path / "all.yml").write_text(re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.MULTILINE), encoding="utf-8")
    config = load_config(tmp_path / "all.yml")
    assert len(config.paths) == 2
    assert config.journal == Journal(identifiers=("racoon",))
    assert [(peer.address, peer.kind) for peer in config.peers] == [("198.51.100.7", "permanent"), ("203.0.113.9", "roaming")]
    assert [str(network.network) for network in config.networks] == ["192.0.2.0/24"]


def test_the_shipped_web_configuration_changes_nothing() -> None:
    text = (PACKAGING / "etc" / "web.yml").read_text(encoding="utf-8")
    assert all(line.startswith("#") or not line for line in text.splitlines())
    assert check_web_config(text, PACKAGING / "etc") == []


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
