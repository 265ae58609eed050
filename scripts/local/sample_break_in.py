"""A break-in over three nights among the ordinary work of the sample: what the auditors' page is there to find.

One address guesses its way into the account of an auditor, who has no business in workspaces; takes a token that opens
everything; has that account made an administrator; and on the third night goes through a colleague's workspace. One of
its sessions is still open. `docs/auditing.md` walks through it, and a test does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib.logs.audit_event import AuditEvent
from chalicelib.logs.connection import ConnectionEvent

ADDRESS = "198.51.100.23"
"""Where the intruder comes from: a network of documentation, and no other event of the sample is from it."""
INTRUDED = "ken"
WORKSPACE = "linus-kernel"
FAILED_LOGINS = 14

_OWNER = "linus"
_ADMIN = "grace"
_ADMINS_WORKSPACE = "grace-compiler"
_SCRIPT = "python-requests/2.32.5"
_CLI = "coder-cli/v2.35.0 (linux/amd64)"
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0 Safari/537.36"
_KEYS = ("AAAAC3NzaC1lZDI1NTE5AAAAIEx7c", "AAAAC3NzaC1lZDI1NTE5AAAAIKmZ3Q")
_TOKEN = "backup-sync"  # noqa: S105 - a token's name

Identify = Callable[[str, str], str]


class BreakIn:
    """The events of the break-in, in no order.

    Args:
        now: the moment at which the sample is made; the nights are the three before it.
        sample_id: makes ids of names.
        of_workspace: the fields that all connections to a workspace share.
    """

    def __init__(self, now: datetime, sample_id: Identify, of_workspace: Callable[[str], dict[str, Any]]) -> None:
        self._midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._id = sample_id
        self._of_workspace = of_workspace

    def connections(self) -> Iterator[ConnectionEvent]:
        """Into the administrator's workspace on the second night, and into the colleague's on the third."""
        yield self._web(2, "02:21:07", _ADMINS_WORKSPACE, "workspace_app", "code-server", 404)
        yield self._web(2, "02:22:31", _ADMINS_WORKSPACE, "workspace_app", "code-server", 200)
        yield self._web(2, "02:40:12", _ADMINS_WORKSPACE, "workspace_app", "terminal", 200)
        yield from self._session(1, "02:14:09", "ssh", "03:58:44")
        yield self._web(1, "02:31:50", WORKSPACE, "port_forwarding", "9418", 200)
        yield self._web(1, "03:12:02", WORKSPACE, "tunnel", None, 200)
        yield from self._session(1, "04:11:36", "vscode", None)

    def audited(self) -> Iterator[AuditEvent]:
        """The guessing, the token, the role, and what was changed in the workspace."""
        for number in range(FAILED_LOGINS):
            yield self._login(3, f"01:{40 + number}:{7 + 3 * number:02d}", 401)
        yield self._login(3, "02:07:55", 201)
        yield self._token(3, "02:12:20", "create", 201)
        yield self._role(2, "02:44:19")
        yield self._template(2, "03:05:48")
        yield self._build(1, "02:09:33", "start", "41")
        yield self._key(1, "02:36:10")
        yield self._build(1, "04:02:51", "stop", "42")
        yield self._build(1, "04:08:15", "start", "43")
        yield self._token(1, "04:20:02", "delete", 200)

    def _at(self, night: int, clock: str) -> datetime:
        hours, minutes, seconds = map(int, clock.split(":"))
        return self._midnight - timedelta(days=night) + timedelta(hours=hours, minutes=minutes, seconds=seconds)

    def _session(self, night: int, began: str, kind: str, ended: str | None) -> Iterator[ConnectionEvent]:
        opened = self._connection(night, began, WORKSPACE, kind)
        yield opened
        if ended is not None:
            yield self._connection(night, ended, WORKSPACE, kind, began=began)

    def _web(self, night: int, clock: str, workspace: str, kind: str, slug: str | None, code: int) -> ConnectionEvent:
        return self._connection(night, clock, workspace, kind, slug=slug, code=code)

    def _connection(
        self,
        night: int,
        clock: str,
        workspace: str,
        kind: str,
        *,
        slug: str | None = None,
        code: int | None = None,
        began: str | None = None,
    ) -> ConnectionEvent:
        """An event of a connection: of a web one where it has a code, the end of a session where it `began` earlier."""
        name = f"break-in {night} {began or clock} {kind}"
        ends = began is not None
        return ConnectionEvent(
            id=self._id("event", name),
            time=self._at(night, clock),
            connection_status="disconnected" if ends else "connected",
            **self._of_workspace(workspace),
            agent_name="main",
            type=kind,
            code=0 if ends else code,
            ip=ADDRESS,
            user_agent=None if code is None else _BROWSER,
            user_id=None if code is None else self._id("user", INTRUDED),
            slug_or_port=slug,
            connection_id=self._id("connection", name) if code is None else None,
            disconnect_reason="session closed by the client" if ends else None,
        )

    def _login(self, night: int, clock: str, status: int) -> AuditEvent:
        user = self._id("user", INTRUDED)
        return self._event(night, clock, _SCRIPT, None, ("api_key", user, ""), "login", status)

    def _token(self, night: int, clock: str, action: str, status: int) -> AuditEvent:
        about = ("api_key", self._id("user", INTRUDED), _TOKEN)
        return self._event(night, clock, _SCRIPT, None, about, action, status)

    def _role(self, night: int, clock: str) -> AuditEvent:
        about = ("organization_member", self._id("user", INTRUDED), INTRUDED)
        old, new = ({"username": INTRUDED, "roles": [f"organization-{role}"]} for role in ("auditor", "admin"))
        return self._event(night, clock, _BROWSER, "acme", about, "write", 200, user=_ADMIN, old=old, new=new)

    def _template(self, night: int, clock: str) -> AuditEvent:
        about = ("template", self._id("template", "kubernetes"), "kubernetes")
        old, new = ({"name": "kubernetes", "max_port_sharing_level": level} for level in ("owner", "public"))
        return self._event(night, clock, _BROWSER, "acme", about, "write", 200, old=old, new=new)

    def _build(self, night: int, clock: str, action: str, number: str) -> AuditEvent:
        fields = {
            "workspace_name": WORKSPACE,
            "build_number": number,
            "build_reason": "cli",
            "workspace_owner": _OWNER,
            "workspace_id": self._id("workspace", WORKSPACE),
        }
        about = ("workspace_build", self._id("build", f"break-in {number}"), "")
        return self._event(night, clock, _CLI, "acme", about, action, 200, additional_fields=fields)

    def _key(self, night: int, clock: str) -> AuditEvent:
        user = self._id("user", _OWNER)
        before, after = ({"user_id": user, "private_key": key, "public_key": f"ssh-ed25519 {key}"} for key in _KEYS)
        about = ("git_ssh_key", user, after["public_key"])
        return self._event(night, clock, _BROWSER, None, about, "write", 200, old=before, new=after)

    def _event(
        self,
        night: int,
        clock: str,
        user_agent: str,
        organization: str | None,
        about: tuple[str, str, str],
        action: str,
        status: int,
        *,
        user: str = INTRUDED,
        **more: Any,  # noqa: ANN401 - other fields of the event
    ) -> AuditEvent:
        resource_type, resource_id, target = about
        return AuditEvent(
            id=None,
            time=self._at(night, clock),
            user_id=self._id("user", user),
            organization_id=organization and self._id("organization", organization),
            ip=ADDRESS,
            user_agent=user_agent,
            resource_type=resource_type,
            resource_id=resource_id,
            resource_target=target,
            resource_icon=None,
            action=action,
            status_code=status,
            request_id=self._id("request", f"break-in {night} {clock}"),
            **more,
        )
