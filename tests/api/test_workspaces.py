"""Workspaces, builds and agents, as a Coder server with the same rows answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.records.directory import PREBUILDS_USER
from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


@pytest.fixture
def template(platform: Platform) -> str:
    return platform.template("rust", display_name="Rust")


@pytest.fixture
def version(platform: Platform, template: str) -> str:
    made = platform.version(template)
    platform.put("template", template, name="rust", organization_id=platform.organization_id, active_version_id=made)
    return made


def search(client: Client, query: str = "", **more: str) -> list[str]:
    reply = client.get("/api/v2/workspaces", query={"q": query, **more})
    assert reply.status == 200, reply.text
    return [row["name"] for row in reply.json["workspaces"]]


def test_a_workspace_is_answered_with_its_latest_build(
    platform: Platform, template: str, version: str, root: User, ann: User
) -> None:
    job = platform.job(started_at=ago(minutes=2), completed_at=ago(minutes=1))
    workspace = platform.workspace(ann.id, template, "dev", ttl_ms=3_600_000)
    old = platform.build(workspace, version, 1, transition="start")
    resource = {"id": str(uuid4()), "type": "docker_container", "name": "main"}
    build = platform.build(
        workspace, version, 2, transition="start", job_id=job, reason="ssh_connection", initiator_id=root.id,
        resources=[resource],
    )  # fmt: skip
    fields = {"workspace_build_id": build, "resource_id": resource["id"], "architecture": "amd64"}
    agent = platform.put("workspace_agent", name="main", status="connected", logs_length=7, **fields)
    row = platform.client.get(f"/api/v2/workspaces/{workspace}").json
    assert (row["owner_name"], row["template_name"], row["template_display_name"]) == ("ann", "rust", "")
    assert (row["outdated"], row["is_prebuild"], row["ttl_ms"]) == (False, False, 3_600_000)
    assert row["health"] == {"healthy": True, "failing_agents": []}
    latest = row["latest_build"]
    assert (latest["id"], latest["build_number"], latest["status"]) == (build, 2, "running")
    assert (latest["reason"], latest["initiator_name"], latest["job"]["id"]) == ("ssh_connection", "root", job)
    assert "has_external_agent" not in latest
    ((listed,),) = [resource["agents"] for resource in latest["resources"]]
    assert (listed["id"], listed["status"], listed["logs_length"]) == (agent, "connected", 7)
    assert platform.client.get(f"/api/v2/workspaceagents/{agent}").json == listed
    assert platform.client.get("/api/v2/users/ann/workspace/dev").json == row
    assert platform.client.get("/api/v2/users/ann/workspace/other").status == 404
    builds = platform.client.get(f"/api/v2/workspaces/{workspace}/builds").json
    assert [one["id"] for one in builds] == [build, old]
    assert platform.client.get("/api/v2/users/ann/workspace/dev/builds/2").json == latest
    assert platform.client.get("/api/v2/users/ann/workspace/dev/builds/3").status == 404
    assert platform.client.get(f"/api/v2/workspacebuilds/{build}").json == latest


def test_what_its_owner_favors_comes_first_for_them_alone(
    platform: Platform, template: str, root: User, ann: User, owner: Client
) -> None:
    platform.workspace(root.id, template, "a")
    platform.workspace(root.id, template, "b", favorite=True)
    platform.workspace(ann.id, template, "c", favorite=True)
    rows = owner.get("/api/v2/workspaces").json["workspaces"]
    assert [(row["name"], row["favorite"]) for row in rows] == [("b", True), ("c", False), ("a", False)]


@pytest.mark.parametrize(("may_choose", "expected"), [(True, 3_600_000), (False, 7_200_000)])
def test_where_a_template_lets_nobody_choose_its_own_time_counts(
    platform: Platform, ann: User, *, may_choose: bool, expected: int
) -> None:
    template = platform.template("fixed", allow_user_autostop=may_choose, default_ttl_ms=7_200_000)
    workspace = platform.workspace(ann.id, template, "dev", ttl_ms=3_600_000)
    assert platform.client.get(f"/api/v2/workspaces/{workspace}").json["ttl_ms"] == expected


def test_an_agent_that_fails_says_why(platform: Platform, template: str, version: str, ann: User) -> None:
    build = platform.build(platform.workspace(ann.id, template, "dev"), version)
    platform.put("workspace_agent", workspace_build_id=build, name="main", status="connected", lifecycle_state="ready")
    lost = platform.put("workspace_agent", workspace_build_id=build, name="side", status="disconnected")
    (row,) = platform.client.get("/api/v2/workspaces").json["workspaces"]
    assert row["health"] == {"healthy": False, "failing_agents": [lost]}
    agent = platform.client.get(f"/api/v2/workspaceagents/{lost}").json
    assert agent["health"] == {"healthy": False, "reason": "agent has lost connection"}


def test_workspaces_are_searched_by_their_agents_and_by_several_ids(
    platform: Platform, template: str, version: str, ann: User
) -> None:
    made = {}
    for name, statuses in (("dev", ("connected", "timeout")), ("lost", ("disconnected",)), ("bare", ())):
        made[name] = platform.workspace(ann.id, template, name)
        build = platform.build(made[name], version)
        for number, status in enumerate(statuses):
            platform.put("workspace_agent", workspace_build_id=build, name=f"agent-{number}", status=status)
    platform.workspace(ann.id, template, "unbuilt")
    client = platform.client
    assert search(client, "has-agent:connected") == search(client, "has-agent:timeout owner:ann") == ["dev"]
    assert search(client, "has-agent:connected,disconnected") == ["dev", "lost"]
    assert search(client, "has-agent:connecting") == search(client, "has-ai-task:true") == []
    assert search(client, "healthy:true") == ["dev"]
    assert search(client, "healthy:false") == ["dev", "lost"]
    assert search(client, "healthy:true has-agent:disconnected") == []
    assert search(client, "shared:true") == search(client, "shared_with_user:me") == []
    assert search(client, "shared_with_group:everybody") == []
    assert search(client, "shared:false") == search(client)
    assert search(client, f"id:{made['dev']},{made['bare']}") == ["bare", "dev"]
    assert search(client, f"id:{made['dev']},{made['bare']} has-agent:connected") == ["dev"]
    wrong = client.get("/api/v2/workspaces", query={"q": "has-agent:odd"})
    assert (wrong.status, wrong.json["validations"][0]["field"]) == (400, "has-agent")


def test_what_is_mirrored_may_come_in_any_order(platform: Platform, template: str, version: str, ann: User) -> None:
    workspace, job = str(uuid4()), str(uuid4())
    build = platform.build(workspace, version, 3, transition="stop", job_id=job)
    platform.build(workspace, version, 2, transition="start")
    platform.put(
        "workspace", workspace, owner_id=ann.id, organization_id=platform.organization_id, template_id=template,
        name="dev",
    )  # fmt: skip
    assert search(platform.client, "status:pending") == ["dev"]
    platform.job(job, started_at=ago(minutes=1), input={"workspace_build_id": build})
    assert search(platform.client, "status:stopping") == ["dev"]
    platform.job(job, started_at=ago(minutes=1), completed_at=ago(seconds=9), input={"workspace_build_id": build})
    assert search(platform.client, "status:stopped") == ["dev"]
    assert search(platform.client, "status:stopping,pending") == []


def test_workspaces_that_run_are_listed_first(
    platform: Platform, template: str, version: str, root: User, ann: User
) -> None:
    for owner, name, transition in (
        (ann, "a-stopped", "stop"),
        (root, "b-running", "start"),
        (ann, "C-running", "start"),
        (ann, "d-running", "start"),
    ):
        workspace = platform.workspace(owner.id, template, name)
        job = platform.job(started_at=ago(minutes=2), completed_at=ago(minutes=1))
        platform.build(workspace, version, transition=transition, job_id=job)
    assert search(platform.client) == ["C-running", "d-running", "b-running", "a-stopped"]
    assert search(platform.client, limit="2", offset="1") == ["d-running", "b-running"]


@pytest.mark.usefixtures("version")
def test_workspaces_are_searched_by_each_key(
    platform: Platform, template: str, house: House, root: User, ann: User
) -> None:
    go = platform.template("go")
    there = house.organization("elsewhere").id
    dev = platform.workspace(ann.id, template, "dev", dormant_at=ago(days=1), last_used_at=ago(days=3))
    platform.workspace(root.id, go, "outer", organization_id=there, last_used_at=ago(hours=1))
    platform.build(dev, str(uuid4()), has_external_agent=True)
    platform.workspace(ann.id, template, "gone", deleted=True)
    client = platform.client
    assert search(client) == ["dev", "outer"]
    assert search(client, "owner:ann") == search(client, f"owner:{ann.id}") == ["dev"]
    assert search(client, "owner:me") == search(client, "template:go") == ["outer"]
    assert search(client, "owner:me name:outer") == search(client, "out") == search(client, "root/outer") == ["outer"]
    assert search(client, "owner:nobody") == search(client, "template:nothing") == []
    assert search(client, "organization:elsewhere") == ["outer"]
    assert search(client, "has_external_agent:true") == search(client, "dormant:true") == ["dev"]
    assert search(client, "owner:me has_external_agent:true") == []
    assert search(client, "dormant:false") == ["outer"]
    assert search(client, "outdated:true") == ["dev"]
    assert search(client, "outdated:false") == ["outer"]
    assert search(client, f"id:{dev}") == ["dev"]
    assert search(client, "deleted:true") == ["gone"]
    assert search(client, f'last_used_after:"{ago(days=2)}"') == ["outer"]
    assert search(client, f'last_used_before:"{ago(days=2)}"') == ["dev"]
    assert search(client, limit="1") == ["dev"]
    assert search(client, limit="1", offset="1") == ["outer"]
    first = client.get("/api/v2/workspaces", query={"limit": "1"}).json
    assert (first["count"], first["next_offset"]) == (2, 1)
    wrong = client.get("/api/v2/workspaces", query={"q": "status:asleep"})
    assert (wrong.status, wrong.json["validations"][0]["field"]) == (400, "status")


def test_a_deleted_workspace_is_answered_where_it_is_asked_for(platform: Platform, template: str, ann: User) -> None:
    workspace = platform.workspace(ann.id, template, "dev")
    platform.put(
        "workspace", workspace, owner_id=ann.id, organization_id=platform.organization_id, template_id=template,
        name="dev", deleted=True,
    )  # fmt: skip
    path = "/api/v2/users/ann/workspace/dev"
    assert platform.client.get(path).status == 404
    assert platform.client.get(path, query={"include_deleted": "true"}).json["id"] == workspace
    assert search(platform.client) == []


def test_a_build_keeps_a_reason_that_only_a_newer_server_knows(
    platform: Platform, template: str, version: str, ann: User
) -> None:
    build = platform.build(platform.workspace(ann.id, template, "dev"), version, reason="solar_flare")
    assert platform.client.get(f"/api/v2/workspacebuilds/{build}").json["reason"] == "solar_flare"


def test_a_workspace_of_the_prebuilds_user_is_a_prebuild_until_it_is_claimed(
    platform: Platform, template: str, ann: User
) -> None:
    workspace = platform.workspace(PREBUILDS_USER, template, "prebuild-1")
    path = f"/api/v2/workspaces/{workspace}"
    workspace_json = platform.client.get(path).json
    assert (workspace_json["is_prebuild"], workspace_json["owner_name"]) == (True, "prebuilds")
    assert search(platform.client, "owner:prebuilds") == ["prebuild-1"]
    platform.put(
        "workspace", workspace, owner_id=ann.id, organization_id=platform.organization_id, template_id=template,
        name="dev",
    )  # fmt: skip
    assert platform.client.get(path).json["is_prebuild"] is False


def test_who_may_read_workspaces_of_their_own_reads_no_others(
    platform: Platform, template: str, house: House, root: User
) -> None:
    ann = house.user("anna", organizations={platform.organization_id: ()})
    own, other = platform.workspace(ann.id, template, "own"), platform.workspace(root.id, template, "other")
    client = house.client(ann)
    assert search(client) == search(client, "template:rust") == ["own"]
    assert client.get(f"/api/v2/workspaces/{own}").status == 200
    assert client.get(f"/api/v2/workspaces/{other}").status == 404
    assert search(client, "owner:root") == []
    assert search(house.client(house.user("carl", organizations={platform.organization_id: ()}))) == []
    stranger = house.user("dan")
    platform.workspace(stranger.id, template, "lost")
    assert search(house.client(stranger)) == []
    narrowed = house.client(root, allow_list=(f"workspace:{other}",))
    assert search(narrowed) == ["other"]


@pytest.mark.parametrize("query", ["", "status:pending", "owner:root", "template:rust", "dormant:false"])
def test_who_reads_their_own_workspaces_alone_reads_no_row_of_another(
    platform: Platform, template: str, house: House, root: User, transport: ObservedTransport, query: str
) -> None:
    ann = house.user("anna", organizations={platform.organization_id: ()})
    own = platform.workspace(ann.id, template, "own")
    platform.build(own, str(uuid4()))
    for number in range(5):
        platform.build(platform.workspace(root.id, template, f"other-{number}"), str(uuid4()))
    owners = set()

    def watching(send: Any, operation: str, request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = send(operation, request)
        for item in answer.get("Items", ()):
            if item["id"]["S"].startswith("workspace#"):
                owners.add(item["by_owner"]["S"])
        return answer

    transport.intercept(watching)
    assert search(house.client(ann), query) == ([] if "root" in query else ["own"])
    assert owners == {f"workspace:{ann.id}"}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "owner:ann",
        "template:rust",
        "status:running",
        "has_external_agent:true",
        "organization:acme",
        "dormant:true",
        'last_used_after:"{day}"',
        'last_used_before:"{week}"',
        'last_used_after:"{day}" last_used_before:"{hour}"',
    ],
)
def test_a_filter_reads_the_workspaces_that_it_answers(
    platform: Platform, version: str, template: str, house: House, ann: User, root: User,
    transport: ObservedTransport, query: str,
) -> None:  # fmt: skip
    used = ago(days=9) if "{week}" in query else ago(hours=2)
    dormant = {"dormant_at": ago(days=1)} if "dormant" in query else {}
    for number in range(5):
        workspace = platform.workspace(ann.id, template, f"dev-{number}", last_used_at=used, **dormant)
        job = platform.job(completed_at=ago(minutes=1))
        platform.build(workspace, version, job_id=job, has_external_agent=True)
    if query:
        there, go = house.organization("elsewhere").id, platform.template("go")
        for number in range(10):
            platform.workspace(root.id, go, f"other-{number}", organization_id=there, last_used_at=ago(days=3))
    read = 0

    def counting(send: Any, operation: str, request: Any) -> dict[str, Any]:
        nonlocal read
        answer: dict[str, Any] = send(operation, request)
        if operation == "Query":
            read += sum(item["id"]["S"].startswith("workspace#") for item in answer["Items"])
        return answer

    transport.intercept(counting)
    listed = search(platform.client, query.format(hour=ago(hours=1), day=ago(days=1), week=ago(days=7)))
    assert len(listed) == 5
    assert read <= 1.1 * len(listed)
