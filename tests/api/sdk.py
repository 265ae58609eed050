"""The Go types of codersdk into which Coder's CLI decodes answers, and a decoder that fails where Go's would.

Go's decoder takes any JSON null, leaves out what is missing, and fails on a value of another type, on a UUID that is
none (an empty text, too) and on a time that is not RFC 3339. What a type does not name is not decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

Type = str | list[Any] | Mapping[str, Any]
"""A scalar by its name, a list of a type, or a struct by its fields; under the key `*`, the type of a map's values."""


class NotDecoded(Exception):
    """The place at which Go's decoder would fail."""


def _uuid(value: object) -> None:
    if not isinstance(value, str) or len(value) != 36:
        raise ValueError(value)
    UUID(value)


def _time(value: object) -> None:
    if not isinstance(value, str) or "T" not in value or datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(value)


def _of(*types: type) -> Callable[[object], None]:
    def check(value: object) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise TypeError(value)

    return check


_SCALARS: Mapping[str, Callable[[object], None]] = {
    "uuid": _uuid,
    "time": _time,
    "string": _of(str),
    "int": _of(int),
    "bool": _of(bool),
}


def _struct(**names: str) -> dict[str, Any]:
    """Type -> the names of the fields that have it."""
    return {name: kind for kind, fields in names.items() for name in fields.split()}


