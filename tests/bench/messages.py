"""What the generated gateway says: racoon 0.9.1's messages, each with its level and event class.

The classes are written down here and not looked up, so that they are an expectation of the catalogue and not its echo.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A message as racoon prints it."""

    level: str
    """racoon's word."""
    event: str
    """Event class of `racoon_log_messages_total`."""
    template: str
    tag: str = ""
    """Name of the value that 0.9.1 prints in brackets before the level; "" for none."""


# Start of the daemon
PROVIDER: Final = Kind("INFO", "daemon_start", "Loaded OpenSSL {provider} provider")
BANNER: Final = Kind("INFO", "daemon_start", "@(#)ipsec-tools 0.9.1 (https://github.com/rdratlos/racoon-ipsec-tools)")
OPENSSL: Final = Kind("INFO", "daemon_start", "@(#)This product linked OpenSSL 3.0.20 7 Apr 2026 (http://www.openssl.org/)")
READING: Final = Kind("INFO", "daemon_config", 'Reading configuration from "/etc/racoon/racoon.conf"')
NATT_PORT: Final = Kind("INFO", "daemon_listen", "{local}[4500] used for NAT-T")
PORT: Final = Kind("INFO", "daemon_listen", "{local}[{port}] used as isakmp port (fd={fd})")

# Phase 1
QUEUED: Final = Kind("INFO", "phase2_queued", "IPsec-SA request for {peer} queued due to no phase1 found.")
QUEUED_BEHIND: Final = Kind(
    "INFO", "phase2_queued", "request for establishing IPsec-SA was queued due to no phase1 found.", "peer"
)
INITIATE_1: Final = Kind("INFO", "phase1_start", "initiate new phase 1 negotiation: {local}[{port}]<=>{peer}[{port}]")
RESPOND_1: Final = Kind("INFO", "phase1_start", "respond new phase 1 negotiation: {local}[{port}]<=>{peer}[{port}]")
RENEGOTIATE: Final = Kind("INFO", "phase1_rekey", "renegotiating phase1 to {peer} due to active phase2")
MODE: Final = Kind("INFO", "phase1_mode", "begin {exchange} mode.")
VENDOR: Final = Kind("INFO", "vendor_id", "received Vendor ID: {vendor}")
NATT_VERSION: Final = Kind("INFO", "natt_info", "Selected NAT-T version: RFC 3947", "peer")
HASH_REMOTE: Final = Kind("INFO", "natt_info", "Hashing {peer}[{port}] with algo #2 ", "peer")
HASH_LOCAL: Final = Kind("INFO", "natt_info", "Hashing {local}[{port}] with algo #2 ", "local")
NATD_PAYLOADS: Final = Kind("INFO", "natt_info", "Adding remote and local NAT-D payloads.")
NATD_VERIFIED: Final = Kind("INFO", "natt_info", "NAT-D payload #0 verified")
NATD_DIFFERS: Final = Kind("INFO", "natt_info", "NAT-D payload #1 doesn't match")
NAT_DETECTED: Final = Kind("INFO", "nat_detection", "NAT detected: PEER")
KEEPALIVE: Final = Kind("INFO", "natt_info", "KA list add: {local}[4500]->{peer}[4500]")
KEEPALIVE_FOUND: Final = Kind("INFO", "natt_info", "KA found: {local}[4500]->{peer}[4500] (in_use=2)")
NO_CRL: Final = Kind(
    "WARNING", "cert_error", "unable to get certificate CRL(3) at depth:0 SubjectName:/C=DE/O=Bench/OU=IPsec/CN={name}"
)
NO_CRL_CA: Final = Kind(
    "WARNING", "cert_error", "unable to get certificate CRL(3) at depth:1 SubjectName:/C=DE/O=Bench/CN=Bench Root CA"
)
ISAKMP_ESTABLISHED: Final = Kind(
    "INFO", "phase1_established", "ISAKMP-SA established {local}[{port}]-{peer}[{port}] spi:{cookies}"
)
INITIAL_CONTACT: Final = Kind("INFO", "initial_contact", "received INITIAL-CONTACT", "peer")
ISAKMP_EXPIRED: Final = Kind("INFO", "phase1_expired", "ISAKMP-SA expired {local}[{port}]-{peer}[{port}] spi:{cookies}")
ISAKMP_DELETED: Final = Kind("INFO", "phase1_deleted", "ISAKMP-SA deleted {local}[{port}]-{peer}[{port}] spi:{cookies}")

