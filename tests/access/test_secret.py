from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access import secret

GOOD_ID = "WuoWs4ZsMX"
GOOD_SECRET = "abcdefghijklmnopqrstuv"


def test_the_format_is_ten_and_twenty_two_of_sixty_two_characters() -> None:
    assert (secret.ID_LENGTH, secret.SECRET_LENGTH) == (10, 22)
    assert len(set(secret.ALPHABET)) == len(secret.ALPHABET) == 62
    assert secret.ALPHABET.isascii()
    assert secret.ALPHABET.isalnum()


def test_a_token_splits_into_its_parts() -> None:
    assert secret.split(f"{GOOD_ID}-{GOOD_SECRET}") == (GOOD_ID, GOOD_SECRET)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "incorrect amount of API key parts, expected 2 got 1"),
        ("testtestid", "incorrect amount of API key parts, expected 2 got 1"),
        ("test-wow-hello", "incorrect amount of API key parts, expected 2 got 3"),
        ("test-wow", "invalid API key ID length, expected 10 got 4"),
        ("-", "invalid API key ID length, expected 10 got 0"),
        ("testtestid-wow", "invalid API key secret length, expected 22 got 3"),
        (f"ééééé-{'x' * 21}", "invalid API key secret length, expected 22 got 21"),
        (f"éééééééééé-{GOOD_SECRET}", "invalid API key ID length, expected 10 got 20"),
        (f"{GOOD_ID}-{'é' * 22}", "invalid API key secret length, expected 22 got 44"),
    ],
)
def test_a_malformed_token_is_told_in_bytes(text: str, message: str) -> None:
    with pytest.raises(secret.MalformedToken) as caught:
        secret.split(text)
    assert str(caught.value) == message


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_no_text_fails_in_another_way(text: str) -> None:
    assert not secret.matches(text, secret.hash_secret(GOOD_SECRET)) or text == GOOD_SECRET
    try:
        parts = secret.split(text)
    except secret.MalformedToken:
        return
    assert "-".join(parts) == text


def test_the_hash_is_plain_sha_256() -> None:
    assert secret.hash_secret(GOOD_SECRET) == hashlib.sha256(GOOD_SECRET.encode()).digest()
    assert len(secret.hash_secret("")) == 32


def test_only_the_secret_itself_matches() -> None:
    hashed = secret.hash_secret(GOOD_SECRET)
    assert secret.matches(GOOD_SECRET, hashed)
    assert not secret.matches(GOOD_SECRET.upper(), hashed)
    assert not secret.matches("", hashed)
    assert not secret.matches(GOOD_SECRET, b"")
    assert not secret.matches(GOOD_SECRET, hashed[:-1])


def test_a_new_token_is_what_the_choices_make_it() -> None:
    asked: list[str] = []
    letters = itertools.cycle(secret.ALPHABET)

    def choice(alphabet: str) -> str:
        asked.append(alphabet)
        return next(letters)

    token = secret.generate(choice)
    assert token.text == "0123456789-ABCDEFGHIJKLMNOPQRSTUV"
    assert asked == [secret.ALPHABET] * 32
    assert (token.id, token.secret) == secret.split(token.text)
    assert token.hashed == secret.hash_secret(token.secret)


def test_new_tokens_differ_and_use_the_whole_alphabet() -> None:
    tokens = [secret.generate() for _ in range(200)]
    assert len({token.id for token in tokens}) == len({token.secret for token in tokens}) == 200
    assert set("".join(token.id + token.secret for token in tokens)) == set(secret.ALPHABET)
    assert all(secret.is_key_id(token.id) for token in tokens)


def test_a_printed_token_shows_its_id_alone() -> None:
    token = secret.generate()
    for shown in (repr(token), str(token), f"{token}"):
        assert token.id in shown
        assert token.secret not in shown
        assert repr(token.hashed) not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD_ID, True),
        ("0123456789", True),
        ("", False),
        ("012345678", False),
        ("01234567890", False),
        ("012345678-", False),
        ("012345678\n", False),
        ("012345678é", False),
        ("012345678\u0660", False),
    ],
)
def test_a_key_id_is_ten_letters_or_digits(text: str, expected: bool) -> None:
    assert secret.is_key_id(text) is expected
