"""What can be wrong with the web endpoint, said so that a person can mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from racoon_exporter.yaml_document import Problem


class WebConfigError(Exception):
    """The web configuration file cannot be used; ``problems`` holds every fault, in the order of the file."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: " + "; ".join(map(str, self.problems)))


class ListenError(OSError):
    """An address cannot be listened on; the text is one line that names the address and the system's reason."""
