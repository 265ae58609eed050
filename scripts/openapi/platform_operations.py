"""The requests and answers of the routes of the platform's directory and of user secrets."""

from __future__ import annotations

from chalicelib.api.external_auth import ExternalAuthJSON, LinksJSON, PutLink, UnlinkedJSON
from chalicelib.api.usage_events import DailyUsageJSON, PutLicense, UsageEvents, UsageResultJSON
from chalicelib.errors import ErrorJSON
from chalicelib.models import mirrored_shapes
from chalicelib.models.mirrored import MirroredJSON, MirrorResultsJSON
from chalicelib.models.mirrored_fields import Mirror
from chalicelib.models.provisioners import DaemonJSON, JobJSON
from chalicelib.models.user_secrets import (
    CapabilitiesJSON,
    ChangedSecret,
    NewSecret,
    ReleasedJSON,
    SecretFile,
    SecretJSON,
)
from chalicelib.platform.entitlements import EntitlementsJSON
from scripts.openapi.operation import NOTHING, Body, Operation

_API = "/api/v2"
_ORGANIZATION = f"{_API}/organizations/{{organization}}"
_SECRETS = f"{_API}/users/{{user}}/secrets"
_SECRET = f"{_SECRETS}/{{name}}"


def _mirror(shape: type[Mirror]) -> Operation:
    return Operation({200: MirroredJSON, 201: MirroredJSON}, body=Body(shape))


OPERATIONS = {
    f"PUT {_API}/directory": Operation(
        {200: MirrorResultsJSON, 503: MirrorResultsJSON | ErrorJSON},
        body=Body(dict[str, object], lines=True),
        query=("results",),
    ),
    f"PUT {_API}/templates/{{template}}": _mirror(mirrored_shapes.PutTemplate),
    f"PUT {_API}/templateversions/{{templateversion}}": _mirror(mirrored_shapes.PutVersion),
    f"PUT {_API}/workspaces/{{workspace}}": _mirror(mirrored_shapes.PutWorkspace),
    f"PUT {_API}/workspacebuilds/{{workspacebuild}}": _mirror(mirrored_shapes.PutBuild),
    f"PUT {_API}/workspaceagents/{{workspaceagent}}": _mirror(mirrored_shapes.PutAgent),
    f"PUT {_API}/provisionerdaemons/{{daemon}}": _mirror(mirrored_shapes.PutDaemon),
    f"PUT {_API}/provisionerjobs/{{job}}": _mirror(mirrored_shapes.PutJob),
    f"GET {_ORGANIZATION}/provisionerjobs": Operation(
        {200: list[JobJSON]},
        query=("limit", "after_id", "ids", "job_status", "tags", "initiator"),
        headers=("Gatebook-Partial", "Link"),
    ),
    f"GET {_ORGANIZATION}/provisionerjobs/{{job}}": Operation({200: JobJSON}),
    f"GET {_ORGANIZATION}/provisionerdaemons": Operation(
        {200: list[DaemonJSON]},
        query=("limit", "after_id", "ids", "tags", "offline", "daemon_status", "max_age"),
        headers=("Gatebook-Partial", "Link"),
    ),
    f"POST {_API}/usage/events": Operation({200: UsageResultJSON}, body=Body(UsageEvents)),
    f"GET {_API}/usage/daily": Operation({200: list[DailyUsageJSON]}, query=("first_day", "last_day")),
    f"PUT {_API}/licenses/{{license}}": Operation({204: NOTHING}, body=Body(PutLicense)),
    f"PUT {_API}/users/{{user}}/external-auth/{{provider}}": Operation(
        {204: NOTHING, 501: ErrorJSON}, body=Body(PutLink)
    ),
    f"GET {_API}/external-auth": Operation({200: LinksJSON}),
    f"GET {_API}/external-auth/{{provider}}": Operation({200: ExternalAuthJSON}),
    f"DELETE {_API}/external-auth/{{provider}}": Operation({200: UnlinkedJSON}),
    f"GET {_API}/entitlements": Operation({200: EntitlementsJSON}),
    f"GET {_API}/deployment/user-secrets/capabilities": Operation({200: CapabilitiesJSON}, (404,)),
    f"POST {_SECRETS}": Operation({201: SecretJSON}, (409,), Body(NewSecret)),
    f"POST {_SECRETS}/batch": Operation({201: list[SecretJSON]}, (409,), Body(SecretFile)),
    f"GET {_SECRETS}": Operation({200: list[SecretJSON]}),
    f"GET {_SECRET}": Operation({200: SecretJSON}),
    f"PATCH {_SECRET}": Operation({200: SecretJSON}, (409,), Body(ChangedSecret)),
    f"DELETE {_SECRET}": Operation({204: NOTHING}),
    f"GET {_SECRET}/value": Operation({200: ReleasedJSON}, (409,)),
}
