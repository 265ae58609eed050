"""The features that the service offers, in the words of licences, and the limit of managed agents that these set.

Of several licences the one that was issued last decides, whatever its numbers: a newer licence replaces an older one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, NotRequired

from typing_extensions import TypedDict

from chalicelib import times

OFFERED: Final = frozenset({"audit_log", "connection_log", "multiple_organizations"})
"""The features of this service itself."""
LIMIT: Final = "managed_agent_limit"
USERS: Final = "user_limit"
FEATURES: Final = (
    USERS,
    "audit_log",
    "connection_log",
    "browser_only",
    "scim",
    "template_rbac",
    "user_role_management",
    "high_availability",
    "multiple_external_auth",
    "external_provisioner_daemons",
    "appearance",
    "advanced_template_scheduling",
    "workspace_proxy",
    "external_token_encryption",
    "workspace_batch_actions",
    "task_batch_actions",
    "access_control",
    "control_shared_ports",
    "custom_roles",
    "multiple_organizations",
    "workspace_prebuilds",
    LIMIT,
    "workspace_external_agent",
    "aibridge",
    "boundary",
    "service_accounts",
    "ai_governance_user_limit",
)

_PREMIUM_LIMIT: Final = 1_000
_PREMIUM_SINCE: Final = datetime(2025, 7, 1, tzinfo=UTC)
_PREMIUM_UNTIL: Final = datetime(2125, 7, 1, tzinfo=UTC)
_WARNING: Final = "You have built more workspaces with managed agents than your license allows."


@dataclass(frozen=True, slots=True)
class License:
    """The claims of a licence, as far as they count here.

    Attributes:
        not_before: when it begins.
        expires: when it is over, grace included.
        license_expires: when its grace begins.
        feature_set: `premium` or another.
        features: name -> number.
    """

    issued_at: datetime
    not_before: datetime
    expires: datetime
    license_expires: datetime
    feature_set: str
    features: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of managed agents, and the period in which they are counted."""

    limit: int
    entitlement: str
    issued_at: datetime
    start: datetime
    end: datetime


class UsagePeriodJSON(TypedDict):
    """codersdk.UsagePeriod."""

    issued_at: str
    start: str
    end: str


class FeatureJSON(TypedDict):
    """codersdk.Feature; the limit and what counts towards it are there where a licence sets one."""

    entitlement: str
    enabled: bool
    limit: NotRequired[int]
    actual: NotRequired[int]
    usage_period: NotRequired[UsagePeriodJSON]


class EntitlementsJSON(TypedDict):
    """codersdk.Entitlements."""

    features: dict[str, FeatureJSON]
    warnings: list[str]
    errors: list[str]
    has_license: bool
    trial: bool
    require_telemetry: bool
    refreshed_at: str


class Used(NamedTuple):
    """The numbers that limits are compared with.

    Attributes:
        agents: how many were built in the period of their limit.
        users: how many are active; None where that is not known.
    """

    agents: int
    users: int | None


def user_limit(licenses: Iterable[License], now: datetime) -> int | None:
    """The number of users that the licence which was issued last lets in; None where none says."""
    saying = [one for one in licenses if one.not_before <= now <= one.expires and one.features.get(USERS, 0) > 0]
    return max(saying, key=lambda one: (one.issued_at, one.expires)).features[USERS] if saying else None


def managed_agents(licenses: Iterable[License], now: datetime, built: Callable[[Limit], int]) -> Limit | None:
    """The limit that the licences set; None where none does.

    Of several alike in time one that is not exceeded comes first, then the better entitled, then the greater one.

    Args:
        licenses: of the platform.
        now: the time.
        built: how many managed agents were built in the period of a limit.
    """
    limits = [limit for one in licenses if one.not_before <= now <= one.expires and (limit := _limit_of(one, now))]
    latest = max(((limit.issued_at, limit.end) for limit in limits), default=None)
    alike = {limit for limit in limits if (limit.issued_at, limit.end) == latest}
    if len(alike) <= 1:
        return next(iter(alike), None)
    return max(
        alike,
        key=lambda limit: (built(limit) <= limit.limit, limit.entitlement == "entitled", limit.limit),
    )


def entitlements(
    limit: Limit | None, users: int | None, used: Used, *, has_license: bool, now: datetime
) -> EntitlementsJSON:
    """codersdk.Entitlements.

    Args:
        limit: of managed agents.
        users: the limit of users.
        used: the numbers that limits are compared with.
        has_license: whether the platform has one.
        now: when that was counted.
    """
    features: dict[str, FeatureJSON] = {name: _offered(name in OFFERED) for name in FEATURES}
    warnings = []
    of_users = features[USERS] = _offered(users)
    if users is not None:
        of_users["limit"] = users
    if used.users is not None:
        of_users["actual"] = used.users
    if limit is not None:
        features[LIMIT] = {
            "entitlement": limit.entitlement,
            "enabled": limit.limit > 0,
            "limit": limit.limit,
            "actual": used.agents,
            "usage_period": {
                "issued_at": times.wire(limit.issued_at),
                "start": times.wire(limit.start),
                "end": times.wire(limit.end),
            },
        }
        if limit.limit > 0 and used.agents >= limit.limit:
            warnings.append(_WARNING)
    return {
        "features": features,
        "warnings": warnings,
        "errors": [],
        "has_license": has_license,
        "trial": False,
        "require_telemetry": False,
        "refreshed_at": times.wire(now),
    }


def _limit_of(one: License, now: datetime) -> Limit | None:
    """The limit of one licence: of the plain name and its older half, the soft limit, the plain one counts."""
    given = one.features.get(LIMIT, one.features.get(f"{LIMIT}_soft"))
    entitlement = "entitled" if now <= one.license_expires else "grace_period"
    if given is not None and given >= 0:
        return Limit(given, entitlement, one.issued_at, one.not_before, one.expires)
    if one.feature_set == "premium":
        return Limit(_PREMIUM_LIMIT, entitlement, _PREMIUM_SINCE, _PREMIUM_SINCE, _PREMIUM_UNTIL)
    return None


def _offered(offered: object) -> FeatureJSON:
    return {"entitlement": "entitled" if offered else "not_entitled", "enabled": bool(offered)}