# Phase 2
INITIATE_2: Final = Kind("INFO", "phase2_start", "initiate new phase 2 negotiation: {local}[{port}]<=>{peer}[{port}]")
RESPOND_2: Final = Kind("INFO", "phase2_start", "respond new phase 2 negotiation: {local}[{port}]<=>{peer}[{port}]")
ENCAPSULATION: Final = Kind("INFO", "encmode_adjust", "NAT detected -> UDP encapsulation (ENC_MODE 1->3).")
ENCMODE_OURS: Final = Kind("INFO", "encmode_adjust", "Adjusting my encmode UDP-Tunnel->Tunnel")
ENCMODE_PEER: Final = Kind("INFO", "encmode_adjust", "Adjusting peer's encmode UDP-Tunnel(3)->Tunnel(1)")
IPSEC_ESTABLISHED: Final = Kind(
    "INFO",
    "ipsec_sa_established",
    "IPsec-SA established: ESP/Tunnel {local}[{port}]->{peer}[{port}] spi={spi}(0x{spi:x})",
)
INBOUND_EXPIRED: Final = Kind(
    "INFO", "ipsec_sa_expired", "IPsec-SA expired: ESP/Tunnel {peer}[{port}]->{local}[{port}] spi={spi}(0x{spi:x})"
)
OUTBOUND_EXPIRED: Final = Kind(
    "INFO", "ipsec_sa_expired", "IPsec-SA expired: ESP/Tunnel {local}[{port}]->{peer}[{port}] spi={spi}(0x{spi:x})"
)
DELETED_BY_PEER: Final = Kind("INFO", "ipsec_sa_purged", "purged IPsec-SA proto_id=ESP spi={spi}.")

# A dead peer
DEAD: Final = Kind("INFO", "dpd_dead", "DPD: remote (ISAKMP-SA spi={cookies}) seems to be dead.", "peer")
PURGING: Final = Kind("INFO", "phase1_purge", "purging ISAKMP-SA spi={cookies}.")
PURGED_IPSEC: Final = Kind("INFO", "ipsec_sa_purged", "purged IPsec-SA spi={spi}.")
PURGED_ISAKMP: Final = Kind("INFO", "phase1_purged", "purged ISAKMP-SA spi={cookies}.")

# Failures
LARVAL_EXPIRED: Final = Kind("INFO", "ipsec_sa_expired", "IPsec-SA expired: ESP/Tunnel {local}[{port}]->{peer}[{port}] ")
STOPPED: Final = Kind(
    "WARNING",
    "phase2_expired",
    "PF_KEY EXPIRE message received from kernel for SA being negotiated. Stopping negotiation.",
)
TIME_UP: Final = Kind("ERROR", "phase1_failed", "phase1 negotiation failed due to time up. {cookies}")
RETRANSMITTED: Final = Kind("NOTIFY", "retransmit", "the packet is retransmitted by {peer}[{port}] (1).")
NO_SUITABLE: Final = Kind("ERROR", "proposal_mismatch", "no suitable proposal found.")
NO_VALID: Final = Kind("ERROR", "proposal_mismatch", "failed to get valid proposal.", "peer")
PRE_PROCESS_1: Final = Kind("ERROR", "phase1_failed", "failed to pre-process ph1 packet (side: 1, status 1).", "peer")
NO_KEY: Final = Kind("ERROR", "auth_failed", "couldn't find the pskey for {peer}.", "peer")
PROCESS_1: Final = Kind("ERROR", "phase1_failed", "failed to process ph1 packet (side: 1, status: 4).", "peer")
PHASE1_FAILED: Final = Kind("ERROR", "phase1_failed", "phase1 negotiation failed.", "peer")
TRANSFORM: Final = Kind("WARNING", "proposal_mismatch", "trns_id mismatched: my:AES peer:3DES")
NO_TRANSFORM: Final = Kind(
    "ERROR", "proposal_mismatch", "no compatible transform found for ESP (see -d output for per-candidate detail)"
)
NOT_MATCHED: Final = Kind("ERROR", "proposal_mismatch", "not matched")
NO_SUITABLE_POLICY: Final = Kind("ERROR", "proposal_mismatch", "no suitable policy found.")
NO_PROPOSAL: Final = Kind("ERROR", "proposal_mismatch", "no proposal chosen.", "peer")
PRE_PROCESS_2: Final = Kind("ERROR", "phase2_failed", "failed to pre-process ph2 packet (side: 1, status: 1).", "peer")
REFUSED_BY_PEER: Final = Kind(
    "ERROR", "notify_received", "notification NO-PROPOSAL-CHOSEN received in informational exchange.", "peer"
)
GIVE_UP: Final = Kind("ERROR", "phase2_failed", "{peer} give up to get IPsec-SA due to time up to wait.")
