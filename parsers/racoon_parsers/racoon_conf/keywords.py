"""Words that a problem may show: those of racoon.conf and of setkey, and what is one of them but for a slip.

Anything else may be a secret that stands in the wrong place: a key in place of the file it belongs in, a password behind a
forgotten quote or semicolon. Keys and passwords are words as well, so how a word looks does not tell.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS: Final = _words(
    """
    complex_bundle gss_id_enc include inherit ldapcfg listen log mode_cfg padding path pfkey_buffer privsep proposal
    radiuscfg remote sainfo timer error warning notify info debug debug2 pre_shared_key certificate script backupsa
    pidfile logfile address fqdn user_fqdn keyid asn1dn subnet tag file anonymous clientaddr from group any remote_address
    exchange_mode certificate_type ca_type peers_certfile verify_cert verify_identifier my_identifier peers_identifier
    passive generate_policy nat_traversal initial_contact dpd dpd_delay dpd_retry dpd_maxfail rekey ph1id lifetime
    proposal_check doi situation send_cert send_cr match_empty_cr nonce_size keepalive ike_frag esp_frag support_proxy
    weak_phase1_check xauth_login support_mip6 main aggressive base x509 plain_rsa dnssec phase1_up phase1_down
    phase1_dead on off force unique require obey strict exact claim disabled time byte encryption_algorithm hash_algorithm
    authentication_method dh_group gss_id gssapi_id pfs_group remoteid authentication_algorithm compression_algorithm
    isakmp isakmp_natt adminsock strict_address admin counter interval persend phase1 phase2 natt_keepalive user chroot
    randomize randomize_length maximum_length strict_check exclusive_tail auth acct timeout retries version uri host port
    subtree bind_dn bind_pw attr_user attr_addr attr_mask attr_group attr_member attr_device network4 netmask4 dns4 nbns4
    wins4 default_domain auth_source auth_groups group_source conf_source accounting pool_size banner auth_throttle
    split_network split_dns save_passwd sec secs second seconds min mins minute minutes hour hours B bytes KB MB TB des
    des_iv64 des_iv32 3des rc5 rc4 idea 3idea cast128 blowfish null_enc null aes rijndael twofish camellia md5 sha1 tiger
    sha2_256 sha256 sha2_384 sha384 sha2_512 sha512 non_auth hmac_md5 hmac_sha1 hmac_sha2_256 hmac_sha256 hmac_sha2_384
    hmac_sha384 hmac_sha2_512 hmac_sha512 des_mac kpdk oui deflate lzs rsasig dsssig rsaenc rsarev gssapi_krb
    hybrid_rsa_server hybrid_dss_server hybrid_rsa_client hybrid_dss_client xauth_psk_server xauth_psk_client
    xauth_rsa_server xauth_rsa_client modp768 modp1024 modp1536 modp2048 modp3072 modp4096 modp6144 modp8192 ec2n155
    ec2n185 add delete deleteall get getspi flush dump update exit quit bye spdadd spdupdate spddelete spdflush spddump in
    out fwd ipsec discard none prio priority tagged esp ah ipcomp tunnel transport default use
    """
)
_SLIP: Final = 2
"""Characters in a row by which a slip may differ."""
_SHORTEST: Final = 5
"""Of shorter words too many others would be slips."""


def _by_first_letter() -> dict[str, list[str]]:
    found = defaultdict(list)
    for keyword in KEYWORDS:
        if len(keyword) >= _SHORTEST:
            found[keyword[0]].append(keyword)
    return dict(found)


_BY_FIRST_LETTER: Final = _by_first_letter()
_LONGEST: Final = max(map(len, KEYWORDS)) + _SLIP


def may_be_shown(word: str) -> bool:
    """Whether a word is a keyword, or one with a slip in it."""
    if word in KEYWORDS:
        return True
    return len(word) <= _LONGEST and any(_is_slip(word, keyword) for keyword in _BY_FIRST_LETTER.get(word[:1], ()))


def _is_slip(word: str, keyword: str) -> bool:
    common = _common(word, keyword) + _common(word[::-1], keyword[::-1])
    return common >= max(len(word), len(keyword)) - _SLIP


def _common(one: str, other: str) -> int:
    """Give how many characters two words begin with alike."""
    both = zip(one, other, strict=False)
    return next((place for place, (mine, yours) in enumerate(both) if mine != yours), min(len(one), len(other)))
