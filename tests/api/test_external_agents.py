"""The script that starts an external agent, and the token that is answered for it once."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.platform.init_script import KNOWN
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


@pytest.mark.parametrize(("os", "arch"), sorted(KNOWN))
def test_a_script_runs_the_agent_of_its_machine(client: Client, os: str, arch: str) -> None:
    reply = client.get(f"/api/v2/init-script/{os.upper()}/{arch}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"/bin/coder-{os}-{arch}" in reply.text
    digest = base64.b64encode(hashlib.sha256(reply.text.encode()).digest()).decode()
    assert reply.headers["content-digest"] == f"sha-256=:{digest}:"
    if os != "windows":
        subprocess.run(["/bin/sh", "-n"], input=reply.text, text=True, check=True)


def test_an_unknown_machine_is_named(client: Client) -> None:
    reply = client.get("/api/v2/init-script/darwin/armv7")
    assert (reply.status, reply.json["message"]) == (400, "Unknown os/arch: darwin/armv7")


class External:
    """A workspace with one external agent."""

    def __init__(self, platform: Platform, owner_id: str, **agent: Any) -> None:
        template = platform.template("rust")
        version = platform.version(template)
        self.workspace = platform.workspace(owner_id, template, "dev")
        self.build = platform.build(self.workspace, version, has_external_agent=True)
        fields = {"architecture": "arm64", "operating_system": "linux", **agent}
        self.agent = platform.put("workspace_agent", name="main", workspace_build_id=self.build, **fields)
        self.path = f"/api/v2/workspaces/{self.workspace}/external-agent/main/credentials"


@pytest.mark.usefixtures("keeps_secrets")
def test_a_token_is_answered_once_and_its_deposit_and_release_are_on_record(
    platform: Platform, ann: User, trail: Callable[[], list[AuditLog]]
) -> None:
    external = External(platform, ann.id)
    client = platform.client
    assert client.put(external.path, {"agent_token": "s3cret-token"}).status == 204
    assert client.send("HEAD", external.path).status == 405, "headers alone use nothing up"
    reply = client.get(external.path)
    assert reply.json["agent_token"] == "s3cret-token"
    assert reply.json["command"].endswith('/api/v2/init-script/linux/arm64" | CODER_AGENT_TOKEN="s3cret-token" sh')
    again = client.get(external.path)
    assert (again.status, "fetched before" in again.json["message"]) == (404, True)
    kept, released = (row for row in trail() if row.resource_type == "workspace_agent")
    for row, done, status in ((kept, "deposited", 204), (released, "fetched", 200)):
        assert (row.resource_id, row.resource_target) == (external.agent, "main")
        assert (row.organization_id, row.status_code) == (platform.organization_id, status)
        fields = {"workspace_id": external.workspace, "workspace_name": "dev", "credentials": done}
        assert row.additional_fields.items() >= fields.items()
        assert "s3cret" not in repr(row)


@pytest.mark.usefixtures("keeps_secrets")
def test_a_token_that_is_deposited_before_its_workspace_is_mirrored_is_on_record(
    owner: Client, root: User, trail: Callable[[], list[AuditLog]]
) -> None:
    path = f"/api/v2/workspaces/{root.id}/external-agent/main/credentials"
    assert owner.put(path, {"agent_token": "s3cret-token"}).status == 204
    (row,) = trail()
    assert (row.resource_type, row.resource_target, row.organization_id) == ("workspace_agent", "main", None)
    assert row.additional_fields["workspace_id"] == root.id


@pytest.mark.usefixtures("keeps_secrets")
def test_a_token_is_stored_encrypted(platform: Platform, ann: User, transport: Any) -> None:
    external = External(platform, ann.id)
    platform.client.put(external.path, {"agent_token": "s3cret-token"})
    assert "s3cret-token" not in repr(transport.requests)


def test_a_deployment_without_a_key_takes_no_token(platform: Platform, ann: User) -> None:
    assert platform.client.put(External(platform, ann.id).path, {"agent_token": "token"}).status == 501


def test_what_is_no_external_agent_has_no_credentials(platform: Platform, ann: User) -> None:
    external = External(platform, ann.id, instance_id="i-1")
    get = platform.client.get
    assert get(external.path).json["message"] == "External agent is authenticated with an instance ID."
    other = get(external.path.replace("/main/", "/other/"))
    assert (other.status, other.json["message"]) == (404, "External agent 'other' not found in workspace.")
    platform.build(external.workspace, platform.version(platform.template("go")), 2)
    assert get(external.path).json["message"] == "Workspace does not have an external agent."
