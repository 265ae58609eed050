"""Answers are as large as Lambda takes, and items as large as DynamoDB takes, whatever a platform sends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.models.base import SHORT_TEXT
from chalicelib.models.sending import bytes_sent
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.sizes import item_bytes
from chalicelib.store.platform.rows import TABLE
from tests.api.platform_house import Platform

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House

LARGEST_ANSWER = 6_000_000
LARGEST_ITEM = 400 * 1024
LETTER = "\U0001f980"
"""It takes twelve bytes where Lambda sends it, and four in an item."""


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def largest_item() -> int:
    return max(item_bytes(item) for item in call("Scan", {"TableName": TABLE})["Items"])


def sent(platform: Platform, lines: list[dict[str, Any]]) -> None:
    reply = platform.client.put("/api/v2/directory", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    assert (reply.status, reply.json["rejected"]) == (200, 0), reply.text


def test_a_build_of_many_large_agents_has_room_in_every_answer(platform: Platform, root: User) -> None:
    template = platform.template("t")
    workspace = platform.workspace(root.id, template, "dev")
    resources = [{"id": str(uuid4()), "type": LETTER * 300, "name": LETTER * 300} for _ in range(180)]
    build = platform.build(workspace, platform.version(template), resources=resources)
    texts = ("architecture", "operating_system", "directory", "version", "instance_id")
    agent = {"kind": "workspace_agent", "workspace_build_id": build, "name": "main"}
    large = dict.fromkeys(texts, LETTER * SHORT_TEXT)
    for _ in range(2):
        sent(platform, [{**agent, **large, "id": str(uuid4())} for _ in range(120)])
    for path in (
        "workspaces",
        f"workspaces/{workspace}",
        f"workspaces/{workspace}/builds",
        f"workspacebuilds/{build}",
        "users/root/workspace/dev",
    ):
        reply = platform.client.get(f"/api/v2/{path}")
        assert (reply.status, bytes_sent(reply.text) < LARGEST_ANSWER) == (200, True), path
        assert {"main"} == {*re.findall(r'"name":"(main)"', reply.text)}, path


@pytest.mark.parametrize("kind", ["provisioner_job", "provisioner_daemon"])
def test_the_largest_tags_have_room_where_they_are_noted(platform: Platform, kind: str) -> None:
    tags = {f"{number:02d}" + LETTER * 254: LETTER * 256 for number in range(64)}
    job = {"initiator_id": str(uuid4()), "type": "workspace_build"}
    fields = job if kind == "provisioner_job" else {"name": "d"}
    platform.put(kind, organization_id=platform.organization_id, tags=tags, **fields)
    assert largest_item() < LARGEST_ITEM
    name, value = next(iter(tags.items()))
    reply = (platform.jobs if kind == "provisioner_job" else platform.daemons)(tags=json.dumps({name: value}))
    assert len(reply.json) == 1
