"""The platform mirrors in whole objects, the newest version of each, one by one or in batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.platform.kinds import KINDS
from tests.api.platform_house import PATHS, Platform, ago
from tests.transport import ObservedTransport, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.api.conftest import Client, House, Reply
    from tests.transport import Send


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def batch(client: Client, *lines: object, **query: str) -> Reply:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return client.put("/api/v2/directory", "\n".join(texts), query=query or None)


def template(platform: Platform, **fields: Any) -> dict[str, Any]:
    values = {"kind": "template", "id": str(uuid4()), "organization_id": platform.organization_id, "name": "rust"}
    return {**values, **fields}


def test_every_kind_has_a_path_of_its_own() -> None:
    assert set(PATHS) == set(KINDS)


def test_a_version_is_created_repeated_replaced_and_never_replaced_by_an_older_one(platform: Platform) -> None:
    object_id, at = str(uuid4()), ago(minutes=2)
    fields = {"organization_id": platform.organization_id, "name": "one"}
    answers = [
        platform.send("template", object_id, **{**fields, **more})
        for more in (
            {"updated_at": at},
            {"updated_at": at},
            {"updated_at": ago(minutes=1), "name": "two"},
            {"updated_at": at, "name": "three"},
            {"name": "four"},
        )
    ]
    assert [(reply.status, reply.json["status"]) for reply in answers] == [
        (201, "created"),
        (200, "unchanged"),
        (200, "updated"),
        (200, "older"),
        (200, "updated"),
    ]
    assert platform.client.get(f"/api/v2/templates/{object_id}").json["name"] == "four"


def test_what_a_body_leaves_out_has_its_default(platform: Platform) -> None:
    object_id = platform.template("rust", description="long")
    platform.put("template", object_id, name="rust", organization_id=platform.organization_id)
    assert platform.client.get(f"/api/v2/templates/{object_id}").json["description"] == ""


@pytest.mark.parametrize("field", ["updated_at", "created_at"])
def test_a_version_of_the_future_keeps_no_later_one_out(platform: Platform, field: str) -> None:
    fields = {"organization_id": platform.organization_id, "name": "rust", field: "9999-12-31T23:59:59Z"}
    reply = platform.send("template", str(uuid4()), **fields)
    assert (reply.status, reply.json["validations"][0]["field"]) == (400, field)


def test_of_a_batch_every_line_is_answered(platform: Platform) -> None:
    one = template(platform)
    reply = batch(
        platform.client, one, {**one, "name": "", "id": str(uuid4())}, {"kind": "planet"}, "{", {**one, "name": "go"}
    )
    statuses = [result["status"] for result in reply.json["results"]]
    assert statuses == ["older", "rejected", "rejected", "rejected", "created"]
    assert (reply.json["created"], reply.json["rejected"]) == (1, 3)
    assert platform.client.get(f"/api/v2/templates/{one['id']}").json["name"] == "go"
    problems = batch(platform.client, one, "{", results="problems").json["results"]
    assert [result["index"] for result in problems] == [1]


def test_of_versions_of_one_object_in_a_batch_the_newest_is_stored(platform: Platform) -> None:
    newer = template(platform, name="newer", updated_at=ago(minutes=1))
    older = {**newer, "name": "older", "updated_at": ago(minutes=2)}
    reply = batch(platform.client, newer, older)
    assert [result["status"] for result in reply.json["results"]] == ["created", "older"]
    assert platform.client.get(f"/api/v2/templates/{newer['id']}").json["name"] == "newer"


def test_a_batch_that_the_store_takes_in_part_is_to_be_sent_again(
    platform: Platform, transport: ObservedTransport
) -> None:
    good, bad = template(platform), template(platform, name="bad")
    refused = f"template#{bad['id']}"

    def throttled(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and request["Key"]["id"]["S"] == refused:
            raise refusal("ThrottlingException")
        return send(operation, request)

    transport.intercept(throttled)
    reply = batch(platform.client, good, bad)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert [result["status"] for result in reply.json["results"]] == ["created", "failed"]
    transport.restore()
    again = batch(platform.client, good, bad)
    assert (again.status, again.json["created"]) == (200, 1)


def test_a_right_in_one_organization_mirrors_nothing(platform: Platform, house: House) -> None:
    roles = {platform.organization_id: ("organization-admin",)}
    client = house.client(house.user("ann", organizations=roles))
    line = template(platform)
    assert client.put(f"/api/v2/templates/{line['id']}", line).status == 403
    assert batch(client, line).json["rejected"] == 1
    assert platform.client.get(f"/api/v2/templates/{line['id']}").status == 404


def test_a_token_mirrors_the_objects_that_its_allow_list_names(platform: Platform, house: House) -> None:
    named, other = template(platform), template(platform)
    root = house.user("platform", "owner")
    client = house.client(root, scopes=("template:update",), allow_list=(f"template:{named['id']}",))
    assert batch(client, named, other).json | {"results": []} == {
        "created": 1, "updated": 0, "unchanged": 0, "older": 0, "rejected": 1, "failed": 0, "results": [],
    }  # fmt: skip


def test_a_token_of_one_object_takes_no_part_from_another(platform: Platform, house: House, owner: Client) -> None:
    ann = house.user("ann")
    one, other = platform.template("one"), platform.template("other")
    mine, theirs = platform.version(one), platform.version(other)
    workspaces = [platform.workspace(ann.id, one, name) for name in ("mine", "theirs")]
    builds = [platform.build(workspace, mine) for workspace in workspaces]
    named = (f"template:{one}", f"workspace:{workspaces[0]}")
    narrow = house.client(
        house.user("platform", "owner"), scopes=("template:update", "workspace:update"), allow_list=named
    )
    taken: list[tuple[str, str, dict[str, Any]]] = [
        (
            "template_version",
            theirs,
            {"organization_id": platform.organization_id, "template_id": one, "name": "taken"},
        ),
        ("workspace_build", builds[1], {"workspace_id": workspaces[0], "template_version_id": mine, "build_number": 9}),
    ]
    for kind, object_id, fields in taken:
        body = {**fields, "transition": "start"}
        assert narrow.put(f"/api/v2/{PATHS[kind]}/{object_id}", body).status == 403
        assert batch(narrow, {"kind": kind, "id": object_id, **body}).json["rejected"] == 1
    assert owner.get(f"/api/v2/templateversions/{theirs}").json["template_id"] == other
    assert owner.get(f"/api/v2/workspacebuilds/{builds[1]}").json["workspace_id"] == workspaces[1]
    own = {"workspace_id": workspaces[0], "template_version_id": mine, "build_number": 1, "transition": "stop"}
    assert narrow.put(f"/api/v2/workspacebuilds/{builds[0]}", own).status == 200
    assert narrow.put(f"/api/v2/workspacebuilds/{uuid4()}", {**own, "build_number": 2}).status == 201


def test_an_object_that_no_item_holds_is_refused(platform: Platform) -> None:
    reply = platform.send(
        "template_version",
        str(uuid4()),
        organization_id=platform.organization_id,
        name="v1",
        readme="x" * 99_000,
        message="y" * 8_000,
        warnings=["z" * 1_000] * 16,
        presets=[{"id": str(uuid4()), "name": f"p{number}"} for number in range(200)],
    )
    assert reply.status == 413
