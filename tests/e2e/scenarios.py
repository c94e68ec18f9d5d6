"""What is replayed, and what must come of it."""

from dataclasses import dataclass
from pathlib import Path

from tests.dashboards.tools import ROOT

LAB = ROOT / "tests" / "scenarios" / "lab"
SHUTDOWN = "caught signal 15"
"""Recordings end with an orderly shutdown of racoon, which is an alert of its own: most are played up to it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A recording of one host, the alert that must reach the webhook with these labels, and through which receiver."""

    name: str
    host: str
    alert: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    receiver: str = "pager"
    stop_before: str | None = SHUTDOWN
    speed: float = 10
    expected: bool = True
    stamp: bool = True
    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def recordings(self) -> tuple[Path, ...]:
        """Where the recording is: the host's own log unless `files` says otherwise."""
        return tuple(LAB / self.name / file for file in self.files or (f"{self.host}.log",))

    @property
    def peers(self) -> tuple[str, ...]:
        """The other host, as the exporter is told to expect it."""
        if not self.expected:
            return ()
        return ("192.168.0.41=branch",) if self.host == "a" else ("192.168.0.40=branch",)


BRANCH = ("peer", "branch")
ALARMS = (
    Scenario("05-psk-mismatch-main", "a", "RacoonPhase1Failing", (BRANCH, ("reason", "timeout"), ("severity", "critical"))),
    Scenario(
        "06-ph1-proposal-mismatch",
        "b",
        "RacoonProposalMismatch",
        (BRANCH, ("reason", "proposal_mismatch"), ("phase", "1"), ("severity", "critical")),
    ),
    Scenario(
        "07-ph2-proposal-mismatch",
        "b",
        "RacoonProposalMismatch",
        (BRANCH, ("reason", "proposal_mismatch"), ("phase", "2"), ("severity", "critical")),
    ),
    Scenario("03-peer-killed-dpd", "a", "RacoonDeadPeer", (BRANCH, ("severity", "warning")), receiver="tickets"),
    Scenario(
        "01-rsa-aggressive", "a", "RacoonCRLMissing", (("reason", "crl_missing"), ("severity", "info")), receiver="nobody"
    ),
    Scenario("05-psk-missing", "b", "RacoonKeyMismatch", (BRANCH, ("reason", "psk_missing"), ("severity", "critical"))),
    Scenario("09-identifier-mismatch-responder", "b", "RacoonIdentityMismatch", (BRANCH, ("reason", "id_mismatch"))),
    Scenario("08-no-policy", "b", "RacoonPolicyMismatch", (BRANCH, ("reason", "no_policy"), ("phase", "2"))),
    Scenario("10-cert-revoked", "a", "RacoonPeerCertificateRejected", (BRANCH, ("reason", "certificate_revoked"))),
    Scenario("14-config-errors", "a", "RacoonConfigError", (("severity", "critical"),), stop_before=None, speed=30),
    Scenario("11-delete-restart", "a", "RacoonDaemonDown", (("severity", "critical"),), stop_before=None, speed=30),
    Scenario(
        "26-quiet-log-levels", "a", "RacoonLogTooQuiet", (("severity", "warning"),), receiver="tickets", stamp=False, speed=20
    ),
)
REKEY = Scenario("02-rekey", "a", speed=20)
"""Renewals of both phases, five times, without one failure."""

OTHERS = (
    Scenario("12-natt", "a", expected=False, speed=30),
    Scenario("21-xauth-modecfg", "b", expected=False, speed=30),
    Scenario("11-delete-restart", "b", expected=False, stop_before=None, speed=30),
    Scenario("15-anonymous-scan", "b", expected=False, speed=30),
)
"""What fills panels that no fault fills: NAT, logins, kernel errors, peers that nobody expects."""

GATEWAYS = Scenario("20-syslog", "both", expected=False, speed=10, files=("a.syslog.iso", "b.syslog.iso"))
"""Two gateways that log to one file."""

GONE = OTHERS[0]
"""Its log is removed at the end, and no other takes its place."""

ALL = (*ALARMS, REKEY, *OTHERS, GATEWAYS)
