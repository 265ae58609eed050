"""Requests that end at any of their calls and are sent again, and all changes, leave what is stored as it must be.

Every kind of object comes, changes, moves to another object, goes and comes back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.platform.kinds import KINDS
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.platform import distinct
from chalicelib.store.platform.rows import TABLE
from chalicelib.store.platform.update import REVISION
from tests.api.platform_house import PATHS, ago
from tests.transport import UNANSWERED, ObservedTransport

if TYPE_CHECKING:
    from tests.api.conftest import Client, Clock, House
    from tests.transport import Fault, Send

Fields = Mapping[str, Any]


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


TEMPLATE, OTHER_TEMPLATE, VERSION, WORKSPACE, OTHER_WORKSPACE = map(id_of, range(1, 6))
BUILD, EARLIER_BUILD, OTHER_BUILD, AGENT, DAEMON, OTHER_DAEMON, JOB = map(id_of, range(6, 13))
ACME, ELSEWHERE, SOMEBODY = map(id_of, range(21, 24))
OF_VERSION = {"template_version_id": VERSION, "transition": "start"}
HOME = {"organization_id": ACME}
AWAY = {"organization_id": ELSEWHERE}
BODIES: Mapping[str, tuple[str, Fields]] = {
    TEMPLATE: ("template", {**HOME, "name": "rust", "display_name": "Ru", "active_version_id": VERSION}),
    OTHER_TEMPLATE: ("template", {**HOME, "name": "go"}),
    VERSION: ("template_version", {**HOME, "template_id": TEMPLATE, "name": "v1"}),
    WORKSPACE: ("workspace", {**HOME, "owner_id": SOMEBODY, "template_id": TEMPLATE, "name": "dev"}),
    OTHER_WORKSPACE: ("workspace", {**HOME, "owner_id": SOMEBODY, "template_id": TEMPLATE, "name": "box"}),
    BUILD: (
        "workspace_build",
        {**OF_VERSION, "workspace_id": WORKSPACE, "build_number": 3, "job_id": JOB},
    ),
    EARLIER_BUILD: ("workspace_build", {**OF_VERSION, "workspace_id": WORKSPACE, "build_number": 2}),
    OTHER_BUILD: ("workspace_build", {**OF_VERSION, "workspace_id": OTHER_WORKSPACE, "build_number": 1}),
    AGENT: ("workspace_agent", {"workspace_build_id": BUILD, "name": "main", "status": "connected"}),
    DAEMON: ("provisioner_daemon", {**HOME, "name": "d", "last_seen_at": ago(seconds=9)}),
    OTHER_DAEMON: ("provisioner_daemon", {**HOME, "name": "e", "last_seen_at": ago(seconds=9)}),
    JOB: (
        "provisioner_job",
        {
            **HOME,
            "initiator_id": SOMEBODY,
            "type": "workspace_build",
            "input": {"workspace_build_id": BUILD},
            "started_at": ago(minutes=5),
            "worker_id": DAEMON,
        },
    ),
}
"""A small platform: id -> kind and fields."""


@dataclass(frozen=True)
class Case:
    """One request, on the small platform without the objects that are `absent`.

    Attributes:
        changes: of the fields of the object.
        before: changes that the object had, as one that comes back.
    """

    object_id: str
    name: str
    changes: Fields = field(default_factory=dict)
    before: Fields = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return BODIES[self.object_id][0]

    def body(self, changes: Fields, age: float) -> Fields:
        return {"updated_at": ago(minutes=age), "created_at": ago(days=1), **BODIES[self.object_id][1], **changes}


CASES = [
    *(Case(object_id, "comes last", absent=(object_id,)) for object_id in BODIES),
    *(Case(object_id, "is as it was") for object_id in BODIES),
    Case(TEMPLATE, "is renamed", {"name": "crust", "display_name": "Crust"}),
    Case(TEMPLATE, "moves", AWAY),
    Case(TEMPLATE, "is deprecated", {"deprecation_message": "old"}),
    Case(TEMPLATE, "goes", {"deleted": True}),
    Case(TEMPLATE, "comes back", before={"deleted": True}),
    Case(TEMPLATE, "has another version", {"active_version_id": id_of(99)}),
    Case(VERSION, "has an external agent", {"has_external_agent": True}),
    Case(VERSION, "moves", {"template_id": OTHER_TEMPLATE}),
    Case(WORKSPACE, "is renamed", {"name": "devil"}),
    Case(WORKSPACE, "moves to another template", {"template_id": OTHER_TEMPLATE}),
    Case(WORKSPACE, "moves to another organization", AWAY),
    Case(WORKSPACE, "moves to another owner", {"owner_id": id_of(98)}),
    Case(WORKSPACE, "goes", {"deleted": True}),
    Case(WORKSPACE, "comes back", before={"deleted": True}),
    Case(BUILD, "moves", {"workspace_id": OTHER_WORKSPACE}),
    Case(BUILD, "has another number", {"build_number": 7}),
    Case(BUILD, "has a number before an earlier one", {"build_number": 1}),
    Case(BUILD, "has another job", {"job_id": id_of(97)}),
    Case(AGENT, "is lost", {"status": "disconnected"}),
    Case(AGENT, "moves", {"workspace_build_id": OTHER_BUILD}),
    Case(DAEMON, "moves", AWAY),
    Case(DAEMON, "has other tags", {"tags": {"zone": "b"}}),
    Case(JOB, "ends", {"completed_at": ago(minutes=1)}),
    Case(JOB, "moves", {"worker_id": OTHER_DAEMON}),
    Case(JOB, "is for another build", {"input": {"workspace_build_id": OTHER_BUILD}}),
]


def stored() -> dict[str, Item]:
    """The items of the platform by id, without the number of their updates."""
    items = call("Scan", {"TableName": TABLE, "ConsistentRead": True})["Items"]
    return {item["id"]["S"]: {name: value for name, value in item.items() if name != REVISION} for item in items}


def kept() -> dict[str, Item]:
    return {item["id"]["S"]: item for item in call("Scan", {"TableName": TABLE, "ConsistentRead": True})["Items"]}


def restore(items: Mapping[str, Item]) -> None:
    """Have the table hold these items and no others."""
    for item_id in kept().keys() - items.keys():
        call("DeleteItem", {"TableName": TABLE, "Key": {"id": {"S": item_id}}})
    for item in items.values():
        call("PutItem", {"TableName": TABLE, "Item": item})
    distinct.forget()


def lost_before(number: int) -> Fault:
    """The call of this number is not made."""
    return _at(number, lambda _send, _operation, _request: None)


def lost_after(number: int) -> Fault:
    """The call of this number is made, and its answer is lost."""
    return _at(number, lambda send, operation, request: send(operation, request))


def _at(number: int, action: Callable[[Send, str, Mapping[str, Any]], object]) -> Fault:
    calls = iter(range(1_000_000))

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if next(calls) == number:
            action(send, operation, request)
            raise UNANSWERED
        return send(operation, request)

    return fault


@pytest.fixture
def _known(house: House, clock: Clock) -> None:
    assert clock
    house.organization("acme", id=ACME)
    house.organization("elsewhere", id=ELSEWHERE)


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES} == {*KINDS}


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.object_id[-2:]} {case.name}")
def test_what_ended_at_a_call_and_is_sent_again_is_stored_as_if_it_had_not(
    case: Case, owner: Client, transport: ObservedTransport
) -> None:
    mirrored(owner, {}, *case.absent)
    path = f"/api/v2/{PATHS[case.kind]}/{case.object_id}"
    if case.before:
        assert owner.put(path, case.body(case.before, 60)).status == 200
    before, body = kept(), case.body(case.changes, 30)
    transport.requests.clear()
    assert owner.put(path, body).status in (200, 201)
    calls, wanted = len(transport.requests), stored()
    wrong = []
    for number in range(calls):
        for lost in (lost_before, lost_after):
            restore(before)
            transport.intercept(lost(number))
            owner.put(path, body)
            transport.restore()
            assert owner.put(path, body).status in (200, 201)
            if stored() != wanted:
                wrong.append((lost.__name__, number, transport.operations[number], difference(stored(), wanted)))
    assert not wrong


def mirrored(owner: Client, changes: Mapping[str, Fields], *absent: str) -> None:
    """Mirror the small platform in anew."""
    restore({})
    lines = [
        {
            "kind": kind,
            "id": object_id,
            "updated_at": ago(hours=2),
            "created_at": ago(days=1),
            **fields,
            **changes.get(object_id, {}),
        }
        for object_id, (kind, fields) in BODIES.items()
        if object_id not in absent
    ]
    assert owner.put("/api/v2/directory", "\n".join(map(json.dumps, lines))).status == 200


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.object_id[-2:]} {case.name}")
def test_what_changes_is_stored_as_if_it_had_always_been_so(case: Case, owner: Client) -> None:
    mirrored(owner, {case.object_id: case.body(case.changes, 30)})
    wanted = facts()
    mirrored(owner, {})
    for changes, age in ((case.before, 60), (case.changes, 30)):
        assert owner.put(f"/api/v2/{PATHS[case.kind]}/{case.object_id}", case.body(changes, age)).status == 200
    assert difference(facts(), wanted) == {}


LEFT = {"agent_ids", "job_ids", "holder_ids", "forget_at", "parts", "version_place"}
"""Attributes of which something may be left that nothing follows from."""


def facts() -> dict[str, Item]:
    """The items of objects and of parts of names, and what is answered from them."""
    return {
        item_id: {name: value for name, value in item.items() if name not in LEFT}
        for item_id, item in stored().items()
        if not item_id.startswith(("templates#", "tags:"))
    }


def difference(one: Mapping[str, Item], other: Mapping[str, Item]) -> dict[str, tuple[object, object]]:
    return {
        f"{item_id} {name}": (one.get(item_id, {}).get(name), other.get(item_id, {}).get(name))
        for item_id in {*one, *other}
        for name in {*one.get(item_id, {}), *other.get(item_id, {})}
        if one.get(item_id, {}).get(name) != other.get(item_id, {}).get(name)
    }
