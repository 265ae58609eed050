"""What a page takes of the CPU beside the bare query of its rows, counted in function calls: the same on any machine.

`python -m scripts.bench.page` measures the same two in milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import botocore.session
import pytest
from moto.core.botocore_stubber import BotocoreStubber

from chalicelib.store import engine as store_engine

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

ROWS = 100
BUDGET = 1.0
"""Calls of the handler per call of botocore's query; in milliseconds these are 1.3 to 1.8."""


class Counter:
    """Counts function calls, those of Python and those of C, but not what the engine behind the client makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        answer = BotocoreStubber.__call__

        def uncounted(*arguments: Any, **more: Any) -> Any:
            sys.setprofile(None)
            try:
                return answer(*arguments, **more)
            finally:
                sys.setprofile(self._note)

        monkeypatch.setattr(BotocoreStubber, "__call__", uncounted)

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
def test_a_page_takes_no_more_calls_than_the_bare_query_of_its_rows(
    owner: Client, house: House, make_event: Callable[..., dict[str, Any]], kind: str, monkeypatch: pytest.MonkeyPatch
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
    queries: list[Mapping[str, Any]] = []

    def note(operation: str, request: Mapping[str, Any], _answer: object) -> None:
        if operation == "Query" and request.get("Select") != "COUNT":
            queries.append(request)

    with store_engine.heard_by(note):
        assert len(owner.logs(f"type:{kind}", limit=str(ROWS)).json["connection_logs"]) == ROWS
    plain: Any = botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]
    counter = Counter(monkeypatch)
    plain.query(**queries[0])
    bare = counter.of(lambda: plain.query(**queries[0]))
    page = counter.of(lambda: owner.logs(f"type:{kind}", limit=str(ROWS)))
    assert bare > 10 * ROWS
    assert page <= BUDGET * bare
