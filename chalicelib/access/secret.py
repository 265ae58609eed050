"""Tokens as text: `<id>-<secret>`, made at random, kept as a hash, compared in constant time.

The id finds the token and may be shown; the secret is shown once, when the token is made. The format is Coder's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH: Final = 10
SECRET_LENGTH: Final = 22

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
    """Whether the text has the form of a token's id: 10 letters or digits of ASCII."""
    return len(text) == ID_LENGTH and _LETTERS.issuperset(text)


def split(token: str) -> tuple[str, str]:
    """The id and the secret of a token.

    Raises:
        MalformedToken: for other than two parts, then for a wrong length in bytes of the id, then of the secret.
    """
    parts = token.split("-")
    if len(parts) != _PARTS:
        raise MalformedToken(f"incorrect amount of API key parts, expected {_PARTS} got {len(parts)}")
    for name, part, expected in zip(("ID", "secret"), parts, (ID_LENGTH, SECRET_LENGTH), strict=True):
        length = len(_bytes(part))
        if length != expected:
            raise MalformedToken(f"invalid API key {name} length, expected {expected} got {length}")
    return parts[0], parts[1]


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret: its SHA-256, 32 bytes. It needs no salt, being random to begin with."""
    return hashlib.sha256(_bytes(secret)).digest()


def matches(secret: str, hashed: bytes) -> bool:
    """Whether the secret is the one whose hash is stored, in a time that tells nothing of either."""
    return hmac.compare_digest(hash_secret(secret), hashed)


def generate(choice: Callable[[str], str] = secrets.choice) -> Token:
    """A new token.

    Args:
        choice: picks one character of the alphabet, each as likely as the others and none to be foreseen.
    """
    key_id = "".join(choice(ALPHABET) for _ in range(ID_LENGTH))
    secret = "".join(choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return Token(key_id, secret, f"{key_id}-{secret}", hash_secret(secret))
