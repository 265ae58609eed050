"""A page takes few function calls beside the bare query of its rows: the same number on any machine.

`scripts/bench` measures the same two in milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import uuid4

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials
from moto.core.botocore_stubber import BotocoreStubber

from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.connections import Reply
from chalicelib.store.dynamodb.signed_transport import SignedTransport
from chalicelib.store.dynamodb.transport import replaced_by
from scripts.local.engine import EmbeddedEngine

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

P = ParamSpec("P")
R = TypeVar("R")

ROWS = 100
BUDGET = 0.8
"""Calls of the handler per call of botocore's query: 0.4 to 0.77, of which five keys of each connection are a tenth.

The first request of each round is made in the thread that counts, and the others are not.
"""


class Counter:
    """Counts function calls, those of Python and those of C, but not what the engine behind the store makes."""

    def __init__(self) -> None:
        self.calls = 0

    def uncounted(self, work: Callable[P, R]) -> Callable[P, R]:
        """The function, whose calls are not counted."""

        def run(*arguments: P.args, **more: P.kwargs) -> R:
            sys.setprofile(None)
            try:
                return work(*arguments, **more)
            finally:
                sys.setprofile(self._note)

        return run

    def of(self, work: Callable[[], object]) -> int:
        before = sys.getprofile()
        self.calls = 0
        sys.setprofile(self._note)
        try:
            work()
        finally:
            sys.setprofile(before)
        return self.calls

    def _note(self, _frame: object, event: str, _argument: object) -> None:
        self.calls += event in ("call", "c_call")


@pytest.mark.parametrize("kind", ["ssh", "workspace_app"])
def test_a_page_takes_fewer_calls_than_the_bare_query_of_its_rows(
    owner: Client,
    house: House,
    make_event: Callable[..., dict[str, Any]],
    kind: str,
    engine: EmbeddedEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visitor = house.user("visitor")
    session = kind == "ssh"
    events = [
        make_event(
            id=str(uuid4()),
            type=kind,
            time=f"2025-07-10T{number // 60:02}:{number % 60:02}:38.942776Z",
            connection_id=str(uuid4()) if session else None,
            user_id=None if session else visitor.id,
            slug_or_port=None if session else "code-server",
        )
        for number in range(ROWS + 1)
    ]
    ends = [
        {**event, "id": str(uuid4()), "connection_status": "disconnected", "time": "2025-07-11T00:00:00Z", "code": 0}
        for event in events
    ]
    assert owner.post("/api/v2/connectionlog", {"events": [*events, *(ends if session else [])]}).status == 200
    assert share(owner, engine, monkeypatch, "/api/v2/connectionlog", f"type:{kind}") <= BUDGET


def test_so_does_a_page_of_large_diffs(
    owner: Client, house: House, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization, ann = house.organization(), house.user("ann")
    changed = {
        f"field_{index}": {"old": f"what {index} was before", "new": f"what {index} is after", "secret": False}
        for index in range(10)
    }
    events = [
        {
            "id": str(uuid4()),
            "time": f"2026-07-10T{number // 60:02}:{number % 60:02}:38.942776Z",
            "user_id": ann.id,
            "organization_id": organization.id,
            "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "resource_type": "template",
            "resource_id": str(uuid4()),
            "resource_target": f"template-{number}",
            "action": "write",
            "status_code": 200,
            "diff": changed,
        }
        for number in range(ROWS + 1)
    ]
    assert owner.post("/api/v2/audit", {"events": events}).json["created"] == ROWS + 1
    assert share(owner, engine, monkeypatch, "/api/v2/audit", "resource_type:template") <= BUDGET


def share(owner: Client, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, path: str, q: str) -> float:
    """Function calls of a page for each one of the bare query of its rows."""
    queries: list[Mapping[str, Any]] = []

    def note(operation: str, request: Mapping[str, Any], _answer: object) -> None:
        if operation == "Query" and request.get("Select") != "COUNT":
            queries.append(request)

    def page() -> list[Any]:
        (rows,) = (
            value
            for value in owner.get(path, query={"q": q, "limit": str(ROWS)}).json.values()
            if isinstance(value, list)
        )
        return rows

    with store_engine.heard_by(note):
        assert len(page()) == ROWS
    plain: Any = botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]
    counter = Counter()
    monkeypatch.setattr(BotocoreStubber, "__call__", counter.uncounted(BotocoreStubber.__call__))
    # The same signer signs both: hundreds of small functions, which take less time than their number says.
    monkeypatch.setattr(SigV4Auth, "add_auth", counter.uncounted(SigV4Auth.add_auth))
    plain.query(**queries[0])
    bare = counter.of(lambda: plain.query(**queries[0]))
    assert bare > 10 * ROWS

    @counter.uncounted
    def post(headers: Mapping[str, str], body: bytes) -> Reply:
        status, _, text = engine.answer(headers["X-Amz-Target"], body)
        return Reply(status, text.encode())

    # As in production: each call is signed, and its answer is read.
    signed = SignedTransport(plain, Credentials("local", "local"), post)  # type: ignore[no-untyped-call]
    with replaced_by(signed):
        page()
        return counter.of(page) / bare
