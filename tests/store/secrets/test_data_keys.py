"""Keys of values: KMS, a file or memory; each opens for the user and the secret it was made for, and for no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.secrets import data_keys
from chalicelib.store.secrets.data_keys import KEY_BYTES, NONCE_BYTES, opened, sealed, wrapper
from scripts.deployment import secret_resources
from scripts.local.engine import EmbeddedEngine
from tests.transport import UNANSWERED

CONTEXT = {"user": "0c9f4e7a", "secret": "7a1b2c3d"}
OTHERS = [{"user": "0c9f4e7a", "secret": "another"}, {"user": "another", "secret": "7a1b2c3d"}, {}]
SERVICES = pytest.mark.needs("services")
Use = Callable[[str], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes a text the setting."""
    return lambda text: monkeypatch.setattr(data_keys, "current", lambda: Settings(secrets_key=text))


@pytest.fixture
def kms(engine: EmbeddedEngine, use: Use) -> Iterator[str]:
    """A deployment with a key of KMS."""
    assert engine.running
    clients.client.cache_clear()
    arn: str = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]  # type: ignore[no-untyped-call]
    use(arn)
    yield arn
    clients.client.cache_clear()


@pytest.fixture
def file(tmp_path: Path, use: Use) -> Path:
    """A deployment with a key in a file that is not there yet."""
    path = tmp_path / "secrets.key"
    use(f"file:{path}")
    return path


@pytest.fixture(params=[pytest.param("kms", marks=SERVICES), "file", "memory"])
def keyed(request: pytest.FixtureRequest, use: Use) -> None:
    if request.param == "memory":
        use("memory")
    else:
        request.getfixturevalue(request.param)


@pytest.mark.usefixtures("keyed")
def test_a_data_key_comes_back_in_the_context_that_it_was_made_for() -> None:
    one, other = wrapper().new(CONTEXT), wrapper().new(CONTEXT)
    assert len(one.plain) == KEY_BYTES
    assert one.plain != other.plain
    assert wrapper().unwrapped(one.wrapped, CONTEXT) == one.plain
    assert one.plain not in one.wrapped
    assert repr(one.plain) not in repr(one)


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("context", OTHERS, ids=str)
def test_in_another_context_it_does_not(context: dict[str, str]) -> None:
    key = wrapper().new(CONTEXT)
    with pytest.raises(StoreRefused):
        wrapper().unwrapped(key.wrapped, context)


@pytest.mark.parametrize("plain", [b"", b"x", bytes(range(256)) * 96])
def test_what_was_sealed_is_opened_by_its_key_in_its_context_and_by_nothing_else(plain: bytes) -> None:
    key = os.urandom(KEY_BYTES)
    text = sealed(key, plain, CONTEXT)
    assert opened(key, text, dict(reversed(CONTEXT.items()))) == plain
    for context in OTHERS:
        with pytest.raises(StoreRefused):
            opened(key, text, context)
    with pytest.raises(StoreRefused):
        opened(os.urandom(KEY_BYTES), text, CONTEXT)
    for place in (0, NONCE_BYTES, len(text) - 1):
        with pytest.raises(StoreRefused):
            opened(key, text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :], CONTEXT)


def test_no_nonce_is_used_twice() -> None:
    key = os.urandom(KEY_BYTES)
    assert len({sealed(key, b"x", CONTEXT)[:NONCE_BYTES] for _ in range(100)}) == 100


def test_a_file_is_made_once_for_its_owner_alone_and_read_by_the_next_process(file: Path) -> None:
    key = wrapper().new(CONTEXT)
    assert (file.stat().st_mode & 0o777, file.stat().st_size) == (0o600, KEY_BYTES)
    data_keys._in_file.cache_clear()
    assert wrapper().unwrapped(key.wrapped, CONTEXT) == key.plain


@pytest.mark.parametrize("held", [b"", b"x" * 31, b"x" * 33])
def test_a_file_that_holds_no_key_is_refused_and_left_as_it_is(file: Path, held: bytes) -> None:
    file.write_bytes(held)
    with pytest.raises(StoreRefused):
        wrapper()
    assert file.read_bytes() == held


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path, use: Use) -> None:
    use(f"file:{tmp_path}/nothing/secrets.key")
    with pytest.raises(StoreRefused, match="No such file"):
        wrapper()


@SERVICES
def test_kms_is_asked_for_what_the_policy_of_the_key_allows_and_told_whose_key_it_is(kms: str) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    events = clients.client("kms").meta.events
    events.register("before-parameter-build", lambda params, model, **_: asked.append((model.name, dict(params))))
    key = wrapper().new(CONTEXT)
    wrapper().unwrapped(key.wrapped, CONTEXT)
    assert {f"kms:{name}" for name, _ in asked} == set(secret_resources.USED)
    assert all(request["KeyId"] == kms and request["EncryptionContext"] == CONTEXT for _, request in asked)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (UNANSWERED, Unavailable),
        (("ThrottlingException", 400), Unavailable),
        (("KMSInternalException", 500), Unavailable),
        (("AccessDeniedException", 400), StoreRefused),
        (("DisabledException", 409), StoreRefused),
    ],
    ids=str,
)
@SERVICES
@pytest.mark.usefixtures("kms")
def test_failures_of_kms_say_whether_to_send_again(error: Any, failure: type[Exception]) -> None:
    def failing(**_: object) -> None:
        if isinstance(error, Exception):
            raise error
        code, status = error
        response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(response, "GenerateDataKey")  # type: ignore[no-untyped-call]

    clients.client("kms").meta.events.register("before-call", failing)
    with pytest.raises(failure):
        wrapper().new(CONTEXT)
