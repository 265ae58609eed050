"""The operations of the fault matrix that call more than the store: KMS, bucket, queue, a function, providers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from chalicelib.api.export_writer import saved_job
from chalicelib.models.exports import Job
from chalicelib.store.directory import people
from chalicelib.store.exports import files, jobs
from tests.faults.operations import (
    AUDIT,
    AUDITED,
    BUILT,
    CONNECTED,
    CONNECTIONS,
    MIRRORED,
    NEVER_MET,
    OF_PLATFORM,
    ONCE,
    SOMEBODY,
    USERS,
    WEB,
    WORKSPACE,
    Operation,
)

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

SECRETS = f"{USERS}/me/secrets"
SECRET = {"name": "npm", "value": "s3cret"}
EXPORTS, LINKS = "/api/v2/exports", "/api/v2/external-auth"
EXPORTED = {"log": "connection", "q": "type:ssh"}
LINKED = {
    "type": "gitlab",
    "revoke_url": "https://gitlab.example.com/oauth/revoke",
    "access_token": "acc3ss",
    "refresh_token": "r3fresh",
}
CREDENTIALS = f"/api/v2/workspaces/{WORKSPACE}/external-agent/main/credentials"
EXTERNAL = (
    *OF_PLATFORM,
    ("PUT", f"/api/v2/workspacebuilds/{SOMEBODY}", {**BUILT, "has_external_agent": True}),
    (
        "PUT",
        f"/api/v2/workspaceagents/{MIRRORED}",
        {"workspace_build_id": SOMEBODY, "name": "main", "updated_at": BUILT["updated_at"]},
    ),
)
_NOISE = Random(1).randbytes(280_000)
INCOMPRESSIBLE = {
    **AUDITED,
    "id": SOMEBODY,
    "diff": {"script": {"old": _NOISE[:140_000].hex(), "new": _NOISE[140_000:].hex(), "secret": False}},
}


def agent(house: House, owner: Client, _location: str) -> tuple[Client, str]:
    """The token of an agent, which reads the value of the one secret that there is."""
    (secret,) = owner.get(SECRETS).json
    root = people.get_user(owner.get(f"{USERS}/me").json["id"])
    assert root is not None
    token = {"scopes": ("user_secret:read",), "allow_list": (f"user_secret:{secret['id']}",)}
    return house.client(root, **token), f"{SECRETS}/npm/value"


def written_export(_house: House, owner: Client, location: str) -> tuple[Client, str]:
    """An export that has ended, with two files."""
    export_id = location.rpartition("/")[2]
    for name in ("part-00001.ndjson.gz", "manifest.json"):
        files.put(export_id, name, b"content")
    kept = jobs.read(export_id)
    assert kept is not None
    saved_job(Job.model_validate({**kept.fields, "state": "complete"}), kept.revision)
    return owner, location


OF_SERVICES: Mapping[str, Operation] = {
    "make a secret": Operation("POST", SECRETS, SECRET, done_already=(409,), services=("kms",)),
    "import a file of secrets": Operation(
        "POST",
        f"{SECRETS}/batch",
        {"format": "env", "content": "ONE=1\nTWO=2"},
        done_already=(409,),
        services=("kms",),
    ),
    "change a secret": Operation(
        "PATCH",
        f"{SECRETS}/npm",
        {"value": "other"},
        before=(("POST", SECRETS, SECRET),),
        adds=("audit_logs",),
        services=("kms",),
    ),
    "delete a secret": Operation("DELETE", f"{SECRETS}/npm", before=(("POST", SECRETS, SECRET),), done_already=(404,)),
    "release a secret": Operation(
        "GET",
        "",
        before=(("POST", SECRETS, SECRET),),
        prepare=agent,
        adds=("audit_logs",),
        impossible=NEVER_MET,
        services=("kms",),
    ),
    "link to a provider": Operation(
        "PUT", f"{USERS}/me/external-auth/gitlab", LINKED, adds=("audit_logs",), services=("kms",)
    ),
    "end a link": Operation(
        "DELETE",
        f"{LINKS}/gitlab",
        before=(("PUT", f"{USERS}/me/external-auth/gitlab", LINKED),),
        done_already=(404,),
        services=("http", "kms"),
    ),
    "deposit the token of an agent": Operation(
        "PUT",
        CREDENTIALS,
        {"agent_token": "token"},
        before=EXTERNAL,
        adds=("audit_logs",),
        impossible=NEVER_MET,
        services=("kms",),
    ),
    "release the token of an agent": Operation(
        "GET",
        CREDENTIALS,
        before=(*EXTERNAL, ("PUT", CREDENTIALS, {"agent_token": "token"})),
        done_already=(404,),
        services=("kms",),
    ),
    "queue events": Operation("POST", CONNECTIONS, [CONNECTED, WEB], query={"queue": "true"}, services=("sqs",)),
    "queue large events": Operation(
        "POST", AUDIT, [AUDITED, INCOMPRESSIBLE], query={"queue": "true"}, services=("s3", "sqs")
    ),
    "ask for an export": Operation("POST", EXPORTS, EXPORTED, headers=ONCE, services=("lambda",)),
    "ask for an export without a key": Operation(
        "POST", EXPORTS, EXPORTED, adds=("audit_logs", "exports"), services=("lambda",)
    ),
    "show an export": Operation(
        "GET",
        "",
        before=(("POST", EXPORTS, EXPORTED),),
        prepare=written_export,
        adds=("audit_logs",),
        impossible=NEVER_MET,
    ),
    "delete an export": Operation(
        "DELETE",
        "",
        before=(("POST", EXPORTS, EXPORTED),),
        prepare=written_export,
        done_already=(404,),
        services=("s3",),
    ),
}
