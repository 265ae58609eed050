"""Requests of shippers arrive, once, while the store is throttled: recorded bytes, and batches by source.

The recordings are made by `scripts/senders --events 12 --record tests/senders/recorded`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG
from scripts.shipping.log import made_id
from scripts.shipping.run import PATHS
from scripts.shipping.throttling import ThrottledStore
from tests.senders.by_source import BY_SOURCE, TOKEN, Request

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine

RECORDED = Path(__file__).parent / "recorded"
RECORDINGS = sorted(path.name.removesuffix(".http") for path in RECORDED.glob("*.http"))
LINES = (RECORDED / "coder.log").read_text().splitlines()
EVENTS = 12
MOST_TRIES = 60


def wanted(message: str) -> set[str]:
    return {made_id(message, number) for number in range(EVENTS)}


def requests_of(recording: str) -> Iterator[Request]:
    """The requests of a recording, in the order in which they were sent."""
    stream = io.BytesIO((RECORDED / f"{recording}.http").read_bytes())
    while line := stream.readline():
        head = b""
        while (header := stream.readline()).strip():
            head += header
        headers = dict(BytesParser().parsebytes(head).items())
        lengths = {name.lower(): value for name, value in headers.items()}
        yield Request(line.split()[1].decode(), headers, stream.read(int(lengths["content-length"])))


@pytest.fixture
def service(tables: EmbeddedEngine) -> Iterator[Service]:
    assert tables
    from chalicelib.store.dynamodb import transport  # noqa: PLC0415 - the engine must run first

    with transport.replaced_by(ThrottledStore(transport.in_use(), loses_calls=True)):
        yield Service()


class Service:
    """The application behind its gateway, on a throttled store."""

    def __init__(self) -> None:
        from scripts.local.owner import ensure_owner  # noqa: PLC0415 - the engine must run first
        from scripts.shipping.served import NotingGateway  # noqa: PLC0415 - as above

        self.statuses: list[int] = []
        self.token = ensure_owner(None)
        self._gateway = NotingGateway(self.statuses)

    def send(self, request: Request) -> None:
        """Send a request as its shipper would: again after a 503, and never after a 200."""
        basic = base64.b64encode(f"gatebook:{self.token}".encode()).decode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "REQUEST_URI": request.path,
            "REMOTE_ADDR": "192.0.2.1",
            "CONTENT_LENGTH": str(len(request.body)),
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
            environ[key] = value.replace(TOKEN, self.token).replace("{basic}", basic)
        for _ in range(MOST_TRIES):
            list(self._gateway({**environ, "wsgi.input": io.BytesIO(request.body)}, lambda *_: lambda _: None))
            if self.statuses[-1] != 503:
                break
        assert self.statuses[-1] == 200, "a shipper that is not answered 200 drops the events, or is stuck"

    def rows(self, message: str) -> dict[str, int]:
        from scripts.shipping.served import rows  # noqa: PLC0415 - the engine must run first

        return rows(message)


def test_every_shipper_of_a_registry_has_been_recorded_for_both_logs() -> None:
    names = ("pino-http-send", "python-logstash-async", "rsyslog", "syslog-ng", "winston")
    assert [f"{name}.{message}" for name in names for message in (AUDIT_LOG, CONNECTION_LOG)] == RECORDINGS


@pytest.mark.parametrize("recording", RECORDINGS)
def test_what_was_recorded_arrives_once(service: Service, recording: str) -> None:
    message = recording.rpartition(".")[2]
    sent = [*requests_of(recording)]
    assert sent
    assert {request.path for request in sent} == {PATHS[message]}
    for request in sent:
        service.send(request)
    assert service.rows(message) == dict.fromkeys(wanted(message), 1)


@pytest.mark.parametrize("message", PATHS)
@pytest.mark.parametrize("shipper", BY_SOURCE)
def test_what_a_shipper_sends_by_its_source_arrives_once(service: Service, shipper: str, message: str) -> None:
    for request in BY_SOURCE[shipper](LINES):
        service.send(request._replace(path=request.path or PATHS[message]))
    assert service.rows(message) == dict.fromkeys(wanted(message), 1)


def test_the_store_was_throttled_meanwhile(service: Service) -> None:
    for message, path in PATHS.items():
        for number, request in enumerate(BY_SOURCE["line-by-line"](LINES)):
            if number >= 20:
                break
            service.send(request._replace(path=path))
        assert 503 in service.statuses, message


def test_what_was_sent_is_stored_as_it_was(service: Service) -> None:
    """Quotes, control characters and flags come through every form of the log."""
    for request in BY_SOURCE["vector"](LINES):
        service.send(request._replace(path=PATHS[AUDIT_LOG]))
    from chalicelib.store.logs.tables import AUDIT_LOGS  # noqa: PLC0415 - the engine must run first

    for number in range(EVENTS):
        row = AUDIT_LOGS.get(made_id(AUDIT_LOG, number))
        assert row is not None
        assert row.user_agent == 'curl/8.0 ("quoted" \x1b, tab\t)'
        assert row.diff == {"name": {"old": f"a={number}", "new": "\U0001f3f4 flag", "secret": False}}
