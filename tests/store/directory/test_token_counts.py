"""A user has no more tokens that have not ended than the cap, however they are minted and however they end."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.records import APIKey
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys, token_counts
from chalicelib.store.directory.token_counts import TooManyTokens, counted
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import APIKeyItem

pytestmark = pytest.mark.usefixtures("tables")
USER = "1d7e6c5b-4a39-4827-b615-04f3e2d1c016"
CAP = 3
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_small_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "current", lambda: Settings(max_tokens_per_user=CAP))


def token(number: int, **changes: Any) -> APIKey:
    now = times.now()
    made = APIKey(
        id=f"{number:010}",
        hashed_secret=bytes(32),
        user_id=USER,
        login_type="token",
        token_name=f"n{number}",
        scopes=("coder:all",),
        allow_list=("*:*",),
        created_at=now,
        updated_at=now,
        expires_at=now + DAY,
        last_used=times.EPOCH,
        lifetime_seconds=86_400,
    )
    return replace(made, **changes)


def live() -> list[APIKey]:
    return [key for key in api_keys.of_user(USER) if key.expires_at > times.now()]


def test_the_cap_is_a_number_of_tokens_that_have_not_ended() -> None:
    keys = [token(number) for number in range(CAP)]
    for key in keys:
        api_keys.add(key)
    with pytest.raises(TooManyTokens) as refused:
        api_keys.add(token(10))
    assert refused.value.most == CAP
    assert api_keys.get(token(10).id) is None
    api_keys.delete([keys[0]])
    api_keys.add(token(11))
    api_keys.change(replace(keys[1], expires_at=times.now(), updated_at=times.now()), keys[1])
    api_keys.add(token(12))
    with pytest.raises(TooManyTokens):
        api_keys.add(token(13))


def test_tokens_that_end_by_their_time_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(CAP):
        api_keys.add(token(number, expires_at=times.now() + DAY * (number + 1)))
    later = times.now() + DAY + timedelta.resolution
    monkeypatch.setattr(times, "now", lambda: later)
    api_keys.add(token(10))
    with pytest.raises(TooManyTokens):
        api_keys.add(token(11))
    assert len(live()) == CAP


def test_session_keys_and_the_tokens_of_others_do_not_count() -> None:
    for number in range(CAP):
        api_keys.add(token(number))
    api_keys.add(token(10, login_type="password", token_name=""))
    api_keys.add(token(11, user_id="2b7e6c5b-4a39-4827-b615-04f3e2d1c017"))


def test_a_user_whose_tokens_were_never_counted_may_delete_and_mint() -> None:
    key = token(1)
    api_keys.add(key)
    call("DeleteItem", {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": f"tokens#{USER}"}}})
    api_keys.delete([key])
    assert counted(USER) == 0
    api_keys.add(token(2))


def test_minted_at_once_no_more_than_the_cap_are_made() -> None:
    results: list[bool] = []

    def mint(number: int) -> None:
        try:
            api_keys.add(token(number))
        except TooManyTokens:
            results.append(False)
        else:
            results.append(True)

    threads = [threading.Thread(target=mint, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == len(live()) == CAP


STEPS = st.lists(st.tuples(st.sampled_from(["add", "add", "delete", "end", "wait"]), st.integers(0, 5)), max_size=14)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_count_is_never_too_low(tables: Any, steps: list[tuple[str, int]]) -> None:
    tables.clear()
    for moment, (step, number) in enumerate(steps):
        key = api_keys.get(f"{number:010}")
        if step == "add" and key is None:
            room = len(live()) < CAP
            try:
                api_keys.add(token(number, expires_at=times.now() + timedelta(milliseconds=1 if moment % 3 else 10**9)))
            except TooManyTokens:
                assert not room
            else:
                assert room
        elif step == "delete" and key is not None:
            api_keys.delete([key])
        elif step == "end" and key is not None and key.expires_at > times.now():
            api_keys.change(replace(key, expires_at=times.now(), updated_at=times.now()), key)
        assert (counted(USER) or 0) >= len(live())
