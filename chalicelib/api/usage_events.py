"""Usage events of the platform, its licences, and what follows from them: daily counts and entitlements."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.api import trail
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.api.saving import saved
from chalicelib.api.strict_query import StrictQuery
from chalicelib.errors import Forbidden, Invalid, Validation
from chalicelib.models.base import EventTime, Model, Moment, parse
from chalicelib.platform import entitlements as rules
from chalicelib.platform import usage as kinds
from chalicelib.platform.entitlements import License
from chalicelib.store.directory import active_users
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.store.platform import beside, usage

_LICENSES: Final = "settings#licenses"
_MOST_EVENTS: Final = 1_000
_MOST_LICENSES: Final = 32
_MOST_DAYS: Final = 366
_ADMINISTRATION: Final = Object("deployment_config")


class UsageEvent(Model):
    """One usage event, as the platform's collector makes it."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    event_type: Literal["dc_managed_agents_v1", "hb_ai_seats_v1"]
    event_data: dict[str, Any]
    created_at: EventTime


class UsageEvents(Model):
    """Usage events; those whose ids are stored already change nothing."""

    events: Annotated[list[UsageEvent], Field(min_length=1, max_length=_MOST_EVENTS)]


class PutLicense(Model):
    """The claims of a licence of the platform that count here."""

    iat: Moment
    nbf: Moment
    exp: Moment
    license_expires: Moment | None = None
    feature_set: Annotated[str, Field(max_length=64)] = ""
    features: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]],
        Field(max_length=100),
    ] = Field(default_factory=dict)


class UsageResultJSON(TypedDict):
    """How many events are new, and how many were stored before."""

    created: int
    known: int


class DailyUsageJSON(TypedDict):
    """The number of one day and one type of event."""

    day: str
    event_type: str
    count: int


@authenticated
def put_events(call: Call, caller: Caller) -> Answer:
    """Take usage events in, each once, and count them."""
    asked = parse(UsageEvents, call.body)
    _require(caller, "update")
    wrong, events = [], []
    for index, one in enumerate(asked.events):
        try:
            count = kinds.count_of(one.event_type, one.event_data)
            events.append(usage.Event(one.id, one.event_type, count, one.created_at))
        except kinds.WrongData as error:
            wrong.append(Validation(f"events.{index}.event_data", str(error)))
    if wrong:
        raise Invalid(wrong)
    created = sum(map(usage.add, events))
    result: UsageResultJSON = {"created": created, "known": len(events) - created}
    return Answer(result)


@authenticated
def daily(call: Call, caller: Caller) -> Answer:
    """The numbers of days, by type of event: the last thirty days, or those that are asked for."""
    _require(caller, "read")
    query = StrictQuery(call)
    today = times.now().date()
    last = query.day("to") or today
    first = query.day("from") or date.fromordinal(max(1, last.toordinal() - 29))
    query.check()
    if not first <= last or (last - first).days >= _MOST_DAYS:
        raise Invalid([Validation("from", f"the days from the first to the last must be 1 to {_MOST_DAYS}")])
    counts = {kind: usage.days(kind, first, last) for kind in kinds.TYPES}
    return Answer([_row(kind, day, number) for kind, days in counts.items() for day, number in days.items()])


@authenticated
def put_license(call: Call, caller: Caller, license: str) -> Answer:  # noqa: A002 - as the path has it
    """Mirror the claims of a licence of the platform, which sets the limit of managed agents."""
    license_id = uuid("license", license)
    asked = parse(PutLicense, call.body)
    _require(caller, "update")

    def write() -> Answer:
        before = beside.read(_LICENSES)
        claims = {name: times.wire(value) if isinstance(value, datetime) else value for name, value in asked}
        after = {**before, license_id: claims}
        if len(after) > _MOST_LICENSES:
            raise Invalid([Validation("license", f"there may be {_MOST_LICENSES} licences")])
        if after != before:
            action = "write" if license_id in before else "create"
            about = trail.Resource("license", license_id)
            made = trail.row(call, caller, action, 204, about, more={"license": claims})
            beside.put_changed(_LICENSES, after, before, *writes_of(made))
        return Answer(None, 204)

    return saved(write)


@authenticated
def entitlements(_call: Call, _caller: Caller) -> Answer:
    """The features that the service offers, and the limit of managed agents that the platform's licences set."""
    now = times.now()
    licenses = [_license(claims) for claims in beside.read(_LICENSES).values()]

    @cache
    def built(limit: rules.Limit) -> int:
        first = max(limit.start, now - timedelta(days=5 * 366)).date()
        return sum(usage.days(kinds.AGENTS, first, min(limit.end, now).date()).values())

    limit = rules.managed_agents(licenses, now, built)
    users = active_users.count()
    most = rules.user_limit(licenses, now)
    used = rules.Used(built(limit) if limit else 0, users.number)
    return Answer(rules.entitlements(limit, most, used, has_license=bool(licenses), now=users.at))


def _require(caller: Caller, action: str) -> None:
    if not caller.may(action, _ADMINISTRATION):
        raise Forbidden


def _row(kind: str, day: str, number: int) -> DailyUsageJSON:
    return {"day": day, "event_type": kind, "count": number}


def _license(claims: dict[str, Any]) -> License:
    issued, begins, ends = (times.from_wire(claims[name]) for name in ("iat", "nbf", "exp"))
    grace = times.from_wire(claims["license_expires"]) if claims.get("license_expires") else ends
    return License(issued, begins, ends, grace, claims["feature_set"], claims["features"])
