"""The schedule sends usage events on to an address, by HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from chalice.local import LambdaContext

import app as application
from chalicelib import times
from chalicelib.dispatch import usage as publisher
from chalicelib.platform.usage import AGENTS
from chalicelib.settings import Settings
from chalicelib.store.platform import usage
from chalicelib.store.platform.usage import Event
from scripts.gateway.events import schedule_event
from scripts.local.engine import EmbeddedEngine


class Address:
    """An address that answers each batch with the next of some answers, and then accepts all."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[tuple[int, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
                accepted = {"accepted_events": [{"id": one["id"]} for one in body["events"]], "rejected_events": []}
                status, text = outer.answers.pop(0) if outer.answers else (200, json.dumps(accepted))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/ingest"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def address(tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    assert tables
    made = Address()
    monkeypatch.setattr(publisher, "current", lambda: Settings(usage_url=made.url))
    yield made
    made.end()


def run() -> int:
    """Runs the schedule."""
    context = LambdaContext("dispatch", memory_size=512, max_runtime_ms=120_000)
    answer: dict[str, Any] = application.dispatch(schedule_event("dispatch"), context)
    sent: int = answer["usage_events"]
    return sent


def test_the_schedule_sends_what_waits(address: Address) -> None:
    now = times.now()
    usage.add(Event("e1", AGENTS, 2, now))
    assert run() == 1
    (body,) = address.bodies
    expected = {"id": "e1", "event_type": AGENTS, "event_data": {"count": 2}, "created_at": times.wire(now)}
    assert body == {"events": [expected]}
    assert run() == 0, "the next round is not due"


@pytest.mark.parametrize("answer", [(500, "{}"), (200, "[]"), (200, "no JSON"), (302, "{}")])
def test_an_answer_that_is_no_success_leaves_the_events_waiting(address: Address, answer: tuple[int, str]) -> None:
    now = times.now()
    usage.add(Event("e1", AGENTS, 1, now))
    address.answers = [answer]
    assert publisher.publish(now, publisher.post) == 0
    (waiting,) = usage.waiting(now, 1)
    assert json.loads(waiting.state)["failure_message"].startswith("failed to publish to tallyman: ")
    assert publisher.publish(now, publisher.post) == 1


def test_without_an_address_nothing_is_sent(tables: EmbeddedEngine) -> None:
    assert tables
    usage.add(Event("e1", AGENTS, 1, times.now()))
    assert run() == 0
    assert len(usage.waiting(times.now(), 5)) == 1
