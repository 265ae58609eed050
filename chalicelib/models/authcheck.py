"""The body of `POST /api/v2/authcheck`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.models.base import Model

_MAX_CHECKS = 1_000


class CheckedObject(Model):
    """An object as the policy sees it; `owner_id` may be `me`, and `any_org` asks whether there is any organization."""

    resource_type: str
    owner_id: str = ""
    organization_id: str = ""
    resource_id: str = ""
    any_org: bool = False


class Check(Model):
    """One question: may the caller do this to that?"""

    action: str
    object: CheckedObject


class AuthCheck(Model):
    """Questions by name."""

    checks: Annotated[dict[str, Check], Field(max_length=_MAX_CHECKS)] = {}  # noqa: RUF012 - pydantic copies it
