from __future__ import annotations

import pytest

from chalicelib.logs.tracked import KINDS, RESOURCES, TRACKED
from chalicelib.logs.vocabulary import AUDIT_ACTIONS, RESOURCE_TYPES

DOCUMENTED = (
    # struct, tracked, secret, ignored
    ("AuditableOrganizationMember", "username, user_id, created_at, updated_at, roles", "", "organization_id"),
    (
        "CustomRole",
        "name, display_name, site_permissions, org_permissions, user_permissions, member_permissions",
        "",
        "organization_id, is_system, id, created_at, updated_at",
    ),
    ("GitSSHKey", "user_id, public_key", "private_key", "created_at, updated_at, private_key_key_id"),
    (
        "Template",
        (
            "id, name, display_name, provisioner, active_version_id, description, icon, default_ttl, "
            "autostart_block_days_of_week, autostop_requirement_days_of_week, autostop_requirement_weeks, "
            "created_by, group_acl, user_acl, allow_user_autostart, allow_user_autostop, "
            "allow_user_cancel_workspace_jobs, failure_ttl, time_til_dormant, time_til_dormant_autodelete, "
            "require_active_version, deprecated, max_port_sharing_level, activity_bump, "
            "use_classic_parameter_flow, cors_behavior, disable_module_cache, time_til_autostop_notify"
        ),
        "",
        (
            "created_at, updated_at, organization_id, organization_name, organization_display_name, "
            "organization_icon, deleted, created_by_username, created_by_name, created_by_avatar_url"
        ),
    ),
    (
        "TemplateVersion",
        "id, template_id, name, readme, created_by, archived",
        "",
        (
            "organization_id, created_at, updated_at, message, job_id, external_auth_providers, "
            "created_by_avatar_url, created_by_username, created_by_name, source_example_id, has_ai_task, "
            "has_external_agent"
        ),
    ),
    (
        "User",
        (
            "id, email, username, status, rbac_roles, login_type, deleted, quiet_hours_schedule, name, "
            "one_time_passcode_expires_at, is_system, is_service_account, chat_spend_limit_micros"
        ),
        "hashed_password",
        "created_at, updated_at, avatar_url, last_seen_at, github_com_user_id, hashed_one_time_passcode",
    ),
    (
        "WorkspaceTable",
        (
            "id, owner_id, template_id, name, autostart_schedule, ttl, dormant_at, deleting_at, "
            "automatic_updates, favorite, next_start_at, group_acl, user_acl"
        ),
        "",
        "created_at, updated_at, organization_id, deleted, last_used_at",
    ),
    (
        "WorkspaceBuild",
        "template_version_id",
        "",
        (
            "id, created_at, updated_at, workspace_id, build_number, transition, initiator_id, job_id, deadline, "
            "reason, daily_cost, max_deadline, initiator_by_avatar_url, initiator_by_username, initiator_by_name, "
            "template_version_preset_id, has_ai_task, has_external_agent, notified_autostop_deadline"
        ),
    ),
    (
        "AuditableGroup",
        "id, name, display_name, avatar_url, quota_allowance, members, chat_spend_limit_micros",
        "",
        "organization_id, source",
    ),
    ("AuditableGroupAIBudget", "spend_limit", "", "group_id, spend_limit_micros, group_name, created_at, updated_at"),
    (
        "AuditableUserAIBudgetOverride",
        "group_id, group_name, spend_limit",
        "",
        "user_id, username, spend_limit_micros, created_at, updated_at",
    ),
    (
        "APIKey",
        "user_id, last_used, expires_at, created_at",
        "",
        ("id, hashed_secret, updated_at, login_type, lifetime_seconds, ip_address, scopes, allow_list, token_name"),
    ),
    ("AuditOAuthConvertState", "created_at, expires_at, from_login_type, to_login_type, user_id", "", ""),
    ("HealthSettings", "dismissed_healthchecks", "", "id"),
    ("NotificationsSettings", "notifier_paused", "", "id"),
    ("PrebuildsSettings", "reconciliation_paused", "", "id"),
    ("License", "uploaded_at, exp, uuid", "", "id, jwt"),
    (
        "WorkspaceProxy",
        (
            "id, name, display_name, icon, url, wildcard_hostname, created_at, derp_enabled, derp_only, "
            "region_id, version"
        ),
        "token_hashed_secret",
        "updated_at, deleted",
    ),
    (
        "OAuth2ProviderApp",
        (
            "name, icon, callback_url, redirect_uris, client_type, dynamically_registered, "
            "client_secret_expires_at, grant_types, response_types, token_endpoint_auth_method, scope, contacts, "
            "client_uri, logo_uri, tos_uri, policy_uri, jwks_uri, software_id, software_version, "
            "registration_client_uri"
        ),
        "jwks, registration_access_token",
        "id, created_at, updated_at, client_id_issued_at",
    ),
    (
        "OAuth2ProviderAppSecret",
        "",
        "",
        "id, created_at, last_used_at, hashed_secret, display_secret, app_id, secret_prefix",
    ),
    (
        "Organization",
        (
            "name, description, deleted, updated_at, is_default, display_name, icon, shareable_workspace_owners, "
            "default_org_member_roles"
        ),
        "",
        "id, created_at",
    ),
    (
        "NotificationTemplate",
        "name, title_template, body_template, actions, group, method, kind, enabled_by_default",
        "",
        "id",
    ),
    ("OrganizationSyncSettings", "field, mapping, assign_default", "", ""),
    ("GroupSyncSettings", "field, mapping, regex_filter, auto_create_missing_groups", "", "legacy_group_name_mapping"),
    ("RoleSyncSettings", "field, mapping", "", ""),
    ("AISeatState", "user_id, first_used_at, last_event_type, last_event_description", "", "last_used_at, updated_at"),
    (
        "AIProvider",
        "id, type, name, display_name, icon, enabled, deleted, base_url",
        "settings",
        "settings_key_id, created_at, updated_at",
    ),
    ("AIProviderKey", "id, provider_id, api_key", "", "api_key_key_id, created_at, updated_at"),
    ("AIGatewayKey", "id, name, secret_prefix", "hashed_secret", "created_at, last_heartbeat_at"),
    (
        "TaskTable",
        "id, owner_id, name, display_name, workspace_id, template_version_id, template_parameters, prompt",
        "",
        "organization_id, created_at, deleted_at",
    ),
    (
        "Chat",
        "id, owner_id, workspace_id, archived, mode, mcp_server_ids, labels, user_acl, group_acl, pin_order",
        "title",
        (
            "owner_username, owner_name, organization_id, build_id, agent_id, status, worker_id, started_at, "
            "heartbeat_at, created_at, updated_at, parent_chat_id, root_chat_id, last_model_config_id, "
            "last_reasoning_effort, last_error, last_turn_summary, summary, summary_generated_at, "
            "last_read_message_id, context_aggregate_hash, context_dirty_since, context_dirty_resources, "
            "context_error, dynamic_tools, plan_mode, client_type, snapshot_version, history_version, "
            "queue_version, retry_state, retry_state_version, generation_attempt, runner_id, "
            "requires_action_deadline_at, compaction_requested_at"
        ),
    ),
    ("UserSkill", "id, user_id, name, description, content", "", "created_at, updated_at"),
    (
        "UserSecret",
        "id, user_id, name, description, env_name, file_path, enabled",
        "value",
        "value_key_id, created_at, updated_at",
    ),
)

