"""Which daemons a query shows, and what it calls them: the cases that hold in a Coder server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform.daemons import STALE_AFTER, STATUSES, Asked, is_stale, label

NOW = datetime(2026, 7, 8, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFFLINE = Asked(offline=True)


def labels(asked: Asked, *minutes: int, limit: int) -> list[str]:
    """The status of daemons without jobs that were seen so many minutes ago."""
    given_labels = (label(asked, NOW - one * MINUTE, NOW, has_job=False, limit=limit * MINUTE) for one in minutes)
    return sorted(one for one in given_labels if one)


@pytest.mark.parametrize(
    ("asked", "minutes", "limit", "expected"),
    [
        (OFFLINE, (60, 30), 45, ["idle", "offline"]),
        (Asked(), (60, 30), 45, ["idle"]),
        (OFFLINE, (60, 0, 30), 45, ["idle", "idle", "offline"]),
        (Asked(statuses=frozenset({"idle", "offline"})), (60, 30), 45, ["idle", "offline"]),
        (Asked(statuses=frozenset({"offline"})), (60, 30), 45, ["offline"]),
        (Asked(max_age=60 * MINUTE), (45, 25), 60, ["idle", "idle"]),
        (Asked(max_age=30 * MINUTE), (45, 25), 60, ["idle"]),
        (Asked(max_age=15 * MINUTE), (45, 25), 60, []),
        (Asked(), (45, 25), 60, ["idle", "idle"]),
    ],
)
def test_silence_decides_what_is_shown(asked: Asked, minutes: tuple[int, ...], limit: int, expected: list[str]) -> None:
    assert labels(asked, *minutes, limit=limit) == expected


def test_a_silent_daemon_with_a_job_is_busy_and_is_among_the_offline() -> None:
    assert label(Asked(statuses=frozenset({"offline"})), NOW - 60 * MINUTE, NOW, has_job=True) == "busy"


def test_who_asks_for_busy_and_for_offline_daemons_gets_both() -> None:
    asked = Asked(offline=True, statuses=frozenset({"busy"}))
    assert label(asked, NOW, NOW, has_job=True) == "busy"
    assert label(asked, NOW - 60 * MINUTE, NOW, has_job=False) == "offline"
    assert label(asked, NOW, NOW, has_job=False) is None


def test_a_daemon_that_was_never_seen_is_of_any_age() -> None:
    assert label(Asked(offline=True, max_age=MINUTE), None, NOW, has_job=False) == "offline"
    assert label(Asked(max_age=MINUTE), None, NOW, has_job=False) is None


def test_the_limit_itself_is_not_too_long() -> None:
    assert not is_stale(NOW - STALE_AFTER, NOW)
    assert is_stale(NOW - STALE_AFTER - timedelta(microseconds=1), NOW)


@given(
    offline=st.booleans(),
    statuses=st.frozensets(st.sampled_from(STATUSES)),
    max_age=st.none() | st.integers(1, 3_600).map(lambda seconds: timedelta(seconds=seconds)),
    seen=st.none() | st.integers(0, 7_200).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    has_job=st.booleans(),
)
def test_no_daemon_is_shown_that_was_seen_before_the_oldest_that_is_read(
    *, offline: bool, statuses: frozenset[str], max_age: timedelta | None, seen: datetime | None, has_job: bool
) -> None:
    asked = Asked(offline, statuses, max_age)
    oldest = asked.oldest(NOW)
    shows = label(asked, seen, NOW, has_job=has_job) is not None
    if shows and oldest is not None:
        assert seen is None or seen >= oldest
    if shows and seen is None:
        assert asked.shows_offline
