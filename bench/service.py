"""The service as its clients meet it: events of API Gateway in, answers out, and what the store was asked meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from copy import copy
from io import StringIO
from typing import Any, NamedTuple
from unittest.mock import patch

from chalice.local import LambdaContext

from bench import events
from bench.cost.meter import Meter, Tally
from bench.cost.units import Table
from chalicelib import settings, times
from chalicelib.records import Organization, User
from chalicelib.retention import holds
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb.schema import create_missing_tables
from chalicelib.store.dynamodb.transport import in_use
from scripts.gateway.events import proxy_event, schedule_event
from scripts.local import owner
from scripts.local.engine import EmbeddedEngine
from scripts.owner import mint_token

_FAILED = 400


class Reply(NamedTuple):
    """An answer: its status and its body as JSON."""

    status: int
    json: Any


class Service:
    """The application on an engine of its own, an owner who calls it, and a meter before its transport.

    Attributes:
        engine: where it stores.
        token: that it is called with.
        owner_id: of the user whose token that is.
    """

    def __init__(self, engine: EmbeddedEngine) -> None:
        # The first import of the application may make its client, which must find the engine running.
        from app import app, purge  # noqa: PLC0415

        create_missing_tables()
        self.engine = engine
        self._app = app
        self._purge = purge
        self.token = owner.ensure_owner(None)
        key = api_keys.get(self.token.partition("-")[0])
        if key is None:
            raise LookupError("the owner's token is not stored")
        self.owner_id = key.user_id
        self._meter = Meter(in_use())
        self.add_people()
        # A token's first use in an hour is noted, and holds are read: neither is what a request costs.
        self.call("GET", "/api/v2/users/{user}", user="me")
        self.call("GET", "/api/v2/audit")

    @contextmanager
    def counting(self) -> Iterator[Tally]:
        """A tally of what the store is asked meanwhile."""
        with self._meter.counting() as tally:
            yield tally

    def call(
        self,
        method: str,
        route: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
        **path: str,
    ) -> Reply:
        """Answer one request.

        Raises:
            RuntimeError: it was refused; what is measured must have happened.
        """
        answer = self.send(self.event(method, route, body, query, **path))
        if answer.status >= _FAILED:
            raise RuntimeError(f"{method} {route} was answered {answer.status}: {answer.json}")
        return answer

    def send(self, event: Mapping[str, Any]) -> Reply:
        """Answer an event, whatever the answer is."""
        answer = self.answer(event)
        return Reply(answer["statusCode"], json.loads(answer["body"] or "null"))

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The request of an event, as it is handed to API Gateway."""
        answer: dict[str, Any] = self._app(event, LambdaContext("bench", memory_size=1024, max_runtime_ms=60_000))
        return answer

    def event(
        self,
        method: str,
        route: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
        **path: str,
    ) -> dict[str, Any]:
        """The event that API Gateway makes of a request."""
        return proxy_event(
            method,
            route.format(**path),
            body if body is None or isinstance(body, str) else json.dumps(body),
            route=route,
            parameters=path,
            query=query,
            headers={"Coder-Session-Token": self.token, "Content-Type": "application/json"},
        )

    def add_people(self) -> None:
        """Put those whom `bench.events` names into the directory, so that rows have names to show."""
        for number in range(events.ORGANIZATIONS):
            self.add_organization(events.made_id("organization", number), f"org-{number}", f"Organization {number}")
        for number in range(events.PEOPLE):
            self.add_user(events.made_id("user", number), f"person-{number}", f"Person {number}")

    def add_organization(self, organization_id: str, name: str, display_name: str) -> None:
        """Put an organization into the directory."""
        now = times.now()
        organization = Organization(
            id=organization_id,
            name=name,
            display_name=display_name,
            description="",
            icon="",
            is_default=False,
            created_at=now,
            updated_at=now,
        )
        people.save_organization(organization, None)

    def add_user(
        self, user_id: str, username: str, name: str, organization_roles: Mapping[str, tuple[str, ...]] | None = None
    ) -> User:
        """Put a user into the directory, with their roles in organizations."""
        now = times.now()
        user = User(
            id=user_id,
            username=username,
            email=f"{username}@example.com",
            name=name,
            avatar_url="",
            status="active",
            login_type="oidc",
            roles=(),
            organization_roles=organization_roles or {},
            created_at=now,
            updated_at=now,
        )
        people.save_user(user, None)
        return user

    def called_by(self, user: User) -> Service:
        """This application, called with a token of another user's."""
        other = copy(self)
        other.token = mint_token(user, "bench")
        other.owner_id = user.id
        # A token's first use in an hour is noted.
        other.call("GET", "/api/v2/users/{user}", user="me")
        return other

    def purge(self) -> None:
        """Run the purge as its schedule does.

        Raises:
            RuntimeError: something went wrong, or it left rows for the next run.
        """
        # What it prints is for CloudWatch.
        with redirect_stdout(StringIO()):
            record = self._purge(schedule_event(), LambdaContext("bench", memory_size=1024, max_runtime_ms=600_000))
        if record.get("remaining", True) or record.get("error"):
            raise RuntimeError(f"the purge did not end well: {record}")

    def table(self, name: str) -> Table:
        """The definition of a table."""
        return self._meter.table(name)

    def forget(self, table: str) -> None:
        """Take every row out of a table."""
        for item in self.engine.items(table):
            self.engine.remove(table, {"id": item["id"]})


@contextmanager
def at_noon() -> Iterator[None]:
    """The service's clock stands at the noon of the events meanwhile: rows are as old as they are meant to be.

    Holds, which a process reads every few seconds, are read once, or they would fall upon one page or another.
    """
    holds.forget()
    with patch.object(times, "now", return_value=events.NOON), patch.object(holds, "CACHE_SECONDS", float("inf")):
        yield
    holds.forget()


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Other settings meanwhile, as a deployment with these variables has."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    settings.current.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        settings.current.cache_clear()
