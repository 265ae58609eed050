"""The answers of the service about itself and about ways to log in."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class MessageJSON(TypedDict):
    """That something was done, in a sentence."""

    message: str


class BuildInfoJSON(TypedDict):
    """codersdk.BuildInfoResponse."""

    external_url: str
    version: str
    dashboard_url: str
    telemetry: bool
    workspace_proxy: bool
    agent_api_version: str
    provisioner_api_version: str
    upgrade_message: str
    deployment_id: str


class ScopeJSON(TypedDict):
    """A scope with the permissions that it stands for, and a line that says it."""

    name: str
    expands_to: list[str]
    description: str


class ScopesJSON(TypedDict):
    """The scopes that a token may be given; `details` only where they are asked for."""

    external: list[str]
    details: NotRequired[list[ScopeJSON]]


class PasswordMethodJSON(TypedDict):
    """Whether there are passwords."""

    enabled: bool


class GithubMethodJSON(TypedDict):
    """Whether people log in by GitHub."""

    enabled: bool
    default_provider_configured: bool


class OIDCMethodJSON(TypedDict):
    """Whether people log in by OpenID Connect."""

    enabled: bool
    signInText: str
    iconUrl: str


class AuthMethodsJSON(TypedDict):
    """codersdk.AuthMethods."""

    password: PasswordMethodJSON
    github: GithubMethodJSON
    oidc: OIDCMethodJSON


class LoginTypeJSON(TypedDict):
    """codersdk.UserLoginType."""

    login_type: str


class SignedInJSON(TypedDict):
    """Who is signed in to the page, by which key and until when, and where links of rows lead to."""

    username: str
    key_id: str
    expires_at: str
    dashboard_url: str


class SessionJSON(TypedDict):
    """When the session of the page ends, and whether it has a token of its own."""

    expires_at: str
    minted: bool


class RejectedHourJSON(TypedDict):
    """An hour in which events were rejected, by its beginning, and how many."""

    hour: str
    events: int


class RejectionsJSON(TypedDict):
    """The hours of the last nine days in which events were rejected, oldest first."""

    hours: list[RejectedHourJSON]
