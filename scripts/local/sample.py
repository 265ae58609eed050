"""A small lively sample: two organizations, seven people, what they did in three weeks, and a break-in among it.

The same every time but for the clock: ids are made of names, and chance has a seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from chalicelib import times
from chalicelib.logs import audit_event, session
from chalicelib.logs.batch import Batch
from chalicelib.logs.connection import ConnectionEvent, row
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Organization, User
from chalicelib.store.directory import people
from chalicelib.store.logs import audit_writer, connection_writer
from chalicelib.store.logs.connection_writer import Rule
from scripts.local import sample_audit
from scripts.local.sample_break_in import BreakIn
from scripts.local.sample_hours import address_of, working_moment

_CONNECTIONS = 360
_STILL_OPEN_HOURS = 6
_SECONDS = 60.0

_DEFAULT_ORGANIZATION = "acme"
_ORGANIZATIONS = {"acme": "Acme", "research": "Research Lab"}
_PEOPLE: dict[str, tuple[str, dict[str, tuple[str, ...]], tuple[str, ...]]] = {
    "ada": ("Ada Lovelace", {"research": ()}, ()),
    "alan": ("Alan Turing", {"research": ("organization-admin",)}, ()),
    "grace": ("Grace Hopper", {"acme": ("organization-admin",)}, ()),
    "linus": ("Linus Torvalds", {"acme": ()}, ()),
    "margaret": ("Margaret Hamilton", {"acme": (), "research": ()}, ()),
    "ken": ("Ken Thompson", {"acme": ("organization-auditor",)}, ()),
    "audrey": ("Audrey Auditor", {}, ("auditor",)),
}
_WORKSPACES = {
    "ada-analysis": ("ada", "research"),
    "alan-enigma": ("alan", "research"),
    "margaret-guidance": ("margaret", "research"),
    "grace-compiler": ("grace", "acme"),
    "linus-kernel": ("linus", "acme"),
    "margaret-flight": ("margaret", "acme"),
}
_TYPES = (*SESSION_TYPES, "ssh", "vscode", "workspace_app", "workspace_app", "port_forwarding", "tunnel")
_SLUGS = {"workspace_app": ("code-server", "jupyter", "terminal"), "port_forwarding": ("3000", "8080", "5173")}
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_ENDINGS = (("session closed by the client", 0), ("session closed by the client", 0), ("connection lost", 255))
_WEB_CODES = (200, 200, 200, 200, 303, 404)


def sample_id(kind: str, name: str) -> str:
    """The id of a sample thing, for example `sample_id("workspace", "linus-kernel")`."""
    return str(uuid5(NAMESPACE_URL, f"https://gatebook.invalid/sample/{kind}/{name}"))


def load() -> int:
    """Write the sample and answer how many events it has."""
    _directory()
    now, chance = times.now(), random.Random(20250710)  # noqa: S311 - a sample needs a seed, not secrecy
    batch = Batch()
    break_in = BreakIn(now, sample_id, _of_workspace)
    events = [*_events(now, chance), *break_in.connections()]
    for index, event in enumerate(events):
        batch.add(index, row(event))
    ordinary = sample_audit.events(now, chance, _WORKSPACES, sample_id)
    audited = [audit_event.row(event) for event in (*ordinary, *break_in.audited())]
    give_up_at = time.monotonic() + _SECONDS
    for written in (
        *connection_writer.write_all([*batch.groups().values()], Rule(session.join), give_up_at=give_up_at),
        *audit_writer.write_all(audited, audit_event.join, give_up_at=give_up_at),
    ):
        if isinstance(written, Exception):
            raise written
    return len(events) + len(audited)


def _directory() -> None:
    now = times.now()
    for name, display_name in _ORGANIZATIONS.items():
        people.save_organization(
            Organization(
                id=sample_id("organization", name),
                name=name,
                display_name=display_name,
                description="Made by the sample data.",
                icon="",
                is_default=name == _DEFAULT_ORGANIZATION,
                created_at=now,
                updated_at=now,
            ),
            None,
        )
    for username, (name, memberships, roles) in _PEOPLE.items():
        people.save_user(
            User(
                id=sample_id("user", username),
                username=username,
                email=f"{username}@example.com",
                name=name,
                avatar_url="",
                status="active",
                login_type="none",
                roles=roles,
                organization_roles={sample_id("organization", key): held for key, held in memberships.items()},
                created_at=now,
                updated_at=now,
            ),
            None,
        )


def _events(now: datetime, chance: random.Random) -> Iterator[ConnectionEvent]:
    # Whatever chance does, the first query of the README has an answer.
    yield replace(_opening(_CONNECTIONS, now - timedelta(minutes=20), "ssh", chance), **_of_workspace("linus-kernel"))
    for number in range(_CONNECTIONS):
        began = working_moment(now, chance)
        kind = chance.choice(_TYPES)
        opened = _opening(number, began, kind, chance)
        yield opened
        ended = began + timedelta(seconds=chance.uniform(30, 4 * 3_600))
        still_open = now - began < timedelta(hours=_STILL_OPEN_HOURS) or chance.random() < 0.02  # noqa: PLR2004
        if kind in SESSION_TYPES and ended < now and not still_open:
            reason, code = chance.choice(_ENDINGS)
            yield replace(opened, connection_status="disconnected", time=ended, disconnect_reason=reason, code=code)


def _opening(number: int, began: datetime, kind: str, chance: random.Random) -> ConnectionEvent:
    workspace = chance.choice(sorted(_WORKSPACES))
    owner = _WORKSPACES[workspace][0]
    session = kind in SESSION_TYPES
    visitor = owner if chance.random() < 0.8 else chance.choice(["grace", "ken", None])  # noqa: PLR2004
    status: Literal["connected"] = "connected"
    return ConnectionEvent(
        id=sample_id("event", str(number)),
        time=began,
        connection_status=status,
        **_of_workspace(workspace),
        agent_name="main",
        type=kind,
        code=None if session else chance.choice(_WEB_CODES),
        ip=address_of(sample_id("user", visitor or owner), chance),
        user_agent=None if session else _BROWSER,
        user_id=None if session or visitor is None else sample_id("user", visitor),
        slug_or_port=chance.choice(_SLUGS[kind]) if kind in _SLUGS else None,
        connection_id=sample_id("connection", str(number)) if session else None,
        disconnect_reason=None,
    )


def _of_workspace(name: str) -> dict[str, Any]:
    owner, organization = _WORKSPACES[name]
    return {
        "organization_id": sample_id("organization", organization),
        "workspace_owner_id": sample_id("user", owner),
        "workspace_id": sample_id("workspace", name),
        "workspace_name": name,
    }
