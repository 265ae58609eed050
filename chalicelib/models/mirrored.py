"""The bodies of what the platform mirrors in, one shape for each kind, with the names that Coder's clients know.

A body is the whole object: what it leaves out has its default. Fields that are not kept here are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.errors import TooLarge, ValidationJSON
from chalicelib.models.base import EventTime, Int32, Model, Moment, OptionalUuid, ShortText, Uuid, checked
from chalicelib.models.sending import json_text
from chalicelib.platform.jobs import UNTAGGED
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.search.values import quoted
from chalicelib.store.platform.writer import Put

_LONGEST_README: Final = 100_000
_MOST_BYTES: Final = 130_000
"""Of one object: an item has room for twice as many, in letters of three bytes."""
_MOST_TAGS: Final = 64
_MOST_PRESETS: Final = 200
_MOST_RESOURCES: Final = 200

Int64 = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
LongText = Annotated[str, Field(max_length=8_192)]
OptionalMoment = Annotated[Moment | None, BeforeValidator(lambda value: None if value == "" else value)]
PastMoment = Annotated[EventTime | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A moment that a version of an object is told by: one of the future would keep every later version out."""
Name = Annotated[str, Field(min_length=1, max_length=128)]
Reason = Annotated[ShortText, Field(min_length=1)]
"""Why a workspace is built: any word, as in the audit log, so that no build of a newer server is refused for it."""
Days = Annotated[list[ShortText], Field(max_length=7)]
Tags = Annotated[
    dict[Annotated[str, Field(max_length=256)], Annotated[str, Field(max_length=256)]], Field(max_length=_MOST_TAGS)
]


def _cors(value: object) -> object:
    if value in (None, ""):
        return "simple"
    if value not in ("simple", "passthru"):
        given = value if isinstance(value, str) else type(value).__name__
        raise ValueError(f"Invalid CORS behavior {quoted(given)}. Must be one of [simple, passthru]")
    return value


class Mirror(Model):
    """The fields of every object.

    `updated_at` says when the platform saw it so: a version that is older than the stored one changes nothing.
    """

    updated_at: PastMoment = None
    created_at: PastMoment = None


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
    cors_behavior: Annotated[Literal["simple", "passthru"], BeforeValidator(_cors)] = "simple"
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


class MirroredJSON(TypedDict):
    """The result of one object."""

    kind: str
    id: str
    status: str


class MirrorResultJSON(TypedDict):
    """The result of one line of a batch, and its errors."""

    index: int
    status: str
    kind: NotRequired[str]
    id: NotRequired[str]
    message: NotRequired[str]
    detail: NotRequired[str]
    validations: NotRequired[list[ValidationJSON]]


class MirrorResultsJSON(TypedDict):
    """The results of a batch."""

    message: NotRequired[str]
    created: int
    updated: int
    unchanged: int
    older: int
    rejected: int
    failed: int
    results: list[MirrorResultJSON]


def version_of(kind: Kind, object_id: str, body: Mapping[str, Any], now: datetime) -> Put:
    """The version of an object that a body is.

    Raises:
        Invalid: values in the body are wrong; names each.
        TooLarge: it has more than an item holds.
    """
    shape = checked(SHAPES[kind.name], body)
    updated_at = shape.updated_at or now
    if kind is DAEMON and "last_seen_at" not in shape.model_fields_set:
        shape = shape.model_copy(update={"last_seen_at": updated_at})
    created_at = shape.created_at or updated_at
    fields = shape.model_dump(exclude={"updated_at", "created_at"})
    values = _wired({"id": object_id, "created_at": created_at, **fields})
    if len(json_text(values)) > _MOST_BYTES:
        raise TooLarge("The object is too large.", f"One object may have {_MOST_BYTES} bytes.")
    return Put(kind, values, updated_at)


def _wired(value: Any) -> Any:  # noqa: ANN401 - any JSON value, or a time
    match value:
        case datetime():
            return times.wire(value)
        case dict():
            return {name: _wired(inner) for name, inner in value.items()}
        case list():
            return [_wired(inner) for inner in value]
    return value
