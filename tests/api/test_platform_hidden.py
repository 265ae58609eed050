"""Rows that a reader may not see neither spend what their query may read nor are told by it, and a cut is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from chalicelib.api import answer_limits
from chalicelib.settings import current
from tests.api.platform_house import ago

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

MOST_ROWS = 12
OTHERS = 20
TEMPLATES = (
    "",
    "exact_name:rust",
    "exact_display_name:rust",
    "name:us",
    "display_name:us",
    "deleted:true",
    "deprecated:true",
    "author:root",
    "has_external_agent:false",
    "organization:acme",
)
WORKSPACES = (
    "",
    "owner:mia",
    "name:de",
    "template:rust",
    "status:pending",
    "has_external_agent:false",
    "has-agent:connected",
    "dormant:true",
    "outdated:false",
    "outdated:true",
    "deleted:true",
    'last_used_after:"2020-01-01T00:00:00Z"',
    'last_used_before:"2100-01-01T00:00:00Z"',
    "organization:acme",
)
ASKED = [*(("templates", query) for query in TEMPLATES), *(("workspaces", query) for query in WORKSPACES)]


class Place(NamedTuple):
    """An organization with one object for each query.

    Attributes:
        template_id: of a template that is in use.
        workspace_id: of a workspace that is in use.
    """

    template_id: str
    workspace_id: str


def objects(place: Place, organization_id: str, owner_id: str, author_id: str) -> list[dict[str, Any]]:
    of = {"organization_id": organization_id}
    named = {**of, "kind": "template", "name": "rust", "display_name": "Rust", "created_by_id": author_id}
    active, build = str(uuid4()), str(uuid4())
    owned = {
        **of,
        "kind": "workspace",
        "owner_id": owner_id,
        "last_used_at": ago(hours=1),
        "name": "dev",
        "template_id": place.template_id,
    }
    made = {"workspace_id": place.workspace_id, "template_version_id": str(uuid4()), "transition": "start"}
    return [
        {**named, "id": place.template_id, "active_version_id": active},
        {**named, "id": str(uuid4()), "deprecation_message": "old"},
        {**named, "id": str(uuid4()), "deleted": True},
        {**owned, "id": place.workspace_id},
        {**owned, "id": str(uuid4()), "dormant_at": ago(days=1), "name": "devil"},
        {**owned, "id": str(uuid4()), "deleted": True},
        {**made, "kind": "workspace_build", "id": build, "build_number": 1},
        {
            "kind": "workspace_agent",
            "id": str(uuid4()),
            "workspace_build_id": build,
            "name": "m",
            "status": "connected",
        },
    ]


class World(NamedTuple):
    """One organization among many.

    Attributes:
        readers: of that one alone, or of one object in it.
        somebody: who has more than a query may read.
    """

    readers: dict[str, Client]
    somebody: Client


@pytest.fixture
def world(owner: Client, root: User, house: House) -> World:
    acme, *others = (house.organization(name) for name in ("acme", *(f"other-{number}" for number in range(OTHERS))))
    mia = house.user("mia", organizations={acme.id: ()})
    admin = house.user("adm", organizations={acme.id: ("organization-admin",)})
    bob = house.user("bob", organizations={one.id: () for one in others})
    places = [Place(str(uuid4()), str(uuid4())) for _ in (acme, *others)]
    lines = objects(places[0], acme.id, mia.id, root.id)
    for place, one in zip(places[1:], others, strict=True):
        lines += objects(place, one.id, bob.id, root.id)
    reply = owner.put("/api/v2/directory", "\n".join(map(json.dumps, lines)))
    assert (reply.status, reply.json["rejected"]) == (200, 0), reply.text
    named = (f"template:{places[0].template_id}", f"workspace:{places[0].workspace_id}")
    readers = {
        "member": house.client(mia),
        "administrator": house.client(admin),
        "token that names objects": house.client(root, allow_list=named),
        "member's token that names objects": house.client(mia, allow_list=named),
    }
    return World(readers, house.client(bob))


def ask(client: Client, path: str, query: str) -> Reply:
    reply = client.get(f"/api/v2/{path}", query={"q": query})
    assert reply.status == 200, reply.text
    return reply


def ids(reply: Reply) -> list[str]:
    listed = reply.json if isinstance(reply.json, list) else reply.json["workspaces"]
    return [one["id"] for one in listed]


def is_partial(reply: Reply) -> bool:
    return reply.headers.get("gatebook-partial") == "true" or "partial" in reply.text.rpartition("]")[2]


@pytest.mark.parametrize(("path", "query"), ASKED)
def test_rows_of_others_spend_nothing(world: World, monkeypatch: pytest.MonkeyPatch, path: str, query: str) -> None:
    everything = {name: ids(ask(client, path, query)) for name, client in world.readers.items()}
    assert any(everything.values())
    monkeypatch.setattr(answer_limits, "current", lambda: replace(current(), max_rows_read=MOST_ROWS))
    for name, client in world.readers.items():
        reply = ask(client, path, query)
        assert ids(reply) == everything[name], name
        assert not is_partial(reply), name


@pytest.mark.parametrize(("path", "query"), ASKED)
def test_an_answer_that_lacks_something_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, query: str
) -> None:
    everything = ids(ask(world.somebody, path, query))
    monkeypatch.setattr(answer_limits, "current", lambda: replace(current(), max_rows_read=MOST_ROWS))
    reply = ask(world.somebody, path, query)
    assert {*ids(reply)} <= {*everything}
    assert is_partial(reply) or ids(reply) == everything


def test_a_list_of_jobs_that_was_not_read_to_its_end_goes_on(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = house.organization("acme").id
    lines = [
        {
            "kind": "provisioner_job",
            "id": str(uuid4()),
            "organization_id": acme,
            "initiator_id": str(uuid4()),
            "type": "workspace_build",
            "created_at": ago(minutes=number),
            "tags": {"even": str(number % 2)},
        }
        for number in range(1, 41)
    ]
    assert owner.put("/api/v2/directory", "\n".join(map(json.dumps, lines))).json["created"] == len(lines)
    monkeypatch.setattr(answer_limits, "current", lambda: replace(current(), max_rows_read=MOST_ROWS))
    path = f"/api/v2/organizations/{acme}/provisionerjobs"
    reply = owner.get(path, query={"limit": "0"})
    listed: list[str] = []
    while True:
        listed += [job["id"] for job in reply.json]
        if not is_partial(reply):
            break
        assert reply.headers["link"]
        reply = owner.get(path, query={"limit": "0", "after_id": listed[-1]})
    assert listed == [line["id"] for line in lines]
    objects_named = (f"organization:{acme}", f"provisioner_jobs:{lines[-1]['id']}")
    named = house.client(house.user("sue", "owner"), allow_list=objects_named)
    for query in ({}, {"status": "pending"}, {"tags": '{"even":"0"}'}):
        reply = named.get(path, query=query)
        assert ([job["id"] for job in reply.json], is_partial(reply)) == ([lines[-1]["id"]], False), query
