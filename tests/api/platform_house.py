"""A platform that mirrors itself in over the API, for tests of what is answered from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalicelib import times

if TYPE_CHECKING:
    from tests.api.conftest import Client, Reply

PATHS = {
    "template": "templates",
    "template_version": "templateversions",
    "workspace": "workspaces",
    "workspace_build": "workspacebuilds",
    "workspace_agent": "workspaceagents",
    "provisioner_daemon": "provisionerdaemons",
    "provisioner_job": "provisionerjobs",
}


def ago(**duration: float) -> str:
    """A moment so long ago, as the platform writes it."""
    return times.wire(times.now() - timedelta(**duration))


@dataclass
class Platform:
    """Sends objects with a token that may."""

    client: Client
    organization_id: str

    def put(self, kind: str, object_id: str | None = None, **fields: Any) -> str:
        """Mirror an object in, and give its id."""
        object_id = object_id or str(uuid4())
        reply = self.send(kind, object_id, **fields)
        assert reply.status in (200, 201), reply.text
        return object_id

    def send(self, kind: str, object_id: str, **fields: Any) -> Reply:
        return self.client.put(f"/api/v2/{PATHS[kind]}/{object_id}", fields)

    def template(self, name: str, **fields: Any) -> str:
        return self.put("template", name=name, **{"organization_id": self.organization_id, **fields})

    def version(self, template_id: str | None, name: str = "v1", **fields: Any) -> str:
        values = {"organization_id": self.organization_id, "template_id": template_id, "name": name}
        return self.put("template_version", **{**values, **fields})

    def workspace(self, owner_id: str, template_id: str, name: str, **fields: Any) -> str:
        values = {"organization_id": self.organization_id, "owner_id": owner_id, "template_id": template_id}
        return self.put("workspace", name=name, **{**values, **fields})

    def build(self, workspace_id: str, version_id: str, number: int = 1, **fields: Any) -> str:
        values = {"workspace_id": workspace_id, "template_version_id": version_id, "build_number": number}
        return self.put("workspace_build", **{"transition": "start", **values, **fields})

    def daemon(self, name: str, **fields: Any) -> str:
        return self.put("provisioner_daemon", name=name, **{"organization_id": self.organization_id, **fields})

    def job(self, job_id: str | None = None, **fields: Any) -> str:
        values = {"organization_id": self.organization_id, "initiator_id": str(uuid4()), "type": "workspace_build"}
        return self.put("provisioner_job", job_id, **{**values, **fields})

    def jobs(self, **query: str) -> Reply:
        return self.client.get(f"/api/v2/organizations/{self.organization_id}/provisionerjobs", query=query or None)

    def daemons(self, **query: str) -> Reply:
        return self.client.get(f"/api/v2/organizations/{self.organization_id}/provisionerdaemons", query=query or None)


def moment(text: str) -> datetime:
    """The moment that a text of the API names."""
    return times.from_wire(text)
