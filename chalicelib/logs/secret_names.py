"""Which names are those of secrets, however they are written: `auth_token`, `AUTH-TOKEN`, or in look-alike letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chalicelib.casing import lowered
from chalicelib.logs.lookalikes import LOOKALIKES

_SKELETON = str.maketrans(
    {character: letter for letter, others in LOOKALIKES.items() for character in others}
    # These look alike within the Latin letters and digits.
    | {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "i": "l", "$": "s", "@": "a"}
    | dict.fromkeys(LOOKALIKES["i"], "l")
)

_SECRETS = (
    "token",
    "secret",
    "password",
    "passwd",
    "passcode",
    "passphrase",
    "hashed",
    "credential",
    "cookie",
    "authorization",
    "jwt",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "sessionkey",
    "signingkey",
    "encryptionkey",
)
_NO_SECRETS = (
    "name",
    "prefix",
    "lifetime",
    "expires",
    "expiry",
    "expiresat",
    "createdat",
    "updatedat",
    "lastusedat",
    "count",
)
"""The endings of names of fields that are about a secret and hold none."""
_KNOWN_NAMES = 4_096
_LONGEST_NAME = 1_024


def skeleton(name: str) -> str:
    """The skeleton of a name: small Latin letters alone, the same for all names that look alike."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST_NAME].encode("utf-8", "replace").decode())
    # Capitals first: some look like another letter than their small ones.
    looks = lowered(plain.translate(_SKELETON)).translate(_SKELETON)
    return "".join(character for character in looks if character.isalnum() and not unicodedata.combining(character))


_WORDS = tuple(map(skeleton, _SECRETS))
_ENDINGS = tuple(map(skeleton, _NO_SECRETS))


@lru_cache(_KNOWN_NAMES)
def names_secret(name: str) -> bool:
    """Whether a name is that of a secret, so that no value of it may be stored."""
    looks = skeleton(name)
    return any(word in looks for word in _WORDS) and not looks.endswith(_ENDINGS)


def without_secrets(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON value in which no object has a value under the name of a secret; null stands there."""
    match value:
        case str() | int() | float() | None:
            # Most are, and asking a mapping for what it is takes longer.
            return value
        case Mapping():
            return {name: None if names_secret(name) else without_secrets(inner) for name, inner in value.items()}
        case list():
            return [without_secrets(inner) for inner in value]
        case _:
            return value
