"""Commands of Coder's CLI that need a control plane say in one sentence why they do not work here.

Each has the calls that the CLI makes up to the one that is refused; it prints the message of that answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.records import User
    from tests.api.conftest import Client, House

HEADERS = {"User-Agent": "coder-cli/v2.34.0 (linux/amd64; coder)"}
SENTENCE = re.compile(r"^[A-Z][^.]+ the platform[^.]*: ask it\.$")


class Command(NamedTuple):
    """A command: what it reads first, and the request that is refused; names in braces stand for ids."""

    line: str
    reads: tuple[str, ...]
    method: str
    path: str
    body: Any = None


OWN_WORKSPACE = "/users/me/workspace/dev"
TEMPLATE = ("/users/me/organizations", "/organizations/{acme}/templates/rust")
AGENT = (OWN_WORKSPACE, "/workspaceagents/{agent}")
BUILD = {"transition": "start", "reason": "cli"}
COMMANDS = (
    Command(
        "create dev2 -t rust --preset none -y",
        (*TEMPLATE, "/templateversions/{version}", "/templateversions/{version}/presets"),
        "GET",
        "/templateversions/{version}/rich-parameters",
    ),
    Command("create dev2", (), "POST", "/users/me/workspaces", {"name": "dev2", "template_id": "{template}"}),
    Command("start dev", (OWN_WORKSPACE, "/templates/{template}"), "GET", "/workspacebuilds/{build}/parameters"),
    Command("start dev", (OWN_WORKSPACE,), "POST", "/workspaces/{workspace}/builds", BUILD),
    Command("stop dev -y", (OWN_WORKSPACE,), "POST", "/workspaces/{workspace}/builds", {"transition": "stop"}),
    Command("delete dev -y", (OWN_WORKSPACE,), "POST", "/workspaces/{workspace}/builds", {"transition": "delete"}),
    Command("rename dev dev2", (OWN_WORKSPACE,), "PATCH", "/workspaces/{workspace}", {"name": "dev2"}),
    Command(
        "autoupdate dev always",
        (OWN_WORKSPACE,),
        "PUT",
        "/workspaces/{workspace}/autoupdates",
        {"automatic_updates": "always"},
    ),
    Command("favorite dev", (OWN_WORKSPACE,), "PUT", "/workspaces/{workspace}/favorite"),
    Command("unfavorite dev", (OWN_WORKSPACE,), "DELETE", "/workspaces/{workspace}/favorite"),
    Command("schedule start dev 9:30AM", (OWN_WORKSPACE,), "PUT", "/workspaces/{workspace}/autostart", {}),
    Command("schedule stop dev 2h", (OWN_WORKSPACE,), "PUT", "/workspaces/{workspace}/ttl", {"ttl_ms": 7_200_000}),
    Command(
        "schedule extend dev 2h",
        (OWN_WORKSPACE,),
        "PUT",
        "/workspaces/{workspace}/extend",
        {"deadline": "2026-07-08T12:00:00+02:00"},
    ),
    Command("ssh dev", AGENT, "GET", "/workspaceagents/{agent}/connection"),
    Command("port-forward dev --tcp 8080", AGENT, "GET", "/workspaceagents/{agent}/coordinate"),
    Command("show dev", (OWN_WORKSPACE,), "GET", "/workspaceagents/{agent}/listening-ports"),
    Command(
        "show dev",
        (OWN_WORKSPACE,),
        "GET",
        "/workspaceagents/{agent}/containers?label=devcontainer.config_file%3D&label=devcontainer.local_folder%3D",
    ),
    Command("ping dev", (OWN_WORKSPACE,), "GET", "/workspaceagents/{agent}/connection"),
    Command("update dev", (OWN_WORKSPACE,), "POST", "/workspaces/{workspace}/builds", {"transition": "stop"}),
    Command("restart dev -y", (OWN_WORKSPACE,), "GET", "/workspacebuilds/{build}/parameters"),
    Command("state pull dev", (OWN_WORKSPACE,), "GET", "/workspacebuilds/{build}/state"),
    Command("templates push rust -y", TEMPLATE, "POST", "/files", "a tar file"),
    Command(
        "templates push rust -y", TEMPLATE, "POST", "/organizations/{acme}/templateversions", {"file_id": "{file}"}
    ),
    Command("templates create go", (), "POST", "/organizations/{acme}/templates", {"name": "go"}),
    Command("templates pull rust", (*TEMPLATE, "/templateversions/{version}"), "GET", "/files/{file}"),
    Command("templates pull rust", (), "GET", f"/files/{UUID(int=0)}"),
    Command("netcheck", (), "GET", "/workspaceagents/connection"),
    Command("publickey", (), "GET", "/users/me/gitsshkey"),
    Command("publickey --reset -y", (), "PUT", "/users/me/gitsshkey"),
    Command("groups list", (), "GET", "/groups?organization={acme}"),
    Command("groups create g", (), "POST", "/organizations/{acme}/groups", {"name": "g"}),
    Command("groups edit g", (), "GET", "/organizations/{acme}/groups/g"),
    Command("organizations settings show group-sync", (), "GET", "/organizations/{acme}/settings/idpsync/groups"),
    Command("organizations settings set role-sync", (), "PATCH", "/organizations/{acme}/settings/idpsync/roles", {}),
    Command("organizations settings show organization-sync", (), "GET", "/settings/idpsync/organization"),
    Command("organizations roles create", (), "POST", "/organizations/{acme}/members/roles", {"name": "r"}),
    Command("provisioner keys list", (), "GET", "/organizations/{acme}/provisionerkeys"),
    Command("provisioner keys create k", (), "POST", "/organizations/{acme}/provisionerkeys", {"name": "k"}),
    Command("provisioner keys delete k -y", (), "DELETE", "/organizations/{acme}/provisionerkeys/k"),
    Command("sharing show dev", (OWN_WORKSPACE,), "GET", "/workspaces/{workspace}/acl"),
    Command("sharing share dev --user ann", (OWN_WORKSPACE,), "PATCH", "/workspaces/{workspace}/acl", {}),
    Command("sharing remove dev", (OWN_WORKSPACE,), "DELETE", "/workspaces/{workspace}/acl"),
    Command("logs dev", (OWN_WORKSPACE,), "GET", "/workspaceagents/{agent}/logs"),
    Command("workspace-proxy ls", (), "GET", "/workspaceproxies"),
    Command("templates edit rust", TEMPLATE, "PATCH", "/templates/{template}", {"description": "d"}),
    Command("templates delete rust -y", TEMPLATE, "DELETE", "/templates/{template}"),
    Command("templates versions promote", TEMPLATE, "PATCH", "/templates/{template}/versions", {"id": "{version}"}),
    Command("templates archive rust", TEMPLATE, "POST", "/templates/{template}/versions/archive", {"all": False}),
    Command("templates versions archive rust v1", TEMPLATE, "POST", "/templateversions/{version}/archive"),
    Command("templates versions unarchive rust v1", TEMPLATE, "POST", "/templateversions/{version}/unarchive"),
    Command(
        "provisioner jobs cancel (build)",
        ("/users/me/organizations", "/organizations/{acme}/provisionerjobs/{job}"),
        "PATCH",
        "/workspacebuilds/{build}/cancel",
    ),
    Command("provisioner jobs cancel (import)", (), "PATCH", "/templateversions/{version}/cancel"),
    Command("provisioner jobs cancel (dry run)", (), "PATCH", "/templateversions/{version}/dry-run/{job}/cancel"),
)


@pytest.fixture
def ids(owner: Client, house: House, root: User) -> Mapping[str, str]:
    """A template, and a workspace of it that runs."""
    acme = house.organization("acme")
    assert owner.post(f"/api/v2/organizations/{acme.id}/members/root").status == 200
    platform = Platform(owner, acme.id)
    template = platform.template("rust")
    version = platform.version(template)
    platform.put("template", template, name="rust", organization_id=acme.id, active_version_id=version)
    job = platform.job(started_at=ago(minutes=2), completed_at=ago(minutes=1))
    workspace = platform.workspace(root.id, template, "dev")
    build = platform.build(workspace, version, job_id=job)
    agent = platform.put("workspace_agent", workspace_build_id=build, name="main", status="connected")
    made = {"acme": acme.id, "template": template, "version": version, "job": job, "workspace": workspace}
    return {**made, "build": build, "agent": agent, "file": str(uuid4())}


def test_what_needs_a_control_plane_says_so_in_one_sentence(owner: Client, ids: Mapping[str, str]) -> None:
    for line, reads, method, path, body in COMMANDS:
        for read in reads:
            assert owner.get(f"/api/v2{read.format_map(ids)}", headers=HEADERS).status == 200, f"{line}: {read}"
        reply = owner.send(method, f"/api/v2{path.format_map(ids)}", body, headers=HEADERS)
        assert reply.status == 501, f"{line}: {reply.status} {reply.text}"
        assert SENTENCE.match(reply.json["message"]), reply.text
        assert not reply.json.get("detail")


def test_what_is_refused_tells_nobody_of_things_that_they_may_not_see(
    house: House, owner: Client, ids: Mapping[str, str]
) -> None:
    stranger = house.client(house.user("stranger"))
    unknown = dict.fromkeys(ids, str(uuid4()))
    about = [command for command in COMMANDS if "{" in command.path.partition("?")[0] and "/files" not in command.path]
    for line, _, method, path, body in about:
        hidden = stranger.send(method, f"/api/v2{path.format_map(ids)}", body)
        missing = owner.send(method, f"/api/v2{path.format_map(unknown)}", body)
        assert (hidden.status, missing.status) == (404, 404), line
        assert hidden.text == missing.text


def test_an_id_that_is_none_is_refused_as_such(owner: Client) -> None:
    for path in ("workspacebuilds/x/state", "workspaceagents/x/connection", "templateversions/x/rich-parameters"):
        reply = owner.get(f"/api/v2/{path}")
        assert (reply.status, reply.json["validations"][0]["field"]) == (400, path.split("/")[0][:-1]), path
