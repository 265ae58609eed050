"""DynamoDB inside this process, for local serving and for tests: moto, made safe for threads, quick and strict.

Import this module before a botocore client is made: clients find the engine through a handler that moto registers at
import, and the store's requests come through `scripts.local.engine_transport`. What of moto is replaced while the
engine runs is listed in `scripts.local.moto_patches`.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from threading import Lock
from typing import Any, ClassVar, Self

from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID, MockAWS
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump

from chalicelib.store.dynamodb.transport import replaced_by
from scripts.local.engine_transport import EngineTransport
from scripts.local.moto_door import Answer, Door, OnWrite, parsed
from scripts.local.moto_patches import PATCHES, EngineError, Patch, patched
from scripts.local.moto_table import TunedTable

__all__ = ["EmbeddedEngine", "EngineError"]

DEFAULT_REGION = "us-east-1"

AttributeValue = dict[str, Any]

# The environment while the engine runs; None takes a variable away. Nothing of the developer's own account may be
# found, and no endpoint may lead elsewhere. The key signs links of exports, so it is nobody else's.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ENDPOINT_URL": None,
    "AWS_ENDPOINT_URL_DYNAMODB": None,
    "AWS_PROFILE": None,
    "AWS_SESSION_TOKEN": None,
}


class EmbeddedEngine:
    """One DynamoDB in this process, for every botocore client made after this module was imported.

    A context manager; `start` and `stop` do the same by hand. One engine runs at a time. Tables live in one region: the
    environment's, or us-east-1. All requests go through one lock, `lock`: hold it to see a consistent state.
    """

    _running: ClassVar[EmbeddedEngine | None] = None
    _starting: ClassVar[Lock] = Lock()

    def __init__(self) -> None:
        self.region = DEFAULT_REGION
        self._door = Door()
        self.lock = self._door.lock
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def on_write(self) -> OnWrite | None:
        """A function that is called with the items that a request has touched, before it is answered; see `Door`."""
        return self._door.on_write

    @on_write.setter
    def on_write(self, on_write: OnWrite | None) -> None:
        self._door.on_write = on_write

    def halt(self, reason: str) -> None:
        """Refuses every request from now on: what is in memory is not what is stored."""
        self._door.halted = reason

    @property
    def running(self) -> bool:
        """Whether requests of this process come here now."""
        return EmbeddedEngine._running is self

    def start(self) -> None:
        """Takes in every DynamoDB request of this process from now on.

        Raises:
            EngineError: another engine, or moto itself, is at work in this process, or moto is not as it is known.
        """
        with EmbeddedEngine._starting:
            if EmbeddedEngine._running is not None or MockAWS._mocks_active:  # noqa: SLF001 -- moto has no other way to ask
                raise EngineError("an embedded engine is running in this process already; stop it first")
            with ExitStack() as undo:
                region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or DEFAULT_REGION
                undo.enter_context(_environment(_ENVIRONMENT | {"AWS_DEFAULT_REGION": region}))
                door = Patch(BotocoreStubber, "process_request", "self request", self._door.in_place_of)
                undo.enter_context(patched((*PATCHES, door)))
                undo.enter_context(MockAWS({"core": {"mock_credentials": False, "reset_boto3_session": True}}))
                if region not in dynamodb_backends[DEFAULT_ACCOUNT_ID]:
                    raise EngineError(f"no AWS region is called {region!r}; see AWS_DEFAULT_REGION")
                undo.enter_context(replaced_by(EngineTransport(self.answer)))
                self.region = region
                self._undo = undo.pop_all()
            EmbeddedEngine._running = self

    def stop(self) -> None:
        """Forgets all tables and puts everything back; does nothing when the engine is not running."""
        with EmbeddedEngine._starting, self.lock:
            if self.running:
                EmbeddedEngine._running = None
                self._door.forget_tokens()
                self._door.halted = ""
                self._undo.close()

    def answer(self, target: str, body: bytes) -> Answer:
        """Status, headers and text for a request that comes from another process; see `scripts.local.engine_port`.

        Raises:
            EngineError: the engine is not running.
        """
        with self.lock:
            self._backend()
            return self._door.answer(self.region, target, body)

    def tables(self) -> list[str]:
        """Names of the tables, in the order they were made."""
        with self.lock:
            return list(self._backend().tables)

    def key_names(self, table: str) -> list[str] | None:
        """The key attributes of a table, that of the partition first; None where there is no such table."""
        with self.lock:
            known = self._backend().tables.get(table)
            return None if known is None else [name for name in (known.hash_key_attr, known.range_key_attr) if name]

    def items(self, table: str) -> list[dict[str, AttributeValue]]:
        """Every item of a table in DynamoDB JSON, binary as base64 text, in the order of a scan.

        Raises:
            EngineError: there is no such table.
        """
        with self.lock:
            return [json.loads(dynamo_json_dump(item.attrs)) for item in self._table(table).all_items()]

    def load(self, table: str, items: Iterable[dict[str, AttributeValue]]) -> int:
        """Puts items as `items` gives them, or with binary as bytes, into a table, as PutItem does; answers how many.

        They are not stored anew: `on_write` is not called.

        Raises:
            EngineError: there is no such table, or it does not take one of the items.
        """
        count = 0
        with self.lock:
            target = self._table(table)
            for item in items:
                try:
                    target.put_item(parsed(json.dumps(item, default=_base64)), overwrite=True)
                except JsonRESTError as error:
                    raise EngineError(f"{table} does not take this item: {error.message}") from error
                count += 1
            if isinstance(target, TunedTable):
                target.take_touched()
        return count

    def remove(self, table: str, key: dict[str, AttributeValue]) -> None:
        """Takes the item with this key out of a table, if it is there.

        Raises:
            EngineError: there is no such table.
        """
        with self.lock:
            values = [DynamoType(value) for value in key.values()]
            self._table(table).delete_item(values[0], values[1] if len(values) > 1 else None)

    def forget(self, now: float) -> int:
        """Deletes what is stamped to be forgotten by a time, in seconds since 1970, as DynamoDB's TTL does; how much.

        Raises:
            EngineError: an item could not be deleted.
        """
        count = 0
        with self.lock:
            for table in self._backend().tables.values():
                name = table.ttl.get("AttributeName")
                if name is None or table.ttl.get("TimeToLiveStatus") != "ENABLED":
                    continue
                for item in [item for item in table.all_items() if _is_over(item.attrs.get(name), now)]:
                    key = {name: item.attrs[name] for name in table.table_key_attrs}
                    body = dynamo_json_dump({"TableName": table.name, "Key": key}).encode()
                    status, _, text = self._door.answer(self.region, "DynamoDB_20120810.DeleteItem", body)
                    if status != HTTPStatus.OK:
                        raise EngineError(f"an item of {table.name} could not be deleted: {text}")
                    count += 1
        return count

    def clear(self) -> None:
        """Removes every item of every table, and forgets the tokens of transactions; the tables stay."""
        with self.lock:
            self._door.forget_tokens()
            for regions in dynamodb_backends.values():
                for backend in regions.values():
                    for table in backend.tables.values():
                        table.clear() if isinstance(table, TunedTable) else table.items.clear()

    def _backend(self) -> DynamoDBBackend:
        if not self.running:
            raise EngineError("the embedded engine is not running; start it first")
        return dynamodb_backends[DEFAULT_ACCOUNT_ID][self.region]

    def _table(self, name: str) -> Table:
        table = self._backend().tables.get(name)
        if table is None:
            raise EngineError(f"there is no table {name!r}")
        return table


def _is_over(value: DynamoType | None, now: float) -> bool:
    """Whether the attribute of an item says that it may go; one that is no number never does."""
    return value is not None and value.is_number() and float(value.value) <= now


@contextmanager
def _environment(wanted: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}

    def use(values: dict[str, str | None]) -> None:
        for name, value in values.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    use(wanted)
    try:
        yield
    finally:
        use(before)


def _base64(binary: bytes) -> str:
    """Binary as DynamoDB JSON has it."""
    return b64encode(binary).decode()
