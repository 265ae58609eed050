"""The shapes of what the platform mirrors in, one for each kind, with the names that Coder's clients know.

A body is the whole object: what it leaves out has its default. Fields that are not kept here are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from chalicelib.models.base import Int32, Model, OptionalUuid, ShortText, Uuid
from chalicelib.models.mirrored_fields import (
    Cors,
    Count,
    Days,
    Int64,
    LongText,
    Mirror,
    Name,
    OptionalMoment,
    PastMoment,
    Reason,
    Tags,
)
from chalicelib.platform.jobs import UNTAGGED
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE

_LONGEST_README: Final = 100_000
_MOST_PRESETS: Final = 200
_MOST_RESOURCES: Final = 200


class AutostartRequirement(Model):
    """The days on which workspaces of a template may start by themselves."""

    days_of_week: Days = Field(default_factory=list)


class AutostopRequirement(Model):
    """The days on which workspaces of a template stop by themselves."""

    days_of_week: Days = Field(default_factory=list)
    weeks: Int32 = 1


class PutTemplate(Mirror):
    """A template, as codersdk.Template has it."""

    organization_id: Uuid
    name: Name
    display_name: ShortText = ""
    provisioner: ShortText = "terraform"
    active_version_id: OptionalUuid = None
    active_user_count: Int32 = -1
    build_time_stats: Annotated[dict[ShortText, dict[ShortText, Int64 | None]], Field(max_length=16)] = Field(
        default_factory=dict
    )
    description: LongText = ""
    deprecation_message: LongText = ""
    deleted: bool = False
    icon: ShortText = ""
    default_ttl_ms: Int64 = 0
    activity_bump_ms: Int64 = 0
    time_til_autostop_notify_ms: Int64 = 0
    autostop_requirement: AutostopRequirement = AutostopRequirement()
    autostart_requirement: AutostartRequirement = AutostartRequirement()
    created_by_id: OptionalUuid = None
    created_by_name: ShortText = ""
    allow_user_autostart: bool = True
    allow_user_autostop: bool = True
    allow_user_cancel_workspace_jobs: bool = True
    failure_ttl_ms: Int64 = 0
    time_til_dormant_ms: Int64 = 0
    time_til_dormant_autodelete_ms: Int64 = 0
    require_active_version: bool = False
    max_port_share_level: ShortText = "owner"
    cors_behavior: Cors = "simple"
    use_classic_parameter_flow: bool = False
    disable_module_cache: bool = False
    disable_everyone_group_access: bool = False


class PresetParameter(Model):
    """A parameter that a preset sets."""

    name: ShortText
    value: LongText = ""


class Preset(Model):
    """A preset of a template version."""

    id: Uuid
    name: Name
    parameters: Annotated[list[PresetParameter], Field(max_length=_MOST_PRESETS)] | None = None
    default: bool = False
    desired_prebuild_instances: Int32 | None = None
    description: Annotated[str, Field(max_length=128)] = ""
    icon: Annotated[str, Field(max_length=256)] = ""


class PutVersion(Mirror):
    """A version of a template with its presets."""

    template_id: OptionalUuid = None
    organization_id: Uuid
    name: Name
    message: LongText = ""
    job_id: OptionalUuid = None
    readme: Annotated[str, Field(max_length=_LONGEST_README)] = ""
    created_by_id: OptionalUuid = None
    archived: bool = False
    deleted: bool = False
    warnings: Annotated[list[ShortText], Field(max_length=16)] = Field(default_factory=list)
    has_external_agent: bool = False
    presets: Annotated[list[Preset], Field(max_length=_MOST_PRESETS)] = Field(default_factory=list)


class PutWorkspace(Mirror):
    """A workspace, as codersdk.Workspace has it; its status follows from its builds."""

    owner_id: Uuid
    organization_id: Uuid
    template_id: Uuid
    name: Name
    autostart_schedule: ShortText | None = None
    ttl_ms: Int64 | None = None
    last_used_at: OptionalMoment = None
    deleting_at: OptionalMoment = None
    dormant_at: OptionalMoment = None
    next_start_at: OptionalMoment = None
    automatic_updates: Literal["always", "never"] = "never"
    allow_renames: bool = False
    favorite: bool = False
    deleted: bool = False


class Resource(Model):
    """Something that a build has made; agents name it by its id."""

    id: Uuid
    type: ShortText
    name: ShortText
    hide: bool = False
    icon: ShortText = ""
    daily_cost: Int32 = 0


class PutBuild(Mirror):
    """A build of a workspace: `reason` is what its client claimed, `initiator_id` who was authenticated."""

    workspace_id: Uuid
    template_version_id: Uuid
    build_number: Annotated[int, Field(strict=True, ge=1, lt=2**31)]
    transition: Literal["start", "stop", "delete"]
    reason: Reason = "initiator"
    initiator_id: OptionalUuid = None
    job_id: OptionalUuid = None
    deadline: OptionalMoment = None
    max_deadline: OptionalMoment = None
    template_version_preset_id: OptionalUuid = None
    has_external_agent: bool | None = None
    daily_cost: Int32 = 0
    resources: Annotated[list[Resource], Field(max_length=_MOST_RESOURCES)] = Field(default_factory=list)


class PutAgent(Mirror):
    """An agent of a build."""

    workspace_build_id: Uuid
    resource_id: OptionalUuid = None
    name: Name
    status: Literal["connecting", "connected", "disconnected", "timeout"] = "connecting"
    lifecycle_state: ShortText = "created"
    first_connected_at: OptionalMoment = None
    last_connected_at: OptionalMoment = None
    disconnected_at: OptionalMoment = None
    started_at: OptionalMoment = None
    ready_at: OptionalMoment = None
    instance_id: ShortText = ""
    architecture: ShortText = ""
    operating_system: ShortText = ""
    directory: ShortText = ""
    version: ShortText = ""
    api_version: ShortText = ""
    logs_length: Count = 0
    logs_overflowed: bool = False
    parent_id: OptionalUuid = None


class PutDaemon(Mirror):
    """A provisioner daemon; without `last_seen_at` the request itself is its heartbeat."""

    organization_id: Uuid
    name: Name
    version: ShortText = ""
    api_version: ShortText = ""
    provisioners: Annotated[list[ShortText], Field(max_length=16)] = Field(default_factory=lambda: ["terraform"])
    tags: Tags = Field(default_factory=lambda: dict(UNTAGGED))
    key_id: OptionalUuid = "00000000-0000-0000-0000-000000000001"
    key_name: ShortText | None = None
    last_seen_at: PastMoment = None


class JobInput(Model):
    """The object that a job works on."""

    template_version_id: OptionalUuid = None
    workspace_build_id: OptionalUuid = None
    error: LongText = ""


class PutJob(Mirror):
    """A provisioner job, as its row has it: status and place in the queue follow from its times."""

    organization_id: Uuid
    initiator_id: Uuid
    type: Literal["template_version_import", "workspace_build", "template_version_dry_run"]
    file_id: OptionalUuid = None
    provisioner: ShortText = "terraform"
    started_at: OptionalMoment = None
    completed_at: OptionalMoment = None
    canceled_at: OptionalMoment = None
    error: LongText = ""
    error_code: ShortText = ""
    worker_id: OptionalUuid = None
    worker_name: ShortText = ""
    tags: Tags = Field(default_factory=lambda: dict(UNTAGGED))
    input: JobInput = JobInput()


SHAPES: Final[Mapping[str, type[Mirror]]] = {
    TEMPLATE.name: PutTemplate,
    VERSION.name: PutVersion,
    WORKSPACE.name: PutWorkspace,
    BUILD.name: PutBuild,
    AGENT.name: PutAgent,
    DAEMON.name: PutDaemon,
    JOB.name: PutJob,
}
"""Name of a kind -> the shape of its bodies."""
