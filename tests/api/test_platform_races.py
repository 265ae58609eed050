"""Objects that change in several requests at once are answered as the last one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.records import User
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport, Send


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def overtaken(transport: ObservedTransport, action: Callable[[], object], attribute: str) -> None:
    """Have an action come to its end before the first update that writes an attribute."""
    begun = False

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal begun
        if not begun and attribute in request.get("ExpressionAttributeNames", {}).values():
            begun = True
            action()
        return send(operation, request)

    transport.intercept(fault)


def test_an_agent_that_is_back_at_once_is_not_lost(
    platform: Platform, root: User, transport: ObservedTransport
) -> None:
    template = platform.template("t")
    workspace = platform.workspace(root.id, template, "dev")
    build = platform.build(workspace, platform.version(template))
    agent = str(uuid4())

    def put(status: str, **age: float) -> None:
        platform.put(
            "workspace_agent", agent, workspace_build_id=build, name="main", status=status, updated_at=ago(**age)
        )

    put("connected", minutes=3)
    overtaken(transport, lambda: put("connected", minutes=1), "joined")
    put("disconnected", minutes=2)
    transport.restore()
    for status, number in (("connected", 1), ("disconnected", 0)):
        reply = platform.client.get("/api/v2/workspaces", query={"q": f"has-agent:{status}"})
        assert reply.json["count"] == number, status


def test_a_version_that_changes_twice_at_once_is_what_it_was_last(
    platform: Platform, transport: ObservedTransport
) -> None:
    template = platform.template("t")
    version = platform.version(template, updated_at=ago(minutes=3))
    platform.put("template", template, organization_id=platform.organization_id, name="t", active_version_id=version)

    def put(*, flag: bool, **age: float) -> None:
        platform.put(
            "template_version",
            version,
            organization_id=platform.organization_id,
            template_id=template,
            name="v1",
            has_external_agent=flag,
            updated_at=ago(**age),
        )

    overtaken(transport, lambda: put(flag=False, seconds=1), "joined")
    put(flag=True, minutes=2)
    transport.restore()
    reply = platform.client.get("/api/v2/templates", query={"q": "has_external_agent:true"})
    assert reply.json == []
