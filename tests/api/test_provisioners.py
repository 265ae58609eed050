"""Provisioner daemons and jobs of an organization, as a Coder server with the same rows answers them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.records.directory import PREBUILDS_USER
from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def labels(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return sorted(row["status"] for row in reply.json)


def ids(reply: Reply) -> set[str]:
    assert reply.status == 200, reply.text
    return {row["id"] for row in reply.json}


def test_daemons_of_another_organization_are_not_listed(platform: Platform, house: House) -> None:
    platform.daemon("there", organization_id=house.organization("elsewhere").id)
    assert platform.daemons(offline="true").json == []


def test_daemons_by_id_and_by_tags(platform: Platform) -> None:
    one, other, third = (platform.daemon(name, tags={name: "x"}) for name in ("foo", "bar", "baz"))
    assert ids(platform.daemons(ids=f"{one},{other}", offline="true")) == {one, other}
    assert ids(platform.daemons(tags=json.dumps({"baz": "x"}), offline="true")) == {third}


def test_silent_daemons_are_shown_to_who_asks_for_them(platform: Platform) -> None:
    platform.daemon("silent", last_seen_at=ago(minutes=60))
    platform.daemon("here", last_seen_at=ago(seconds=30))
    assert labels(platform.daemons()) == ["idle"]
    assert labels(platform.daemons(offline="true")) == ["idle", "offline"]
    assert labels(platform.daemons(status="idle,offline")) == ["idle", "offline"]
    assert labels(platform.daemons(status="offline")) == ["offline"]
    assert labels(platform.daemons(status="")) == ["idle"]
    assert labels(platform.daemons(offline="true", max_age="1h30m")) == ["idle", "offline"]
    assert labels(platform.daemons(offline="true", max_age="10m")) == ["idle"]
    assert labels(platform.daemons(max_age="10s")) == []


def test_fifty_daemons_are_listed_unless_a_limit_is_given(platform: Platform) -> None:
    lines = [
        json.dumps(
            {
                "kind": "provisioner_daemon",
                "id": str(uuid4()),
                "organization_id": platform.organization_id,
                "name": f"d{number}",
                "created_at": ago(minutes=number),
            }
        )
        for number in range(53)
    ]
    assert platform.client.put("/api/v2/directory", "\n".join(lines)).json["created"] == 53
    assert len(platform.daemons(offline="true").json) == 50
    listed = platform.daemons(limit="0").json
    assert [row["name"] for row in listed] == [f"d{number}" for number in range(53)]
    assert len(platform.daemons(limit="2").json) == 2


def test_a_daemon_at_work_names_its_job_and_the_one_before(platform: Platform) -> None:
    template = platform.template("rust", display_name="Rust", icon="/rust.svg")
    version = platform.version(template)
    work: dict[str, Any] = {"type": "template_version_import", "input": {"template_version_id": version}}
    busy, idle, silent = platform.daemon("a"), platform.daemon("b"), platform.daemon("c", last_seen_at=ago(hours=1))
    now = platform.job(started_at=ago(minutes=1), worker_id=busy, **work)
    platform.job(started_at=ago(minutes=9), completed_at=ago(minutes=7), worker_id=silent, **work)
    last = platform.job(started_at=ago(minutes=5), completed_at=ago(minutes=4), worker_id=silent, **work)
    rows = {row["id"]: row for row in platform.daemons(offline="true").json}
    brief = {"template_name": "rust", "template_display_name": "Rust", "template_icon": "/rust.svg"}
    assert rows[busy]["status"] == "busy"
    assert rows[busy]["current_job"] == {"id": now, "status": "running", **brief}
    assert rows[busy]["previous_job"] is None
    assert (rows[idle]["status"], rows[idle]["current_job"], rows[idle]["previous_job"]) == ("idle", None, None)
    assert rows[silent]["status"] == "offline"
    assert rows[silent]["previous_job"] == {"id": last, "status": "succeeded", **brief}
    assert ids(platform.daemons(status="busy")) == {busy}
    assert ids(platform.daemons(status="idle")) == {idle}
    assert ids(platform.daemons(status="busy", offline="true")) == {busy, silent}


def test_a_daemon_that_is_silent_for_a_week_is_gone(platform: Platform) -> None:
    platform.daemon("old", last_seen_at=ago(days=8))
    platform.daemon("never", last_seen_at=None, created_at=ago(days=8))
    never = platform.daemon("new", last_seen_at=None)
    assert ids(platform.daemons(offline="true", max_age="1m")) == {never}


def test_an_older_heartbeat_changes_nothing(platform: Platform) -> None:
    daemon = platform.daemon("a", version="v2", updated_at=ago(minutes=1))
    fields = {"organization_id": platform.organization_id, "name": "a", "version": "v1", "updated_at": ago(minutes=2)}
    assert platform.send("provisioner_daemon", daemon, **fields).json["status"] == "older"
    assert platform.daemons().json[0]["version"] == "v2"


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        ({"offline": "maybe"}, "offline", 'Query param "offline" must be a valid boolean'),
        (
            {"max_age": "7d!"},
            "max_age",
            "Query param \"max_age\" must be a valid duration (e.g., '24h', '30m'",
        ),
        ({"status": "asleep"}, "status", 'Query param "status" has invalid values: "asleep" is not a valid value'),
        ({"ids": "x"}, "ids", 'Query param "ids" has invalid values'),
        ({"tags": "[]"}, "tags", 'Query param "tags" must be a valid JSON object'),
        ({"limit": "-1"}, "limit", 'Query param "limit" must be a valid 32-bit positive integer: value is negative'),
        ({"colour": "red"}, "colour", '"colour" is not a valid query param'),
    ],
)
def test_a_wrong_parameter_is_named(platform: Platform, query: dict[str, str], field: str, detail: str) -> None:
    reply = platform.daemons(**query)
    assert (reply.status, reply.json["message"]) == (400, "Invalid query parameters.")
    (validation,) = reply.json["validations"]
    assert validation["field"] == field
    assert validation["detail"].startswith(detail)


def test_jobs_are_listed_newest_first_by_each_filter(platform: Platform) -> None:
    ann, template = str(uuid4()), platform.template("rust", display_name="Rust")
    version = platform.version(template, "v7")
    workspace = platform.workspace(ann, template, "dev")
    build = platform.build(workspace, version, transition="stop")
    daemon = platform.daemon("worker")
    running = platform.job(
        created_at=ago(minutes=3),
        started_at=ago(minutes=1),
        worker_id=daemon,
        initiator_id=ann,
        input={"workspace_build_id": build},
    )
    counted = platform.job(created_at=ago(minutes=2), completed_at=ago(minutes=1), tags={"count": "1", "x": "y"})
    failed = platform.job(created_at=ago(minutes=1), completed_at=ago(minutes=1), error="no", initiator_id=ann)
    assert [row["id"] for row in platform.jobs().json] == [failed, counted, running]
    assert ids(platform.jobs(ids=f"{running},{counted}")) == {running, counted}
    assert ids(platform.jobs(status="running")) == {running}
    assert ids(platform.jobs(status="failed,succeeded")) == {failed, counted}
    assert ids(platform.jobs(tags='{"count":"1"}')) == {counted}
    assert ids(platform.jobs(tags="{}")) == {failed, counted, running}
    assert ids(platform.jobs(initiator=ann)) == {failed, running}
    assert ids(platform.jobs(initiator=ann, status="failed")) == {failed}
    assert ids(platform.jobs(initiator=ann, limit="1")) == {failed}
    assert ids(platform.jobs(initiator=ann, tags='{"count":"1"}')) == set()
    assert ids(platform.jobs(initiator=str(uuid4()))) == set()
    assert ids(platform.jobs(initiator="")) == {failed, counted, running}
    row = platform.client.get(f"/api/v2/organizations/acme/provisionerjobs/{running}").json
    assert (row["worker_id"], row["worker_name"], row["status"]) == (daemon, "worker", "running")
    assert row["metadata"] == {
        "template_version_name": "v7",
        "template_id": template,
        "template_name": "rust",
        "template_display_name": "Rust",
        "template_icon": "",
        "workspace_id": workspace,
        "workspace_name": "dev",
        "workspace_build_transition": "stop",
    }
    assert "available_workers" not in row


def test_waiting_jobs_have_a_place_in_the_queue_of_the_deployment(platform: Platform, house: House) -> None:
    prebuilt = platform.job(created_at=ago(minutes=9), initiator_id=PREBUILDS_USER)
    other = Platform(platform.client, house.organization("other").id)
    there = other.job(created_at=ago(minutes=8))
    last = platform.job(created_at=ago(minutes=7))
    done = platform.job(completed_at=ago(minutes=1))
    able = platform.daemon("able")
    platform.daemon("unable", tags={"scope": "organization", "owner": "", "x": "y"})
    rows = {row["id"]: row for row in [*platform.jobs().json, *other.jobs().json]}
    positions = {job_id: row["queue_position"] for job_id, row in rows.items()}
    assert positions == {there: 1, last: 2, prebuilt: 3, done: 0}
    assert {row["queue_size"] for row in rows.values()} == {3}
    assert rows[last]["available_workers"] == [able]
    assert "available_workers" not in rows[there]


def test_a_build_and_a_version_that_wait_say_how_many_daemons_match(platform: Platform, house: House) -> None:
    recent, before = ago(seconds=5), ago(hours=1)
    platform.daemon("there", last_seen_at=recent)
    platform.daemon("silent", last_seen_at=before)
    platform.daemon("other tags", tags={"scope": "organization", "owner": "", "x": "y"})
    platform.daemon("other kind", provisioners=["echo"])
    Platform(platform.client, house.organization("other").id).daemon("elsewhere")
    template = platform.template("rust")
    workspace = platform.workspace(house.user("ann").id, template, "dev")

    def matched(**of_job: Any) -> list[Any]:
        job = platform.job(**of_job)
        version = platform.version(template, f"v{job}", job_id=job)
        build = platform.build(workspace, version, job_id=job)
        replies = (
            platform.client.get(f"/api/v2/workspacebuilds/{build}"),
            platform.client.get(f"/api/v2/templateversions/{version}"),
        )
        one = platform.client.get(f"/api/v2/workspaces/{workspace}").json["latest_build"]
        assert one == replies[0].json
        # A list tells of those that do not wait alone.
        (listed,) = platform.client.get("/api/v2/workspaces").json["workspaces"]
        if one["job"]["status"] == "pending":
            del one["matched_provisioners"]
        assert listed["latest_build"] == one
        return [reply.json.get("matched_provisioners") for reply in replies]

    nothing = {"count": 0, "available": 0, "most_recently_seen": None}
    both = {"count": 2, "available": 1, "most_recently_seen": recent}
    assert matched() == [both, both]
    silent = {"count": 1, "available": 0, "most_recently_seen": before}
    platform.daemon("also silent", tags={"x": "z"}, last_seen_at=before)
    assert matched(tags={"x": "z"}) == [silent, silent]
    assert matched(tags={"x": "unknown"}) == [nothing, nothing]
    assert matched(started_at=ago(minutes=1)) == [nothing, None]
    assert matched(started_at=ago(minutes=2), completed_at=ago(minutes=1)) == [nothing, None]


def test_a_job_is_of_its_organization(platform: Platform, house: House) -> None:
    job = platform.job()
    house.organization("other")
    assert platform.client.get(f"/api/v2/organizations/other/provisionerjobs/{job}").status == 404
    assert platform.client.get(f"/api/v2/organizations/acme/provisionerjobs/{uuid4()}").status == 404
    wrong = platform.client.get("/api/v2/organizations/acme/provisionerjobs/x")
    assert (wrong.status, wrong.json["message"]) == (400, 'Invalid UUID "x".')
    strict = platform.client.get(f"/api/v2/organizations/acme/provisionerjobs/{job}", query={"colour": "red"})
    assert strict.status == 400


def test_a_member_reads_no_jobs_and_not_even_their_own(platform: Platform, house: House) -> None:
    ann = house.user("ann", organizations={platform.organization_id: ()})
    platform.job(initiator_id=ann.id)
    client = Platform(house.client(ann), platform.organization_id)
    assert client.jobs().status == client.jobs(initiator=ann.id).status == client.daemons().status == 404


@pytest.mark.parametrize(
    "query", [{}, {"status": "running"}, {"initiator": "{ann}"}, {"tags": '{"x":"y"}'}, {"ids": "{own}"}], ids=str
)
def test_a_filter_reads_the_rows_that_it_answers(
    platform: Platform, transport: ObservedTransport, query: dict[str, str]
) -> None:
    ann = str(uuid4())
    wanted: dict[str, Any] = {"initiator_id": ann, "started_at": ago(minutes=1), "tags": {"x": "y"}}
    own = [platform.job(**wanted) for _ in range(10)]
    if query:
        for _ in range(30):
            platform.job()
    read = 0

    def counting(send: Any, operation: str, request: Any) -> dict[str, Any]:
        nonlocal read
        answer: dict[str, Any] = send(operation, request)
        if operation == "Query" and request["IndexName"] in ("organization", "status", "owner", "tags"):
            read += answer["ScannedCount"]
        if operation == "BatchGetItem":
            read += sum(
                item["id"]["S"].startswith("provisioner_job#")
                for items in answer["Responses"].values()
                for item in items
            )
        return answer

    transport.intercept(counting)
    filled = {name: text.replace("{ann}", ann).replace("{own}", ",".join(own)) for name, text in query.items()}
    assert ids(platform.jobs(**filled)) == {*own}
    assert read <= len(own) * 1.1


@pytest.mark.parametrize(
    "query", [{}, {"status": "busy"}, {"max_age": "30s"}, {"tags": '{"x":"y"}'}, {"ids": "{own}"}], ids=str
)
def test_a_filter_reads_the_daemons_that_it_answers(
    platform: Platform, transport: ObservedTransport, query: dict[str, str]
) -> None:
    own = [platform.daemon(f"d{number}", tags={"x": "y", "n": str(number % 3)}) for number in range(10)]
    for daemon in own:
        platform.job(started_at=ago(minutes=1), worker_id=daemon)
    for number in range(30 if query else 0):
        platform.daemon(f"other-{number}", last_seen_at=ago(seconds=60))
    read = 0

    def counting(send: Any, operation: str, request: Any) -> dict[str, Any]:
        nonlocal read
        answer: dict[str, Any] = send(operation, request)
        if operation == "Query" and request["IndexName"] in ("seen", "queue"):
            read += answer["ScannedCount"]
        if operation == "BatchGetItem":
            read += sum(
                item["id"]["S"].startswith("provisioner_daemon#")
                for items in answer["Responses"].values()
                for item in items
            )
        return answer

    transport.intercept(counting)
    assert ids(platform.daemons(**{name: text.replace("{own}", ",".join(own)) for name, text in query.items()})) == {
        *own
    }
    assert read <= len(own) * 1.1
