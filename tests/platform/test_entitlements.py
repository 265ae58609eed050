"""Which licence sets the limit of managed agents, and what the service says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.platform.entitlements import (
    FEATURES,
    LIMIT,
    OFFERED,
    EntitlementsJSON,
    License,
    Limit,
    Used,
    entitlements,
    managed_agents,
    user_limit,
)

NOW = datetime(2026, 7, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def license_of(feature_set: str = "", issued: int = 30, **features: int) -> License:
    issued_at = NOW - issued * DAY
    return License(issued_at, issued_at, NOW + 300 * DAY, NOW + 270 * DAY, feature_set, features)


def nothing(_limit: Limit) -> int:
    return 0


def limit_of(*licenses: License) -> int | None:
    limit = managed_agents(licenses, NOW, nothing)
    return limit.limit if limit else None


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ((), None),
        ((license_of(managed_agent_limit=100, issued=60), license_of(managed_agent_limit=50, issued=30)), 50),
        ((license_of(managed_agent_limit_soft=100, managed_agent_limit_hard=200),), 100),
        ((license_of(managed_agent_limit_soft=75),), 75),
        ((license_of(managed_agent_limit_hard=75),), None),
        ((license_of(managed_agent_limit=10, managed_agent_limit_soft=75),), 10),
        ((license_of(managed_agent_limit=-1),), None),
        ((license_of("enterprise"),), None),
        ((license_of("premium"),), 1_000),
        ((license_of("premium", managed_agent_limit=100),), 100),
        ((license_of("premium", issued=1), license_of(managed_agent_limit=5, issued=60)), 5),
        ((license_of("premium", managed_agent_limit=0),), 0),
        ((license_of(managed_agent_limit=100, issued=-1),), None),
    ],
)
def test_the_licence_that_was_issued_last_decides(licenses: tuple[License, ...], expected: int | None) -> None:
    assert limit_of(*licenses) == expected


def answer(*licenses: License, used: int = 0) -> EntitlementsJSON:
    users = user_limit(licenses, NOW)
    limit = managed_agents(licenses, NOW, nothing)
    return entitlements(limit, users, Used(used, 7), has_license=bool(licenses), now=NOW)


def test_every_feature_is_listed_and_what_is_offered_is_entitled() -> None:
    features = answer()["features"]
    assert set(features) == set(FEATURES)
    assert {name for name, feature in features.items() if feature["enabled"]} == OFFERED
    assert all((feature["entitlement"] == "entitled") is feature["enabled"] for feature in features.values())


def test_a_limit_of_nothing_is_entitled_and_not_enabled() -> None:
    feature = answer(license_of("premium", managed_agent_limit=0), used=3)["features"][LIMIT]
    assert (feature["entitlement"], feature["enabled"], feature["limit"], feature["actual"]) == (
        "entitled",
        False,
        0,
        3,
    )


def test_more_than_the_limit_is_one_warning() -> None:
    assert len(answer(license_of(managed_agent_limit=100), used=175)["warnings"]) == 1
    assert answer(license_of(managed_agent_limit=100), used=99)["warnings"] == []


def test_a_licence_in_its_grace_says_so() -> None:
    one = license_of(managed_agent_limit=100)
    limit = managed_agents([one], NOW + 280 * DAY, nothing)
    assert limit is not None
    assert limit.entitlement == "grace_period"
    assert managed_agents([one], NOW + 301 * DAY, nothing) is None


def test_active_users_are_counted_with_and_without_a_licence() -> None:
    assert answer()["features"]["user_limit"] == {"entitlement": "not_entitled", "enabled": False, "actual": 7}
    feature = answer(license_of(user_limit=50), license_of(user_limit=100, issued=60))["features"]["user_limit"]
    assert feature == {"entitlement": "entitled", "enabled": True, "limit": 50, "actual": 7}


def test_the_years_of_the_default_are_those_of_every_deployment() -> None:
    feature = answer(license_of("premium"), used=3)["features"][LIMIT]
    assert (feature["limit"], feature["actual"]) == (1_000, 3)
    assert feature["usage_period"] == dict.fromkeys(("issued_at", "start"), "2025-07-01T00:00:00Z") | {
        "end": "2125-07-01T00:00:00Z"
    }


def test_of_licences_alike_in_time_the_entitled_one_counts() -> None:
    entitled, grace = license_of(managed_agent_limit=5), replace(license_of(managed_agent_limit=9), license_expires=NOW)
    limit = managed_agents([entitled, grace], NOW + DAY, nothing)
    assert limit is not None
    assert (limit.limit, limit.entitlement) == (5, "entitled")


@pytest.mark.parametrize(("used", "expected"), [(5, (5, "entitled")), (6, (9, "grace_period")), (10, (5, "entitled"))])
def test_of_licences_alike_in_time_one_that_suffices_counts(used: int, expected: tuple[int, str]) -> None:
    entitled, grace = license_of(managed_agent_limit=5), replace(license_of(managed_agent_limit=9), license_expires=NOW)
    newer = license_of(managed_agent_limit=1, issued=29)
    limit = managed_agents([grace, entitled], NOW + DAY, lambda _: used)
    assert limit is not None
    assert (limit.limit, limit.entitlement) == expected
    assert managed_agents([grace, entitled, newer], NOW + DAY, lambda _: used) == managed_agents([newer], NOW, nothing)
