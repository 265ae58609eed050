"""Tokens on the wire."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.access import networks
from chalicelib.access.scopes import deprecated_scope
from chalicelib.models.base import Model, Moment
from chalicelib.models.directory import WarningJSON
from chalicelib.records import APIKey
from chalicelib.search.values import cut

_MAX_NAME = 256
_MAX_SCOPES = 256
_MAX_NETWORKS = 64
Nanoseconds = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


def _network(text: str) -> str:
    try:
        return networks.normal(text)
    except ValueError as error:
        raise ValueError(f"{cut(text)!r} is not an address or a network such as 203.0.113.0/24") from error


Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]
Networks = Annotated[tuple[Network, ...], Field(max_length=_MAX_NETWORKS)]
Names = Annotated[tuple[str, ...], Field(max_length=_MAX_SCOPES)]
TokenName = Annotated[str, Field(max_length=_MAX_NAME)]


class CreateToken(Model):
    """The body of `POST /users/{user}/keys/tokens`; `scope` is the older field and counts only without `scopes`.

    `allowed_ips` is Gatebook's own: the networks that the token may be used from.
    """

    lifetime: Nanoseconds = 0
    scope: str = ""
    scopes: Names = ()
    token_name: TokenName = ""
    allow_list: tuple[Any, ...] = ()
    allowed_ips: Networks = ()

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever the client sent
        assert info.field_name is not None  # noqa: S101 - this validates fields
        return cls.model_fields[info.field_name].get_default() if value is None else value


class NarrowToken(Model):
    """The body of `PATCH /users/{user}/keys/{keyid}`, which only narrows; null and absent fields keep their value."""

    scopes: Annotated[Names, Field(min_length=1)] | None = None
    allow_list: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    allowed_ips: Networks | None = None
    expires_at: Moment | None = None
    token_name: Annotated[str, Field(min_length=1, max_length=_MAX_NAME)] | None = None


class RotateToken(Model):
    """The body of `POST /users/{user}/keys/{keyid}/rotate`: the grace of the old secret, in nanoseconds."""

    grace: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0


class IssuedKeyJSON(TypedDict):
    """A token with its secret, which is in no other answer."""

    key: str
    warnings: NotRequired[list[WarningJSON]]


class TokenConfigJSON(TypedDict):
    """codersdk.TokenConfig: the longest lifetime, in nanoseconds."""

    max_token_lifetime: int


class APIKeyJSON(TypedDict):
    """codersdk.APIKey, with `username` in lists and `allowed_ips` where the token has them. Never the secret."""

    id: str
    user_id: str
    last_used: str
    expires_at: str
    created_at: str
    updated_at: str
    login_type: str
    scope: str
    scopes: list[str]
    token_name: str
    lifetime_seconds: int
    allow_list: list[str]
    allowed_ips: NotRequired[list[str]]
    username: NotRequired[str]


def api_key_json(key: APIKey) -> APIKeyJSON:
    """A token as clients read it."""
    body: APIKeyJSON = {
        "id": key.id,
        "user_id": key.user_id,
        "last_used": times.wire(key.last_used),
        "expires_at": times.wire(key.expires_at),
        "created_at": times.wire(key.created_at),
        "updated_at": times.wire(key.updated_at),
        "login_type": key.login_type,
        "scope": deprecated_scope(key.scopes),
        "scopes": list(key.scopes),
        "token_name": key.token_name,
        "lifetime_seconds": key.lifetime_seconds,
        "allow_list": list(key.allow_list),
    }
    if key.allowed_ips:
        body["allowed_ips"] = list(key.allowed_ips)
    return body
