"""Every list that comes in pages names the next one in `Link`, and the links lead through every row once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.notifications.inbox_row import InboxRow
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.notifications import inbox
from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

Event = Callable[..., dict[str, Any]]
DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
PLACES = frozenset({"offset", "after_id", "cursor", "starting_before"})
"""The parameters that say where a page begins: a list that has one comes in pages."""
ROWS = 7


class World:
    """A house and a platform with more rows of every list than a page has."""

    def __init__(self, house: House, owner: Client, make_event: Event) -> None:
        self.owner = owner
        self.organization = house.organization("acme")
        members = [
            house.user(f"member-{number}", organizations={self.organization.id: ("organization-member",)})
            for number in range(ROWS)
        ]
        self.ann = members[0]
        self.as_ann = house.client(self.ann)
        for _ in range(ROWS):
            house.token(self.ann)
        for start in range(ROWS):
            assert owner.post("/api/v2/connectionlog", make_event(time=f"2025-07-10T10:00:{start:02}Z")).status == 200
            assert owner.post("/api/v2/audit/testgenerate", {"action": "write"}).status == 204
        platform = Platform(owner, self.organization.id)
        self.template = platform.template("docker")
        versions = [platform.version(self.template, f"v{number}") for number in range(ROWS)]
        workspaces = [platform.workspace(self.ann.id, self.template, f"dev-{number}") for number in range(ROWS)]
        self.workspace = workspaces[0]
        for number in range(ROWS):
            platform.build(self.workspace, versions[0], number + 1, created_at=ago(minutes=number))
            platform.daemon(f"daemon-{number}", last_seen_at=ago(seconds=number), created_at=ago(hours=1))
            platform.job(created_at=ago(minutes=number))
        now = times.now()
        for number in range(ROWS + inbox.PAGE_ROWS):
            row = InboxRow(str(uuid4()), self.ann.id, str(uuid4()), f"#{number}", "", "", (), now)
            transact([inbox.insertion(row)])


LISTS: dict[str, Callable[[World], tuple[Client, str]]] = {
    "/api/v2/audit": lambda world: (world.owner, "/api/v2/audit"),
    "/api/v2/connectionlog": lambda world: (world.owner, "/api/v2/connectionlog"),
    "/api/v2/notifications/inbox": lambda world: (world.as_ann, "/api/v2/notifications/inbox"),
    "/api/v2/organizations/{organization}/paginated-members": lambda world: _of_organization(
        world, "paginated-members"
    ),
    "/api/v2/organizations/{organization}/provisionerdaemons": lambda world: _of_organization(
        world, "provisionerdaemons"
    ),
    "/api/v2/organizations/{organization}/provisionerjobs": lambda world: _of_organization(world, "provisionerjobs"),
    "/api/v2/templates/{template}/versions": lambda world: (
        world.owner,
        f"/api/v2/templates/{world.template}/versions",
    ),
    "/api/v2/users": lambda world: (world.owner, "/api/v2/users"),
    "/api/v2/users/{user}/keys/tokens": lambda world: (world.as_ann, "/api/v2/users/me/keys/tokens"),
    "/api/v2/workspaces": lambda world: (world.owner, "/api/v2/workspaces"),
    "/api/v2/workspaces/{workspace}/builds": lambda world: (
        world.owner,
        f"/api/v2/workspaces/{world.workspace}/builds",
    ),
}
"""The lists that come in pages, as the document has them -> who asks, and where."""


def _of_organization(world: World, name: str) -> tuple[Client, str]:
    return world.owner, f"/api/v2/organizations/{world.organization.id}/{name}"


def rows_of(body: Any) -> list[str]:
    """The ids of the rows of a page, which is a list or an object with one list."""
    listed = body if isinstance(body, list) else next(rows for rows in body.values() if isinstance(rows, list))
    return [row.get("id") or row["user_id"] for row in listed]


def pages(client: Client, path: str, query: dict[str, str]) -> list[list[str]]:
    """The rows of each page, by following the links to the end."""
    met: list[list[str]] = []
    while len(met) < 100:
        reply = client.get(path, query=query or None)
        assert reply.status == 200, reply.text
        met.append(rows_of(reply.json))
        link = reply.headers.get("link")
        if link is None:
            return met
        target, _, relation = link.partition("; ")
        assert relation == 'rel="next"'
        query = dict(parse_qsl(target.removeprefix("<?").removesuffix(">"), strict_parsing=True))
    raise AssertionError("the links lead in a circle")


def operations() -> dict[str, tuple[set[str], dict[str, Any]]]:
    """Of each GET that answers a list, its parameters and the headers of its answer."""
    known = {}
    for path, methods in DOCUMENT["paths"].items():
        get = methods.get("get")
        if get and "200" in get["responses"]:
            names = {one["name"] for one in get.get("parameters", ()) if one.get("in") == "query"}
            known[path] = (names, get["responses"]["200"].get("headers", {}))
    return known


def test_the_document_has_a_link_for_every_list_that_comes_in_pages() -> None:
    paged = {path: headers for path, (names, headers) in operations().items() if names & PLACES}
    assert {*paged} == {*LISTS}
    assert [path for path, headers in paged.items() if "Link" not in headers] == []
    assert [path for path, (names, _) in operations().items() if "limit" in names and path not in LISTS] == []


@pytest.fixture
def world(house: House, owner: Client, make_event: Event) -> World:
    return World(house, owner, make_event)


def test_the_links_of_every_list_lead_through_every_row_once_and_end(world: World) -> None:
    for name, place in LISTS.items():
        client, path = place(world)
        names, _ = operations()[name]
        sizes = [{"limit": str(limit)} for limit in (1, 3, ROWS)] if "limit" in names else [{}]
        whole = [row for page in pages(client, path, {"limit": "500"} if "limit" in names else {}) for row in page]
        assert len(whole) >= ROWS, name
        assert len({*whole}) == len(whole), name
        for size in sizes:
            met = pages(client, path, size)
            assert [row for page in met for row in page] == whole, (name, size)
            assert len(met) > 1 or len(whole) == ROWS, (name, size)
            assert all(met), f"{name}: the last page is the one that has the last row"


def test_a_link_has_every_value_of_a_parameter_and_no_token(world: World) -> None:
    client, path = LISTS["/api/v2/organizations/{organization}/provisionerjobs"](world)
    query = {"limit": "1", "status": ["pending", "running"], "coder_session_token": client.token}
    reply = client.get(path, query=query)
    assert reply.status == 200
    link = reply.headers["link"]
    assert "status=pending&status=running" in link
    assert client.token not in link
    assert len(pages(client, path, {"limit": "3", "status": "pending,running"})) == 3
