"""A gateway to be looked at: its log, its configuration, its system's files, in a directory that others may enter."""

import json
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from racoon_exporter.cli.program import main

PEER = "198.51.100.7"
STORY = (
    "INFO: @(#)ipsec-tools 0.8.2 (http://ipsec-tools.sourceforge.net)",
    "INFO: 192.0.2.1[500] used as isakmp port (fd=6)",
    f"INFO: IPsec-SA request for {PEER} queued due to no phase1 found.",
    f"INFO: initiate new phase 1 negotiation: 192.0.2.1[500]<=>{PEER}[500]",
    "INFO: begin Identity Protection mode.",
    f"INFO: ISAKMP-SA established 192.0.2.1[500]-{PEER}[500] spi:8f1b2c3d4e5f6071:a1b2c3d4e5f60718",
    f"INFO: initiate new phase 2 negotiation: 192.0.2.1[500]<=>{PEER}[500]",
    f"INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{PEER}[500] spi=172461417(0xa478969)",
    f"INFO: IPsec-SA established: ESP/Tunnel 192.0.2.1[500]->{PEER}[500] spi=29143217(0x1bcb0b1)",
    f"WARNING: {PEER} used a responder lifetime of its own",
)
"""A racoon that came up a few minutes ago, and its tunnel with it."""


def lines(texts: Iterable[str] = STORY, *, zone: timezone = UTC, ends: float = 20.0) -> str:
    """Write messages in racoon's file format, the last `ends` seconds ago, ten seconds apart."""
    texts = list(texts)
    now = datetime.now(zone) - timedelta(seconds=ends)
    stamps = [now - timedelta(seconds=10 * left) for left in range(len(texts) - 1, -1, -1)]
    return "".join(f"{stamp:%Y-%m-%d %H:%M:%S}: {text}\n" for stamp, text in zip(stamps, texts, strict=True))


def by_syslog(texts: Iterable[str] = STORY) -> str:
    """Write them as rsyslog does, with the zone in each line."""
    return "".join(f"{datetime.now(UTC).isoformat()} gw racoon[77]: {text}\n" for text in texts)


@dataclass
class Gateway:
    """All is well unless a test changes it."""

    root: Path
    user: str
    web: str = ""
    more: str = ""
    """More of the configuration file."""
    arguments: tuple[str, ...] = ()
    findings: list[dict[str, Any]] = field(default_factory=list)
    status: int = -1

    def __post_init__(self) -> None:
        for name in ("var/log", "etc/racoon-exporter", "etc/racoon", "etc/logrotate.d", "var/lib/racoon-exporter"):
            (self.root / name).mkdir(parents=True)
        for directory in self.root.rglob("*"):
            directory.chmod(0o755)
        self.log = self.root / "var/log/racoon.log"
        self.config = self.root / "etc/racoon-exporter/racoon-exporter.yml"
        self.web_config = self.root / "etc/racoon-exporter/web.yml"
        self.state = self.root / "var/lib/racoon-exporter/state.json"
        self.racoon_conf = self.root / "etc/racoon/racoon.conf"
        self.write(self.log, lines())
        self.write(self.racoon_conf, f"log info;\nremote {PEER} {{\n exchange_mode main;\n{_PROPOSAL}}}\n")
        self.own(self.state.parent)
        self.rotate("create 0644 root root\n    rotate 8\n    compress\n    delaycompress")

    def write(self, path: Path, text: str, mode: int = 0o644) -> Path:
        """Write a file of the host."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def own(self, path: Path) -> None:
        """Give a path to the service's user."""
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)

    def rotate(self, directives: str, scripts: str = "") -> Path:
        """Write logrotate's rule for the log."""
        rule = f"{self.log} {{\n    weekly\n    {directives}\n    missingok\n{scripts}}}\n"
        return self.write(self.root / "etc/logrotate.d/racoon", rule)

    def shut(self, path: Path) -> Path:
        """Take a file away from the service's user, as a umask of 077 does."""
        path.chmod(0o600 if os.geteuid() == 0 else 0)
        return path

    def unit(self, service: str, drop_in: str = "") -> None:
        """Install a systemd unit, with a drop-in."""
        units = self.root / "etc/systemd/system"
        self.write(units / "racoon-exporter.service", f"[Service]\n{service}\n[Install]\nWantedBy=multi-user.target\n")
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants/racoon-exporter.service").symlink_to("../racoon-exporter.service")
        if drop_in:
            self.write(units / "racoon-exporter.service.d/ours.conf", f"[Service]\n{drop_in}\n")

    def configure(self) -> tuple[str, ...]:
        """Write the configuration, and give the arguments of `serve`."""
        text = f"sources:\n- path: {self.log}\nracoon:\n  config: {self.racoon_conf}\ntime_zone: UTC\n{self.more}"
        if not self.config.exists():
            self.write(self.config, text)
        arguments: tuple[str, ...] = ("--config.file", str(self.config), "--state.file", str(self.state))
        if self.web:
            if not self.web_config.exists():
                self.write(self.web_config, self.web)
            arguments += ("--web.config.file", str(self.web_config))
        return (*arguments, "--web.listen-address", "127.0.0.1:0")

    def run(self, *served: str, as_the_unit: bool = False) -> Result:
        """Run the doctor."""
        user = () if as_the_unit else ("--user", self.user)
        return CliRunner().invoke(main, ["doctor", *served, *user, "--path.rootfs", str(self.root), "--format", "json"])

    def look(self, *instead: str, as_the_unit: bool = False) -> "Gateway":
        """Let the doctor look."""
        done = self.run(*(instead or (*self.configure(), *self.arguments)), as_the_unit=as_the_unit)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        self.status = done.exit_code
        self.findings = json.loads(done.stdout)["findings"]
        return self

    def bad(self) -> list[tuple[str, str]]:
        """Give area and status of what is not ok."""
        return [(finding["area"], finding["status"]) for finding in self.findings if finding["status"] != "ok"]

    def only(self) -> dict[str, Any]:
        """Give the one thing that is not ok."""
        (finding,) = [finding for finding in self.findings if finding["status"] != "ok"]
        return finding


_PROPOSAL = " proposal { encryption_algorithm aes; hash_algorithm sha1; authentication_method pre_shared_key; dh_group 2; }\n"
