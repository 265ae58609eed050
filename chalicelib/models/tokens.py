"""Tokens on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.models.base import Model

_MAX_NAME = 256
_MAX_SCOPES = 256
Nanoseconds = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class CreateToken(Model):
    """What `POST /users/{user}/keys/tokens` asks for; `scope` is the older field and counts only without `scopes`."""

    lifetime: Nanoseconds = 0
    scope: str = ""
    scopes: Annotated[tuple[str, ...], Field(max_length=_MAX_SCOPES)] = ()
    token_name: Annotated[str, Field(max_length=_MAX_NAME)] = ""
    allow_list: tuple[Any, ...] = ()

    @field_validator("scope", "scopes", "token_name", "lifetime", "allow_list", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever the client sent
        assert info.field_name is not None  # noqa: S101 - this validates fields
        return cls.model_fields[info.field_name].get_default() if value is None else value
