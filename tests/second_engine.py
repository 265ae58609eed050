"""Dynalite, a stricter DynamoDB than the embedded engine, for tests of the store.

It refuses what AWS refuses and moto takes: a 21st index, a value of the wrong type in an index's key, unused names and
values of an expression, too many items in a batch. A test that needs what it lacks says so by the marker `needs`;
`scripts/test-second-engine` says how many tests ran and how many were left out.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.batch_write import batch_write, deletion
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import TABLES

COMMAND = Path(__file__).parent.parent / ".venv/dynalite/node_modules/.bin/dynalite"
"""Where `scripts/test-second-engine` installs it."""

LACKING = {
    "services": "AWS's other services, which moto stands in for beside the embedded engine",
    "transactions": "TransactWriteItems",
    "time to live": "UpdateTimeToLive",
    "rows with refusals": "ReturnValuesOnConditionCheckFailure: the stored item with the refusal of a condition",
}
"""The abilities that it lacks and a test may need, by the word for each in the marker `needs`."""

_START_SECONDS = 20.0
_MOST_LOADED = 500
_NO_DELAY = ("--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0")


class SecondEngine:
    """The embedded engine's part in tests, done by the store's own calls to another one."""

    running = True

    def items(self, table: str) -> list[Item]:
        """Every item of a table."""
        items: list[Item] = []
        start: Mapping[str, Any] = {}
        while True:
            page = call("Scan", {"TableName": table, "ConsistentRead": True, **start})
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def load(self, table: str, items: Iterable[Item]) -> int:
        """Put items into a table, and return their number."""
        puts = [{"PutRequest": {"Item": item}} for item in items]
        if len(puts) > _MOST_LOADED:
            pytest.skip("loads more rows than this engine takes in seconds")
        return batch_write(table, puts, give_up_at=time.monotonic() + 60)

    def clear(self) -> None:
        """Delete every item of every table."""
        for table in TABLES:
            name = table.Meta.table_name
            ids = [item["id"]["S"] for item in self.items(name)]
            batch_write(name, [deletion(row_id) for row_id in ids], give_up_at=time.monotonic() + 60)

    def answer(self, *_: object) -> NoReturn:
        """Leave the test out: it looks into the embedded engine."""
        pytest.skip("needs the embedded engine")


@contextmanager
def serving() -> Iterator[SecondEngine]:
    """Start it on a free port, and let the environment lead there until the context ends."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [str(COMMAND), "--host", "127.0.0.1", "--port", str(port), *_NO_DELAY]
    environment = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    process = subprocess.Popen(command)  # noqa: S603 - ours
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            _wait(process, port)
            yield SecondEngine()
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    give_up_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Unavailable("dynalite did not start")
