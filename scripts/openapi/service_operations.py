"""The requests and answers of the routes of tokens, of retention, of the page and of the service itself."""

from __future__ import annotations

from typing import Any

from chalicelib.errors import ErrorJSON
from chalicelib.models.authcheck import AuthCheck
from chalicelib.models.retention import HoldJSON, HoldsJSON, PutHold, RetentionJSON, RunJSON, StartRun
from chalicelib.models.service import (
    AuthMethodsJSON,
    BuildInfoJSON,
    MessageJSON,
    RejectionsJSON,
    ScopesJSON,
    SessionJSON,
    SignedInJSON,
)
from chalicelib.models.tokens import APIKeyJSON, CreateToken, IssuedKeyJSON, NarrowToken, RotateToken, TokenConfigJSON
from scripts.openapi.operation import NOTHING, Body, Link, Operation, Text

_API = "/api/v2"
_USERS = f"{_API}/users"
_KEYS = f"{_USERS}/{{user}}/keys"
_KEY = f"{_KEYS}/{{keyid}}"
_RETENTION = f"{_API}/retention"
_HOLDS = f"{_RETENTION}/holds"
_TO_PAGE = Operation({303: NOTHING}, (404,), headers=("Location",))

OPERATIONS = {
    "GET /healthz": Operation({200: Text()}),
    f"GET {_API}/buildinfo": Operation({200: BuildInfoJSON}),
    f"GET {_API}/openapi.json": Operation({200: dict[str, Any]}),
    f"GET {_API}/auth/scopes": Operation({200: ScopesJSON}, query=("details",)),
    f"POST {_API}/authcheck": Operation({200: dict[str, bool]}, body=Body(AuthCheck)),
    f"GET {_USERS}/authmethods": Operation({200: AuthMethodsJSON}),
    f"GET {_USERS}/first": Operation({200: MessageJSON}, (404,)),
    f"POST {_USERS}/first": Operation({403: ErrorJSON}),
    f"POST {_USERS}/login": Operation({403: ErrorJSON}),
    f"POST {_USERS}/logout": Operation({200: MessageJSON}, headers=("Set-Cookie",)),
    f"POST {_KEYS}": Operation({201: IssuedKeyJSON}, (409, 422), headers=("Idempotency-Key",)),
    f"POST {_KEYS}/tokens": Operation(
        {201: IssuedKeyJSON},
        (409, 422),
        Body(CreateToken, example={"token_name": "reader", "scopes": ["coder:logs.read"]}),
        headers=("Idempotency-Key",),
    ),
    f"GET {_KEYS}/tokens": Operation(
        {200: list[APIKeyJSON]},
        query=("include_all", "include_expired", "limit", "after_key"),
        headers=("Link",),
        links=(
            Link(f"GET {_KEY}", {"user": "$request.path.user", "keyid": "$response.body#/0/id"}),
            Link(f"PUT {_KEY}/expire", {"user": "$request.path.user", "keyid": "$response.body#/1/id"}),
        ),
    ),
    f"GET {_KEYS}/tokens/tokenconfig": Operation({200: TokenConfigJSON}),
    f"GET {_KEYS}/tokens/{{keyname}}": Operation({200: APIKeyJSON}),
    f"GET {_KEY}": Operation({200: APIKeyJSON}),
    f"PATCH {_KEY}": Operation({200: APIKeyJSON}, (409,), Body(NarrowToken)),
    f"DELETE {_KEY}": Operation({204: NOTHING}),
    f"PUT {_KEY}/expire": Operation({204: NOTHING}),
    f"POST {_KEY}/rotate": Operation(
        {201: IssuedKeyJSON}, (409, 422), Body(RotateToken, required=False), headers=("Idempotency-Key",)
    ),
    f"GET {_API}/rejections": Operation({200: RejectionsJSON}),
    f"GET {_RETENTION}": Operation({200: RetentionJSON}),
    f"POST {_RETENTION}/runs": Operation({200: RunJSON}, (409,), Body(StartRun, required=False)),
    f"GET {_HOLDS}": Operation({200: HoldsJSON}),
    f"PUT {_HOLDS}/{{name}}": Operation(
        {200: HoldJSON, 201: HoldJSON},
        body=Body(PutHold, example={"log": "connection", "q": "type:ssh", "reason": "a case at court"}),
    ),
    f"DELETE {_HOLDS}/{{name}}": Operation({204: NOTHING}),
    "GET /": _TO_PAGE,
    "GET /cli-auth": _TO_PAGE,
    "GET /ui": Operation({200: Text("text/html")}),
    "GET /ui/{version}/{asset}": Operation({200: Text("*/*")}),
    "GET /ui/session": Operation({200: SignedInJSON}),
    "POST /ui/session": Operation({201: SessionJSON}, headers=("Set-Cookie",)),
    "DELETE /ui/session": Operation({204: NOTHING}, (401, 403), headers=("Set-Cookie",)),
}
