"""Agents on machines of one's own: the script that starts one, and the token that the platform deposits for it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid5

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib.access.decide import Object, decide
from chalicelib.api import platform_access
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import uuid
from chalicelib.api.trail import Resource, row
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.logs.connection import NAMESPACE
from chalicelib.models.base import Model, parse
from chalicelib.platform import init_script
from chalicelib.platform.kinds import BUILD, WORKSPACE
from chalicelib.search.values import cut
from chalicelib.settings import current
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.store.platform import beside, rows
from chalicelib.store.platform.listing import agents_of
from chalicelib.store.platform.rows import Mirrored
from chalicelib.store.secrets import data_keys, envelope

_NOTHING = "No credentials are deposited for external agent '{}', or they were fetched before."


class Deposit(Model):
    """The token of an agent."""

    agent_token: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_.~-]+$")]


class CredentialsJSON(TypedDict):
    """The command that starts an external agent, and its token."""

    command: str
    agent_token: str


def script(_call: Call, os: str, arch: str) -> Answer:
    """The script that starts an agent; who fetches it has no token yet."""
    pair = (os.lower(), arch.lower())
    if pair not in init_script.KNOWN:
        raise BadRequest(f"Unknown os/arch: {cut('/'.join(pair))}")
    text = init_script.script(*pair, platform_url())
    digest = b64encode(sha256(text.encode()).digest()).decode()
    return Answer(text, headers={"Content-Digest": f"sha-256=:{digest}:"})


@authenticated
def deposit(call: Call, caller: Caller, workspace: str, agent: str) -> Answer:
    """Keep the token of an external agent, encrypted, until it is fetched."""
    workspace_id = uuid("workspace", workspace)
    asked = parse(Deposit, call.body)
    if not decide(caller.subject, "update", Object(WORKSPACE.resource, workspace_id)):
        raise Forbidden("You may not deposit the token of an agent.")
    data_keys.require_on()
    item_id = _item_id(workspace_id, agent)
    sealed = envelope.sealed(asked.agent_token, _context(workspace_id, item_id))
    named = rows.get(WORKSPACE, workspace_id)
    build = _latest_build(named) if named else None
    known = _agent(build, agent) if build else None
    # The platform may deposit a token before it mirrors what it is of.
    about = _resource(named, known.id if known else str(uuid5(NAMESPACE, item_id)), agent)
    more = {**_fields(workspace_id, named), "credentials": "deposited"}
    beside.put(item_id, {"sealed": sealed}, *writes_of(row(call, caller, "write", 204, about, more=more)))
    return Answer(None, 204)


@authenticated
def credentials(call: Call, caller: Caller, workspace: str, agent: str) -> Answer:
    """The token of an external agent that the platform has deposited: answered once, with an audit row."""
    named = platform_access.named(caller, WORKSPACE, "workspace", workspace)
    agent_row = _external_agent(named, agent)
    item_id = _item_id(named.id, agent)
    stored = beside.read(item_id)
    if not stored:
        raise NotFound(_NOTHING.format(cut(agent)))
    call.require_body_wanted()
    token = envelope.opened(stored["sealed"], _context(named.id, item_id))
    about = _resource(named, agent_row.id, agent)
    more = {**_fields(named.id, named), "credentials": "fetched"}
    if not beside.take(item_id, *writes_of(row(call, caller, "write", 200, about, more=more))):
        raise NotFound(_NOTHING.format(cut(agent)))
    os, arch = str(agent_row.get("operating_system") or "linux"), str(agent_row.get("architecture") or "amd64")
    body: CredentialsJSON = {
        "command": init_script.command(os, arch, current().access_url, token),
        "agent_token": token,
    }
    return Answer(body)


def platform_url() -> str:
    """The address of the platform, where agents are downloaded and report."""
    return current().dashboard_url or current().access_url


def _resource(workspace: Mirrored | None, agent_id: str, agent: str) -> Resource:
    return Resource("workspace_agent", agent_id, agent, workspace.get("organization_id") if workspace else None)


def _fields(workspace_id: str, workspace: Mirrored | None) -> dict[str, Any]:
    return {"workspace_id": workspace_id, "workspace_name": workspace.get("name") if workspace else ""}


def _latest_build(workspace: Mirrored) -> Mirrored | None:
    return rows.get(BUILD, str(workspace.joined.get("latest_build_id")))


def _agent(build: Mirrored, name: str) -> Mirrored | None:
    agents = agents_of([build.id], Budget()).get(build.id, [])
    return next((agent for agent in agents if agent.get("name") == name), None)


def _external_agent(workspace: Mirrored, name: str) -> Mirrored:
    build = _latest_build(workspace)
    if build is None or not build.get("has_external_agent"):
        raise NotFound("Workspace does not have an external agent.")
    named = _agent(build, name)
    if named is None:
        raise NotFound(f"External agent '{cut(name)}' not found in workspace.")
    if named.get("instance_id"):
        raise NotFound("External agent is authenticated with an instance ID.")
    return named


def _context(workspace_id: str, item_id: str) -> dict[str, str]:
    """The context that a token is encrypted in, by the names that the policy of the key requires."""
    return {"user": workspace_id, "secret": item_id}


def _item_id(workspace_id: str, agent: str) -> str:
    digest = sha256(agent.encode("utf-8", "surrogatepass")).hexdigest()
    return f"credentials#{workspace_id}#{digest}"
