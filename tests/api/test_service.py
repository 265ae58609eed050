from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from chalicelib.version import BUILD_VERSION

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

UPSTREAM = """
api_key:* api_key:create api_key:delete api_key:read api_key:update chat_model_config:read chat_model_config:share
coder:all coder:apikeys.manage_self coder:application_connect coder:templates.author coder:templates.build
coder:workspaces.access coder:workspaces.create coder:workspaces.delete coder:workspaces.operate file:* file:create
file:read inbox_notification:read inbox_notification:update organization:* organization:delete organization:read
organization:update organization_skill:* organization_skill:create organization_skill:delete organization_skill:read
organization_skill:share organization_skill:update template:* template:create template:delete template:read
template:update template:use user:* user:read user:read_personal user:update_personal user_secret:* user_secret:create
user_secret:delete user_secret:read user_secret:update user_skill:* user_skill:create user_skill:delete user_skill:read
user_skill:update workspace:* workspace:application_connect workspace:create workspace:delete workspace:read
workspace:ssh workspace:start workspace:stop workspace:update
"""
ADDED = """
task:* task:create task:read task:update task:delete audit_log:* audit_log:read audit_log:create connection_log:*
connection_log:read connection_log:update organization_member:read group:read coder:logs.read coder:logs.ingest
"""


def test_health_needs_no_token_and_no_store(client: Client, store_calls: list[str]) -> None:
    reply = client.get("/healthz")
    assert (reply.status, reply.text) == (200, "OK")
    assert reply.headers["content-type"].startswith("text/plain")
    assert store_calls == []


def test_build_info_has_what_a_cli_reads(client: Client) -> None:
    reply = client.get("/api/v2/buildinfo")
    assert reply.status == 200
    body = reply.json
    assert set(body) == {
        "external_url",
        "version",
        "dashboard_url",
        "telemetry",
        "workspace_proxy",
        "agent_api_version",
        "provisioner_api_version",
        "upgrade_message",
        "deployment_id",
    }
    assert body["version"] == BUILD_VERSION == reply.headers["x-coder-build-version"]
    assert (body["telemetry"], body["workspace_proxy"]) == (False, False)
    assert str(UUID(body["deployment_id"])) == body["deployment_id"]
    assert client.get("/api/v2/buildinfo").json == body


def test_the_catalogue_is_upstreams_with_our_additions_sorted_by_bytes(client: Client) -> None:
    reply = client.get("/api/v2/auth/scopes")
    assert reply.status == 200
    assert reply.json == {"external": sorted([*UPSTREAM.split(), *ADDED.split()])}


@pytest.mark.parametrize("flag", ["1", "t", "T", "TRUE", "true", "True"])
def test_details_say_what_each_scope_is_for(client: Client, flag: str) -> None:
    body = client.get("/api/v2/auth/scopes", query={"details": flag}).json
    assert [entry["name"] for entry in body["details"]] == body["external"]
    for entry in body["details"]:
        assert set(entry) == {"name", "expands_to", "description"}
        assert entry["expands_to"]
        assert all(re.fullmatch(r"(\*|[a-z_0-9]+):(\*|[a-z_]+)", name) for name in entry["expands_to"])
        assert entry["description"]
    expansions = {entry["name"]: entry["expands_to"] for entry in body["details"]}
    assert expansions["coder:logs.ingest"] == ["audit_log:create", "connection_log:update"]
    assert expansions["connection_log:*"] == ["connection_log:read", "connection_log:update"]


@pytest.mark.parametrize("flag", ["", "0", "false", "yes", "tRuE", "2"])
def test_any_other_flag_is_false(client: Client, flag: str) -> None:
    assert "details" not in client.get("/api/v2/auth/scopes", query={"details": flag}).json


def test_the_first_user_is_missing_until_there_is_one(client: Client, house: House) -> None:
    before = client.get("/api/v2/users/first")
    assert (before.status, before.json) == (404, {"message": "The initial user has not been created!"})
    house.user("root", "owner")
    after = client.get("/api/v2/users/first")
    assert (after.status, after.json) == (200, {"message": "The initial user has already been created!"})
