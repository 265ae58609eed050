"""A secret is known by its name, whatever the case, the signs between its words, or the alphabet of its letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.logs.diff import sanitised
from chalicelib.logs.lookalikes import LOOKALIKES
from chalicelib.logs.secret_names import names_secret, without_secrets
from chalicelib.logs.tracked import RESOURCES, TRACKED
from chalicelib.logs.vocabulary import AUDITED_TYPES

SECRETS = (
    "auth_token",
    "hashed_password",
    "password",
    "client_secret",
    "api_key",
    "private_key",
    "session_token",
    "one_time_passcode",
    "jwt",
    "aws_credentials",
    "token_hashed_secret",
)
NO_SECRETS = ("name", "ttl", "title", "token_name", "secret_prefix", "expires_at", "user_id", "description", "roles")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("resource_type", ["", "workspace_agent", "workspace", "no such type", "user"])
def test_no_value_of_a_secret_is_kept_whatever_resource_carries_it(name: str, resource_type: str) -> None:
    kept = sanitised({name: {"old": "hunter2", "new": 7, "secret": False}}, resource_type)
    assert kept == {name: {"old": "", "new": 0, "secret": True}}


@pytest.mark.parametrize("name", NO_SECRETS)
def test_what_is_known_of_a_secret_is_none(name: str) -> None:
    assert sanitised({name: {"new": "x"}}) == {name: {"new": "x", "secret": False}}


@given(st.sampled_from(SECRETS), st.data())
def test_however_its_name_is_written(name: str, data: st.DataObject) -> None:
    letters = (data.draw(st.sampled_from([letter, letter.upper(), *LOOKALIKES.get(letter, "")])) for letter in name)
    written = data.draw(st.sampled_from(["-", "_", ".", " ", "", "\u200b", "\u0301"])).join(letters)
    assert names_secret(written)


@pytest.mark.parametrize(
    "name",
    [
        "ＡＵＴＨ＿ＴＯＫＥＮ",
        "𝐚𝐮𝐭𝐡_𝓽𝓸𝓴𝓮𝓷",
        "ΤΟΚΕΝ",
        "аuth_tоkеn",
        "ᴘᴀꜱꜱᴡᴏʀᴅ",
        "pässwörd",
        "p4ssw0rd",
        "T̶o̶k̶e̶n",
        "AuthToken",
        "x" * 900 + "token",
    ],
)
def test_whatever_alphabet_it_is_of(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("resource_type", sorted(RESOURCES))
def test_what_the_table_tracks_is_shown_and_what_it_calls_secret_is_not(resource_type: str) -> None:
    modes = TRACKED[RESOURCES[resource_type].struct]
    kept = sanitised({name: {"new": "x"} for name in modes}, resource_type)
    for name, mode in modes.items():
        if mode != "ignore":
            assert kept[name] == {"new": "" if mode == "secret" else "x", "secret": mode == "secret"}


def test_every_audited_type_keeps_back_a_secret_that_its_table_does_not_name() -> None:
    for resource_type in AUDITED_TYPES:
        assert sanitised({"db-pаssword": {"new": "x"}}, resource_type)["db-pаssword"]["secret"] is True


def test_a_secret_within_a_value_is_kept_back_as_well() -> None:
    value = {"url": "https://x", "Auth-Token": "hunter2", "more": [{"password": {"a": 1}, "n": 1}]}
    expected = {"url": "https://x", "Auth-Token": None, "more": [{"password": None, "n": 1}]}
    assert without_secrets(value) == expected
    assert sanitised({"config": {"old": value, "new": [value]}}) == {
        "config": {"old": expected, "new": [expected], "secret": False}
    }


@given(st.text())
def test_any_text_may_be_a_name(name: str) -> None:
    assert names_secret(name) in (True, False)
    assert names_secret(f"{name}\ud800token")
