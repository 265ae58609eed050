"""The shapes of workspaces, builds and agents, and of templates and their versions, with codersdk's field names."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from chalicelib.models.provisioners import JobJSON, MatchedProvisionersJSON


class WorkspaceHealthJSON(TypedDict):
    """Whether the agents of a workspace answer, and which do not."""

    healthy: bool
    failing_agents: list[str]


class AgentHealthJSON(TypedDict):
    """Whether an agent answers, and why it is thought not to."""

    healthy: bool
    reason: NotRequired[str]


class AgentJSON(TypedDict):
    """codersdk.WorkspaceAgent. Lists of what is not mirrored are there, and empty."""

    id: str
    parent_id: str | None
    created_at: str
    updated_at: str
    status: str
    lifecycle_state: str
    name: str
    resource_id: str
    architecture: str
    operating_system: str
    environment_variables: dict[str, str]
    logs_length: int
    logs_overflowed: bool
    version: str
    api_version: str
    apps: list[dict[str, object]]
    connection_timeout_seconds: int
    troubleshooting_url: str
    subsystems: list[str]
    health: AgentHealthJSON
    display_apps: list[str]
    log_sources: list[dict[str, object]]
    scripts: list[dict[str, object]]
    startup_script_behavior: str
    first_connected_at: NotRequired[str]
    last_connected_at: NotRequired[str]
    disconnected_at: NotRequired[str]
    started_at: NotRequired[str]
    ready_at: NotRequired[str]
    instance_id: NotRequired[str]
    directory: NotRequired[str]


class WorkspaceResourceJSON(TypedDict):
    """codersdk.WorkspaceResource."""

    id: str
    created_at: str
    job_id: str
    workspace_transition: str
    type: str
    name: str
    hide: bool
    icon: str
    agents: list[AgentJSON]
    daily_cost: int


class BuildJSON(TypedDict):
    """codersdk.WorkspaceBuild."""

    id: str
    created_at: str
    updated_at: str
    workspace_id: str
    workspace_name: str
    workspace_owner_id: str
    workspace_owner_name: str
    template_version_id: str
    template_version_name: str
    build_number: int
    transition: str
    initiator_id: str
    initiator_name: str
    job: JobJSON
    reason: str
    resources: list[WorkspaceResourceJSON]
    deadline: str | None
    max_deadline: str | None
    status: str
    daily_cost: int
    template_version_preset_id: str | None
    has_external_agent: NotRequired[bool]
    matched_provisioners: NotRequired[MatchedProvisionersJSON]


class WorkspaceJSON(TypedDict):
    """codersdk.Workspace."""

    id: str
    created_at: str
    updated_at: str
    owner_id: str
    owner_name: str
    owner_avatar_url: str
    organization_id: str
    organization_name: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    template_allow_user_cancel_workspace_jobs: bool
    template_active_version_id: str
    template_require_active_version: bool
    template_use_classic_parameter_flow: bool
    latest_app_status: None
    latest_build: BuildJSON
    outdated: bool
    name: str
    last_used_at: str
    deleting_at: str | None
    dormant_at: str | None
    health: WorkspaceHealthJSON
    automatic_updates: str
    allow_renames: bool
    favorite: bool
    next_start_at: str | None
    is_prebuild: bool
    autostart_schedule: NotRequired[str]
    ttl_ms: NotRequired[int]


class WorkspacesEnd(TypedDict):
    """The end of a page of workspaces: `next_offset` where more follow, `partial` where not all rows were read."""

    count: int
    next_offset: NotRequired[int]
    partial: NotRequired[bool]


class WorkspacesJSON(WorkspacesEnd):
    """A page of workspaces: `next_offset` is there where more follow, `partial` where not all rows were read."""

    workspaces: list[WorkspaceJSON]


class TemplateAutostopRequirementJSON(TypedDict):
    """codersdk.TemplateAutostopRequirement."""

    days_of_week: list[str]
    weeks: int


class TemplateAutostartRequirementJSON(TypedDict):
    """codersdk.TemplateAutostartRequirement."""

    days_of_week: list[str]


class TemplateJSON(TypedDict):
    """codersdk.Template."""

    id: str
    created_at: str
    updated_at: str
    organization_id: str
    organization_name: str
    organization_display_name: str
    organization_icon: str
    name: str
    display_name: str
    provisioner: str
    active_version_id: str
    active_user_count: int
    build_time_stats: dict[str, dict[str, int | None]]
    description: str
    deprecated: bool
    deprecation_message: str
    deleted: bool
    icon: str
    default_ttl_ms: int
    activity_bump_ms: int
    time_til_autostop_notify_ms: int
    autostop_requirement: TemplateAutostopRequirementJSON
    autostart_requirement: TemplateAutostartRequirementJSON
    created_by_id: str
    created_by_name: str
    allow_user_autostart: bool
    allow_user_autostop: bool
    allow_user_cancel_workspace_jobs: bool
    failure_ttl_ms: int
    time_til_dormant_ms: int
    time_til_dormant_autodelete_ms: int
    require_active_version: bool
    max_port_share_level: str
    cors_behavior: str
    use_classic_parameter_flow: bool
    disable_module_cache: bool


class MinimalUserJSON(TypedDict):
    """codersdk.MinimalUser."""

    id: str
    username: str
    name: NotRequired[str]
    avatar_url: NotRequired[str]


class TemplateVersionJSON(TypedDict):
    """codersdk.TemplateVersion."""

    id: str
    organization_id: str
    created_at: str
    updated_at: str
    name: str
    message: str
    job: JobJSON
    readme: str
    created_by: MinimalUserJSON
    archived: bool
    has_external_agent: bool
    template_id: NotRequired[str]
    warnings: NotRequired[list[str]]
    matched_provisioners: NotRequired[MatchedProvisionersJSON]


class TemplateGroupJSON(TypedDict):
    """codersdk.TemplateGroup without its members, who are those of the organization."""

    id: str
    name: str
    display_name: str
    organization_id: str
    organization_name: str
    organization_display_name: str
    avatar_url: str
    quota_allowance: int
    source: Literal["user", "oidc"]
    role: Literal["admin", "use"]


class TemplateAccessJSON(TypedDict):
    """codersdk.TemplateACL: who may use a template; no user is named, as the platform sends none."""

    users: list[MinimalUserJSON]
    group: list[TemplateGroupJSON]


class VersionPresetParameterJSON(TypedDict):
    """codersdk.PresetParameter."""

    Name: str
    Value: str


class VersionPresetJSON(TypedDict):
    """codersdk.Preset, whose fields have capitals."""

    ID: str
    Name: str
    Parameters: list[VersionPresetParameterJSON] | None
    Default: bool
    DesiredPrebuildInstances: int | None
    Description: str
    Icon: str
