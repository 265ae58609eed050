"""The work of the fault matrix that no request does: the export writer, the queue's reader, the schedule, the backfill.

Each piece of work is prepared, run until it says that all is done or fails, and run again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import pytest

import app as application
from chalicelib.api import export_writer
from chalicelib.settings import Settings, load
from chalicelib.store.exports import files, jobs
from chalicelib.store.logs import audit_rows, connection_requests
from chalicelib.store.logs import tables as log_tables
from chalicelib.store.queue import messages
from scripts.deployment import backfill
from scripts.deployment.handlers import EXPORT_WRITER, QUEUE_READER
from tests.api.test_exports import Lambda
from tests.api.test_queued_ingest import Queue
from tests.faults.operations import AUDIT, AUDITED, CONNECTED, CONNECTIONS, SOMEBODY, WEB
from tests.faults.schedule_work import Addresses, Schedule
from tests.faults.services import kept_files
from tests.faults.stored import VOLATILE

if TYPE_CHECKING:
    from tests.api.conftest import Client

EXPORTS = "/api/v2/exports"


class Work(Protocol):
    """One piece of work.

    Attributes:
        function: that does it; "" where a command does.
        services: that it calls beside the store; the mail server is none of them.
        impossible: names of faults that it cannot meet.
    """

    function: str
    services: tuple[str, ...]
    impossible: tuple[str, ...]

    def prepare(self, owner: Client) -> None:
        """Put there what is to be done."""

    def run(self) -> bool:
        """Do it; whether it says that all is done."""

    def leaves(self) -> list[str]:
        """The state afterwards beside the items of the tables."""


class ExportWriter:
    """Writes an export of several pages and parts by several starts of the function, which have time for two pages."""

    function = EXPORT_WRITER
    services: tuple[str, ...] = ("lambda", "s3")
    # The token of the transaction is what tells that a save sent again is its own.
    impossible: tuple[str, ...] = ("cancelled for ConditionalCheckFailed",)

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(export_writer, "ROWS_A_PAGE", 1)
        patch.setattr(export_writer, "PART_BYTES", 1_000)
        self._id = ""

    def prepare(self, owner: Client) -> None:
        events = [{**WEB, "id": f"{SOMEBODY[:-1]}{number}", "user_agent": _long(number)} for number in range(3)]
        assert owner.post(CONNECTIONS, events).json["created"] == len(events)
        reply = owner.post(EXPORTS, {"log": "connection"})
        assert reply.status == 202
        self._id = reply.json["id"]

    def run(self) -> bool:
        while True:
            answer = application.write_export({"id": self._id}, Lambda(2))
            if answer["message"] != "The export goes on.":
                return bool(answer["message"] == "The export has ended.")

    def leaves(self) -> list[str]:
        # By the store and not by a request: whoever asks the service for links leaves an audit row.
        kept = jobs.read(self._id)
        assert kept is not None
        progress = kept.fields["progress"]
        lines = [f"file {name}" for name in kept_files(self._id)]
        lines.append(f"{kept.fields['state']}, laid aside: {progress['aside']}")
        for part in progress["parts"]:
            content = files.get(self._id, part["name"])
            assert content is not None
            assert hashlib.sha256(content).hexdigest() == part["sha256"]
            lines.append(f"{part['name']}: {VOLATILE.sub('*', gzip.decompress(content).decode())}")
        return lines


class QueueReader:
    """Stores what waits in the queue: a request in the message itself, and one that is an object of the bucket."""

    function = QUEUE_READER
    services: tuple[str, ...] = ("s3",)
    impossible: tuple[str, ...] = ()

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._queue = Queue()
        self._patch = patch
        patch.setattr(messages, "current", self._queue.settings)

    def prepare(self, owner: Client) -> None:
        self._queue.deliver()
        for path, event, most in ((CONNECTIONS, CONNECTED, 262_144), (AUDIT, AUDITED, 10)):
            self._patch.setattr(messages, "MAX_MESSAGE_BYTES", most)
            assert owner.post(path, json.dumps(event), query={"queue": "true"}).status == 202

    def run(self) -> bool:
        return self._queue.deliver() == []

    def leaves(self) -> list[str]:
        return self._queue.objects()


class Backfill:
    """Writes the keys of lanes that were switched on, as the command does.

    Args:
        seconds: for how long it tries one call.
    """

    function = ""
    services: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()

    def __init__(self, patch: pytest.MonkeyPatch, log: str, seconds: float) -> None:
        self._settings = Settings()
        self._log = log
        for module in (connection_requests, audit_rows, log_tables, backfill):
            patch.setattr(module, "current", lambda: self._settings)
        patch.setattr(backfill, "ROWS", 2)
        patch.setattr(backfill, "SECONDS", seconds)

    def prepare(self, owner: Client) -> None:
        self._settings = load({"GATEBOOK_CONNECTION_LANES": "workspace", "GATEBOOK_AUDIT_LANES": "user"})
        path, event = (CONNECTIONS, WEB) if self._log == "connection" else (AUDIT, AUDITED)
        for number in range(3):
            assert owner.post(path, [{**event, "id": f"{SOMEBODY[:-1]}{number}"}]).json["created"] == 1
        self._settings = load({})

    def run(self) -> bool:
        try:
            backfill.main([self._log])
        except SystemExit as end:
            return "Run it again" not in str(end)
        return True

    def leaves(self) -> list[str]:
        return []


def _long(number: int) -> str:
    return "".join(f"{number}{index * index * 7919 % 104729:x}" for index in range(150))


Make = Callable[[pytest.MonkeyPatch, Addresses], Work]
WORK: Mapping[str, Make] = {
    "write an export": lambda patch, _: ExportWriter(patch),
    "store what is queued": lambda patch, _: QueueReader(patch),
    "send by the schedule": lambda patch, addresses: Schedule(patch, addresses, "webhook"),
    "send mail by the schedule": lambda patch, addresses: Schedule(patch, addresses, "smtp"),
    "send mail by SES": lambda patch, addresses: Schedule(patch, addresses, "ses"),
    "backfill connections": lambda patch, _: Backfill(patch, "connection", 60),
    "backfill audit rows": lambda patch, _: Backfill(patch, "audit", 60),
    "backfill without patience": lambda patch, _: Backfill(patch, "connection", 0),
}
