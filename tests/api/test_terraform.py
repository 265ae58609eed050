"""The requests that the Terraform provider makes of users, organizations and templates are answered as it waits for.

Each resource has the calls by which it is made, read, changed and destroyed, in their order and with their bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api import sdk
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from chalicelib.records import Organization
    from tests.api.conftest import Client, House

GROUP: sdk.Type = {
    "id": "uuid",
    "name": "string",
    "display_name": "string",
    "organization_id": "uuid",
    "organization_name": "string",
    "organization_display_name": "string",
    "avatar_url": "string",
    "quota_allowance": "int",
    "source": "string",
    "role": "string",
}
ACCESS: sdk.Type = {"users": [{"id": "uuid", "role": "string"}], "group": [GROUP]}
OWN = "/api/v2/users/me"


@pytest.fixture
def default(house: House) -> Organization:
    return house.organization("acme", is_default=True)


@pytest.fixture
def provider(owner: Client, default: Organization) -> Client:
    """A provider that is set up: the owner is a member of the default organization, as `make_owner` makes one."""
    assert owner.post(f"/api/v2/organizations/{default.id}/members/root").status == 200
    return owner


def test_it_takes_the_first_organization_of_its_user(provider: Client, default: Organization) -> None:
    me = provider.get(OWN).json
    sdk.decode(sdk.USER, me)
    assert me["organization_ids"] == [default.id]
    sdk.decode(sdk.ENTITLEMENTS, provider.get("/api/v2/entitlements").json)


def test_a_user_is_made_read_changed_and_destroyed(provider: Client, default: Organization) -> None:
    made = provider.post(
        "/api/v2/users",
        {
            "email": "ann@example.com",
            "username": "ann",
            "name": "Ann",
            "password": "",
            "login_type": "none",
            "user_status": "active",
            "organization_ids": [default.id],
        },
    )
    assert made.status == 201, made.text
    sdk.decode(sdk.USER, made.json)
    user = f"/api/v2/users/{made.json['id']}"
    assert provider.put(f"{user}/profile", {"username": "ann", "name": "Ann"}).json["name"] == "Ann"
    roles = provider.put(f"{user}/roles", {"roles": ["auditor"]}).json["roles"]
    assert [role["name"] for role in roles] == ["auditor"]
    read = provider.get(user).json
    assert (read["status"], read["login_type"], read["organization_ids"]) == ("active", "none", [default.id])
    assert provider.put(f"{user}/status/suspend").json["status"] == "suspended"
    assert provider.get("/api/v2/users/ann").json["status"] == "suspended"
    assert provider.put(f"{user}/status/activate").json["status"] == "active"
    assert provider.delete(user).status == 200
    assert provider.get(user).json["deleted"]


def test_an_organization_is_made_read_changed_and_destroyed(provider: Client) -> None:
    body = {"name": "blue", "display_name": "Blue", "description": "An organization", "icon": "/emojis/1fad0.png"}
    made = provider.post("/api/v2/organizations", body)
    assert made.status == 201
    sdk.decode(sdk.ORGANIZATION, made.json)
    organization = f"/api/v2/organizations/{made.json['id']}"
    assert provider.get(organization).json == made.json
    changed = provider.patch(organization, {**body, "display_name": "Blueberry"})
    assert (changed.status, changed.json["display_name"]) == (200, "Blueberry")
    assert provider.delete(organization).status == 200
    assert provider.get(organization).status == 404


def test_the_default_organization_is_read_with_its_members(provider: Client, default: Organization) -> None:
    organization = provider.get("/api/v2/organizations/default").json
    assert (organization["id"], organization["is_default"]) == (default.id, True)
    (member,) = provider.get(f"/api/v2/organizations/{default.id}/members").json
    assert member["username"] == "root"


@pytest.mark.parametrize("closed", [False, True])
def test_a_template_is_read_with_who_may_use_it(
    provider: Client, house: House, default: Organization, *, closed: bool
) -> None:
    platform = Platform(provider, default.id)
    template = platform.template("rust", disable_everyone_group_access=closed)
    sdk.decode(sdk.TEMPLATE, provider.get(f"/api/v2/organizations/{default.id}/templates/rust").json)
    access = provider.get(f"/api/v2/templates/{template}/acl").json
    sdk.decode(ACCESS, access)
    assert access["users"] == []
    assert [(group["id"], group["role"]) for group in access["group"]] == ([] if closed else [(default.id, "use")])
    member = house.client(house.user("bob", organizations={default.id: ()}))
    assert member.get(f"/api/v2/templates/{template}").status == (404 if closed else 200)
    assert member.get(f"/api/v2/templates/{template}/acl").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/organizations/{acme}/templates"),
        ("PATCH", "/settings/idpsync/organization/config"),
        ("PATCH", "/settings/idpsync/organization/mapping"),
        ("POST", "/organizations/{acme}/provisionerkeys"),
        ("POST", "/licenses"),
        ("POST", "/workspaceproxies"),
        ("POST", "/organizations/{acme}/groups"),
    ],
)
def test_other_resources_say_in_one_sentence_who_has_them(
    provider: Client, default: Organization, method: str, path: str
) -> None:
    reply = provider.send(method, f"/api/v2{path.format(acme=default.id)}", {})
    assert reply.status == 501
    assert reply.json["message"].endswith(": ask it.")