STRINGS, TEXTS = ["string"], {"*": "string"}
JOB: Mapping[str, Any] = {
    **_struct(
        uuid="id organization_id initiator_id file_id worker_id",
        time="created_at started_at completed_at canceled_at",
        string="error error_code status type worker_name",
        int="queue_position queue_size",
        bool="logs_overflowed",
    ),
    "tags": TEXTS,
    "available_workers": ["uuid"],
    "input": _struct(uuid="template_version_id workspace_build_id", string="error"),
    "metadata": _struct(
        uuid="template_id workspace_id",
        string="template_version_name template_name template_display_name template_icon workspace_name"
        " workspace_build_transition",
    ),
}
DAEMON_JOB = _struct(uuid="id", string="status template_name template_icon template_display_name")
DAEMON: Mapping[str, Any] = {
    **_struct(
        uuid="id organization_id key_id",
        time="created_at last_seen_at",
        string="name version api_version key_name status",
    ),
    "provisioners": STRINGS,
    "tags": TEXTS,
    "current_job": DAEMON_JOB,
    "previous_job": DAEMON_JOB,
}
AGENT: Mapping[str, Any] = {
    **_struct(
        uuid="id parent_id resource_id",
        time="created_at updated_at first_connected_at last_connected_at disconnected_at started_at ready_at",
        string="status lifecycle_state name instance_id architecture operating_system directory version api_version"
        " troubleshooting_url startup_script_behavior",
        int="logs_length connection_timeout_seconds",
        bool="logs_overflowed",
    ),
    "environment_variables": TEXTS,
    "apps": [{}],
    "subsystems": STRINGS,
    "display_apps": STRINGS,
    "log_sources": [{}],
    "scripts": [{}],
    "health": _struct(bool="healthy", string="reason"),
}
MATCHED = _struct(int="count available", time="most_recently_seen")
BUILD: Mapping[str, Any] = {
    **_struct(
        uuid="id workspace_id workspace_owner_id template_version_id initiator_id template_version_preset_id",
        time="created_at updated_at deadline max_deadline",
        string="workspace_name workspace_owner_name template_version_name transition initiator_name reason status",
        int="build_number daily_cost",
        bool="has_external_agent",
    ),
    "job": JOB,
    "matched_provisioners": MATCHED,
    "resources": [
        {
            **_struct(
                uuid="id job_id",
                time="created_at",
                string="workspace_transition type name icon",
                bool="hide",
                int="daily_cost",
            ),
            "agents": [AGENT],
        }
    ],
}
WORKSPACE: Mapping[str, Any] = {
    **_struct(
        uuid="id owner_id organization_id template_id template_active_version_id",
        time="created_at updated_at last_used_at deleting_at dormant_at next_start_at",
        string="owner_name owner_avatar_url organization_name template_name template_display_name template_icon name"
        " autostart_schedule automatic_updates",
        int="ttl_ms",
        bool="template_allow_user_cancel_workspace_jobs template_require_active_version outdated allow_renames favorite"
        " is_prebuild template_use_classic_parameter_flow",
    ),
    "latest_build": BUILD,
    "health": {"healthy": "bool", "failing_agents": ["uuid"]},
}
WORKSPACES: Mapping[str, Any] = {"workspaces": [WORKSPACE], "count": "int"}
TEMPLATE: Mapping[str, Any] = {
    **_struct(
        uuid="id organization_id active_version_id created_by_id",
        time="created_at updated_at",
        string="organization_name organization_display_name organization_icon name display_name provisioner description"
        " deprecation_message icon created_by_name max_port_share_level cors_behavior",
        int="active_user_count default_ttl_ms activity_bump_ms failure_ttl_ms time_til_dormant_ms"
        " time_til_dormant_autodelete_ms time_til_autostop_notify_ms",
        bool="deprecated deleted allow_user_autostart allow_user_autostop allow_user_cancel_workspace_jobs"
        " require_active_version use_classic_parameter_flow disable_module_cache",
    ),
    "build_time_stats": {"*": {"P50": "int", "P95": "int"}},
    "autostop_requirement": {"days_of_week": STRINGS, "weeks": "int"},
    "autostart_requirement": {"days_of_week": STRINGS},
}
VERSION: Mapping[str, Any] = {
    **_struct(
        uuid="id template_id organization_id",
        time="created_at updated_at",
        string="name message readme",
        bool="archived has_external_agent",
    ),
    "job": JOB,
    "created_by": _struct(uuid="id", string="username name avatar_url"),
    "warnings": STRINGS,
    "matched_provisioners": MATCHED,
}
PRESET: Mapping[str, Any] = {
    **_struct(uuid="ID", string="Name Description Icon", bool="Default", int="DesiredPrebuildInstances"),
    "Parameters": [{"Name": "string", "Value": "string"}],
}
USER: Mapping[str, Any] = {
    **_struct(
        uuid="id",
        time="created_at updated_at last_seen_at",
        string="username name email avatar_url status login_type theme_preference",
    ),
    "organization_ids": ["uuid"],
    "roles": [{"name": "string", "display_name": "string", "organization_id": "uuid"}],
}
ORGANIZATION: Mapping[str, Any] = _struct(
    uuid="id", time="created_at updated_at", string="name display_name description icon", bool="is_default"
)
FEATURE = {
    **_struct(string="entitlement", bool="enabled", int="limit actual"),
    "usage_period": _struct(time="issued_at start end"),
}
ENTITLEMENTS: Mapping[str, Any] = {
    **_struct(bool="has_license trial require_telemetry", time="refreshed_at"),
    "features": {"*": FEATURE},
    "warnings": STRINGS,
    "errors": STRINGS,
}


def decode(kind: Type, value: Any, place: str = "") -> None:
    """Raise where Go's decoder would fail on a value of this type.

    Raises:
        NotDecoded: it would; with the place.
    """
    if value is None:
        return
    try:
        if isinstance(kind, str):
            _SCALARS[kind](value)
        elif isinstance(kind, list):
            for index, inner in enumerate(_checked(list, value)):
                decode(kind[0], inner, f"{place}[{index}]")
        else:
            for name, inner in _checked(dict, value).items():
                if (of := kind.get("*") or kind.get(name)) is not None:
                    decode(of, inner, f"{place}.{name}")
    except (TypeError, ValueError) as error:
        raise NotDecoded(f"{place}: {value!r} is no {kind}") from error


def _checked(wanted: type, value: Any) -> Any:
    if not isinstance(value, wanted):
        raise TypeError(value)
    return value
