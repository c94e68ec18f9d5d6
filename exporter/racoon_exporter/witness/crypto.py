"""How a peer is spoken to: exchange and algorithms of both phases, and which of them are weak. Pure.

Names are racoon's (racoon.conf(5)), whoever told them: the kernel's `cbc(des3_ede)`, PF_KEY's `3des-cbc` and the status
document's `3DES-CBC` are one `3des`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from racoon_parsers.admin_socket import Phase1
from racoon_parsers.kernel import KernelSa
from racoon_parsers.racoon_conf.model import Proposal

_ENCRYPTION: Final = {
    "3des": ("3des", "3des-cbc", "cbc(des3_ede)", "des3_ede"),
    "des": ("des", "des-cbc", "cbc(des)"),
    "aes": ("aes", "aes-cbc", "cbc(aes)", "rijndael-cbc", "rijndael"),
    "blowfish": ("blowfish", "blowfish-cbc", "cbc(blowfish)"),
    "cast128": ("cast128", "cast128-cbc", "cast-cbc", "cbc(cast5)"),
    "camellia": ("camellia", "camellia-cbc", "cbc(camellia)"),
    "twofish": ("twofish", "twofish-cbc", "cbc(twofish)"),
    "null_enc": ("null", "null_enc", "ecb(cipher_null)", "cipher_null"),
    "aes_gcm": ("rfc4106(gcm(aes))", "aes-gcm-16", "aes-gcm"),
}
_HASH: Final = {
    "md5": ("md5", "hmac-md5", "hmac(md5)", "hmac_md5"),
    "sha1": ("sha", "sha1", "hmac-sha1", "hmac(sha1)", "hmac_sha1", "hmac-sha"),
    "sha256": ("sha256", "sha2-256", "hmac-sha256", "hmac(sha256)", "hmac-sha2-256", "hmac_sha256"),
    "sha384": ("sha384", "sha2-384", "hmac-sha384", "hmac(sha384)", "hmac-sha2-384", "hmac_sha384"),
    "sha512": ("sha512", "sha2-512", "hmac-sha512", "hmac(sha512)", "hmac-sha2-512", "hmac_sha512"),
    "non_auth": ("non_auth", "digest_null", "null"),
}
# 0.9.1 prints the number of a group as if it were that of a group's type (status.c: s_attr_isakmp_group()): `MODP` is
# group 1 there, `ECP` group 2, and only from 4 on is it a number.
_GROUPS: Final = {
    "1": ("768-bit modp group", "modp768", "1", "modp"),
    "2": ("1024-bit modp group", "modp1024", "2", "ecp"),
    "3": ("ec2n group on gp[2^155]", "3", "ec2n"),
    "5": ("1536-bit modp group", "modp1536", "5"),
    "14": ("2048-bit modp group", "modp2048", "14"),
    "15": ("3072-bit modp group", "modp3072", "15"),
    "16": ("4096-bit modp group", "modp4096", "16"),
    "17": ("6144-bit modp group", "modp6144", "17"),
    "18": ("8192-bit modp group", "modp8192", "18"),
}
_AUTHENTICATION: Final = {
    "pre_shared_key": ("pre-shared key", "pre_shared_key", "psk"),
    "xauth_psk_client": ("xauth pskey client", "xauth_psk_client"),
    "xauth_psk_server": ("xauth pskey server", "xauth_psk_server"),
    "xauth_rsa_client": ("xauth rsasig client", "xauth_rsa_client"),
    "xauth_rsa_server": ("xauth rsasig server", "xauth_rsa_server"),
    "hybrid_rsa_client": ("hybrid rsa client", "hybrid_rsa_client"),
    "hybrid_rsa_server": ("hybrid rsa server", "hybrid_rsa_server"),
    "rsasig": ("rsa signatures", "rsasig"),
    "dsssig": ("dss signatures", "dsssig"),
    "gssapi_krb": ("gss-api on kerberos 5", "gssapi_krb"),
}


def _spelt(table: dict[str, tuple[str, ...]], text: str) -> str:
    """Give racoon's own name of something; as it came where the table lacks it, and "" for nothing."""
    small = text.strip().lower()
    return next((name for name, spellings in table.items() if small in spellings), small.replace(" ", "_"))


@dataclass(frozen=True, slots=True, order=True)
class Crypto:
    """How one phase with a peer is protected; "" where nobody told."""

    phase: int
    exchange: str = ""
    encryption: str = ""
    hash: str = ""
    group: str = ""
    authentication: str = ""

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What of it is weak, in racoon's words."""
        values = {name: getattr(self, name) for name in ("encryption", "hash", "group")}
        found = [f"{name} {value}" for name, value in values.items() if value.split("_", 1)[0] in WEAK.get(name, ())]
        if self.exchange == "aggressive" and self.authentication in WEAK["authentication"]:
            found.append("aggressive mode with a pre-shared key")
        return tuple(found)


WEAK: Final[dict[str, frozenset[str]]] = {
    "encryption": frozenset({"des", "3des", "null", "blowfish", "cast128"}),
    "hash": frozenset({"md5", "sha1", "non"}),
    "group": frozenset({"1", "2", "3", "5"}),
    "authentication": frozenset({"pre_shared_key", "xauth_psk_client", "xauth_psk_server"}),
}
"""Weak by RFC 8221 (ESP, AH), RFC 8247 (IKE) and RFC 9395 (IKEv1 itself): 64-bit blocks, MD5, SHA-1, groups below 2,048 bits.
A key is weak in aggressive mode only, where its hash goes over the wire (CVE-2002-1623)."""


def of_phase1(sa: Phase1) -> Crypto:
    """Tell how a phase 1 is protected."""
    return Crypto(
        1,
        sa.exchange,
        _spelt(_ENCRYPTION, sa.encryption),
        _spelt(_HASH, sa.hash),
        _spelt(_GROUPS, sa.group),
        _spelt(_AUTHENTICATION, sa.authentication),
    )


def of_sa(sa: KernelSa, group: str = "") -> Crypto:
    """Tell how an IPsec SA is protected. The kernel does not know the group behind its keys."""
    encryption = _spelt(_ENCRYPTION, sa.encryption)
    if encryption in {"aes", "aes_gcm", "camellia"} and sa.key_bits:
        bits = sa.key_bits - 32 if encryption == "aes_gcm" else sa.key_bits  # with its salt (RFC 4106, 8.1)
        encryption = f"{encryption}_{bits}"
    return Crypto(2, "quick", encryption, _spelt(_HASH, sa.authentication), group)


def of_proposal(exchange: str, proposal: Proposal) -> Crypto:
    """Tell how a phase 1 would be protected by a proposal of racoon.conf."""
    encryption = _spelt(_ENCRYPTION, proposal.encryption or "")
    return Crypto(
        1,
        exchange,
        f"{encryption}_{proposal.key_length}" if proposal.key_length else encryption,
        _spelt(_HASH, proposal.hash or ""),
        _spelt(_GROUPS, proposal.dh_group or ""),
        _spelt(_AUTHENTICATION, proposal.authentication_method or ""),
    )