ACTIONS = {
    "git_ssh_key": "create",
    "template": "write, delete",
    "template_version": "create, write",
    "user": "create, write, delete",
    "workspace": "create, write, delete",
    "workspace_build": "start, stop",
    "group": "create, write, delete",
    "api_key": "login, logout, register, create, write, delete",
    "license": "create, delete",
    "task": "create, write, delete",
    "ai_seat": "create",
    "ai_provider": "create, write, delete",
    "ai_provider_key": "create, delete",
    "ai_gateway_key": "create, delete",
    "group_ai_budget": "write, delete",
    "user_ai_budget_override": "write, delete",
    "chat": "create, write",
    "user_secret": "create, write, delete",
    "user_skill": "create, write, delete",
}

# Documented as tracked; but it is the key of an AI provider in clear, and a log that many may read is no place for it.
STRICTER = {"AIProviderKey": {"api_key": "secret"}}
NEVER_DIFFED = {"workspace_agent", "workspace_app"}


def names(text: str) -> list[str]:
    return text.split(", ") if text else []


@pytest.mark.parametrize(("struct", "tracked", "secret", "ignored"), DOCUMENTED, ids=lambda text: text[:20])
def test_every_documented_field_has_its_mode_and_no_other_field_is_known(
    struct: str, tracked: str, secret: str, ignored: str
) -> None:
    modes = dict.fromkeys(names(tracked), "track")
    modes |= dict.fromkeys(names(secret), "secret")
    modes |= dict.fromkeys(names(ignored), "ignore")
    assert len(modes) == len(names(tracked)) + len(names(secret)) + len(names(ignored))
    assert TRACKED[struct] == modes | STRICTER.get(struct, {})


def test_where_the_table_departs_from_the_documented_one_it_hides_more() -> None:
    documented = {struct: names(tracked) for struct, tracked, *_ in DOCUMENTED}
    for struct, modes in STRICTER.items():
        assert set(modes) <= set(documented[struct])
        assert set(modes.values()) == {"secret"}


def test_there_is_no_struct_beside_the_documented_ones() -> None:
    assert set(TRACKED) == {struct for struct, *_ in DOCUMENTED}


def test_every_resource_type_that_may_have_a_diff_has_a_struct_of_its_own() -> None:
    assert set(RESOURCES) == set(RESOURCE_TYPES) - NEVER_DIFFED
    structs = [resource.struct for resource in RESOURCES.values()]
    assert sorted(structs) == sorted(TRACKED)


@pytest.mark.parametrize("resource_type", sorted(RESOURCES))
def test_every_resource_type_has_its_documented_actions(resource_type: str) -> None:
    actions = RESOURCES[resource_type].actions
    assert set(actions) == set(names(ACTIONS.get(resource_type, "")))
    assert len(set(actions)) == len(actions)
    assert set(actions) <= set(AUDIT_ACTIONS)


@pytest.mark.parametrize("struct", sorted(TRACKED))
def test_kinds_are_told_of_fields_that_are_shown(struct: str) -> None:
    visible = {name for name, mode in TRACKED[struct].items() if mode != "ignore"}
    assert set(KINDS[struct]) <= visible


def test_every_named_kind_is_in_the_table() -> None:
    named = {f"{struct}.{field}" for struct, fields in KINDS.items() for field in fields}
    assert {
        "TemplateVersion.template_id",
        "WorkspaceTable.autostart_schedule",
        "WorkspaceTable.dormant_at",
        "Chat.workspace_id",
        "User.hashed_password",
        "APIKey.expires_at",
        "Template.group_acl",
        "CustomRole.site_permissions",
    } <= named
