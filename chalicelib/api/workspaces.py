"""Workspaces, their builds and agents: listed and looked up, by whoever may read the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from chalicelib import times
from chalicelib.access.decide import reach
from chalicelib.api import answer_limits, links, lookup, platform_access, request_log
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.directory_query import Asked
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.id_pages import page_of
from chalicelib.api.parameters import boolean, page
from chalicelib.api.provisioners import budget_of, queue_beside
from chalicelib.api.template_names import is_named
from chalicelib.api.workspace_listing import matching, query_of
from chalicelib.casing import lowered
from chalicelib.errors import BadRequest, NotFound
from chalicelib.models.platform_answers import BuildJSON, WorkspaceJSON, WorkspacesEnd
from chalicelib.models.workspaces import Beside, agent_json, build_json, workspace_json
from chalicelib.platform import facts
from chalicelib.platform.kinds import BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE
from chalicelib.platform.section import Section, just_after
from chalicelib.search import values
from chalicelib.search.platform_filters import WORKSPACE_FILTERS
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform import rows
from chalicelib.store.platform.joins import known_beside
from chalicelib.store.platform.lane_reader import Range
from chalicelib.store.platform.listing import agents_of, in_lane, read_listing
from chalicelib.store.platform.rows import Mirrored

_MOST_WORKSPACES: Final = 500
"""Of one answer; who asks for more goes on with `offset`."""
_FEW_AGENTS: Final = 20
"""So many have room in an answer, however large they are."""
_LARGEST_AGENTS: Final = 1_500_000
"""Bytes of the agents of one build in an answer."""
_BESIDE: Final = (TEMPLATE, VERSION, BUILD, JOB, WORKSPACE, DAEMON)


@authenticated
def list_all(call: Call, caller: Caller) -> Answer:
    """The workspaces that `q` asks for and the caller may read, those that run first, and how many there are."""
    asked = Asked.of(query_of(call.query("q")), WORKSPACE_FILTERS)
    readable = reach(caller.subject, "read", WORKSPACE.resource)
    wanted = page(call)
    budget = budget_of(call)
    listed = [] if readable.nothing else matching(asked, caller, readable, budget)
    request_log.note(RowsRead=budget.rows_read)
    limit = min(wanted.limit if call.query("limit") else _MOST_WORKSPACES, _MOST_WORKSPACES)
    bodies = workspaces_json(caller, listed[wanted.offset : wanted.offset + limit])
    texts, number = fit_rows(bodies, answer_limits.LARGEST_ANSWER) if bodies else ([], 0)
    page_end: WorkspacesEnd = {"count": len(listed)}
    headers: dict[str, str] = {}
    if wanted.offset + number < len(listed):
        page_end["next_offset"] = wanted.offset + number
        headers = links.next_page(call, {"offset": wanted.offset + number})
    if not budget.left:
        page_end["partial"] = True
    return Answer(Encoded(f'{{"workspaces":[{",".join(texts)}],{encoded(page_end).text[1:]}'), headers=headers)


@authenticated
def show(_call: Call, caller: Caller, workspace: str) -> Answer:
    """One workspace."""
    return Answer(_workspace_json(caller, platform_access.named(caller, WORKSPACE, "workspace", workspace)))


@authenticated
def show_by_name(call: Call, caller: Caller, user: str, workspacename: str) -> Answer:
    """The workspace of a user with this name."""
    return Answer(_workspace_json(caller, by_name(call, caller, user, workspacename)))


@authenticated
def builds(call: Call, caller: Caller, workspace: str) -> Answer:
    """The builds of a workspace, newest first."""
    of = platform_access.named(caller, WORKSPACE, "workspace", workspace)
    since = call.query("since")
    begin = _moment(since) if since else times.NEVER
    budget = budget_of(call)
    listed = read_listing(
        in_lane(BUILD, "parent", (of.id,)),
        budget,
        lambda build: times.from_wire(str(build.get("created_at"))) >= begin,
        newest_first=True,
    )
    request_log.note(RowsRead=budget.rows_read)
    return page_of(call, listed, _builds_json, partial=not budget.left)


@authenticated
def show_build(_call: Call, caller: Caller, workspacebuild: str) -> Answer:
    """One build of a workspace."""
    return Answer(_build_json(platform_access.build_named(caller, workspacebuild)))


@authenticated
def build_by_number(call: Call, caller: Caller, user: str, workspacename: str, buildnumber: str) -> Answer:
    """The build of a workspace, which its owner and name tell, with this number."""
    workspace = by_name(call, caller, user, workspacename)
    try:
        number = int(values.number(buildnumber))
    except values.WrongValue as error:
        raise BadRequest("Failed to parse build number as integer.", str(error)) from error
    least, key = f"{number:012d}#", BUILD.key("parent", workspace.id)
    of_number = Range("parent", [Section(key, least, just_after(least))] if key else [])
    listed = read_listing(of_number, Budget(), lambda build: build.get("build_number") == number)
    if not listed:
        raise NotFound(f'Workspace "{values.cut(workspacename)}" Build {number} does not exist.')
    return Answer(_build_json(listed[0]))


@authenticated
def show_agent(_call: Call, caller: Caller, workspaceagent: str) -> Answer:
    """One agent of a build."""
    return Answer(agent_json(platform_access.agent_named(caller, workspaceagent)))


def by_name(call: Call, caller: Caller, user: str, name: str) -> Mirrored:
    """The workspace that its owner and its name tell; a deleted one where those are asked for.

    Raises:
        NotFound: there is none, or the caller may not read it.
    """
    owner_id = lookup.user(caller, user).id
    deleted = boolean(call.query("include_deleted"))
    test = partial(platform_access.may, caller.subject, "read")
    of_name = in_lane(WORKSPACE, "name", (owner_id, lowered(name)))
    listed = read_listing(of_name, Budget(), test)
    if not listed and deleted:
        listed = read_listing(
            in_lane(WORKSPACE, "by_owner", (facts.deleted_of(owner_id),)),
            budget_of(call),
            lambda row: is_named(name, row) and test(row),
        )
    if not listed:
        raise NotFound
    return max(listed, key=lambda row: row.updated_at)


def _workspace_json(caller: Caller, workspace: Mirrored) -> WorkspaceJSON:
    return workspaces_json(caller, [workspace], alone=True)[0]


def workspaces_json(caller: Caller, listed: Sequence[Mirrored], *, alone: bool = False) -> list[WorkspaceJSON]:
    """Workspaces as clients of the caller read them."""
    known = known_beside(listed, _BESIDE)
    builds_of = [build for row in listed if (build := known.get(BUILD, row.joined.get("latest_build_id")))]
    beside = _beside(listed, builds_of, known, caller.user.id, alone=alone)
    return [workspace_json(row, beside) for row in listed]


def _build_json(build: Mirrored) -> BuildJSON:
    return _builds_json([build], alone=True)[0]


def _builds_json(listed: Sequence[Mirrored], *, alone: bool = False) -> list[BuildJSON]:
    known = known_beside(listed, _BESIDE)
    of = [row for build in listed if (row := known.get(WORKSPACE, build.get("workspace_id")))]
    beside = _beside(of, listed, known, "", alone=alone)
    return [build_json(build, beside) for build in listed]


def _beside(
    workspaces: Sequence[Mirrored],
    builds_of: Sequence[Mirrored],
    known: rows.Known,
    reader_id: str,
    *,
    alone: bool,
) -> Beside:
    people_of = people.look_up(
        {
            *(str(row.get("owner_id")) for row in workspaces),
            *(str(build.get("initiator_id")) for build in builds_of if build.get("initiator_id")),
        },
        {str(row.get("organization_id")) for row in workspaces},
    )
    agents = {one: _fitting(listed) for one, listed in agents_of([build.id for build in builds_of], Budget()).items()}
    places, daemons = queue_beside(builds_of, known, alone=alone)
    return Beside(known, people_of.users, people_of.organizations, agents, places, daemons, reader_id)


def _fitting(agents: Sequence[Mirrored]) -> Sequence[Mirrored]:
    """The agents of a build, as many as leave room for all else in an answer."""
    if len(agents) <= _FEW_AGENTS:
        return agents
    return agents[: fit_rows([agent_json(agent) for agent in agents], _LARGEST_AGENTS).rows]


def _moment(text: str) -> datetime:
    try:
        return values.timestamp(text)
    except values.WrongValue as error:
        raise BadRequest("Failed to parse `since` time.", str(error)) from error
