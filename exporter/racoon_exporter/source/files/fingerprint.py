"""What stood before an offset in a file, to know it by its content."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from racoon_exporter.source.contract import whole_number

FINGERPRINT_SPAN = 1024
"""At most so many bytes before the offset are remembered to know a file by its content."""

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What stood right before an offset: the number of bytes looked at and a hash over them, never the bytes themselves.

    A debug log holds key material, and the checkpoint must not.
    """

    length: int
    digest: str

    @classmethod
    def of(cls, tail: bytes) -> Fingerprint:
        """Return the fingerprint of what stands before an offset; without any bytes it is empty and fits anything."""
        span = tail[-FINGERPRINT_SPAN:]
        return cls(len(span), blake2b(span, digest_size=_DIGEST_BYTES).hexdigest() if span else "")

    def fits(self, tail: bytes) -> bool:
        """Whether `tail`, read back from before the offset, is what was there when the fingerprint was taken."""
        return len(tail) == self.length and Fingerprint.of(tail) == self

    @classmethod
    def from_json(cls, value: object, most: int = FINGERPRINT_SPAN, *, whole: bool = True) -> Fingerprint:
        """Read one of at most so many bytes; one that is `whole` has all that stood there, or nothing. Raises ValueError."""
        if not isinstance(value, dict):
            raise ValueError("position: fingerprint must be an object")  # noqa: TRY004 - what a file holds is a value
        length, digest = whole_number(value, "length"), value.get("digest")
        most = min(most, FINGERPRINT_SPAN)
        if length > most or (whole and length not in (0, most)):
            raise ValueError("position: fingerprint is of other bytes than stand there")
        if not isinstance(digest, str) or len(digest) != (2 * _DIGEST_BYTES if length else 0):
            raise ValueError("position: fingerprint has no valid digest")
        if digest.strip("0123456789abcdef"):
            raise ValueError("position: fingerprint has no valid digest")
        return cls(length, digest)


NOTHING = Fingerprint(0, "")
"""That of no bytes."""
