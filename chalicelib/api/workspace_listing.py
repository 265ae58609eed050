"""The workspaces that a query asks for: by the lane that answers most of it, as far as the caller may read them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from chalicelib import times
from chalicelib.access.decide import Reach
from chalicelib.api.caller import Caller
from chalicelib.api.directory_query import Asked, organization_id_of, user_id_of
from chalicelib.api.platform_access import object_of
from chalicelib.casing import lowered
from chalicelib.models.workspaces import is_outdated
from chalicelib.platform.kinds import TEMPLATE, WORKSPACE, just_after
from chalicelib.search import values
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform.joins import known_beside
from chalicelib.store.platform.listing import Wanted, agents_of, read_listing
from chalicelib.store.platform.rows import Mirrored

_RESOLVED: Final = frozenset({"owner", "organization", "template", "deleted", "has-agent"})
"""Keys that are answered by the choice of rows."""
_LANES_OF_FLAGS: Final = {"has_external_agent": "external", "dormant": "deprecated"}


def matching(asked: Asked, caller: Caller, readable: Reach, budget: Budget) -> list[Mirrored]:
    """The workspaces that a query asks for and the caller may read: those that run first, then by owner and name."""
    deleted = asked.flag("deleted")
    owner_id = user_id_of(caller, name) if (name := asked.value("owner")) is not None else None
    organization_id = organization_id_of(caller, name) if (name := asked.value("organization")) is not None else None
    template_ids = _templates(name, budget) if (name := asked.value("template")) is not None else None
    lanes: dict[str, list[tuple[Any, ...]]] = {}
    if owner_id is not None:
        lanes["owner"] = [(owner_id,)]
    if template_ids is not None:
        lanes["parent"] = [(template_id,) for template_id in template_ids]
    if statuses := asked.value("status"):
        lanes["status"] = [(word,) for word in sorted({*statuses.split(",")})]
    lanes |= {lane: [(flag,)] for key, lane in _LANES_OF_FLAGS.items() if (flag := asked.flag(key)) is not None}
    if organization_id is not None:
        lanes["organization"] = [(organization_id,)]
    if not readable.site:
        # Who reads their own alone reads these, whatever is asked for: what is hidden from them spends no budget.
        own = _readable_lanes(caller, readable)
        lanes = own | {lane: lanes[lane] for lane in lanes.keys() - own.keys()} if "owner" in own else lanes | own
    # Their last use decides which rows are read where nothing else does.
    span = ("", "") if lanes or deleted else _span(asked)
    if any(span):
        lanes["seen"] = [("kept",)]
    lanes = {"listing": [("deleted",)]} if deleted else lanes | {"listing": [("kept",)]}
    outdated = asked.flag("outdated") is not None

    def test(row: Mirrored) -> bool:
        return (
            bool(row.get("deleted")) is bool(deleted)
            and (owner_id is None or row.get("owner_id") == owner_id)
            and (organization_id is None or row.get("organization_id") == organization_id)
            and (template_ids is None or row.get("template_id") in template_ids)
            and readable.includes(caller.user.id, object_of(row))
            and (outdated or asked.matches(_fields(row, None), _RESOLVED))
        )

    ids = [] if asked.flag("has-ai-task") else asked.ids("id")
    listed = read_listing(Wanted(WORKSPACE, ids, lanes, span), budget, test)
    if outdated:
        known = known_beside(listed, (TEMPLATE,))
        fields = ((row, _fields(row, known.get(TEMPLATE, row.get("template_id")))) for row in listed)
        listed = [row for row, values_of in fields if asked.matches(values_of, _RESOLVED)]
    if connected := asked.value("has-agent"):
        listed = _with_agents(listed, frozenset(connected.split(",")), budget)
    return sorted(listed, key=partial(_order, caller.user.id))


def _order(reader_id: str, row: Mirrored) -> tuple[bool, bool, str, str, str]:
    """The place of a workspace in a list: what the reader favors, then what runs, by their names."""
    favored = bool(row.get("favorite")) and row.get("owner_id") == reader_id
    owner, name = str(row.joined.get("owner") or ""), str(row.get("name"))
    return not favored, row.joined.get("status") != "running", lowered(owner), lowered(name), row.id


def _span(asked: Asked) -> tuple[str, str]:
    """The least and the greatest place, by their last use, of the workspaces that a query asks for; "" for any."""
    after, before = asked.value("last_used_after"), asked.value("last_used_before")
    least = times.fixed(values.timestamp(after)) if after else ""
    return least, just_after(times.fixed(values.timestamp(before))) if before else ""


def _readable_lanes(caller: Caller, readable: Reach) -> dict[str, list[tuple[Any, ...]]]:
    if readable.organizations:
        return {"organization": [(one,) for one in sorted({*readable.organizations, *readable.own_in})]}
    return {"owner": [(caller.user.id,)]}


def _fields(row: Mirrored, template: Mirrored | None) -> dict[str, Any]:
    last_used = row.get("last_used_at")
    return {
        **row.values,
        "status": row.joined.get("status", "pending"),
        "has_external_agent": bool(row.joined.get("has_external_agent")),
        "has_ai_task": False,
        "is_dormant": bool(row.get("dormant_at")),
        "is_outdated": is_outdated(row, template),
        "last_used_moment": times.from_wire(last_used) if last_used else times.NEVER,
    }


def _with_agents(listed: Iterable[Mirrored], statuses: frozenset[str], budget: Budget) -> list[Mirrored]:
    """The workspaces whose latest build has an agent of one of the statuses."""
    built = [(row, str(row.joined["latest_build_id"])) for row in listed if "latest_build_id" in row.joined]
    agents = agents_of([build_id for _, build_id in built], budget)
    return [row for row, build_id in built if any(one.get("status") in statuses for one in agents.get(build_id, ()))]


def _templates(name: str, budget: Budget) -> frozenset[str]:
    """The ids of the templates of this name."""
    listed = read_listing(Wanted(TEMPLATE, None, {"name": [(name, False), (name, True)]}), budget, lambda _: True)
    return frozenset(row.id for row in listed)


def query_of(text: str) -> str:
    """A query in which a bare `owner/name` is both."""
    words = text.split()
    slashed = [word for word in words if "/" in word and ":" not in word and '"' not in word]
    for word in slashed:
        owner, _, name = word.partition("/")
        words[words.index(word)] = f"owner:{owner} name:{name}" if owner and name else word
    return " ".join(words) if slashed else text
