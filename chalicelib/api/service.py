"""The routes that need no token: health, build, scopes, and whether there is an owner."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from chalicelib.access import scopes
from chalicelib.access.catalogue import PUBLIC
from chalicelib.api.http import Answer, Call
from chalicelib.api.parameters import boolean
from chalicelib.errors import NotFound
from chalicelib.models.service import BuildInfoJSON, MessageJSON, ScopesJSON
from chalicelib.settings import current
from chalicelib.store.directory import people
from chalicelib.version import BUILD_VERSION

_AGENT_API_VERSION = "2.0"
_PROVISIONER_API_VERSION = "1.0"


def health(_call: Call) -> Answer:
    """The service runs; it asks nothing of the store."""
    return Answer("OK")


def build_info(_call: Call) -> Answer:
    """The build information that a Coder CLI reads first."""
    url = current().access_url
    body: BuildInfoJSON = {
        "external_url": url,
        "version": BUILD_VERSION,
        "dashboard_url": url,
        "telemetry": False,
        "workspace_proxy": False,
        "agent_api_version": _AGENT_API_VERSION,
        "provisioner_api_version": _PROVISIONER_API_VERSION,
        "upgrade_message": "",
        "deployment_id": str(uuid5(NAMESPACE_URL, f"{url}/{current().table_prefix}")),
    }
    return Answer(body)


def list_scopes(call: Call) -> Answer:
    """The scopes a token may be given; with `details=true`, also what each expands to and what it is for."""
    body: ScopesJSON = {"external": list(PUBLIC)}
    if boolean(call.query("details")):
        described = {name: scopes.describe(name) for name in PUBLIC}
        body["details"] = [
            {"name": name, "expands_to": list(about.expansion), "description": about.text}
            for name, about in described.items()
        ]
    return Answer(body)


def first_user(_call: Call) -> Answer:
    """Whether there is a user at all; a Coder CLI asks before it logs in."""
    if not people.has_users():
        raise NotFound("The initial user has not been created!")
    return Answer(MessageJSON(message="The initial user has already been created!"))
