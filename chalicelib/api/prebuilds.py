"""Prebuilt workspaces: nobody schedules one; the routes answer the settings of making them."""

from __future__ import annotations

from typing import Final

from typing_extensions import TypedDict

from chalicelib.access.decide import Object
from chalicelib.api import platform_access
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.api.trail import Resource, row
from chalicelib.errors import Conflict, Forbidden, NotOffered
from chalicelib.models.base import Model, Moment, ShortText, parse
from chalicelib.platform.kinds import WORKSPACE
from chalicelib.platform.workspaces import is_prebuild
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.store.platform import beside

_SETTINGS: Final = "settings#prebuilds"
_SETTINGS_ID: Final = "5c1f7e0e-7b9a-4f38-9d51-0e6a4f1c2b3d"
_SCHEDULES: Final = (
    "Prebuilt workspace {} is configured per preset at the template level. Workspace-level overrides are not supported."
)


class Autostart(Model):
    """When a workspace is to start by itself."""

    schedule: ShortText | None = None


class TTL(Model):
    """After how many milliseconds a workspace is to stop by itself."""

    ttl_ms: int | None = None


class Dormant(Model):
    """Whether a workspace is to be dormant."""

    dormant: bool = False


class Extension(Model):
    """Until when a workspace is to run."""

    deadline: Moment | None = None


class Settings(Model):
    """Whether the platform is to stop making prebuilt workspaces."""

    reconciliation_paused: bool


class PrebuildsSettingsJSON(TypedDict):
    """Whether the platform is to stop making prebuilt workspaces."""

    reconciliation_paused: bool


@authenticated
def autostart(call: Call, caller: Caller, workspace: str) -> Answer:
    """Refuse to schedule the start of a workspace."""
    message = "Autostart is not supported for prebuilt workspaces"
    return _refused(call, caller, workspace, Autostart, message, _SCHEDULES.format("scheduling"))


@authenticated
def ttl(call: Call, caller: Caller, workspace: str) -> Answer:
    """Refuse to schedule the stop of a workspace."""
    message = "TTL updates are not supported for prebuilt workspaces"
    return _refused(call, caller, workspace, TTL, message, _SCHEDULES.format("TTL"))


@authenticated
def dormant(call: Call, caller: Caller, workspace: str) -> Answer:
    """Refuse to make a workspace dormant."""
    detail = (
        "Prebuilt workspaces are not subject to dormancy. Dormancy behavior is only applicable to regular workspaces"
    )
    message = "Dormancy updates are not supported for prebuilt workspaces"
    return _refused(call, caller, workspace, Dormant, message, detail)


@authenticated
def extend(call: Call, caller: Caller, workspace: str) -> Answer:
    """Refuse to extend the deadline of a workspace."""
    detail = (
        "Prebuilt workspaces do not support user deadline modifications."
        " Deadline extension is only applicable to regular workspaces"
    )
    message = "Deadline extension is not supported for prebuilt workspaces"
    return _refused(call, caller, workspace, Extension, message, detail)


@authenticated
def show_settings(_call: Call, _caller: Caller) -> Answer:
    """The settings of prebuilt workspaces, which the platform reads."""
    return Answer(_settings())


@authenticated
def change_settings(call: Call, caller: Caller) -> Answer:
    """Change the settings; 304 where they are so already."""
    asked = parse(Settings, call.body)
    if not caller.may("update", Object("deployment_config")):
        raise Forbidden

    def write() -> Answer:
        before = beside.read(_SETTINGS)
        after = asked.model_dump()
        if {**_DEFAULTS, **before} == after:
            return Answer(None, 304)
        about = Resource("prebuilds_settings", _SETTINGS_ID)
        changed = row(call, caller, "write", 200, about, before={**_DEFAULTS, **before}, after=after)
        beside.put_changed(_SETTINGS, after, before, *writes_of(changed))
        body: PrebuildsSettingsJSON = {"reconciliation_paused": asked.reconciliation_paused}
        return Answer(body)

    return saved(write)


_DEFAULTS: Final = {"reconciliation_paused": False}


def _settings() -> PrebuildsSettingsJSON:
    return {"reconciliation_paused": bool({**_DEFAULTS, **beside.read(_SETTINGS)}["reconciliation_paused"])}


def _refused(call: Call, caller: Caller, workspace: str, shape: type[Model], message: str, detail: str) -> Answer:
    """Never answers: nobody but the platform schedules a workspace.

    Raises:
        Conflict: it is a prebuilt one.
        NotOffered: it is any other.
    """
    parse(shape, call.body)
    named = platform_access.named(caller, WORKSPACE, "workspace", workspace)
    if is_prebuild(named.values):
        raise Conflict(message, detail)
    raise NotOffered("Workspaces are scheduled by the platform, which mirrors itself in here: ask it.")
