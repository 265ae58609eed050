"""A message that is sent twice has one id on the same day, and labels are text in their places."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications.message import INBOX, METHODS, Message, once_a_minute
from chalicelib.notifications.templates import CUSTOM, TEST, filled

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MESSAGE = Message(CUSTOM.id, "user", {"custom_title": "t", "custom_message": "m"}, "user", NOON)
OTHERS = {
    "template": {"template_id": TEST.id},
    "user": {"user_id": "other"},
    "labels": {"labels": {"custom_title": "T", "custom_message": "m"}},
    "data": {"data": {"x": "y"}},
    "targets": {"targets": ("x",)},
    "day": {"created_at": NOON + timedelta(hours=12)},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=list(OTHERS))
def test_another_message_has_another_id(changes: dict[str, object]) -> None:
    assert replace(MESSAGE, **changes).id_for(INBOX) != MESSAGE.id_for(INBOX)  # type: ignore[arg-type]


def test_the_same_on_one_day_has_one_id_for_each_method() -> None:
    later = replace(MESSAGE, created_at=NOON + timedelta(hours=11), created_by="somebody")
    assert later.id_for(INBOX) == MESSAGE.id_for(INBOX)
    assert len({MESSAGE.id_for(method) for method in METHODS}) == len(METHODS)


def test_a_minute_is_another_one_at_its_end() -> None:
    assert once_a_minute(NOON) == once_a_minute(NOON + timedelta(seconds=59, microseconds=999_999))
    assert once_a_minute(NOON) != once_a_minute(NOON + timedelta(seconds=60))


@given(st.text(), st.text())
def test_what_a_label_says_stands_there_as_it_is(title: str, message: str) -> None:
    labels = {"custom_title": title, "custom_message": message}
    assert filled(CUSTOM.title, labels) == title
    assert filled(f"<{CUSTOM.title}|{CUSTOM.body}>", labels) == f"<{title}|{message}>"


def test_a_label_that_is_not_there_is_empty() -> None:
    assert filled("Hello {{.UserName}}{{ .Labels.nothing }}!", {"UserName": "Ann"}) == "Hello Ann!"
