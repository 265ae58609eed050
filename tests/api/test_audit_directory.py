"""Rows of the audit log with what the platform mirrors in: links that lead somewhere, and whether a thing is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.retention import holds
from chalicelib.store.platform import presence
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def audited(client: Client, resource_type: str, resource_id: str, **more: Any) -> dict[str, Any]:
    """Store a row, and read it."""
    event = {
        "time": "2025-07-10T10:14:38.942776Z",
        "user_id": str(uuid4()),
        "resource_type": resource_type,
        "resource_id": resource_id,
        "resource_target": "as-it-was",
        "action": "write",
        "status_code": 200,
        **more,
    }
    reply = client.post("/api/v2/audit", event)
    assert reply.status == 200
    rows = client.get("/api/v2/audit", query={"q": f"resource_id:{resource_id}"}).json["audit_logs"]
    row: dict[str, Any] = rows[0]
    return row


def test_a_row_of_a_template_leads_to_its_name_of_today_until_it_is_deleted(platform: Platform) -> None:
    template = platform.template("renamed")
    row = audited(platform.client, "template", template)
    assert (row["is_deleted"], row["resource_link"]) == (False, "/templates/renamed")
    platform.put("template", template, name="renamed", organization_id=platform.organization_id, deleted=True)
    row = audited(platform.client, "template", template, time="2025-07-10T11:14:38Z")
    assert (row["is_deleted"], row["resource_link"]) == (True, "")


def test_a_template_that_is_there_is_not_deleted_whatever_a_row_says(platform: Platform) -> None:
    row = audited(platform.client, "template", platform.template("back"), action="delete")
    assert row["is_deleted"] is False
    unknown = audited(platform.client, "template", str(uuid4()), action="delete")
    assert unknown["is_deleted"] is True


def test_a_version_is_deleted_when_the_platform_says_so(platform: Platform) -> None:
    template = platform.template("rust")
    there, gone = platform.version(template), platform.version(template, "v2", deleted=True)
    assert audited(platform.client, "template_version", there)["is_deleted"] is False
    assert audited(platform.client, "template_version", gone)["is_deleted"] is True


def test_a_version_is_deleted_with_its_template(platform: Platform) -> None:
    template = platform.template("rust")
    version, other = platform.version(template), platform.version(platform.template("go"))
    platform.put("template", template, name="rust", organization_id=platform.organization_id, deleted=True)
    assert audited(platform.client, "template_version", version)["is_deleted"] is True
    assert audited(platform.client, "template_version", other)["is_deleted"] is False


@pytest.mark.parametrize("workspace_first", [True, False])
def test_a_build_leads_to_its_page_without_any_help_of_its_sender(
    platform: Platform, ann: User, *, workspace_first: bool
) -> None:
    template = platform.template("rust")
    version, workspace = platform.version(template), str(uuid4())
    fields = {"owner_id": ann.id, "template_id": template, "organization_id": platform.organization_id, "name": "dev"}
    if workspace_first:
        platform.put("workspace", workspace, **fields)
    build = platform.build(workspace, version, 7)
    platform.put("workspace", workspace, **fields)
    assert audited(platform.client, "workspace_build", build)["resource_link"] == "/@ann/dev/builds/7"
    row = audited(platform.client, "workspace", workspace)
    assert (row["resource_link"], row["is_deleted"]) == ("/@ann/dev", False)
    platform.put("workspace", workspace, **fields, deleted=True)
    row = audited(platform.client, "workspace", workspace, time="2025-07-10T11:14:38Z")
    assert (row["resource_link"], row["is_deleted"]) == ("", True)


def test_an_old_build_follows_its_workspace(platform: Platform, ann: User) -> None:
    template = platform.template("rust")
    version, workspace = platform.version(template), str(uuid4())
    fields = {"owner_id": ann.id, "template_id": template, "organization_id": platform.organization_id}
    platform.put("workspace", workspace, **fields, name="dev")
    old = platform.build(workspace, version, 1, reason="autostart")
    platform.build(workspace, version, 2)
    platform.put("workspace", workspace, **fields, name="renamed")
    row = audited(platform.client, "workspace_build", old)
    assert (row["resource_link"], row["is_deleted"]) == ("/@ann/renamed/builds/1", False)
    assert row["additional_fields"] == {
        "workspace_name": "renamed",
        "workspace_owner": "ann",
        "workspace_id": workspace,
        "build_number": "1",
        "build_reason": "autostart",
    }
    sent = {"workspace_name": "as-it-was", "build_reason": "cli"}
    row = audited(platform.client, "workspace_build", old, time="2025-07-10T11:14:38Z", additional_fields=sent)
    assert row["additional_fields"] == sent
    platform.put("workspace", workspace, **fields, name="renamed", deleted=True)
    row = audited(platform.client, "workspace_build", old, time="2025-07-10T12:14:38Z")
    assert (row["resource_link"], row["is_deleted"]) == ("", True)


def test_where_nothing_is_mirrored_no_row_is_looked_for(owner: Client, transport: ObservedTransport) -> None:
    audited(owner, "template", str(uuid4()))
    platform_ids = [
        name
        for operation, request in transport.requests
        if operation == "BatchGetItem"
        for name in request["RequestItems"]
        if name.endswith("platform")
    ]
    assert platform_ids == []


def test_another_process_learns_that_the_platform_mirrors_something_in(platform: Platform) -> None:
    template = platform.template("rust")
    presence.forget()
    holds.forget()
    assert audited(platform.client, "template", template)["resource_link"] == "/templates/rust"


def test_the_directory_is_read_in_the_call_that_reads_names(platform: Platform, transport: ObservedTransport) -> None:
    plain, template = str(uuid4()), platform.template("rust")
    calls = {}
    for resource_type, resource_id in (("license", plain), ("template", template)):
        audited(platform.client, resource_type, resource_id)
        transport.requests.clear()
        platform.client.get("/api/v2/audit", query={"q": f"resource_id:{resource_id}"})
        calls[resource_type] = transport.operations
    assert calls["template"] == calls["license"]
