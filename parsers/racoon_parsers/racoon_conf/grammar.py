"""What each statement of racoon.conf means: one table per section, keyword -> how its words are read into fields.

Words are those of cftoken.l and cfparse.y (ipsec-tools 0.9.1, NetBSD), with what 0.5 to 0.8 had besides. A reader
returns the fields that the statement sets, by their names in `model`; tuples of the fields in APPENDED add up, other
values replace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from racoon_parsers.racoon_conf.model import (
    ISAKMP_PORT,
    NATT_PORT,
    CertificateFiles,
    Endpoint,
    Identifier,
    SainfoId,
    Script,
)
from racoon_parsers.racoon_conf.syntax import Misread, Words, parse_number, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Fields: TypeAlias = dict[str, Any]
ReadWords: TypeAlias = "Callable[[Words], Fields]"

APPENDED = frozenset({"isakmp", "isakmp_natt", "peers_identifiers", "scripts"})

SECTIONS = frozenset(
    {
        "complex_bundle",
        "gss_id_enc",
        "ldapcfg",
        "listen",
        "log",
        "padding",
        "path",
        "pfkey_buffer",
        "privsep",
        "radiuscfg",
        "remote",
        "sainfo",
        "timer",
    }
)
"""Words that only stand outside of every section. `include` and `mode_cfg` also have meanings inside."""

LOG_LEVELS = ("error", "warning", "notify", "info", "debug", "debug2")
PATHS = ("include", "pre_shared_key", "certificate", "script", "backupsa", "pidfile", "logfile")
IDENTIFIER_TYPES = ("address", "fqdn", "user_fqdn", "keyid", "asn1dn", "subnet")

_UNITS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("hour", "hours"), 3600),
}
_BYTE_UNITS = ("B", "byte", "bytes", "KB", "MB", "TB")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CIPHERS = _names("des des_iv64 des_iv32 3des rc5 rc4 idea 3idea cast128 blowfish null_enc null aes rijndael twofish camellia")
_HASHES = _names("md5 sha1 tiger sha2_256 sha256 sha2_384 sha384 sha2_512 sha512")
_MACS = _names(
    "non_auth hmac_md5 hmac_sha1 hmac_sha2_256 hmac_sha256 hmac_sha2_384 hmac_sha384 hmac_sha2_512 hmac_sha512 des_mac kpdk"
)
_COMPRESSIONS = _names("oui deflate lzs")
_METHODS = _names(
    "pre_shared_key rsasig dsssig rsaenc rsarev gssapi_krb hybrid_rsa_server hybrid_dss_server hybrid_rsa_client"
    " hybrid_dss_client xauth_psk_server xauth_psk_client xauth_rsa_server xauth_rsa_client"
)
_GROUPS = _names(
    "1 2 3 4 5 14 15 16 17 18 modp768 modp1024 modp1536 modp2048 modp3072 modp4096 modp6144 modp8192 ec2n155 ec2n185"
)


# --- parts that several statements share ---


def port(words: Words, default: int) -> int:
    """Take an optional `[port]`; `[any]` stands for the default."""
    token = words.peek()
    if token is None or token.kind != "port":
        return default
    words.take()
    return default if token.text == "any" else parse_number(token.text)


def endpoint(words: Words, default_port: int) -> Endpoint:
    """Take `address` or `address [port]`."""
    return Endpoint(words.word(), port(words, default_port))


def lifetime(words: Words) -> Fields:
    """Take `time 1 hour`, giving seconds; `byte 5 MB` is read and not kept, as racoon does."""
    kind = words.one_of("time", "byte")
    amount = words.number()
    unit = words.word()
    if kind == "byte":
        if unit not in _BYTE_UNITS:
            raise Misread(f"{shown(unit)} is no unit of bytes")
        return {}
    if unit not in _UNITS:
        raise Misread(f"{shown(unit)} is no unit of time")
    return {"lifetime": amount * _UNITS[unit]}


def identifier(words: Words) -> Identifier:
    """Take an identity such as `address`, `fqdn "host.example"` or `keyid tag "group"`."""
    kind = words.one_of(*IDENTIFIER_TYPES)
    qualifier = next((word for word in ("tag", "file") if words.skip(word)), None)
    value = None if words.peek() is None else words.take().text
    return Identifier(kind, value, qualifier)


def algorithm(words: Words, known: frozenset[str]) -> tuple[str, int | None]:
    """Take a name and an optional key length in bits. An unknown name is a complaint, and kept: dialects add some."""
    name = words.word()
    if name not in known:
        words.complaints.append(f"{shown(name)} is not known here")
    token = words.peek()
    return name, None if token is None or token.text == "," else words.number()


# --- kinds of statement ---


def _ignored(words: Words) -> Fields:
    """Pass over a statement of no use here; its values may be secret, so they are not looked at."""
    while words.peek() is not None:
        words.take()
    return {}


def _switch(field: str) -> ReadWords:
    return lambda words: {field: words.switch()}


def _choice(field: str, *choices: str) -> ReadWords:
    return lambda words: {field: words.one_of(*choices)}


def _number(field: str) -> ReadWords:
    return lambda words: {field: words.number()}


def _seconds(field: str) -> ReadWords:
    def read(words: Words) -> Fields:
        amount, unit = words.number(), words.word()
        if unit not in _UNITS:
            raise Misread(f"{shown(unit)} is no unit of time")
        return {field: amount * _UNITS[unit]}

    return read


def _endpoints(field: str, default_port: int) -> ReadWords:
    return lambda words: {field: (endpoint(words, default_port),)}


def _algorithms(field: str, known: frozenset[str]) -> ReadWords:
    def read(words: Words) -> Fields:
        found = []
        while True:
            name, length = algorithm(words, known)
            found.append(name if length is None else f"{name} {length}")
            if not words.skip(","):
                return {field: tuple(found)}

    return read


def _algorithm(field: str, known: frozenset[str], length_field: str | None = None) -> ReadWords:
    def read(words: Words) -> Fields:
        name, length = algorithm(words, known)
        return {field: name} if length_field is None else {field: name, length_field: length}

    return read


def _exchange_mode(words: Words) -> Fields:
    modes = []
    while words.peek() is not None:
        modes.append(words.one_of("main", "aggressive", "base"))
        words.skip(",")
    if not modes:
        raise Misread("an exchange mode is missing")
    return {"exchange_modes": tuple(modes)}


def _certificate_type(words: Words) -> Fields:
    kind: Literal["x509", "plain_rsa"] = "x509" if words.one_of("x509", "plain_rsa") == "x509" else "plain_rsa"
    certificate = words.string() if kind == "x509" else None
    return {"certificate_type": CertificateFiles(kind, certificate, words.string())}


def _ca_type(words: Words) -> Fields:
    words.one_of("x509")
    return {"ca_type": words.string()}


def _peers_certfile(words: Words) -> Fields:
    if words.skip("dnssec"):
        return {}
    if not words.skip("x509"):
        words.skip("plain_rsa")
    return {"peers_certfile": words.string()}


def _script(words: Words) -> Fields:
    file = words.string()
    when = words.one_of("phase1_up", "phase1_down", "phase1_dead")
    return {"scripts": (Script(file, when),)}  # type: ignore[arg-type] # one_of() has just checked it


def _adminsock(words: Words) -> Fields:
    if words.skip("disabled"):
        return {"adminsock": None}
    path = words.string()
    if words.peek() is not None:
        words.string()  # owner
        words.string()  # group
        words.number()  # mode, octal
    return {"adminsock": path}


def _strict_address(_words: Words) -> Fields:
    return {"strict_address": True}


def _keywords(text: str) -> dict[str, ReadWords]:
    return dict.fromkeys(text.split(), _ignored)


# --- one table per section ---

REMOTE: Mapping[str, ReadWords] = {
    "remote_address": lambda words: {"remote_address": endpoint(words, ISAKMP_PORT)},
    "exchange_mode": _exchange_mode,
    "certificate_type": _certificate_type,
    "ca_type": _ca_type,
    "peers_certfile": _peers_certfile,
    "verify_cert": _switch("verify_cert"),
    "verify_identifier": _switch("verify_identifier"),
    "my_identifier": lambda words: {"my_identifier": identifier(words)},
    "peers_identifier": lambda words: {"peers_identifiers": (identifier(words),)},
    "passive": _switch("passive"),
    "generate_policy": _choice("generate_policy", "on", "off", "unique", "require"),
    "nat_traversal": _choice("nat_traversal", "on", "off", "force"),
    "initial_contact": _switch("initial_contact"),
    "mode_cfg": _switch("mode_cfg"),
    "dpd": _switch("dpd"),
    "dpd_delay": _number("dpd_delay"),
    "dpd_retry": _number("dpd_retry"),
    "dpd_maxfail": _number("dpd_maxfail"),
    "rekey": _choice("rekey", "on", "off", "force"),
    "ph1id": _number("ph1id"),
    "lifetime": lifetime,
    "proposal_check": _choice("proposal_check", "obey", "strict", "exact", "claim"),
    "script": _script,
    **_keywords(
        "doi situation send_cert send_cr match_empty_cr nonce_size keepalive ike_frag esp_frag support_proxy"
        " weak_phase1_check xauth_login"
        " support_mip6"  # up to 0.6
    ),
}

PROPOSAL: Mapping[str, ReadWords] = {
    "lifetime": lifetime,
    "encryption_algorithm": _algorithm("encryption", _CIPHERS, "key_length"),
    "hash_algorithm": _algorithm("hash", _HASHES),
    "authentication_method": _algorithm("authentication_method", _METHODS),
    "dh_group": _algorithm("dh_group", _GROUPS),
    **_keywords("gss_id gssapi_id"),
}

SAINFO: Mapping[str, ReadWords] = {
    "pfs_group": _algorithm("pfs_group", _GROUPS),
    "remoteid": _number("remoteid"),
    "lifetime": lifetime,
    "encryption_algorithm": _algorithms("encryption_algorithms", _CIPHERS),
    "authentication_algorithm": _algorithms("authentication_algorithms", _MACS),
    "compression_algorithm": _algorithms("compression_algorithms", _COMPRESSIONS),
    **_keywords("my_identifier"),  # up to 0.7
}

LISTEN: Mapping[str, ReadWords] = {
    "isakmp": _endpoints("isakmp", ISAKMP_PORT),
    "isakmp_natt": _endpoints("isakmp_natt", NATT_PORT),
    "adminsock": _adminsock,
    "strict_address": _strict_address,
    **_keywords("admin"),  # a port, up to 0.5
}

TIMER: Mapping[str, ReadWords] = {
    "counter": _number("counter"),
    "interval": _seconds("interval"),
    "persend": _number("persend"),
    "phase1": _seconds("phase1"),
    "phase2": _seconds("phase2"),
    "natt_keepalive": _seconds("natt_keepalive"),
}

UNKEPT: Mapping[str, Mapping[str, ReadWords]] = {
    "privsep": _keywords("user group chroot"),
    "padding": _keywords("randomize randomize_length maximum_length strict_check exclusive_tail"),
    "radiuscfg": _keywords("auth acct timeout retries"),
    "ldapcfg": _keywords(
        "version debug timeout uri host port base subtree bind_dn bind_pw attr_user attr_addr attr_mask attr_group"
        " attr_member attr_device"
    ),
    "mode_cfg": _keywords(
        "network4 netmask4 dns4 nbns4 wins4 default_domain auth_source auth_groups group_source conf_source accounting"
        " pool_size banner auth_throttle split_network split_dns pfs_group save_passwd"
    ),
}
"""Sections of which nothing is kept: keywords are checked, values (RADIUS secrets, LDAP passwords) not looked at."""


# --- heads of sections ---


def remote_key(words: Words) -> Fields:
    """Take what selects a remote section: `anonymous`, `"name"` or `address`, port optional."""
    token = words.peek()
    if token is not None and token.kind == "string":
        return {"name": words.string()}
    if words.skip("anonymous"):
        return {"anonymous": True, "port": port(words, ISAKMP_PORT)}
    found = endpoint(words, ISAKMP_PORT)
    return {"address": found.address, "port": found.port}


def _sainfo_id(words: Words) -> SainfoId:
    for kind in ("anonymous", "clientaddr"):
        if words.skip(kind):
            return SainfoId(kind)
    kind = words.one_of(*IDENTIFIER_TYPES)
    token = words.take()
    if token.kind == "string" or kind not in {"address", "subnet"}:
        return SainfoId(kind, token.text)
    value = token.text
    while (part := words.peek()) is not None and part.kind == "word" and part.text[:1] in {"/", "-"}:
        value += words.take().text  # `10.0.0.0 /8`, `10.0.0.1 -10.0.0.9`
    part = words.peek()
    found_port = None
    if part is not None and part.kind == "port":
        words.take()
        found_port = None if part.text == "any" else parse_number(part.text)
    return SainfoId(kind, value, found_port, words.word())


def sainfo_key(words: Words) -> Fields:
    """Take both ends of a sainfo section, and `from identifier` or `group "name"`. `anonymous` alone: both."""
    source = _sainfo_id(words)
    token = words.peek()
    alone = token is None or token.text in {"from", "group"}
    destination = SainfoId("anonymous") if alone else _sainfo_id(words)
    if alone and source.kind != "anonymous":
        raise Misread("the second end is missing")
    fields: Fields = {"source": source, "destination": destination}
    if words.skip("from"):
        fields["from_identifier"] = identifier(words)
    elif words.skip("group"):
        fields["group"] = words.string()
    return fields
