"""What an OpenSSL verification error number means."""

from __future__ import annotations

from typing import Final

_CERTIFICATE_REASONS: Final[dict[int, str]] = {
    3: "crl_missing",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    11: "crl_expired",
    12: "crl_expired",
    15: "crl_expired",
    16: "crl_expired",
    17: "unknown",
    23: "certificate_revoked",
    33: "crl_missing",
    35: "crl_missing",
    36: "crl_missing",
    44: "crl_missing",
    54: "crl_missing",
    62: "id_mismatch",
    63: "id_mismatch",
    64: "id_mismatch",
}
"""OpenSSL's `X509_V_ERR_*` numbers (`x509_vfy.h`). Texts differ between releases, numbers do not."""


def certificate_reason(code: int | None) -> str:
    """Give the reason of an OpenSSL verification error number."""
    return _CERTIFICATE_REASONS.get(code or 0, "certificate_invalid")
