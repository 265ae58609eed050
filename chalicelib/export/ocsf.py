"""Events of the Open Cybersecurity Schema Framework (OCSF) 1.8: what every event has, whatever its class. Pure.

What the schema has no place for is in `unmapped`, so that no field of a row is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from chalicelib import times
from chalicelib.version import BUILD_VERSION

VERSION: Final = "1.8.0"
OTHER: Final = 99
"""The activity that a class has no number for; the event names it."""
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL, _LOW = 1, 2
_FIRST_FAILED_STATUS = 400
_CATEGORIES = {3: "Identity & Access Management", 4: "Network Activity", 6: "Application Activity"}


class Class(NamedTuple):
    """A class of events: its number, and its name."""

    uid: int
    name: str


ACCOUNT_CHANGE: Final = Class(3001, "Account Change")
AUTHENTICATION: Final = Class(3002, "Authentication")
ENTITY_MANAGEMENT: Final = Class(3004, "Entity Management")
USER_ACCESS: Final = Class(3005, "User Access Management")
HTTP_ACTIVITY: Final = Class(4002, "HTTP Activity")
SSH_ACTIVITY: Final = Class(4007, "SSH Activity")
TUNNEL_ACTIVITY: Final = Class(4014, "Tunnel Activity")
API_ACTIVITY: Final = Class(6003, "API Activity")


class Activity(NamedTuple):
    """The activity of an event in its class: its number, and its name."""

    uid: int
    name: str


def event(
    of: Class,
    activity: Activity,
    row: Mapping[str, Any],
    moment: str,
    *,
    mapped: frozenset[str],
    fields: Mapping[str, Any],
    failed: bool = False,
) -> dict[str, Any]:
    """An event.

    Args:
        of: its class.
        activity: what happened.
        row: as the API answers it.
        moment: its time, as the API writes it.
        mapped: the fields of the row that `fields` hold.
        fields: what the class has beside; empty values are left out.
        failed: whether it was refused, or failed.
    """
    category = of.uid // 1_000
    left = {name: value for name, value in row.items() if name not in mapped | {"id"}}
    return {
        "metadata": {
            "version": VERSION,
            "product": {"name": "Gatebook", "vendor_name": "Gatebook", "version": BUILD_VERSION},
            "uid": row["id"],
            "original_time": moment,
            **({"logged_time": milliseconds(row["received_at"])} if "received_at" in row else {}),
        },
        "time": milliseconds(moment),
        "category_uid": category,
        "category_name": _CATEGORIES[category],
        "class_uid": of.uid,
        "class_name": of.name,
        "activity_id": activity.uid,
        "activity_name": activity.name,
        "type_uid": of.uid * 100 + activity.uid,
        "type_name": f"{of.name}: {activity.name}",
        "severity_id": _LOW if failed else _INFORMATIONAL,
        "status_id": _FAILURE if failed else _SUCCESS,
        **filled(fields),
        **({"unmapped": left} if left else {}),
    }


def milliseconds(moment: str) -> int:
    """A time as the API writes it, in milliseconds since 1970."""
    since: datetime = times.from_wire(moment)
    return int((since.astimezone(UTC) - times.EPOCH).total_seconds() * 1_000)


def is_failure(status: int) -> bool:
    """Whether an HTTP status says that a request was refused or failed."""
    return status >= _FIRST_FAILED_STATUS


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def user(known: Mapping[str, Any] | None) -> dict[str, Any]:
    """A user, as the API answers them beside a row; nothing where there is none."""
    if not known:
        return {}
    return filled(
        {
            "uid": known.get("id"),
            "name": known.get("username"),
            "full_name": known.get("name"),
            "email_addr": known.get("email"),
        }
    )


def organization(known: Mapping[str, Any] | None) -> dict[str, Any]:
    """An organization, as the API answers it beside a row; nothing where there is none."""
    return filled({"uid": known.get("id"), "name": known.get("name")}) if known else {}
