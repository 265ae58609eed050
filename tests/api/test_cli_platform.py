"""The requests that Coder's CLI makes about provisioners, templates and workspaces are answered as it waits for.

Each command has its calls in their order, with the queries that the CLI sends and the status that it takes for success.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from chalicelib.records.directory import PREBUILDS_USER
from tests.api import sdk
from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.records import User
    from tests.api.conftest import Client, House


class Sent(NamedTuple):
    """One request of a command; names in braces stand for ids of what is mirrored in."""

    path: str
    query: Mapping[str, str] | None = None
    status: int = 200


TYPES: Mapping[str, sdk.Type] = {
    r"/buildinfo": {"version": "string", "external_url": "string", "dashboard_url": "string"},
    r"/entitlements": sdk.ENTITLEMENTS,
    r"/users/[^/]+": sdk.USER,
    r"/users/me/organizations": [sdk.ORGANIZATION],
    r"/organizations/[^/]+": sdk.ORGANIZATION,
    r"/organizations/[^/]+/provisionerdaemons": [sdk.DAEMON],
    r"/organizations/[^/]+/provisionerjobs": [sdk.JOB],
    r"/organizations/[^/]+/templates": [sdk.TEMPLATE],
    r"/organizations/[^/]+/templates/[^/]+": sdk.TEMPLATE,
    r"/templates": [sdk.TEMPLATE],
    r"/workspaceagents/[^/]+": sdk.AGENT,
    r"/templates/[^/]+/versions": [sdk.VERSION],
    r"/templates/[^/]+/versions/[^/]+": sdk.VERSION,
    r"/templateversions/[^/]+": sdk.VERSION,
    r"/templateversions/[^/]+/presets": [sdk.PRESET],
    r"/users/[^/]+/workspace/[^/]+": sdk.WORKSPACE,
    r"/workspaces": sdk.WORKSPACES,
}
"""Path -> the type into which the CLI decodes its answer."""

ORGANIZATIONS_OF_ME = Sent("/users/me/organizations")
TEMPLATE = Sent("/organizations/{acme}/templates/rust")
WORKSPACE = Sent("/users/me/workspace/dev")
COMMANDS: tuple[tuple[str, tuple[Sent, ...]], ...] = (
    ("provisioner list", (ORGANIZATIONS_OF_ME, Sent("/organizations/{acme}/provisionerdaemons", {"limit": "50"}))),
    (
        "provisioner list -f -s idle,busy -m 24h",
        (
            ORGANIZATIONS_OF_ME,
            Sent(
                "/organizations/{acme}/provisionerdaemons",
                {"limit": "50", "offline": "true", "status": "idle,busy", "max_age": "24h0m0s"},
            ),
        ),
    ),
    (
        "provisioner jobs list -s succeeded -i root",
        (
            ORGANIZATIONS_OF_ME,
            Sent("/users/root"),
            Sent(
                "/organizations/{acme}/provisionerjobs",
                {"limit": "50", "status": "succeeded", "initiator": "{root}"},
            ),
        ),
    ),
    (
        "provisioner jobs list -i prebuilds",
        (
            ORGANIZATIONS_OF_ME,
            Sent("/users/prebuilds"),
            Sent("/organizations/{acme}/provisionerjobs", {"limit": "50", "initiator": PREBUILDS_USER}),
        ),
    ),
    ("templates list", (Sent("/templates", {"q": ""}),)),
    ("templates list, before 2.13", (ORGANIZATIONS_OF_ME, Sent("/organizations/{acme}/templates"))),
    (
        "provisioner list -s offline -m 24h",
        (
            ORGANIZATIONS_OF_ME,
            Sent(
                "/organizations/{acme}/provisionerdaemons",
                {"limit": "50", "max_age": "24h0m0s", "status": "offline"},
            ),
        ),
    ),
    (
        "provisioner jobs list -s pending,running -l 2",
        (
            ORGANIZATIONS_OF_ME,
            Sent("/organizations/{acme}/provisionerjobs", {"limit": "2", "status": "pending,running"}),
        ),
    ),
    (
        "templates versions list rust",
        (ORGANIZATIONS_OF_ME, TEMPLATE, Sent("/templates/{template}/versions", {"include_archived": "false"})),
    ),
    (
        "templates presets list rust",
        (
            ORGANIZATIONS_OF_ME,
            TEMPLATE,
            Sent("/templateversions/{version}"),
            Sent("/templateversions/{version}/presets"),
        ),
    ),
    (
        "templates presets list rust --template-version v1",
        (
            ORGANIZATIONS_OF_ME,
            TEMPLATE,
            Sent("/templates/{template}/versions/v1"),
            Sent("/templateversions/{version}/presets"),
        ),
    ),
    (
        "templates versions list rust --include-archived",
        (ORGANIZATIONS_OF_ME, TEMPLATE, Sent("/templates/{template}/versions", {"include_archived": "true"})),
    ),
    ("list", (Sent("/workspaces", {"q": "owner:me"}),)),
    ("list -a", (Sent("/workspaces", {"q": ""}),)),
    ("list -a, of running ones", (Sent("/workspaces", {"q": "status:running"}),)),
    (
        "config-ssh -y",
        (
            Sent("/buildinfo"),
            Sent("/deployment/ssh", None, 404),
            Sent("/workspaces", {"q": 'owner:"me"', "limit": "1"}),
        ),
    ),
    (
        "open vscode dev",
        (
            Sent("/appearance", None, 404),
            Sent("/users/me/workspace/dev", {"include_deleted": "false"}),
            Sent("/workspaceagents/{agent}"),
        ),
    ),
    ("show owner/dev", (Sent("/buildinfo"), Sent("/users/root/workspace/dev", {"include_deleted": "false"}))),
    ("show dev", (Sent("/buildinfo"), WORKSPACE)),
    ("show bare", (Sent("/buildinfo"), Sent("/users/me/workspace/bare"))),
    ("list --search name:bare", (Sent("/workspaces", {"q": "name:bare"}),)),
    ("schedule show dev", (Sent("/workspaces", {"q": "owner:me name:dev"}),)),
    ("external-workspaces list", (Sent("/workspaces", {"q": "owner:me has_external_agent:true"}),)),
    ("external-workspaces list -a", (Sent("/workspaces", {"q": "has_external_agent:true"}),)),
    (
        "external-workspaces create dev2 --template rust",
        (
            Sent("/users/me/workspace/dev2", {"include_deleted": "false"}, 404),
            Sent("/templates", {"q": 'exact_name:"rust"'}),
            Sent("/templateversions/{version}/presets"),
            Sent("/templateversions/{version}"),
        ),
    ),
    ("organizations show selected", (ORGANIZATIONS_OF_ME, Sent("/organizations/{acme}"))),
    ("any, for its warnings", (Sent("/buildinfo"), Sent("/users/me"), Sent("/entitlements"))),
    ("features list", (Sent("/entitlements"),)),
    ("whoami -o json", (Sent("/users/me"),)),
)


@pytest.fixture
def answers(owner: Client, house: House, root: User) -> Mapping[str, Any]:
    """The last answer of every command."""
    acme = house.organization("acme")
    assert owner.post(f"/api/v2/organizations/{acme.id}/members/root").status == 200
    platform = Platform(owner, acme.id)
    template = platform.template("rust")
    version = platform.version(template, presets=[{"id": acme.id, "name": "big"}])
    platform.put(
        "template", template, name="rust", organization_id=acme.id, active_version_id=version, display_name="Rust"
    )
    job = platform.job(started_at=ago(minutes=2), completed_at=ago(minutes=1), initiator_id=root.id)
    workspace = platform.workspace(root.id, template, "dev", autostart_schedule="CRON_TZ=UTC 30 9 * * 1-5")
    build = platform.build(workspace, version, job_id=job, has_external_agent=True, initiator_id=root.id)
    agent = {"workspace_build_id": build, "status": "connected", "first_connected_at": ago(minutes=1)}
    agent_id = platform.put("workspace_agent", name="main", **agent)
    # Of these nothing more is known than the platform must say.
    platform.workspace(str(uuid4()), str(uuid4()), "bare-there")
    platform.workspace(root.id, template, "bare")
    platform.version(template, "bare")
    platform.job()
    platform.daemon("worker")
    ids = {"acme": acme.id, "root": root.id, "template": template, "version": version, "agent": agent_id}
    last = {}
    for command, requests in COMMANDS:
        for sent in requests:
            query = {name: text.format_map(ids) for name, text in sent.query.items()} if sent.query else None
            reply = owner.get(f"/api/v2{sent.path.format_map(ids)}", query=query)
            assert reply.status == sent.status, f"{command}: {sent.path}: {reply.status} {reply.text}"
            if sent.status == 200:
                (kind,) = [kind for pattern, kind in TYPES.items() if re.fullmatch(pattern, sent.path)]
                sdk.decode(kind, reply.json, sent.path)
            last[command] = reply.json
    return last


def test_every_command_hears_what_it_prints(answers: Mapping[str, Any]) -> None:
    assert [row["name"] for row in answers["provisioner list"]] == ["worker"]
    assert [row["name"] for row in answers["provisioner list -f -s idle,busy -m 24h"]] == ["worker"]
    (job,) = answers["provisioner jobs list -s succeeded -i root"]
    assert (job["status"], job["type"]) == ("succeeded", "workspace_build")
    assert answers["provisioner list -s offline -m 24h"] == []
    assert [row["status"] for row in answers["provisioner jobs list -s pending,running -l 2"]] == ["pending"]
    for command in ("templates list", "templates list, before 2.13"):
        assert [row["name"] for row in answers[command]] == ["rust"]
    everything = [row["name"] for row in answers["list -a"]["workspaces"]]
    assert sorted(everything) == ["bare", "bare-there", "dev"]
    assert [row["name"] for row in answers["list -a, of running ones"]["workspaces"]] == ["dev"]
    assert answers["config-ssh -y"]["count"] == 2
    assert [row["name"] for row in answers["templates versions list rust"]] == ["v1", "bare"]
    for command in ("templates presets list rust", "templates presets list rust --template-version v1"):
        assert [row["Name"] for row in answers[command]] == ["big"]
    assert [row["name"] for row in answers["list"]["workspaces"]] == ["dev", "bare"]
    assert {row["name"] for row in answers["list --search name:bare"]["workspaces"]} == {"bare", "bare-there"}
    assert answers["show bare"]["latest_build"]["status"] == "pending"
    for command in ("schedule show dev", "external-workspaces list", "external-workspaces list -a"):
        assert [row["name"] for row in answers[command]["workspaces"]] == ["dev"]
    show = answers["show dev"]
    assert [agent["name"] for resource in show["latest_build"]["resources"] for agent in resource["agents"]] == ["main"]
    assert (show["latest_build"]["status"], show["autostart_schedule"]) == ("running", "CRON_TZ=UTC 30 9 * * 1-5")
    assert answers["features list"]["features"]["audit_log"]["enabled"]
    me = answers["whoami -o json"]
    assert me["roles"] == [{"name": "owner", "display_name": "Owner"}]
    assert len(me["organization_ids"]) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uuid", ""),
        ("time", ""),
        ("time", "2026-07-08"),
        ("int", True),
        ("string", 7),
        (["uuid"], "x"),
        (["uuid"], ["x"]),
        ({"a": "bool"}, {"a": "true"}),
        ({"*": "int"}, {"b": 1.5}),
    ],
)
def test_the_decoder_fails_where_gos_does(kind: sdk.Type, value: Any) -> None:
    with pytest.raises(sdk.NotDecoded):
        sdk.decode(kind, value)
    sdk.decode(kind, None)
