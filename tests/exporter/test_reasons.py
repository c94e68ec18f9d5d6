"""Why it failed: every recording of a provoked fault, both sides, as `scenario.md` says and as far as that side's log can know.

A refused initiator sees silence (`no_response`), a side with a wrong key a peer that stops (`timeout`).
"""

import pytest

from tests.exporter.reading import failures, lab_logs, read_logs

A, B = "192.168.0.40", "192.168.0.41"
NOBODY = "unattributed"

EXPECTED = {
    ("03-cut-silent-dpd", "a"): ({(B, "no_response"): 1}, {(B, "no_phase1"): 3}),
    ("03-cut-silent-dpd", "b"): ({}, {}),
    ("03-peer-killed-dpd", "a"): ({(B, "no_response"): 1}, {(B, "no_phase1"): 3}),
    ("04-unreachable-no-daemon", "a"): ({(B, "no_response"): 2}, {(B, "no_phase1"): 3}),
    ("04-unreachable-no-host", "a"): ({(B, "no_response"): 2}, {(B, "no_phase1"): 3}),
    ("05-psk-mismatch-main", "a"): ({(B, "timeout"): 2}, {(B, "no_phase1"): 1}),
    ("05-psk-mismatch-main", "b"): ({(A, "timeout"): 2}, {(A, "no_phase1"): 1}),
    ("05-psk-missing", "b"): ({(A, "psk_missing"): 2}, {(A, "no_phase1"): 1}),
    ("06-ph1-auth-mismatch", "a"): ({(B, "no_response"): 1, (B, "proposal_mismatch"): 5}, {(B, "no_phase1"): 1}),
    ("06-ph1-auth-mismatch", "b"): ({(A, "no_response"): 1, (A, "proposal_mismatch"): 5}, {(A, "no_phase1"): 1}),
    ("06-ph1-exchange-mismatch", "a"): ({(B, "no_response"): 1, (B, "no_config"): 1}, {(B, "no_phase1"): 1}),
    ("06-ph1-exchange-mismatch", "b"): ({(A, "no_response"): 1, (A, "no_config"): 1}, {(A, "no_phase1"): 1}),
    ("06-ph1-proposal-mismatch", "a"): ({(B, "no_response"): 1, (B, "proposal_mismatch"): 5}, {(B, "no_phase1"): 1}),
    ("06-ph1-proposal-mismatch", "b"): ({(A, "no_response"): 1, (A, "proposal_mismatch"): 5}, {(A, "no_phase1"): 1}),
    ("07-ph2-pfs-mismatch", "a"): ({}, {(B, "proposal_mismatch"): 3}),
    ("07-ph2-pfs-mismatch", "b"): ({}, {(A, "proposal_mismatch"): 3}),
    ("07-ph2-proposal-mismatch", "a"): ({}, {(B, "proposal_mismatch"): 3}),
    ("07-ph2-proposal-mismatch", "b"): ({}, {(A, "proposal_mismatch"): 3}),
    ("08-no-policy", "a"): ({}, {(B, "timeout"): 1}),
    ("08-no-policy", "b"): ({}, {(A, "no_policy"): 2}),
    ("08-no-remote-section", "a"): ({(B, "no_config"): 2}, {(B, "no_config"): 1}),
    ("08-no-remote-section", "b"): ({(A, "no_response"): 1}, {(A, "no_phase1"): 1}),
    ("08-no-sainfo-initiator", "a"): ({}, {(NOBODY, "no_config"): 1}),
    ("09-identifier-mismatch-responder", "a"): ({(B, "timeout"): 1}, {(B, "no_phase1"): 1}),
    ("09-identifier-mismatch-responder", "b"): ({(A, "id_mismatch"): 1}, {}),
    ("10-cert-expired", "a"): ({(B, "certificate_expired"): 1}, {(B, "no_phase1"): 2}),
    ("10-cert-expired", "b"): ({}, {(A, "peer_refused"): 1}),
    ("10-cert-revoked", "a"): ({(B, "certificate_revoked"): 1}, {(B, "no_phase1"): 2}),
    ("10-cert-unknown-ca", "a"): ({(B, "certificate_invalid"): 1}, {(B, "no_phase1"): 2}),
    ("21-xauth-modecfg", "a"): ({(B, "xauth_failed"): 1}, {}),
    ("21-xauth-modecfg", "b"): ({(A, "xauth_failed"): 1}, {}),
    ("old-0.5pre-06-ph1-proposal-mismatch", "a"): ({(B, "no_response"): 1}, {(B, "no_phase1"): 1}),
    ("old-0.5pre-06-ph1-proposal-mismatch", "b"): ({(A, "proposal_mismatch"): 6}, {}),
    ("old-0.5pre-22-agg-psk-missing", "b"): ({(A, "psk_missing"): 6}, {}),
    ("old-0.6.3-05-psk-missing", "a"): ({(B, "timeout"): 1}, {(B, "no_phase1"): 1}),
    ("old-0.6.3-05-psk-missing", "b"): ({(A, "psk_missing"): 1}, {}),
    ("old-0.6.3-06-ph1-proposal-mismatch", "b"): ({(A, "proposal_mismatch"): 6}, {}),
    ("old-0.6.3-07-ph2-pfs-mismatch", "a"): ({}, {(B, "peer_notify"): 2}),
    ("old-0.6.3-07-ph2-pfs-mismatch", "b"): ({}, {(A, "proposal_mismatch"): 4}),
    ("old-0.7.3-06-ph1-proposal-mismatch", "b"): ({(A, "proposal_mismatch"): 5}, {}),
    ("old-0.7.3-14-config-errors", "b"): ({(NOBODY, "no_config"): 1, (A, "no_config"): 1}, {(A, "no_config"): 1}),
    ("old-0.5pre+0.8.2-21-interop-failures", "a"): (
        {(B, "no_response"): 1, (B, "proposal_mismatch"): 5},
        {(B, "no_phase1"): 1, (B, "peer_notify"): 1, (B, "proposal_mismatch"): 2},
    ),
    ("old-0.5pre+0.8.2-21-interop-failures", "b"): (
        {(A, "no_response"): 1, (A, "proposal_mismatch"): 6},
        {(A, "no_phase1"): 1, (A, "proposal_mismatch"): 3},
    ),
}
"""Failed negotiations of phase 1 and 2 by peer and reason."""


@pytest.mark.parametrize(("scenario", "host"), [pytest.param(*case, id="/".join(case)) for case in EXPECTED])
def test_failures_are_counted_once_under_their_peer_and_reason(scenario: str, host: str) -> None:
    engine = read_logs(lab_logs(scenario, host))
    assert (failures(engine, 1), failures(engine, 2)) == EXPECTED[scenario, host]


@pytest.mark.parametrize("scenario", ["01-seed", "01-psk-main", "01-psk-aggressive", "02-rekey", "12-natt", "25-rekey-force"])
@pytest.mark.parametrize("host", ["a", "b"])
def test_what_works_fails_nowhere(scenario: str, host: str) -> None:
    engine = read_logs(lab_logs(scenario, host))
    assert failures(engine, 1) == {}
