"""Templates, versions and presets, as a Coder server with the same rows answers them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [row["name"] for row in reply.json]


def search(client: Client, query: str) -> list[str]:
    return names(client.get("/api/v2/templates", query={"q": query}))


def test_a_template_is_answered_with_every_field_that_clients_know(platform: Platform, root: User) -> None:
    version = str(uuid4())
    template = platform.template(
        "rust",
        display_name="Rust",
        created_by_id=root.id,
        active_version_id=version,
        cors_behavior="passthru",
        updated_at=ago(hours=1),
    )
    row = platform.client.get(f"/api/v2/templates/{template}").json
    assert row["organization_name"] == "acme"
    assert row["organization_display_name"] == "Acme"
    assert (row["created_by_name"], row["active_version_id"]) == ("root", version)
    assert (row["cors_behavior"], row["active_user_count"], row["deprecated"]) == ("passthru", -1, False)
    assert row["autostop_requirement"] == {"days_of_week": [], "weeks": 1}
    assert platform.client.get("/api/v2/organizations/acme/templates/rust").json == row
    assert platform.client.get("/api/v2/organizations/default/templates/rust").status == 404


@pytest.mark.parametrize("value", ["all", 7])
def test_an_unknown_behaviour_of_cors_is_refused(platform: Platform, value: object) -> None:
    fields = {"organization_id": platform.organization_id, "name": "rust", "cors_behavior": value}
    reply = platform.send("template", str(uuid4()), **fields)
    (validation,) = reply.json["validations"]
    assert reply.status == 400
    assert validation["field"] == "cors_behavior"
    assert validation["detail"].endswith("Must be one of [simple, passthru]")


def test_templates_are_searched_by_each_key(platform: Platform, house: House) -> None:
    ann = house.user("ann")
    there = house.organization("elsewhere").id
    rust = platform.template("rust", display_name="Rust stable", created_by_id=ann.id, deprecation_message="old")
    external = platform.template("outside", active_version_id=(version := str(uuid4())))
    platform.version(external, has_external_agent=True)
    platform.put("template_version", version, organization_id=there, template_id=external, name="v2")
    platform.template("gone", deleted=True)
    platform.template("Rusty", organization_id=there)
    client = platform.client
    assert search(client, "") == ["outside", "Rusty"]
    assert search(client, 'exact_name:"rusty"') == ["Rusty"]
    assert search(client, 'exact_name:"rust"') == search(client, f"ids:{rust}") == search(client, "author:ann") == []
    assert search(client, 'exact_name:"rust" deprecated:true') == ["rust"]
    assert search(client, "rust") == search(client, "name:rust") == ["Rusty"]
    assert search(client, 'exact_display_name:"rust stable" deprecated:true') == ["rust"]
    assert search(client, "display_name:stable deprecated:true") == ["rust"]
    assert search(client, "organization:elsewhere") == search(client, f"organization:{there}") == ["Rusty"]
    assert search(client, "organization:nowhere") == []
    assert search(client, "deleted:true") == ["gone"]
    assert search(client, "deprecated:true") == search(client, f"author_id:{ann.id} deprecated:true") == ["rust"]
    assert search(client, "deprecated:false") == ["outside", "Rusty"]
    assert search(client, "author:ann deprecated:true") == ["rust"]
    assert search(client, "author:me") == search(client, "author:nobody") == search(client, "has-ai-task:true") == []
    assert search(client, f"ids:{rust},{external}") == ["outside"]
    assert search(client, f"ids:{rust},{external} deprecated:true") == ["rust"]
    assert search(client, "has_external_agent:true") == []
    platform.put(
        "template_version", version, organization_id=there, template_id=external, name="v2", has_external_agent=True
    )
    assert search(client, "has_external_agent:true") == ["outside"]
    assert search(client, "has_external_agent:false") == ["Rusty"]
    assert search(client, "has_external_agent:false deprecated:true") == ["rust"]
    assert names(client.get("/api/v2/organizations/acme/templates")) == ["outside"]
    assert client.get("/api/v2/organizations/acme/templates/rust").json["deprecated"]
    wrong = client.get("/api/v2/templates", query={"q": "colour:red"})
    assert (wrong.status, wrong.json["message"]) == (400, "Invalid template search query.")


def test_versions_by_id_and_by_name(platform: Platform, root: User) -> None:
    template = platform.template("rust")
    job = platform.job(type="template_version_import", completed_at=ago(minutes=1))
    one = platform.version(template, "v1", created_at=ago(hours=2), job_id=job, created_by_id=root.id)
    platform.version(template, "v2", created_at=ago(hours=1), archived=True, warnings=["DEPRECATED_PARAMETERS"])
    client = platform.client
    row = client.get(f"/api/v2/templateversions/{one}").json
    assert (row["name"], row["template_id"], row["created_by"]["username"]) == ("v1", template, "root")
    assert (row["job"]["id"], row["job"]["status"], row["has_external_agent"]) == (job, "succeeded", False)
    assert client.get(f"/api/v2/templates/{template}/versions/v1").json == row
    assert client.get("/api/v2/organizations/acme/templates/rust/versions/v1").json == row
    missing = client.get(f"/api/v2/templates/{template}/versions/v9")
    assert (missing.status, missing.json["message"]) == (404, 'No template version found by name "v9".')
    path = f"/api/v2/templates/{template}/versions"
    assert names(client.get(path)) == ["v1"]
    assert names(client.get(path, query={"include_archived": "true"})) == ["v1", "v2"]
    assert client.get(path, query={"include_archived": "true"}).json[1]["job"]["status"] == "unknown"


def test_each_preset_has_its_own_parameters(platform: Platform) -> None:
    template = platform.template("rust")
    presets: list[dict[str, Any]] = [
        {"id": str(uuid4()), "name": name, "parameters": [{"name": "size", "value": name}]} for name in ("big", "small")
    ]
    presets.append({"id": str(uuid4()), "name": "bare", "default": True, "desired_prebuild_instances": 2})
    with_presets, without = platform.version(template, presets=presets), platform.version(template, "v2")
    pair = [{"name": "size", "value": "8"}, {"name": "region", "value": "eu"}]
    presets.append({"id": str(uuid4()), "name": "pair", "parameters": pair})
    platform.put(
        "template_version", with_presets, organization_id=platform.organization_id, template_id=template, name="v1",
        presets=presets,
    )  # fmt: skip
    rows = platform.client.get(f"/api/v2/templateversions/{with_presets}/presets").json
    assert [row["Parameters"] for row in rows] == [
        [{"Name": "size", "Value": "big"}],
        [{"Name": "size", "Value": "small"}],
        None,
        [{"Name": "size", "Value": "8"}, {"Name": "region", "Value": "eu"}],
    ]
    assert rows[2] == {
        "ID": presets[2]["id"],
        "Name": "bare",
        "Parameters": None,
        "Default": True,
        "DesiredPrebuildInstances": 2,
        "Description": "",
        "Icon": "",
    }
    assert platform.client.get(f"/api/v2/templateversions/{without}/presets").text == "null\n"


def test_a_member_reads_the_templates_of_their_organization_that_are_open_to_it(
    platform: Platform, house: House
) -> None:
    there = house.organization("elsewhere").id
    opened = platform.template("opened")
    closed = platform.template("closed", disable_everyone_group_access=True)
    foreign = platform.template("foreign", organization_id=there)
    version = platform.version(closed)
    member = house.user("ann", organizations={platform.organization_id: ()})
    client = house.client(member)
    assert search(client, "") == ["opened"]
    assert client.get(f"/api/v2/templates/{opened}").status == 200
    for path in (f"templates/{closed}", f"templates/{foreign}", f"templateversions/{version}"):
        assert client.get(f"/api/v2/{path}").status == 404
    assert search(house.client(member, scopes=("workspace:read",)), "") == []
    assert search(house.client(member, allow_list=(f"template:{uuid4()}",)), "") == []


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 5),
        ("exact_name:rust", 1),
        ('exact_display_name:"Rust 1"', 1),
        ("author:ann", 5),
        ("author_id:{ann}", 5),
        ("organization:acme", 5),
        ("deprecated:true", 5),
        ("has_external_agent:true", 5),
        ("ids:{ids}", 5),
        ("deleted:true", 5),
    ],
)
def test_a_filter_reads_the_templates_that_it_answers(
    platform: Platform, house: House, transport: ObservedTransport, query: str, number: int
) -> None:
    ann, there, ids = house.user("ann").id, house.organization("elsewhere").id, []
    for index, deprecated in product(range(5), (False,) if "deleted" in query else (False, True)):
        version = str(uuid4())
        fields = {"created_by_id": ann, "deprecation_message": "old" * deprecated, "active_version_id": version}
        name = "rust" if index == 0 else f"rust-{index}"
        template = platform.template(name, display_name=f"Rust {index}", deleted="deleted" in query, **fields)
        ids += [] if deprecated else [template]
        platform.put(
            "template_version",
            version,
            organization_id=platform.organization_id,
            template_id=template,
            name="v1",
            has_external_agent=True,
        )
    if query:
        for index in range(10):
            platform.template(f"other-{index}", organization_id=there)
    read = 0

    def counting(send: Any, operation: str, request: Any) -> dict[str, Any]:
        nonlocal read
        answer: dict[str, Any] = send(operation, request)
        if operation == "Query":
            read += answer["ScannedCount"]
        return answer

    transport.intercept(counting)
    listed = search(platform.client, query.replace("{ann}", ann).replace("{ids}", ",".join(ids)))
    assert len(listed) == number
    assert read <= 1.1 * number
