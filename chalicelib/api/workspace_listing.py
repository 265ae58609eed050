"""The workspaces that a query asks for: by the lane that answers most of it, as far as the caller may read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from chalicelib import times
from chalicelib.access.decide import Reach
from chalicelib.api.caller import Caller
from chalicelib.api.directory_query import Asked, organization_id_of, user_id_of
from chalicelib.api.platform_access import object_of
from chalicelib.api.template_names import is_named, templates_named
from chalicelib.casing import lowered
from chalicelib.models.workspaces import is_outdated
from chalicelib.platform import agents, facts
from chalicelib.platform.kinds import TEMPLATE, WORKSPACE
from chalicelib.platform.section import Section, just_after
from chalicelib.search import values
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform import built_from
from chalicelib.store.platform.joins import known_beside
from chalicelib.store.platform.lane_reader import Range
from chalicelib.store.platform.listing import Identified, Named, Source, in_lane, in_state, read_listing
from chalicelib.store.platform.rows import Mirrored, get_many

_RESOLVED: Final = frozenset({"owner", "organization", "template", "deleted", "has-agent", "healthy"})
"""Keys that are answered by the choice of rows."""
_KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The objects that a query names, and whose workspaces the reader may read; None for any.

    Attributes:
        owner_id: whose workspaces, as the query says.
        reader_id: whose workspaces alone there are to read.
        template_ids: of which templates.
        organization_id: in which organization, as the query says.
        organization_ids: in which organizations there is something to read.
    """

    owner_id: str | None
    reader_id: str | None
    template_ids: frozenset[str] | None
    organization_id: str | None
    organization_ids: tuple[str, ...] | None

    def includes(self, row: Mirrored) -> bool:
        """Whether a workspace is one of them."""
        return (
            (self.owner_id is None or row.get("owner_id") == self.owner_id)
            and (self.organization_id is None or row.get("organization_id") == self.organization_id)
            and (self.template_ids is None or row.get("template_id") in self.template_ids)
        )


def matching(asked: Asked, caller: Caller, readable: Reach, budget: Budget) -> list[Mirrored]:
    """The workspaces that a query asks for and the caller may read: those that run first, then by owner and name."""
    deleted, outdated = bool(asked.flag("deleted")), asked.flag("outdated") is not None
    chosen, agent_sets = _chosen(asked, caller, readable, budget), _agent_sets(asked)

    def test(row: Mirrored) -> bool:
        return (
            bool(row.get("deleted")) is deleted
            and chosen.includes(row)
            and (agent_sets is None or row.joined.get("agent_statuses") in agent_sets)
            and readable.includes(caller.user.id, object_of(row))
            and (outdated or asked.matches(_fields(row, None), _RESOLVED))
        )

    ids = [] if _asks_for_none(asked) else asked.ids("id")
    if ids is None and readable.ids is not None:
        ids = sorted(readable.ids)
    source = _source(asked, chosen) if ids is None else Identified(WORKSPACE, ids)
    listed = read_listing(source, budget, test)
    if outdated:
        known = known_beside(listed, (TEMPLATE,))
        fields = ((row, _fields(row, known.get(TEMPLATE, row.get("template_id")))) for row in listed)
        listed = [row for row, values_of in fields if asked.matches(values_of, _RESOLVED)]
    return sorted(listed, key=partial(_order, caller.user.id))


def _asks_for_none(asked: Asked) -> bool:
    """Whether a query asks for what no workspace is here: a task, or shared."""
    kinds = asked.flag("has-ai-task") or asked.flag("shared")
    return bool(kinds or asked.value("shared_with_user") or asked.value("shared_with_group"))


def _agent_sets(asked: Asked) -> frozenset[str] | None:
    """The statuses that the agents of a workspace have together; None where nothing is asked of them."""
    words, healthy = asked.words("has-agent"), asked.flag("healthy")
    asked_for = [agents.sets_with(words)] if words else []
    asked_for += [] if healthy is None else [agents.sets_of_health(healthy=healthy)]
    return frozenset.intersection(*map(frozenset, asked_for)) if asked_for else None


def _chosen(asked: Asked, caller: Caller, readable: Reach, budget: Budget) -> _Chosen:
    owner_id = user_id_of(caller, name) if (name := asked.value("owner")) is not None else None
    organization_id = organization_id_of(caller, name) if (name := asked.value("organization")) is not None else None
    organization_ids: tuple[str, ...] | None = None if organization_id is None else (organization_id,)
    if not readable.site and readable.organizations:
        within = {*readable.organizations, *readable.own_in}
        organization_ids = tuple(sorted(within if organization_id is None else within & {organization_id}))
    template_ids = None
    if (name := asked.value("template")) is not None:
        template_ids = _templates(_templates_named(name, readable, organization_ids), name, budget)
    # Who reads their own alone reads these, whatever is asked for: what is hidden from them spends no budget.
    reader_id = None if readable.site or readable.organizations else caller.user.id
    return _Chosen(owner_id, reader_id, template_ids, organization_id, organization_ids)


