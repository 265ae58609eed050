"""Objects are found by parts of their names, and by what follows from others, in whatever order the platform sends."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from chalicelib.platform.name_parts import LONGEST
from chalicelib.store.dynamodb.client import call
from chalicelib.store.platform.rows import TABLE
from tests.api.platform_house import Platform, ago
from tests.transport import UNANSWERED, ObservedTransport, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chalicelib.records import User
    from tests.api.conftest import Client, House
    from tests.transport import Send


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def search(client: Client, query: str, path: str = "workspaces") -> set[str]:
    reply = client.get(f"/api/v2/{path}", query={"q": query})
    assert reply.status == 200, reply.text
    return {row["name"] for row in (reply.json["workspaces"] if path == "workspaces" else reply.json)}


def part_ids() -> set[str]:
    """The ids of the rows of parts that are stored."""
    items = call("Scan", {"TableName": TABLE, "ConsistentRead": True})["Items"]
    return {item["id"]["S"] for item in items if item["id"]["S"].startswith("part#")}


def ends(object_id: str, *names: str, kind: str = "workspace") -> set[str]:
    return {f"part#{kind}#{object_id}#name#{name[start:]}" for name in names for start in range(len(name))}


STATUSES = ("connecting", "connected", "disconnected", "timeout")
NAMES = ("banana", "dev", "dev-dev", "a", "Anna-box", "x" * 70, "rust-\U0001f980")
PARTS = ("a", "an", "ana", "anan", "dev", "-", "e", "x", "x" * 66, "\U0001f980", "nothing", "BOX")


class World:
    """A platform that changes at random, and what must be found of it in the end.

    Attributes:
        lines: every version of every object, newest last for each.
    """

    def __init__(self, seed: int, organization_id: str, owner_id: str) -> None:
        self.random = Random(seed)
        self.minute = 0
        self.lines: list[dict[str, Any]] = []
        self.latest: dict[str, dict[str, Any]] = {}
        base = {"organization_id": organization_id}
        templates = [self.new_id() for _ in range(3)]
        versions = [self.new_id() for _ in range(3)]
        daemons = [self.new_id() for _ in range(4)]
        for _ in range(2):
            for template in templates:
                active = self.random.choice([*versions, None])
                self.put("template", template, **base, name="rust", active_version_id=active)
        for daemon in daemons:
            self.put(
                "provisioner_daemon", daemon, **base, name="d", created_at=ago(days=2), last_seen_at=ago(seconds=9)
            )
        for _ in range(12):
            self.workspace(base | {"owner_id": owner_id}, templates, versions, daemons)

    def new_id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def put(self, kind: str, object_id: str, **fields: Any) -> None:
        self.minute += 1
        line = {"kind": kind, "id": object_id, "updated_at": ago(minutes=10_000 - self.minute), **fields}
        self.lines.append(line)
        self.latest[object_id] = line

    def workspace(self, base: dict[str, Any], templates: list[str], versions: list[str], daemons: list[str]) -> None:
        workspace, job = self.new_id(), self.new_id()
        template = self.random.choice([*templates, self.new_id()])
        for _ in range(self.random.choice((1, 2))):
            self.put("workspace", workspace, **base, template_id=template, name=self.random.choice(NAMES),
                     deleted=self.random.random() < 0.2)  # fmt: skip
        for number in range(1, self.random.choice((1, 3))):
            build = self.new_id()
            self.put("workspace_build", build, workspace_id=workspace, build_number=number, transition="start",
                     template_version_id=self.random.choice(versions), job_id=job)  # fmt: skip
            for _ in range(self.random.choice((0, 2))):
                agent = self.new_id()
                for _ in range(2):
                    self.put("workspace_agent", agent, workspace_build_id=build, name="main",
                             status=self.random.choice(STATUSES))  # fmt: skip
        times_of_job: list[dict[str, Any]] = [{}, {"started_at": ago(minutes=5)}]
        times_of_job.append({**times_of_job[1], "completed_at": ago(minutes=1)})
        for moments in times_of_job[: self.random.choice((1, 2, 3))]:
            worker = {"worker_id": self.random.choice(daemons)} if moments else {}
            self.put("provisioner_job", job, organization_id=base["organization_id"], type="workspace_build",
                     initiator_id=base["owner_id"], **moments, **worker)  # fmt: skip

    def now(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.latest.values() if line["kind"] == kind and not line.get("deleted")]

    def build_of(self, workspace: Mapping[str, Any]) -> Mapping[str, Any]:
        builds = [line for line in self.now("workspace_build") if line["workspace_id"] == workspace["id"]]
        return max(builds, key=lambda build: build["build_number"], default={})

    def is_outdated(self, workspace: Mapping[str, Any]) -> bool:
        active = self.latest.get(workspace["template_id"], {}).get("active_version_id")
        version = self.build_of(workspace).get("template_version_id")
        return None not in (active, version) and active != version

    def statuses(self, workspace: Mapping[str, Any]) -> set[str]:
        build = self.build_of(workspace)
        agents = self.now("workspace_agent")
        return {agent["status"] for agent in agents if agent["workspace_build_id"] == build.get("id")}

    def busy(self) -> set[str]:
        jobs = self.now("provisioner_job")
        return {job["worker_id"] for job in jobs if "worker_id" in job and "completed_at" not in job}


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_the_platform_sends_is_of_no_matter(platform: Platform, root: User, seed: int) -> None:
    world = World(seed, platform.organization_id, root.id)
    lines = world.random.sample(world.lines, len(world.lines))
    while lines:
        number = world.random.choice((1, 7, 40))
        chunk, lines = lines[:number], lines[number:]
        reply = platform.client.put("/api/v2/directory", "\n".join(map(json.dumps, chunk)))
        assert (reply.status, reply.json["rejected"]) == (200, 0), reply.text
    assert_as_sent(platform, world)


@pytest.mark.parametrize("seed", range(8, 12))
def test_batches_that_end_anywhere_and_are_sent_again_are_stored_whole(
    platform: Platform, root: User, transport: ObservedTransport, seed: int
) -> None:
    world = World(seed, platform.organization_id, root.id)
    lines = world.random.sample(world.lines, len(world.lines))
    while lines:
        number = world.random.choice((1, 7, 40))
        chunk, lines = "\n".join(map(json.dumps, lines[:number])), lines[number:]
        for _ in range(2):
            left = iter(range(world.random.randrange(12 * number)))

            def dead(send: Send, operation: str, request: Mapping[str, Any], left: Iterator[int] = left) -> Any:
                if next(left, None) is None:
                    raise UNANSWERED
                return send(operation, request)

            transport.intercept(dead)
            assert platform.client.put("/api/v2/directory", chunk).status in (200, 503)
        transport.restore()
        assert platform.client.put("/api/v2/directory", chunk).status == 200
    assert_as_sent(platform, world)


def assert_as_sent(platform: Platform, world: World) -> None:
    """Every filter finds what it must by the newest versions, and no row of a name is too many."""
    workspaces = world.now("workspace")

    def ids(query: str) -> set[str]:
        reply = platform.client.get("/api/v2/workspaces", query={"q": query})
        return {row["id"] for row in reply.json["workspaces"]}

    def expected(matches: Iterable[bool]) -> set[str]:
        return {workspace["id"] for workspace, match in zip(workspaces, matches, strict=True) if match}

    for part in PARTS:
        assert ids(f"name:{part}") == expected(part.lower() in one["name"].lower() for one in workspaces), part
    for flag in (True, False):
        assert ids(f"outdated:{flag}".lower()) == expected(world.is_outdated(one) is flag for one in workspaces), flag
    for status in STATUSES:
        assert ids(f"has-agent:{status}") == expected(status in world.statuses(one) for one in workspaces), status
    daemons = {line["id"] for line in world.now("provisioner_daemon")}
    for status, wanted in {"busy": world.busy() & daemons, "idle": daemons - world.busy(), "offline": set()}.items():
        assert {daemon["id"] for daemon in platform.daemons(status=status).json} == wanted, status
    deleted = {line["id"] for line in world.latest.values() if line["kind"] == "workspace" and line.get("deleted")}
    assert ids("deleted:true") == ids("deleted:true owner:me") == deleted
    names = {one["id"]: one["name"].lower() for one in workspaces}
    rows = [
        ends(one, name if len(name) <= LONGEST else "") or {f"part#workspace#{one}#name#"}
        for one, name in names.items()
    ]
    assert {row_id for row_id in part_ids() if row_id.startswith("part#workspace#")} == set().union(*rows)


def test_a_template_is_found_by_parts_of_both_names_whether_it_is_deprecated(platform: Platform, house: House) -> None:
    old = platform.template("ancient", display_name="Old Rust", deprecation_message="no")
    platform.template("rust", display_name="Rust")
    elsewhere = house.organization("elsewhere").id
    platform.template("trust", organization_id=elsewhere)
    client = platform.client
    assert search(client, "us", "templates") == {"rust", "trust"}
    assert search(client, "display_name:us", "templates") == {"rust"}
    assert search(client, 'display_name:"d r" deprecated:true', "templates") == {"ancient"}
    assert search(client, "name:us organization:elsewhere", "templates") == {"trust"}
    member = house.client(house.user("mia", organizations={elsewhere: ()}))
    assert search(member, "us", "templates") == {"trust"}
    platform.put("template", old, name="ancient", organization_id=platform.organization_id)
    assert search(client, "name:anc", "templates") == {"ancient"}
    assert search(client, "display_name:rust", "templates") == {"rust"}


def test_a_new_name_leaves_no_row_of_the_former_one(platform: Platform, root: User) -> None:
    template = platform.template("t")
    workspace = platform.workspace(root.id, template, "first")
    fields = {"organization_id": platform.organization_id, "owner_id": root.id, "template_id": template}
    platform.put("workspace", workspace, name="second", **fields)
    assert part_ids() == ends(workspace, "second") | ends(template, "t", kind="template")
    platform.put("workspace", workspace, name="second", deleted=True, **fields)
    assert part_ids() == ends(template, "t", kind="template")


def test_rows_that_the_store_did_not_take_are_written_when_the_object_is_sent_again(
    platform: Platform, root: User, transport: ObservedTransport
) -> None:
    template = platform.template("t")
    workspace = platform.workspace(root.id, template, "first")
    fields = {"organization_id": platform.organization_id, "owner_id": root.id, "template_id": template}

    def dead(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchWriteItem":
            raise refusal("ValidationException", operation)
        return send(operation, request)

    transport.intercept(dead)
    assert platform.send("workspace", workspace, name="second", **fields).status >= 500
    transport.restore()
    assert search(platform.client, "name:first") == set()
    platform.put("workspace", workspace, name="second", **fields)
    assert search(platform.client, "name:seco") == {"second"}
    assert part_ids() == ends(workspace, "second") | ends(template, "t", kind="template")


def test_of_two_that_rename_at_once_the_newer_name_is_found(
    platform: Platform, root: User, transport: ObservedTransport
) -> None:
    template = platform.template("t")
    fields = {"organization_id": platform.organization_id, "owner_id": root.id, "template_id": template}
    workspace = platform.workspace(root.id, template, "first")
    names = iter(("third", "second"))

    def overtaking(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        name = next(names, None) if operation == "BatchWriteItem" else None
        if name is not None:
            # It comes to its end between the intention and the rows of the one before it.
            platform.put("workspace", workspace, name=name, **fields)
        return send(operation, request)

    transport.intercept(overtaking)
    platform.put("workspace", workspace, name="second", **fields)
    transport.restore()
    assert search(platform.client, "") == {"second"}
    assert search(platform.client, "name:second") == {"second"}
    assert search(platform.client, "name:third") == search(platform.client, "name:first") == set()
    assert part_ids() == ends(workspace, "second") | ends(template, "t", kind="template")


def test_words_of_a_key_that_is_given_twice_are_all_looked_for(platform: Platform, root: User) -> None:
    template = platform.template("t")
    running, pending = (platform.workspace(root.id, template, name) for name in ("running", "pending"))
    job = platform.job(started_at=ago(minutes=2), completed_at=ago(minutes=1))
    for workspace, job_id in ((running, job), (pending, None)):
        build = platform.build(workspace, template, job_id=job_id)
        platform.put(
            "workspace_agent", workspace_build_id=build, name="main", status="connected" if job_id else "timeout"
        )
    client = platform.client
    assert search(client, "status:running status:pending") == {"running", "pending"}
    assert search(client, "has-agent:connected has-agent:timeout") == {"running", "pending"}
    assert search(client, f"id:{running} id:{pending}") == {"running", "pending"}


def test_a_daemon_that_comes_after_more_jobs_than_it_keeps_notes_of_is_busy(
    platform: Platform, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.store.platform.notes.MOST_IDS", 2)
    daemon = "5b1d0c7e-3f7a-4a60-9d1c-0b4a5e6f7a8b"
    begun = {"worker_id": daemon, "started_at": ago(minutes=9), "initiator_id": root.id}
    for _ in range(4):
        job = platform.job(**begun)
        platform.job(job, **begun, completed_at=ago(minutes=1))
    platform.job(**begun)
    platform.put(
        "provisioner_daemon", daemon, organization_id=platform.organization_id, name="late", last_seen_at=ago()
    )
    assert [one["id"] for one in platform.daemons(status="busy").json] == [daemon]


def test_a_daemon_that_was_deleted_for_its_silence_comes_back_busy(platform: Platform, root: User) -> None:
    fields = {"organization_id": platform.organization_id, "name": "late", "last_seen_at": ago()}
    daemon, other = (platform.put("provisioner_daemon", **fields) for _ in range(2))
    platform.job(worker_id=daemon, started_at=ago(days=8), initiator_id=root.id)
    platform.job(worker_id=daemon, started_at=ago(days=9), completed_at=ago(days=8), initiator_id=root.id)
    platform.job(started_at=ago(days=8), initiator_id=root.id)
    # DynamoDB's TTL deletes the item as a whole.
    call("DeleteItem", {"TableName": TABLE, "Key": {"id": {"S": f"provisioner_daemon#{daemon}"}}})
    platform.put("provisioner_daemon", daemon, **fields)
    assert [one["id"] for one in platform.daemons(status="busy").json] == [daemon]
    assert [one["id"] for one in platform.daemons(status="idle").json] == [other]
