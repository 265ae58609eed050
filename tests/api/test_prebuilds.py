"""Nobody schedules a prebuilt workspace here, nor any other; and whether the platform is to make prebuilt ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chalicelib.records.directory import PREBUILDS_USER
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House

SCHEDULES = {
    "autostart": "Autostart is not supported for prebuilt workspaces",
    "ttl": "TTL updates are not supported for prebuilt workspaces",
    "dormant": "Dormancy updates are not supported for prebuilt workspaces",
    "extend": "Deadline extension is not supported for prebuilt workspaces",
}


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


@pytest.mark.parametrize(("what", "message"), SCHEDULES.items())
def test_a_prebuilt_workspace_is_not_scheduled(platform: Platform, ann: User, what: str, message: str) -> None:
    template = platform.template("rust")
    prebuilt = platform.workspace(PREBUILDS_USER, template, "prebuild")
    claimed = platform.workspace(ann.id, template, "dev")
    put = platform.client.put
    refused = put(f"/api/v2/workspaces/{prebuilt}/{what}", {})
    assert (refused.status, refused.json["message"]) == (409, message)
    assert "preset" in refused.json["detail"] or "regular workspaces" in refused.json["detail"]
    assert put(f"/api/v2/workspaces/{claimed}/{what}", {}).status == 501
    assert put(f"/api/v2/workspaces/{prebuilt}/{what}", "{").status == 400
    assert put(f"/api/v2/workspaces/{uuid4()}/{what}", {}).status == 404


def test_making_prebuilds_is_paused_with_a_trail(platform: Platform, trail: Callable[[], list[AuditLog]]) -> None:
    path = "/api/v2/prebuilds/settings"
    client = platform.client
    assert client.get(path).json == {"reconciliation_paused": False}
    assert client.put(path, {"reconciliation_paused": False}).status == 304
    assert client.put(path, {"reconciliation_paused": True}).json == {"reconciliation_paused": True}
    assert client.get(path).json == {"reconciliation_paused": True}
    (row,) = (row for row in trail() if row.resource_type == "prebuilds_settings")
    assert row.diff["reconciliation_paused"]["new"] is True
    assert client.put(path, {"reconciliation_paused": False}).status == 200
    assert client.put(path, {}).status == 400


def test_who_may_not_change_the_settings_learns_that_first(house: House) -> None:
    client = house.client(house.user("carl"))
    reply = client.put("/api/v2/prebuilds/settings", {"reconciliation_paused": False})
    assert reply.status == 403
