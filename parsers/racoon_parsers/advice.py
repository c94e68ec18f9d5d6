"""What to do about a message: by its reason where it has one, else by its event class."""

from __future__ import annotations

from typing import Final

BY_REASON: Final[dict[str, str]] = {
    "no_response": "The peer never answered. Is it up, is its racoon running, do UDP 500 and 4500 pass in both directions? Look at the "
    "peer's own log: it may have refused the proposal or the exchange mode without telling us.",
    "timeout": "The peer answered and then stopped. In main mode this most often means that the pre-shared keys differ: no line names "
    "it. Compare the keys, then the identifiers, then look at the peer's log of the same minute.",
    "proposal_mismatch": "Compare encryption, hash, DH group, authentication method and lifetime of both sides' proposals (phase 1: "
    "remote section; phase 2: sainfo and PFS group).",
    "no_config": "No remote or sainfo section fits. Add one, or correct its address, exchange_mode or identifiers.",
    "psk_missing": "Add the peer's key to the file of `path pre_shared_key`, under the identifier racoon looks for, mode 600.",
    "psk_mismatch": "Compare the pre-shared keys of both sides, byte for byte; mind the identifier under which the key is looked up.",
    "signature_invalid": "The peer's signature does not fit its certificate. Has it the private key that belongs to the certificate?",
    "id_mismatch": "Compare my_identifier of one side with peers_identifier of the other, and both with the certificate's names.",
    "certificate_expired": "Renew the peer's certificate. Check both clocks first.",
    "certificate_not_yet_valid": "Check both clocks; a certificate's validity begins later than now.",
    "certificate_revoked": "The peer's certificate is on the CRL. If that is right, remove the peer; else reissue its certificate.",
    "certificate_invalid": "Check the peer's certificate against the CA files in `path certificate`: openssl verify -CApath DIR CERT.",
    "crl_expired": "Fetch a fresh CRL into the certificate directory and link it by its hash (openssl rehash DIR).",
    "crl_missing": "Harmless where no CRL is used: racoon always asks for one. To check revocation, put the CA's CRL into the "
    "certificate directory under its hash name (HASH.r0).",
    "xauth_failed": "Wrong user name or password, or the user directory could not be asked. Many in a row may be guessing.",
    "no_policy": "No security policy fits what the peer asked for. Compare setkey -DP of both sides: the selectors must mirror.",
    "no_phase1": "There is no phase 1 to work with: look for the phase 1 failure of the same peer.",
    "dead_peer": "The peer stopped answering DPD. Is it up, and does the way to it work? racoon tries again with the next packet.",
    "malformed_packet": "A packet could not be read. From a configured peer it often means different pre-shared keys; from strangers it "
    "is scanning.",
    "kernel_error": "The kernel refused. Look at its log; are the algorithms available, is there memory, does another program manage SAs?",
    "send_error": "Our own machine could not send: no route, a local firewall rule, or the interface is down.",
    "peer_notify": "The peer reported an error; the notification's name says which.",
    "local_config": "Correct racoon.conf or the files it names; racoon -C -f FILE (0.9: racoon -t) checks it.",
    "unknown": "Look at the lines before this one in the log.",
}
"""Advice for each failure reason."""

BY_EVENT: Final[dict[str, str]] = {
    "dpd_dead": BY_REASON["dead_peer"],
    "daemon_shutdown": "All SAs are gone. If nobody stopped racoon, look for the reason in the lines before.",
    "ipsec_sa_expired": "Nothing: the first line is the soft expiry (renewal is due), the second the end of the SA.",
    "phase1_expired": "Nothing, if its lifetime was over; else the peer deleted it.",
    "retransmit": "Nothing, if single; bursts mean packet loss or a peer that does not like our answer.",
    "unexpected_packet": "Nothing from strangers; from a configured peer look at its version and configuration.",
}

NOTHING: Final = "Nothing."


def advice(event: str, reason: str | None, severity: str) -> str:
    """Say what a person should do about a message."""
    if event in BY_EVENT:
        return BY_EVENT[event]
    if severity in {"info", "notice"}:
        return NOTHING
    return BY_REASON.get(reason or "unknown", BY_REASON["unknown"])
