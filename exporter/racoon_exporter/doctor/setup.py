"""What is looked at: the settings that `serve` is given, the configuration they name, who reads, on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import Final

from racoon_exporter.config import knowledge
from racoon_exporter.config.file import Config, read_config
from racoon_exporter.doctor.host import Host
from racoon_exporter.doctor.rights import there
from racoon_exporter.doctor.service_user import ServiceUser
from racoon_exporter.doctor.unit_file import Unit
from racoon_exporter.sa import Known
from racoon_exporter.serve.service import Settings, wanted_by
from racoon_exporter.source.files.patterns import MOST_MATCHED, files_of, is_pattern
from racoon_exporter.source.files.siblings import bases
from racoon_exporter.source.kinds import Wanted
from racoon_exporter.source.rotated_names import is_packed
from racoon_exporter.yaml_document import Problem

USUAL_CONFIG: Final = Path("/etc/racoon-exporter/racoon-exporter.yml")


@dataclass(frozen=True)
class Setup:
    """Everything that checks need to know."""

    settings: Settings
    user: ServiceUser
    host: Host = field(default_factory=Host)
    unit: Unit | None = None
    holders: Mapping[int, str] = field(default_factory=dict)
    """Which program listens on which port."""

    @cached_property
    def _read(self) -> tuple[Config, list[Problem], str | None]:
        path = self.settings.config_file
        if path is None:
            return Config(), [], None
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return Config(), [Problem(None, "not UTF-8, or no text at all")], None
        except OSError as error:
            return Config(), [], error.strerror or str(error)
        return *read_config(text, path.parent), None

    @property
    def config(self) -> Config:
        """The configuration, as far as it can be read."""
        return self._read[0]

    @property
    def config_problems(self) -> list[Problem]:
        """What is wrong in it."""
        return self._read[1]

    @property
    def config_unreadable(self) -> str | None:
        """Why it cannot be read, by us."""
        return self._read[2]

    @cached_property
    def known(self) -> Known | None:
        """What is known of peers; None where a file that tells it cannot be read, which is told elsewhere."""
        if self.config_problems or self.config_unreadable is not None:
            return None
        with suppress(OSError, ValueError):
            return knowledge.build(self.settings.flags, self.config)[0]
        return None

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """All that is to be read."""
        return wanted_by(self.settings, self.config)

    @property
    def zone(self) -> tzinfo:
        """The zone in which logs are read."""
        return self.settings.zone or self.config.zone or self.settings.local_zone

    @property
    def racoon_confs(self) -> tuple[Path, ...]:
        """Every racoon.conf that somebody names, that of the command line first, which holds before the configuration's."""
        given = self.settings.flags.racoon_config
        return tuple(map(Path, (*((given,) if given else ()), *self.config.racoon_confs)))

    @property
    def racoon_conf(self) -> Path | None:
        """The first racoon.conf, where somebody names one."""
        return next(iter(self.racoon_confs), None)

    @property
    def policy_files(self) -> tuple[Path, ...]:
        """Files with policies."""
        return tuple(map(Path, (*self.config.policy_files, *self.settings.flags.policy_files)))

    @cached_property
    def logs(self) -> tuple[Path, ...]:
        """The files that are there of those that are to be read; rotated ones are no logs of their own."""
        found: dict[Path, None] = {}
        for each in self.wanted:
            if each.kind == "path" and each.name != "-":
                names = files_of(each.name) if is_pattern(each.name) else [each.name]
                found |= dict.fromkeys(Path(name) for name in names if name == each.name or not _is_rotated(name))
        return tuple(path for path in found if there(path) and path.is_file())[:MOST_MATCHED]


def _is_rotated(name: str) -> bool:
    return is_packed(name) or any(there(base) for base in bases(name))
