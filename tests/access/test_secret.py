from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import string
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access import secret

GOOD_ID = "WuoWs4ZsMX"
GOOD_SECRET = "abcdefghijklmnopqrstuv"
NEW = secret.generate()


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


def test_hashes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    hashed = secret.hash_secret(GOOD_SECRET)
    assert secret.matches(GOOD_SECRET, hashed)
    assert not secret.matches(GOOD_SECRET.upper(), hashed)
    assert compared == [(hashed, hashed), (secret.hash_secret(GOOD_SECRET.upper()), hashed)]


def test_a_new_token_is_what_the_choices_make_it() -> None:
    asked: list[str] = []
    letters = itertools.cycle(secret.ALPHABET)

    def choice(alphabet: str) -> str:
        asked.append(alphabet)
        return next(letters)

    token = secret.generate(choice)
    # The checksum of the README's rule, reckoned by hand: CRC-32 of all before it, most significant digit first.
    assert token.text == f"gbk_012345-6789ABCDEFGHIJKL{base_62(crc32(b'gbk_012345-6789ABCDEFGHIJKL'))}"
    assert asked == [secret.ALPHABET] * 22
    assert (token.id, token.secret) == secret.split(token.text)
    assert token.hashed == secret.hash_secret(token.secret)


def test_new_tokens_differ_and_use_the_whole_alphabet() -> None:
    tokens = [secret.generate() for _ in range(200)]
    assert len({token.id for token in tokens}) == len({token.secret for token in tokens}) == 200
    assert set("".join(token.id + token.secret for token in tokens)) == {*secret.ALPHABET, "_"}
    assert all(secret.is_key_id(token.id) for token in tokens)


def base_62(number: int) -> str:
    letters = string.digits + string.ascii_uppercase + string.ascii_lowercase
    return "".join(letters[number // 62**power % 62] for power in range(5, -1, -1))


def test_a_new_token_matches_the_pattern_for_scanners_and_a_plain_one_does_not() -> None:
    for _ in range(50):
        token = secret.generate()
        assert re.fullmatch(secret.PATTERN, token.text)
        assert re.findall(rf"\b{secret.PATTERN}\b", f'curl -H "Coder-Session-Token: {token.text}" x') == [token.text]
        assert token.secret[-6:] == base_62(crc32(token.text[:-6].encode()))
    assert not re.fullmatch(secret.PATTERN, f"{GOOD_ID}-{GOOD_SECRET}")


def test_the_pattern_is_the_one_in_the_documents() -> None:
    page = Path(__file__).parents[2] / "docs" / "tokens.md"
    assert secret.PATTERN in page.read_text()


@settings(deadline=None)
@given(st.integers(len(secret.PREFIX), 32), st.sampled_from(secret.ALPHABET + "_-é "))
def test_every_wrong_character_is_noticed(position: int, character: str) -> None:
    text = NEW.text
    mistyped = text[:position] + character + text[position + 1 :]
    if mistyped == text:
        assert secret.split(mistyped) == (NEW.id, NEW.secret)
    else:
        with pytest.raises(secret.MalformedToken):
            secret.split(mistyped)


@settings(deadline=None)
@given(st.integers(4, 31))
def test_swapped_neighbours_are_noticed(position: int) -> None:
    text = NEW.text
    swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    if swapped != text:
        with pytest.raises(secret.MalformedToken):
            secret.split(swapped)


def test_a_wrong_checksum_says_nothing_of_the_right_one() -> None:
    with pytest.raises(secret.MalformedToken) as caught:
        secret.split(f"gbk_012345-{'x' * 22}")
    assert str(caught.value) == "the checksum of the API key does not match, it was mistyped or cut"


def test_a_new_secret_for_an_old_token_has_its_id() -> None:
    for key_id in (NEW.id, GOOD_ID):
        made = secret.generate(key_id=key_id)
        assert made.id == key_id
        assert made.secret not in (NEW.secret, GOOD_SECRET)
        assert secret.split(made.text) == (key_id, made.secret)


def test_a_printed_token_shows_its_id_alone() -> None:
    token = secret.generate()
    for text in (repr(token), str(token), f"{token}"):
        assert token.id in text
        assert token.secret not in text
        assert repr(token.hashed) not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD_ID, True),
        ("0123456789", True),
        ("gbk_012345", True),
        ("gbk_01234", False),
        ("gbk_0123456", False),
        ("gbk_01234_", False),
        ("gbkx_01234", False),
        ("GBK_012345", False),
        ("012345gbk_", False),
        ("", False),
        ("012345678", False),
        ("01234567890", False),
        ("012345678-", False),
        ("012345678\n", False),
        ("012345678é", False),
        ("012345678\u0660", False),
    ],
)
def test_a_key_id_is_ten_letters_or_digits_or_the_prefix_and_six(text: str, expected: bool) -> None:
    assert secret.is_key_id(text) is expected
