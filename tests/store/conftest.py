"""A tally of what is sent to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.store.dynamodb import client as store_engine
from scripts.local.engine import EmbeddedEngine


@dataclass
class Sent:
    """What was sent, in order, as operation and request."""

    requests: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]


@pytest.fixture
def sent(tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> Sent:
    assert tables.running
    tally = Sent()
    client = store_engine.connection().client
    send = client._make_api_call

    def counted(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        tally.requests.append((operation, request))
        answer: dict[str, Any] = send(operation, dict(request))
        return answer

    monkeypatch.setattr(client, "_make_api_call", counted)
    return tally
