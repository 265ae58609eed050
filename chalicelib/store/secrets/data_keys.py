"""The keys that values are encrypted with, one for each value, kept beside it and wrapped by the key of the deployment.

`GATEBOOK_SECRETS_KEY` says which key that is:

    an ARN or alias/NAME    a key of KMS, which it never leaves
    file:PATH               32 bytes of a file, made where there is none
    memory                  32 bytes that end with this process

A data key is bound to the user and the secret: wrapped for one, it opens for no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from chalicelib.errors import NotOffered, StoreRefused
from chalicelib.settings import current
from chalicelib.store.clients import answered, client

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MEMORY: Final = "memory"
FILE: Final = "file:"
_KMS = "key service"

Context = Mapping[str, str]
"""The context that a key or a value is bound to: names and ids, none of them secret; KMS writes them to CloudTrail."""


class DataKey(NamedTuple):
    """A key, and the same wrapped."""

    plain: bytes
    wrapped: bytes

    def __repr__(self) -> str:
        """No part of the key."""
        return "DataKey()"


class Wrapper(Protocol):
    """Makes data keys and unwraps them."""

    def new(self, context: Context, /) -> DataKey:
        """A new data key."""

    def unwrapped(self, wrapped: bytes, context: Context, /) -> bytes:
        """The data key that was wrapped in the same context."""


def is_on() -> bool:
    """Whether this deployment keeps secrets."""
    return bool(current().secrets_key)


def require_on() -> None:
    """Make sure that this deployment keeps secrets.

    Raises:
        NotOffered: it keeps none.
    """
    if not is_on():
        raise NotOffered("This deployment keeps no secrets: GATEBOOK_SECRETS_KEY is not set.")


def wrapper() -> Wrapper:
    """The key of this deployment.

    Raises:
        StoreRefused: the file is none that holds a key.
    """
    named = current().secrets_key
    if named == MEMORY:
        return _in_memory()
    if named.startswith(FILE):
        return _in_file(Path(named.removeprefix(FILE)))
    return _KMSKey(named)


def sealed(key: bytes, plain: bytes, context: Context) -> bytes:
    """Bytes encrypted and bound to a context: a nonce, and then the output of AES-GCM."""
    # Imported here, for no other request than those about values should wait for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, _bound(context))


def opened(key: bytes, text: bytes, context: Context) -> bytes:
    """The bytes that were sealed.

    Raises:
        StoreRefused: another key sealed it, or for another context, or it was changed.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    try:
        return AESGCM(key).decrypt(text[:NONCE_BYTES], text[NONCE_BYTES:], _bound(context))
    except InvalidTag as error:
        raise StoreRefused("The value cannot be opened: another key sealed it, or it was changed.") from error


class _KMSKey:
    def __init__(self, key_id: str) -> None:
        self._id = key_id

    def new(self, context: Context, /) -> DataKey:
        with answered(_KMS):
            made = client("kms").generate_data_key(
                KeyId=self._id, NumberOfBytes=KEY_BYTES, EncryptionContext=dict(context)
            )
        return DataKey(made["Plaintext"], made["CiphertextBlob"])

    def unwrapped(self, wrapped: bytes, context: Context, /) -> bytes:
        with answered(_KMS):
            answer = client("kms").decrypt(KeyId=self._id, CiphertextBlob=wrapped, EncryptionContext=dict(context))
        plain: bytes = answer["Plaintext"]
        return plain


class _LocalKey:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def new(self, context: Context, /) -> DataKey:
        plain = os.urandom(KEY_BYTES)
        return DataKey(plain, sealed(self._key, plain, context))

    def unwrapped(self, wrapped: bytes, context: Context, /) -> bytes:
        return opened(self._key, wrapped, context)


@cache
def _in_memory() -> _LocalKey:
    return _LocalKey(os.urandom(KEY_BYTES))


@cache
def _in_file(path: Path) -> _LocalKey:
    try:
        key = _made(path) if not path.exists() else path.read_bytes()
    except OSError as error:
        raise StoreRefused(f"The file of GATEBOOK_SECRETS_KEY cannot be used: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise StoreRefused(f"The file of GATEBOOK_SECRETS_KEY does not hold {KEY_BYTES} bytes.")
    return _LocalKey(key)


def _made(path: Path) -> bytes:
    """A new key in a file of its own, readable by its owner alone from the first byte on."""
    key = os.urandom(KEY_BYTES)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _bound(context: Context) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()
