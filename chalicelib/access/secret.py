"""Tokens as text: `<id>-<secret>`, made at random, kept as a hash, compared in constant time.

The id names the token and may be public; the secret is in one answer, that of the request that makes the token. Lengths
are Coder's: 10 and 22 characters. People and scanners for leaked secrets can recognise the tokens of Gatebook:

    gbk_ + 6 random   -   16 random + 6 of checksum         gbk_[0-9A-Za-z]{6}-[0-9A-Za-z]{22}

The checksum is the CRC-32 of all that stands before it, in base 62, so that a mistyped or cut token is refused without
asking the store. The underscore is in no token of Coder's own format, and those stay valid: 10 and 22 letters or
digits.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH: Final = 10
SECRET_LENGTH: Final = 22
PREFIX: Final = "gbk_"
PATTERN: Final = "gbk_[0-9A-Za-z]{6}-[0-9A-Za-z]{22}"
"""A regular expression for scanners; the checksum rules out chance matches."""

_CHECKSUM_LENGTH: Final = 6
_LETTERS: Final = frozenset(ALPHABET)
_PARTS: Final = 2


class MalformedToken(ValueError):
    """The text is not a token; the message says what is wrong with it and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token just made: what finds it, what opens it, what the client is given and what is stored.

    Only the id is in its repr, so that a log line never carries what opens something.
    """

    id: str
    secret: str = field(repr=False)
    text: str = field(repr=False)
    hashed: bytes = field(repr=False)


def _bytes(text: str) -> bytes:
    # Half a surrogate pair can come out of a JSON string, and it is a wrong secret, not a failure.
    return text.encode("utf-8", "surrogatepass")


def is_key_id(text: str) -> bool:
    """Whether the text has the form of a token's id: 10 letters or digits of ASCII, or the prefix and 6 of them."""
    return len(text) == ID_LENGTH and _LETTERS.issuperset(text.removeprefix(PREFIX))


def split(token: str) -> tuple[str, str]:
    """The id and the secret of a token.

    Raises:
        MalformedToken: for other than two parts, then for a wrong length in bytes of the id, then of the secret, then
            for a checksum that does not match the other characters.
    """
    parts = token.split("-")
    if len(parts) != _PARTS:
        raise MalformedToken(f"incorrect amount of API key parts, expected {_PARTS} got {len(parts)}")
    for name, part, expected in zip(("ID", "secret"), parts, (ID_LENGTH, SECRET_LENGTH), strict=True):
        length = len(_bytes(part))
        if length != expected:
            raise MalformedToken(f"invalid API key {name} length, expected {expected} got {length}")
    key_id, secret = parts
    if key_id.startswith(PREFIX) and secret[-_CHECKSUM_LENGTH:] != checksum(key_id, secret[:-_CHECKSUM_LENGTH]):
        raise MalformedToken("the checksum of the API key does not match, it was mistyped or cut")
    return key_id, secret


def checksum(key_id: str, entropy: str) -> str:
    """The last six characters of a secret: the CRC-32 of `<id>-<the secret without them>` in base 62."""
    remainder, digits = crc32(_bytes(f"{key_id}-{entropy}")), ""
    for _ in range(_CHECKSUM_LENGTH):
        remainder, digit = divmod(remainder, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def hash_secret(secret: str) -> bytes:
    """The stored form of a secret: its SHA-256, 32 bytes. A random secret needs no salt."""
    return hashlib.sha256(_bytes(secret)).digest()


def matches(secret: str, hashed: bytes) -> bool:
    """Whether the secret has the stored hash, compared in constant time."""
    return same(hash_secret(secret), hashed)


def same(one: bytes, other: bytes) -> bool:
    """Whether two hashes are the same, compared in constant time."""
    return hmac.compare_digest(one, other)


def generate(choice: Callable[[str], str] = secrets.choice, key_id: str = "") -> Token:
    """A new token, or a new secret for one that there is.

    Args:
        choice: picks one character of the alphabet, each as likely as the others and none to be foreseen.
        key_id: of the token that gets a new secret.
    """
    key_id = key_id or PREFIX + "".join(choice(ALPHABET) for _ in range(ID_LENGTH - len(PREFIX)))
    entropy = "".join(choice(ALPHABET) for _ in range(SECRET_LENGTH - _CHECKSUM_LENGTH))
    secret = entropy + checksum(key_id, entropy)
    return Token(key_id, secret, f"{key_id}-{secret}", hash_secret(secret))
