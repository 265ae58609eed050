"""User secrets on the wire. The value of one is in what comes in, and in one answer alone."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.models.base import Model
from chalicelib.vault.formats import Format
from chalicelib.vault.secret import Secret

# A value is not in the text of the object either, which a log might hold.


class NewSecret(Model):
    """The body of `POST /users/{user}/secrets`; `chalicelib.vault.rules` checks the fields."""

    name: str = ""
    value: Annotated[str, Field(repr=False)] = ""
    description: str = ""
    env_name: str = ""
    file_path: str = ""
    enabled: Annotated[bool, Field(strict=True)] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever the client sent
        assert info.field_name is not None  # noqa: S101 - this validates fields
        return cls.model_fields[info.field_name].get_default() if value is None else value


class SecretFile(Model):
    """The body of `POST /users/{user}/secrets/batch`: a file, and how it is written."""

    format: Format
    content: Annotated[str, Field(repr=False)]


class ChangedSecret(Model):
    """The body of `PATCH /users/{user}/secrets/{name}`; an absent or null field keeps its value."""

    value: Annotated[str | None, Field(repr=False)] = None
    description: str | None = None
    env_name: str | None = None
    file_path: str | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class SecretJSON(TypedDict):
    """codersdk.UserSecret."""

    id: str
    name: str
    description: str
    env_name: str
    file_path: str
    enabled: bool
    created_at: str
    updated_at: str


class CapabilitiesJSON(TypedDict):
    """codersdk.UserSecretsCapabilities."""

    file_path_delivery_enabled: bool


class ReleasedJSON(TypedDict):
    """A secret with its value, and where an agent is to put it."""

    id: str
    name: str
    env_name: str
    file_path: str
    value: str


def secret_json(secret: Secret) -> SecretJSON:
    """A secret without its value."""
    return {
        "id": secret.id,
        "name": secret.name,
        "description": secret.description,
        "env_name": secret.env_name,
        "file_path": secret.file_path,
        "enabled": secret.enabled,
        "created_at": times.wire(secret.created_at),
        "updated_at": times.wire(secret.updated_at),
    }


def released_json(secret: Secret, value: str, *, files: bool) -> ReleasedJSON:
    """A secret with its value; with its file where the deployment gives files."""
    return {
        "id": secret.id,
        "name": secret.name,
        "env_name": secret.env_name,
        "file_path": secret.file_path if files else "",
        "value": value,
    }
