"""Objects of the platform as the policy sees them, and as a path names them: what a caller may not see is not there."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.access.decide import Object, Subject, decide
from chalicelib.api import parameters
from chalicelib.api.caller import Caller
from chalicelib.errors import NotFound
from chalicelib.platform.kinds import AGENT, BUILD, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.store.platform import rows
from chalicelib.store.platform.rows import Mirrored

_EVERYBODY_MAY = frozenset({"read", "use"})


def object_of(row: Mirrored) -> Object:
    """A template or a workspace, a job or a daemon, as an object of the policy."""
    return Object(
        row.kind.resource,
        row.id,
        owner=str(row.get("owner_id") or "") if row.kind is WORKSPACE else "",
        organization=str(row.get("organization_id") or ""),
    )


def may(subject: Subject, action: str, row: Mirrored) -> bool:
    """Whether a subject may do the action to an object.

    A template is read by every member of its organization, unless it is closed to them.
    """
    if decide(subject, action, object_of(row)):
        return True
    if row.kind is not TEMPLATE or action not in _EVERYBODY_MAY or row.get("disable_everyone_group_access"):
        return False
    if row.get("organization_id") not in subject.organization_roles:
        return False
    # What the token may is asked of somebody whose roles allow everything.
    return bool(decide(replace(subject, roles=("owner",)), action, object_of(row)))


def may_read_version(subject: Subject, version: Mirrored) -> bool:
    """Whether a subject may read a version: who may read its template, or, without one, the templates there."""
    template = rows.get(TEMPLATE, str(version.get("template_id"))) if version.get("template_id") else None
    if template is not None:
        return may(subject, "read", template)
    organization_id = str(version.get("organization_id") or "")
    return bool(decide(subject, "read", Object(TEMPLATE.resource, "", organization=organization_id)))


def named(caller: Caller, kind: Kind, parameter: str, text: str, *, deleted: bool = True) -> Mirrored:
    """The object that a path names by its id.

    Raises:
        Invalid: the text is no UUID.
        NotFound: there is none, or the caller may not read it.
    """
    row = rows.get(kind, parameters.uuid(parameter, text))
    if row is None or (row.get("deleted") and not deleted) or not may(caller.subject, "read", row):
        raise NotFound
    return row


def version_named(caller: Caller, text: str) -> Mirrored:
    """The version that a path names.

    Raises:
        Invalid: the text is no UUID.
        NotFound: there is none, or the caller may not read it.
    """
    version = rows.get(VERSION, parameters.uuid("templateversion", text))
    if version is None or not may_read_version(caller.subject, version):
        raise NotFound
    return version


def build_named(caller: Caller, text: str) -> Mirrored:
    """The build that a path names, as `version_named`: who may read its workspace may read it."""
    build = rows.get(BUILD, parameters.uuid("workspacebuild", text))
    if build is None or not _may_read_workspace(caller, build.get("workspace_id")):
        raise NotFound
    return build


def agent_named(caller: Caller, text: str) -> Mirrored:
    """The agent that a path names, as `build_named`."""
    agent = rows.get(AGENT, parameters.uuid("workspaceagent", text))
    build = rows.get(BUILD, str(agent.get("workspace_build_id"))) if agent else None
    if agent is None or build is None or not _may_read_workspace(caller, build.get("workspace_id")):
        raise NotFound
    return agent


def _may_read_workspace(caller: Caller, workspace_id: object) -> bool:
    workspace = rows.get(WORKSPACE, str(workspace_id))
    return workspace is not None and may(caller.subject, "read", workspace)
