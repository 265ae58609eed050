"""The known words of both logs, for completion, for display names and for the fields that follow from them.

The lists are Coder's enums in the order of its database. A value outside them is stored and searched like any other.
"""

from __future__ import annotations

SESSION_TYPES = ("ssh", "vscode", "jetbrains", "reconnecting_pty")
"""Connections with a beginning and an end, reported by a workspace's agent."""

WEB_TYPES = ("workspace_app", "port_forwarding", "tunnel")
"""Single events that never close."""

CONNECTION_TYPES = SESSION_TYPES + WEB_TYPES

CONNECTION_STATUSES = ("ongoing", "completed")
"""Of sessions alone: a web event has no status."""

AUDIT_ACTIONS = (
    "create",
    "write",
    "delete",
    "start",
    "stop",
    "login",
    "logout",
    "register",
    "request_password_reset",
    "connect",
    "disconnect",
    "open",
    "close",
)
"""The last four are no longer produced, but are read and searched for."""

RESOURCE_TYPES = (
    "organization",
    "template",
    "template_version",
    "user",
    "workspace",
    "git_ssh_key",
    "api_key",
    "group",
    "workspace_build",
    "license",
    "workspace_proxy",
    "convert_login",
    "health_settings",
    "oauth2_provider_app",
    "oauth2_provider_app_secret",
    "custom_role",
    "organization_member",
    "notifications_settings",
    "notification_template",
    "idp_sync_settings_organization",
    "idp_sync_settings_group",
    "idp_sync_settings_role",
    "workspace_agent",
    "workspace_app",
    "prebuilds_settings",
    "task",
    "ai_seat",
    "chat",
    "user_secret",
    "ai_provider",
    "ai_provider_key",
    "group_ai_budget",
    "user_skill",
    "ai_gateway_key",
    "user_ai_budget_override",
)

NEWER_RESOURCE_TYPES = (
    "oauth2_provider_settings",
    "chat_project",
    "chat_project_memory",
    "mcp_server_config",
    "chat_model_config",
    "chat_instruction_settings",
    "chat_operational_settings",
    "experiment_rule",
)
"""The resource types that only servers newer than the tables of tracked fields audit."""

OWN_RESOURCE_TYPES = ("retention_run", "retention_hold", "export", "external_auth_link")
"""The resource types of Gatebook itself: Coder has no word for them. Searched like the others, refused from senders."""

AUDITED_TYPES = RESOURCE_TYPES + OWN_RESOURCE_TYPES

BUILD_REASONS = (
    "initiator",
    "autostart",
    "autostop",
    "dormancy",
    "failedstop",
    "autodelete",
    "dashboard",
    "cli",
    "ssh_connection",
    "vscode_connection",
    "jetbrains_connection",
    "task_auto_pause",
    "task_manual_pause",
    "task_resume",
)