def _source(asked: Asked, chosen: _Chosen) -> Range | Named:
    """Where the workspaces are read, so that the fewest are read in vain."""
    deleted = bool(asked.flag("deleted"))
    if (owner_id := chosen.reader_id or chosen.owner_id) is not None:
        owner = facts.deleted_of(owner_id) if deleted else owner_id
        return in_state(WORKSPACE, "by_owner", [(owner,)], chosen.organization_ids)
    if deleted:
        return in_state(WORKSPACE, "by_use", [(facts.DELETED,)], chosen.organization_ids)
    if part := asked.value("name"):
        return Named(WORKSPACE, "name", part, _KEPT, chosen.organization_ids)
    if asked.flag("outdated") is not None and (by_version := _by_version(asked, chosen)) is not None:
        return by_version
    if chosen.template_ids is not None:
        return in_lane(WORKSPACE, "parent", *((one,) for one in sorted(chosen.template_ids)))
    return _by_state(asked, chosen) or _by_place(asked, chosen)


def _by_state(asked: Asked, chosen: _Chosen) -> Range | None:
    """The workspaces of a status, with an agent of one, with a flag; None where nothing of that is asked for."""
    choices: dict[str, Sequence[object]] = {
        "by_status": asked.words("status"),
        "by_words": sorted(_agent_sets(asked) or ()),
        "by_external_agent": [asked.flag("has_external_agent")],
        "by_use": [None if (dormant := asked.flag("dormant")) is None else facts.use(out_of_use=dormant)],
    }
    lane = next((lane for lane, choice in choices.items() if any(value is not None for value in choice)), None)
    if lane is None:
        return None
    return in_state(WORKSPACE, lane, [(value,) for value in choices[lane]], chosen.organization_ids)


def _by_place(asked: Asked, chosen: _Chosen) -> Range:
    """The workspaces of organizations, or those that were used in a span of time, or all."""
    if chosen.organization_ids is not None:
        return in_lane(WORKSPACE, "organization", *((one,) for one in chosen.organization_ids))
    return _by_last_use(asked) or in_lane(WORKSPACE, "listing", (_KEPT,))


def _by_version(asked: Asked, chosen: _Chosen) -> Range | None:
    """The workspaces that are outdated or are not, template by template; None where the templates are too many."""
    template_ids = chosen.template_ids
    of = built_from.template_ids(chosen.organization_ids) if template_ids is None else sorted(template_ids)
    return None if of is None else Range("version", built_from.sections(of, outdated=bool(asked.flag("outdated"))))


def _by_last_use(asked: Asked) -> Range | None:
    """The workspaces that were last used in a span of time; None where none is asked for."""
    after, before = asked.value("last_used_after"), asked.value("last_used_before")
    key = WORKSPACE.key("seen", _KEPT)
    if key is None or not (after or before):
        return None
    least = times.fixed(values.timestamp(after)) if after else ""
    most = just_after(times.fixed(values.timestamp(before))) if before else ""
    return Range("seen", [Section(key, least, most)])


def _order(reader_id: str, row: Mirrored) -> tuple[bool, bool, str, str, str]:
    """The place of a workspace in a list: what the reader favors, then what runs, by their names."""
    favored = bool(row.get("favorite")) and row.get("owner_id") == reader_id
    owner, name = str(row.joined.get("owner") or ""), str(row.get("name"))
    return not favored, row.joined.get("status") != "running", lowered(owner), lowered(name), row.id


def _fields(row: Mirrored, template: Mirrored | None) -> dict[str, Any]:
    last_used = row.get("last_used_at")
    return {
        **row.values,
        "status": row.joined.get("status", "pending"),
        "has_external_agent": bool(row.joined.get("has_external_agent")),
        "has_ai_task": False,
        "is_shared": False,
        "is_dormant": bool(row.get("dormant_at")),
        "is_outdated": is_outdated(row, template),
        "last_used_moment": times.from_wire(last_used) if last_used else times.NEVER,
    }


def _templates(source: Source, name: str, budget: Budget) -> frozenset[str]:
    """The ids of the templates of this name."""
    return frozenset(row.id for row in read_listing(source, budget, partial(is_named, name)))


def _templates_named(name: str, readable: Reach, organization_ids: Sequence[str] | None) -> Source:
    """The templates of a name of which there may be workspaces to read, in these organizations; None means all."""
    if readable.ids is not None:
        listed = get_many((WORKSPACE, one) for one in sorted(readable.ids))
        return Identified(TEMPLATE, {str(row.get("template_id")) for row in listed})
    if organization_ids is None and not (readable.site or readable.own):
        # A workspace is read by its owner as long as they are a member of its organization, which its template is in.
        organization_ids = sorted(readable.own_in)
    return templates_named(name, organization_ids, (False, True))


def query_of(text: str) -> str:
    """A query in which a bare `owner/name` is both."""
    words = text.split()
    slashed = [word for word in words if "/" in word and ":" not in word and '"' not in word]
    for word in slashed:
        owner, _, name = word.partition("/")
        words[words.index(word)] = f"owner:{owner} name:{name}" if owner and name else word
    return " ".join(words) if slashed else text
