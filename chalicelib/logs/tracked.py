"""The fields that the audit log keeps of each kind of resource: the mode of every field, as data.

A field is *tracked* (a diff shows both values), *secret* (a diff shows that it changed, and no value) or *ignored* (a
diff never shows it). The structs, their fields and modes are those of Coder's audit documentation, but for one that
says why; a field that is not named here is never in an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from chalicelib.logs.secret_names import names_secret, skeleton

Mode = Literal["track", "secret", "ignore"]


def _modes(track: str, *, secrets: str = "", ignore: str = "") -> Mapping[str, Mode]:
    modes: dict[str, Mode] = dict.fromkeys(track.split(), "track")
    return modes | dict.fromkeys(secrets.split(), "secret") | dict.fromkeys(ignore.split(), "ignore")


TRACKED: Mapping[str, Mapping[str, Mode]] = {
    "AuditableOrganizationMember": _modes("username user_id created_at updated_at roles", ignore="organization_id"),
    "CustomRole": _modes(
        "name display_name site_permissions org_permissions user_permissions member_permissions",
        ignore="organization_id is_system id created_at updated_at",
    ),
    "GitSSHKey": _modes("user_id public_key", secrets="private_key", ignore="created_at updated_at private_key_key_id"),
    "Template": _modes(
        "id name display_name provisioner active_version_id description icon default_ttl "
        "autostart_block_days_of_week autostop_requirement_days_of_week autostop_requirement_weeks created_by "
        "group_acl user_acl allow_user_autostart allow_user_autostop allow_user_cancel_workspace_jobs failure_ttl "
        "time_til_dormant time_til_dormant_autodelete require_active_version deprecated max_port_sharing_level "
        "activity_bump use_classic_parameter_flow cors_behavior disable_module_cache time_til_autostop_notify",
        ignore="created_at updated_at organization_id organization_name organization_display_name organization_icon "
        "deleted created_by_username created_by_name created_by_avatar_url",
    ),
    "TemplateVersion": _modes(
        "id template_id name readme created_by archived",
        ignore="organization_id created_at updated_at message job_id external_auth_providers created_by_avatar_url "
        "created_by_username created_by_name source_example_id has_ai_task has_external_agent",
    ),
    "User": _modes(
        "id email username status rbac_roles login_type deleted quiet_hours_schedule name "
        "one_time_passcode_expires_at is_system is_service_account chat_spend_limit_micros",
        secrets="hashed_password",
        ignore="created_at updated_at avatar_url last_seen_at github_com_user_id hashed_one_time_passcode",
    ),
    "WorkspaceTable": _modes(
        "id owner_id template_id name autostart_schedule ttl dormant_at deleting_at automatic_updates favorite "
        "next_start_at group_acl user_acl",
        ignore="created_at updated_at organization_id deleted last_used_at",
    ),
    "WorkspaceBuild": _modes(
        "template_version_id",
        ignore="id created_at updated_at workspace_id build_number transition initiator_id job_id deadline reason "
        "daily_cost max_deadline initiator_by_avatar_url initiator_by_username initiator_by_name "
        "template_version_preset_id has_ai_task has_external_agent notified_autostop_deadline",
    ),
    "AuditableGroup": _modes(
        "id name display_name avatar_url quota_allowance members chat_spend_limit_micros",
        ignore="organization_id source",
    ),
    "AuditableGroupAIBudget": _modes(
        "spend_limit", ignore="group_id spend_limit_micros group_name created_at updated_at"
    ),
    "AuditableUserAIBudgetOverride": _modes(
        "group_id group_name spend_limit", ignore="user_id username spend_limit_micros created_at updated_at"
    ),
    "APIKey": _modes(
        "user_id last_used expires_at created_at",
        ignore="id hashed_secret updated_at login_type lifetime_seconds ip_address scopes allow_list token_name",
    ),
    "AuditOAuthConvertState": _modes("created_at expires_at from_login_type to_login_type user_id"),
    "HealthSettings": _modes("dismissed_healthchecks", ignore="id"),
    "NotificationsSettings": _modes("notifier_paused", ignore="id"),
    "PrebuildsSettings": _modes("reconciliation_paused", ignore="id"),
    "License": _modes("uploaded_at exp uuid", ignore="id jwt"),
    "WorkspaceProxy": _modes(
        "id name display_name icon url wildcard_hostname created_at derp_enabled derp_only region_id version",
        secrets="token_hashed_secret",
        ignore="updated_at deleted",
    ),
    "OAuth2ProviderApp": _modes(
        "name icon callback_url redirect_uris client_type dynamically_registered client_secret_expires_at "
        "grant_types response_types token_endpoint_auth_method scope contacts client_uri logo_uri tos_uri "
        "policy_uri jwks_uri software_id software_version registration_client_uri",
        secrets="jwks registration_access_token",
        ignore="id created_at updated_at client_id_issued_at",
    ),
    "OAuth2ProviderAppSecret": _modes(
        "", ignore="id created_at last_used_at hashed_secret display_secret app_id secret_prefix"
    ),
    "Organization": _modes(
        "name description deleted updated_at is_default display_name icon shareable_workspace_owners "
        "default_org_member_roles",
        ignore="id created_at",
    ),
    "NotificationTemplate": _modes(
        "name title_template body_template actions group method kind enabled_by_default", ignore="id"
    ),
    "OrganizationSyncSettings": _modes("field mapping assign_default"),
    "GroupSyncSettings": _modes(
        "field mapping regex_filter auto_create_missing_groups", ignore="legacy_group_name_mapping"
    ),
    "RoleSyncSettings": _modes("field mapping"),
    "AISeatState": _modes(
        "user_id first_used_at last_event_type last_event_description", ignore="last_used_at updated_at"
    ),
    "AIProvider": _modes(
        "id type name display_name icon enabled deleted base_url",
        secrets="settings",
        ignore="settings_key_id created_at updated_at",
    ),
    # Coder's table tracks `api_key`. It is a key in clear, and a log that many may read is no place for one.
    "AIProviderKey": _modes("id provider_id", secrets="api_key", ignore="api_key_key_id created_at updated_at"),
    "AIGatewayKey": _modes("id name secret_prefix", secrets="hashed_secret", ignore="created_at last_heartbeat_at"),
    "TaskTable": _modes(
        "id owner_id name display_name workspace_id template_version_id template_parameters prompt",
        ignore="organization_id created_at deleted_at",
    ),
    "Chat": _modes(
        "id owner_id workspace_id archived mode mcp_server_ids labels user_acl group_acl pin_order",
        secrets="title",
        ignore="owner_username owner_name organization_id build_id agent_id status worker_id started_at heartbeat_at "
        "created_at updated_at parent_chat_id root_chat_id last_model_config_id last_reasoning_effort last_error "
        "last_turn_summary summary summary_generated_at last_read_message_id context_aggregate_hash "
        "context_dirty_since context_dirty_resources context_error dynamic_tools plan_mode client_type "
        "snapshot_version history_version queue_version retry_state retry_state_version generation_attempt "
        "runner_id requires_action_deadline_at compaction_requested_at",
    ),
    "UserSkill": _modes("id user_id name description content", ignore="created_at updated_at"),
    "UserSecret": _modes(
        "id user_id name description env_name file_path enabled",
        secrets="value",
        ignore="value_key_id created_at updated_at",
    ),
}
"""Struct -> field -> mode."""

_CREDENTIALS: Mapping[str, str] = {
    "APIKey": "hashed_secret",
    "License": "jwt",
    "OAuth2ProviderAppSecret": "hashed_secret",
    "User": "hashed_one_time_passcode",
}


NEVER_STORED: Mapping[str, frozenset[str]] = {
    struct: frozenset(
        skeleton(name)
        for name in (*_CREDENTIALS.get(struct, "").split(), *(name for name in modes if modes[name] == "secret"))
    )
    for struct, modes in TRACKED.items()
}
"""Struct -> skeletons of fields of which no value is ever stored: secret ones, and ignored ones that can open
anything. The platform leaves the latter out of its diffs; the value of one that is sent is not stored."""

_KNOWN_FIELDS = 4_096
_TRACKED_NAMES: Mapping[str, frozenset[str]] = {
    struct: frozenset(skeleton(name) for name, mode in modes.items() if mode == "track")
    for struct, modes in TRACKED.items()
}


@lru_cache(_KNOWN_FIELDS)
def is_secret(field: str, resource_type: str) -> bool:
    """Whether no value of a field of a resource may be stored, however the field's name is written.

    The table of tracked fields decides about the fields that it names; about all others the name does.
    """
    resource = RESOURCES.get(resource_type)
    if resource is None:
        return names_secret(field)
    looks = skeleton(field)
    return looks in NEVER_STORED[resource.struct] or (
        looks not in _TRACKED_NAMES[resource.struct] and names_secret(field)
    )


class Kind(StrEnum):
    """The kind of a field on the platform, where its JSON value alone does not say it."""

    NULLABLE = "nullable"
    """A UUID or a text that may be missing; null becomes the text `null`."""
    BYTES = "bytes"
    """Bytes, in JSON a text; their zero value is null."""
    TIME = "time"
    """A moment; its zero value is the first of the year 1."""
    NULLABLE_TIME = "nullable_time"
    """A moment that may be missing; it becomes `{"Time": moment, "Valid": whether there is one}`."""
    ACL = "acl"
    """Id -> actions; it becomes one text."""
    PERMISSIONS = "permissions"
    """Objects of resource type, action and negation; they become a list of texts."""


_KINDS: Mapping[Kind, Mapping[str, str]] = {
    Kind.NULLABLE: {
        "TemplateVersion": "template_id",
        "WorkspaceTable": "autostart_schedule",
        "OAuth2ProviderApp": "client_type token_endpoint_auth_method scope client_uri logo_uri tos_uri policy_uri "
        "jwks_uri software_id software_version registration_client_uri",
        "NotificationTemplate": "group",
        "AIProvider": "display_name settings",
        "TaskTable": "workspace_id",
        "Chat": "workspace_id",
    },
    Kind.BYTES: {
        "User": "hashed_password",
        "WorkspaceProxy": "token_hashed_secret",
        "OAuth2ProviderApp": "jwks registration_access_token",
        "AIGatewayKey": "hashed_secret",
    },
    Kind.TIME: {
        "AuditableOrganizationMember": "created_at updated_at",
        "APIKey": "last_used expires_at created_at",
        "AuditOAuthConvertState": "created_at expires_at",
        "License": "uploaded_at exp",
        "WorkspaceProxy": "created_at",
        "Organization": "updated_at",
        "AISeatState": "first_used_at",
    },
    Kind.NULLABLE_TIME: {
        "User": "one_time_passcode_expires_at",
        "WorkspaceTable": "dormant_at deleting_at next_start_at",
        "OAuth2ProviderApp": "client_secret_expires_at",
    },
    Kind.ACL: {"Template": "group_acl user_acl"},
    Kind.PERMISSIONS: {"CustomRole": "site_permissions org_permissions user_permissions member_permissions"},
}

KINDS: Mapping[str, Mapping[str, Kind]] = {
    struct: {field: kind for kind, structs in _KINDS.items() for field in structs.get(struct, "").split()}
    for struct in TRACKED
}
"""Struct -> field -> kind. A field that is not named is what its JSON value says, and its null is the zero value."""


class Resource(NamedTuple):
    """The audit of one resource type: its struct, and the actions that Coder documents (none where it lists none)."""

    struct: str
    actions: tuple[str, ...] = ()


_WRITTEN = ("create", "write", "delete")

RESOURCES: Mapping[str, Resource] = {
    "organization": Resource("Organization"),
    "template": Resource("Template", ("write", "delete")),
    "template_version": Resource("TemplateVersion", ("create", "write")),
    "user": Resource("User", _WRITTEN),
    "workspace": Resource("WorkspaceTable", _WRITTEN),
    "git_ssh_key": Resource("GitSSHKey", ("create",)),
    "api_key": Resource("APIKey", ("login", "logout", "register", *_WRITTEN)),
    "group": Resource("AuditableGroup", _WRITTEN),
    "workspace_build": Resource("WorkspaceBuild", ("start", "stop")),
    "license": Resource("License", ("create", "delete")),
    "workspace_proxy": Resource("WorkspaceProxy"),
    "convert_login": Resource("AuditOAuthConvertState"),
    "health_settings": Resource("HealthSettings"),
    "oauth2_provider_app": Resource("OAuth2ProviderApp"),
    "oauth2_provider_app_secret": Resource("OAuth2ProviderAppSecret"),
    "custom_role": Resource("CustomRole"),
    "organization_member": Resource("AuditableOrganizationMember"),
    "notifications_settings": Resource("NotificationsSettings"),
    "notification_template": Resource("NotificationTemplate"),
    "idp_sync_settings_organization": Resource("OrganizationSyncSettings"),
    "idp_sync_settings_group": Resource("GroupSyncSettings"),
    "idp_sync_settings_role": Resource("RoleSyncSettings"),
    "prebuilds_settings": Resource("PrebuildsSettings"),
    "task": Resource("TaskTable", _WRITTEN),
    "ai_seat": Resource("AISeatState", ("create",)),
    "chat": Resource("Chat", ("create", "write")),
    "user_secret": Resource("UserSecret", _WRITTEN),
    "ai_provider": Resource("AIProvider", _WRITTEN),
    "ai_provider_key": Resource("AIProviderKey", ("create", "delete")),
    "group_ai_budget": Resource("AuditableGroupAIBudget", ("write", "delete")),
    "user_skill": Resource("UserSkill", _WRITTEN),
    "ai_gateway_key": Resource("AIGatewayKey", ("create", "delete")),
    "user_ai_budget_override": Resource("AuditableUserAIBudgetOverride", ("write", "delete")),
}
"""Resource type -> how it is audited. The deprecated `workspace_agent` and `workspace_app` never had a diff."""
