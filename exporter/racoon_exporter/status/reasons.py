"""What a failure reason and the end of an SA mean, in a sentence, and which runbook goes on from there."""

from __future__ import annotations

from typing import Final, NamedTuple

from racoon_parsers.advice import BY_REASON

RUNBOOKS: Final = "https://github.com/racoon-exporter/racoon-exporter/blob/main/docs/runbooks/"


class Explanation(NamedTuple):
    """A reason for people."""

    gloss: str
    """What happened."""
    advice: str
    """What to do."""
    runbook: str
    """Address of the page that goes on from there."""


GLOSSES: Final[dict[str, str]] = {
    "no_response": "The peer never answered a single packet.",
    "timeout": "The peer answered at first and then no more.",
    "proposal_mismatch": "Both sides ask for different algorithms or lifetimes.",
    "no_config": "racoon.conf has no section for this peer, or not for this exchange.",
    "psk_missing": "No pre-shared key is stored for this peer.",
    "psk_mismatch": "The pre-shared keys of both sides differ.",
    "signature_invalid": "The peer's signature does not fit its certificate.",
    "id_mismatch": "The peer calls itself something other than what we expect.",
    "certificate_expired": "The certificate is past its last day.",
    "certificate_not_yet_valid": "The certificate's validity has not begun.",
    "certificate_revoked": "The certificate is on its CA's list of revoked ones.",
    "certificate_invalid": "The certificate could not be verified.",
    "crl_expired": "The list of revoked certificates is past its date.",
    "crl_missing": "There is no list of revoked certificates for the peer's CA.",
    "xauth_failed": "The user name or the password was refused.",
    "no_policy": "The kernel has no security policy for what the peer asks for.",
    "no_phase1": "Phase 2 could not begin, as no phase 1 came about.",
    "dead_peer": "The peer no longer answers to dead peer detection.",
    "malformed_packet": "A packet could not be read; the keys may differ.",
    "kernel_error": "The kernel refused an operation on an SA or policy.",
    "send_error": "Our own host could not send the packet.",
    "peer_notify": "The peer reported an error.",
    "local_config": "The configuration on this side is wrong.",
    "unknown": "The log does not say why.",
}
"""Each reason of the closed list in one sentence."""

_RUNBOOK: Final[dict[str, str]] = {
    "proposal_mismatch": "RacoonProposalMismatch",
    "no_config": "RacoonPolicyMismatch",
    "no_policy": "RacoonPolicyMismatch",
    "local_config": "RacoonPolicyMismatch",
    "psk_missing": "RacoonKeyMismatch",
    "psk_mismatch": "RacoonKeyMismatch",
    "signature_invalid": "RacoonKeyMismatch",
    "id_mismatch": "RacoonIdentityMismatch",
    "certificate_expired": "RacoonPeerCertificateRejected",
    "certificate_not_yet_valid": "RacoonPeerCertificateRejected",
    "certificate_revoked": "RacoonPeerCertificateRejected",
    "certificate_invalid": "RacoonPeerCertificateRejected",
    "crl_expired": "RacoonCRLExpired",
    "crl_missing": "RacoonCRLMissing",
    "xauth_failed": "RacoonXAuthGuessing",
    "dead_peer": "RacoonDeadPeer",
    "kernel_error": "RacoonKernelErrors",
}
_GENERAL: Final = {1: "RacoonPhase1Failing", 2: "RacoonPhase2Failing"}

ENDINGS: Final[dict[str, str]] = {
    "expired": "its lifetime was over and it was not renewed",
    "deleted_by_peer": "the peer deleted it",
    "dead_peer": "the peer stopped answering to dead peer detection",
    "deleted_locally": "a command on this side deleted it",
    "purged": "racoon removed it",
    "initial_contact": "the peer had restarted and began anew",
    "deleted_in_kernel": "something other than racoon removed it from the kernel",
    "restart": "racoon stopped or was restarted",
}
"""How an SA ended, as the end of the sentence `The last IPsec SA ended: …`."""


def runbook(name: str) -> str:
    """Give the address of a runbook."""
    return f"{RUNBOOKS}{name}.md"


def explain(reason: str, phase: int) -> Explanation:
    """Say what a failure of a phase for a reason means; a reason from a newer state file is `unknown`."""
    known = reason if reason in GLOSSES else "unknown"
    return Explanation(GLOSSES[known], BY_REASON[known], runbook(_RUNBOOK.get(known, _GENERAL[phase])))


__all__ = ["ENDINGS", "GLOSSES", "RUNBOOKS", "Explanation", "explain", "runbook"]
