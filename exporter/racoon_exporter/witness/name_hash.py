"""The names under which OpenSSL looks for certificates and CRLs in a directory: `<hash>.0`, `<hash>.r0`.

racoon gives its `path certificate` to OpenSSL as a directory of hashes (crypto_openssl.c: X509_LOOKUP_hash_dir()).
The hash is that of X509_NAME_hash(): SHA-1 over the canonical form of the issuer's name, four bytes, little-endian. OpenSSL
before 1.0 took MD5 over the name as it is encoded (X509_NAME_hash_old()).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

_BLANKS: Final = re.compile(r"[ \t\n\r\f\v]+")
_UTF8_STRING: Final = 0x0C
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OID: Final = 0x06
_BIT_STRING: Final = 0x03


def name_hash(name: x509.Name) -> str:
    """Give the hash that OpenSSL 1.0 and later files a name under: eight hexadecimal digits."""
    return _shown(hashlib.sha1(canonical(name), usedforsecurity=False).digest())


def old_name_hash(name: x509.Name) -> str:
    """Give the hash of OpenSSL before 1.0."""
    return _shown(hashlib.md5(name.public_bytes(), usedforsecurity=False).digest())


def _shown(digest: bytes) -> str:
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def canonical(name: x509.Name) -> bytes:
    """Encode a name as x509_name_canon() does: values in UTF-8, in small letters, blanks squeezed; no outer SEQUENCE."""
    return b"".join(_set(rdn) for rdn in name.rdns)


def _set(rdn: x509.RelativeDistinguishedName) -> bytes:
    return _tlv(_SET, b"".join(sorted(_attribute(attribute) for attribute in rdn)))


def _attribute(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    value = attribute.value
    if isinstance(value, bytes):  # x500UniqueIdentifier, which has no letters
        return _tlv(_SEQUENCE, _oid(attribute.oid) + _tlv(_BIT_STRING, b"\0" + value))
    text = _BLANKS.sub(" ", value).strip(" ")
    lower = "".join(character.lower() if character.isascii() else character for character in text)
    return _tlv(_SEQUENCE, _oid(attribute.oid) + _tlv(_UTF8_STRING, lower.encode("utf-8", "surrogatepass")))


def _oid(oid: ObjectIdentifier) -> bytes:
    first, second, *rest = (int(part) for part in oid.dotted_string.split("."))
    return _tlv(_OID, b"".join(_base128(part) for part in (40 * first + second, *rest)))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content
