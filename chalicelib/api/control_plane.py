"""Refuses what only the platform does, in one sentence, to whoever may know of the thing it is about."""

from __future__ import annotations

from typing import Final, NoReturn

from chalicelib.api import lookup, platform_access
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.errors import NotOffered
from chalicelib.platform.kinds import TEMPLATE, WORKSPACE
from chalicelib.search.values import NIL_UUID

_WORKSPACES: Final = "Workspaces are made, built and changed by the platform, which mirrors itself in here: ask it."
_BUILDS: Final = "Jobs are run and canceled, and their state is kept, by the platform: ask it."
_AGENTS: Final = "Agents are connected to by way of the platform, which mirrors itself in here: ask it."
_TEMPLATES: Final = "Templates are pushed, edited and deleted on the platform, which mirrors itself in here: ask it."
_SETTINGS: Final = "Groups, custom roles and rules of single sign-on are kept by the platform: ask it."
_KEYS: Final = "Keys of provisioners and of Git, and the list of proxies, are kept by the platform: ask it."
_LICENSES: Final = "Licences are added and deleted on the platform, which tells of them here: ask it."
_FILES: Final = "Files of templates are kept by the platform, which mirrors itself in here: ask it."


@authenticated
def of_user(_call: Call, caller: Caller, user: str) -> Answer:
    """Refuse to make a workspace for a user."""
    lookup.user(caller, user)
    _refuse(_WORKSPACES)


@authenticated
def key_of_user(_call: Call, caller: Caller, user: str) -> Answer:
    """Refuse to answer or to replace the key that a user has for Git."""
    lookup.user(caller, user)
    _refuse(_KEYS)


@authenticated
def of_workspace(_call: Call, caller: Caller, workspace: str) -> Answer:
    """Refuse to build or to change a workspace."""
    platform_access.named(caller, WORKSPACE, "workspace", workspace)
    _refuse(_WORKSPACES)


@authenticated
def of_build(_call: Call, caller: Caller, workspacebuild: str) -> Answer:
    """Refuse to cancel a build, and to answer what only the platform has of it."""
    platform_access.build_named(caller, workspacebuild)
    _refuse(_BUILDS)


@authenticated
def parameters_of_build(_call: Call, caller: Caller, workspacebuild: str) -> Answer:
    """Refuse to answer the parameters of a build: who asks is about to make another one."""
    platform_access.build_named(caller, workspacebuild)
    _refuse(_WORKSPACES)


@authenticated
def of_agent(_call: Call, caller: Caller, workspaceagent: str) -> Answer:
    """Refuse to connect to an agent."""
    platform_access.agent_named(caller, workspaceagent)
    _refuse(_AGENTS)


@authenticated
def of_any_agent(_call: Call, _caller: Caller) -> Answer:
    """Refuse to say by which relays agents are connected to."""
    _refuse(_AGENTS)


@authenticated
def of_template(_call: Call, caller: Caller, template: str) -> Answer:
    """Refuse to change a template."""
    platform_access.named(caller, TEMPLATE, "template", template)
    _refuse(_TEMPLATES)


@authenticated
def of_version(_call: Call, caller: Caller, templateversion: str) -> Answer:
    """Refuse to change a version."""
    platform_access.version_named(caller, templateversion)
    _refuse(_TEMPLATES)


@authenticated
def job_of_version(_call: Call, caller: Caller, templateversion: str) -> Answer:
    """Refuse to start and to cancel a job of a version."""
    platform_access.version_named(caller, templateversion)
    _refuse(_BUILDS)


@authenticated
def parameters_of_version(_call: Call, caller: Caller, templateversion: str) -> Answer:
    """Refuse to answer which parameters a workspace of a version takes: who asks is about to make or build one."""
    platform_access.version_named(caller, templateversion)
    _refuse(_WORKSPACES)


@authenticated
def of_dry_run(_call: Call, caller: Caller, templateversion: str, job: str) -> Answer:
    """Refuse to cancel a dry run."""
    uuid("job", job)
    platform_access.version_named(caller, templateversion)
    _refuse(_BUILDS)


@authenticated
def of_organization(_call: Call, caller: Caller, organization: str) -> Answer:
    """Refuse to make a template or a version of one."""
    lookup.organization(caller, organization)
    _refuse(_TEMPLATES)


@authenticated
def settings_of_organization(_call: Call, caller: Caller, organization: str) -> Answer:
    """Refuse what concerns groups, custom roles and single sign-on of an organization."""
    lookup.organization(caller, organization)
    _refuse(_SETTINGS)


@authenticated
def group_of_organization(_call: Call, caller: Caller, organization: str, group: str) -> Answer:  # noqa: ARG001
    """Refuse to answer a group, whatever its name."""
    lookup.organization(caller, organization)
    _refuse(_SETTINGS)


@authenticated
def settings_of_site(_call: Call, _caller: Caller) -> Answer:
    """Refuse what concerns groups and single sign-on of all organizations."""
    _refuse(_SETTINGS)


@authenticated
def group_of_site(_call: Call, _caller: Caller, group: str) -> Answer:  # noqa: ARG001
    """Refuse to answer and to change a group."""
    _refuse(_SETTINGS)


@authenticated
def licenses(_call: Call, _caller: Caller) -> Answer:
    """Refuse to list and to add licences."""
    _refuse(_LICENSES)


@authenticated
def license_of_site(_call: Call, _caller: Caller, license: str) -> Answer:  # noqa: A002, ARG001 - the path's name for it
    """Refuse to delete a licence."""
    _refuse(_LICENSES)


@authenticated
def keys_of_organization(_call: Call, caller: Caller, organization: str) -> Answer:
    """Refuse to list and to make keys of provisioners."""
    lookup.organization(caller, organization)
    _refuse(_KEYS)


@authenticated
def key_of_organization(_call: Call, caller: Caller, organization: str, provisionerkey: str) -> Answer:  # noqa: ARG001
    """Refuse to delete a key of provisioners, whatever its name."""
    lookup.organization(caller, organization)
    _refuse(_KEYS)


@authenticated
def proxies(_call: Call, _caller: Caller) -> Answer:
    """Refuse to list and to make proxies of workspaces."""
    _refuse(_KEYS)


@authenticated
def proxy(_call: Call, _caller: Caller, proxy: str) -> Answer:  # noqa: ARG001
    """Refuse to answer and to change a proxy of workspaces, whatever its name."""
    _refuse(_KEYS)


@authenticated
def put_file(_call: Call, _caller: Caller) -> Answer:
    """Refuse to keep a file."""
    _refuse(_FILES)


@authenticated
def show_file(_call: Call, _caller: Caller, file: str) -> Answer:
    """Refuse to answer a file; where the platform named none, clients ask for the nil id."""
    if file != NIL_UUID:
        uuid("file", file)
    _refuse(_FILES)


def _refuse(sentence: str) -> NoReturn:
    raise NotOffered(sentence)
