"""Words that are common in audit events, for the compressor: a row with a diff of ten fields takes 60 % of the bytes.

It is part of the stored form. A row can only be read with the very words that it was written with, so they are frozen:
better ones get a name of their own, beside these.
"""

from __future__ import annotations

_FIELDS = """
    action actions active_version_id activity_bump additional_fields allow_user_autostart allow_user_autostop
    allow_user_cancel_workspace_jobs archived assign_default auto_create_missing_groups autostart_block_days_of_week
    autostop_requirement_days_of_week autostop_requirement_weeks base_url body_template callback_url client_type
    client_uri content cors_behavior deprecated derp_enabled derp_only disable_module_cache dismissed_healthchecks
    enabled enabled_by_default env_name exp expires_at failure_ttl field file_path first_used_at from_login_type
    grant_types group group_id group_name hashed_password is_default is_service_account is_system jwks kind labels
    last_event_description last_event_type last_used logo_uri mapping max_port_sharing_level mcp_server_ids members
    member_permissions method mode notifier_paused one_time_passcode_expires_at org_permissions pin_order policy_uri
    private_key prompt provider_id provisioner public_key quiet_hours_schedule quota_allowance readme
    reconciliation_paused redirect_uris regex_filter region_id require_active_version response_types secret_prefix
    site_permissions spend_limit template_parameters template_version_id time_til_autostop_notify time_til_dormant
    time_til_dormant_autodelete title title_template to_login_type token_hashed_secret type uploaded_at url
    use_classic_parameter_flow user_permissions uuid value version wildcard_hostname workspace_id
    chat_spend_limit_micros login_type email username rbac_roles roles user_id status deleted description icon
    display_name avatar_url default_ttl created_by created_at updated_at deleting_at dormant_at next_start_at
    favorite automatic_updates group_acl user_acl ttl autostart_schedule template_id owner_id name id
"""
_SAFARI = "(KHTML, like Gecko) Version/18.0 Safari/605.1.15"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Edg/140.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 {_SAFARI}",
    "Go-http-client/1.1",
    "curl/8.5.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_CHROME}",
)
_TYPES = """
    user_ai_budget_override ai_gateway_key user_skill group_ai_budget ai_provider_key ai_provider user_secret chat
    ai_seat task prebuilds_settings workspace_app workspace_agent idp_sync_settings_role idp_sync_settings_group
    idp_sync_settings_organization notification_template notifications_settings organization_member custom_role
    oauth2_provider_app_secret oauth2_provider_app health_settings convert_login workspace_proxy license group
    git_ssh_key template_version organization template user api_key workspace workspace_build
"""
_ACTIONS = """
    open:200 close:200 connect:200 disconnect:200 register:201 logout:200 login:201 stop:200 start:200 delete:204
    create:201 delete:200 write:200 create:200
"""
_REASONS = """
    task_resume task_manual_pause task_auto_pause jetbrains_connection vscode_connection ssh_connection cli dashboard
    autodelete failedstop dormancy autostop autostart initiator
"""
# What is met most stands last: the compressor reaches it with the fewest bits.
_SHAPES = (
    '"automatic_actor":"coder","automatic_subsystem":"dormancy"',
    '"connection_type":"ssh"',
    '"changed_api_key_id":"gbk_',
    '"api_key_id":"gbk_',
    '{"user_id":"',
    '","organization_id":"',
    '","ip":"192.168.10.',
    '","user_agent":"',
    '","resource_target":"',
    '","resource_icon":"/icon/docker.svg","',
    '"request_id":"',
    '"},"additional_fields":{"workspace_name":"',
    '","build_number":"1","build_reason":"initiator","workspace_owner":"',
    '","workspace_id":"',
    '"diff":{"id":{"old":"","new":"',
    '":{"old":0,"new":',
    '{"old":false,"new":true,"secret":false}',
    '{"old":true,"new":false,"secret":false}',
    '{"old":"","new":"","secret":true}',
    '{"old":"null","new":"',
    '{"new":',
    '"secret":false},"name":{"old":"',
    '","new":"',
    '","secret":false},"',
)

WORDS = "".join(
    (
        *(f'"{name}":' for name in _FIELDS.split()),
        *_AGENTS,
        *(f'"resource_type":"{name}","resource_id":"' for name in _TYPES.split()),
        *('"action":"{}","status_code":{},'.format(*pair.split(":")) for pair in _ACTIONS.split()),
        *(f'"build_reason":"{name}",' for name in _REASONS.split()),
        *_SHAPES,
    )
).encode()
"""The words, about 6 KB."""
