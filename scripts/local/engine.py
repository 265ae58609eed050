"""DynamoDB inside this process, for local serving and for tests: moto, made safe for threads, quick and strict.

Import this module before a botocore client is made: clients find the engine through a handler that moto registers at
import. Parts of moto that are not public are replaced while the engine runs, because there is no other way to them;
each is listed with its reason in `_PATCHES` and checked at the start, since another version of moto may differ.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import ipaddress
import json
import os
import re
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock, RLock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

import moto
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID, MockAWS
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb import models as moto_models
from moto.dynamodb import responses as moto_responses
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from scripts.local import moto_tuning
from scripts.local.moto_tuning import REFUSALS, TunedTable

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

MOTO_VERSION = "5.2.5"
DEFAULT_REGION = "us-east-1"
TOKEN_SECONDS = 600  # how long AWS remembers a ClientRequestToken

AttributeValue = dict[str, Any]
Answer = tuple[int, dict[str, str], str]

_URL = re.compile(r"https?://(?:dynamodb|[^./]+\.ddb)\.([^./]+)\.amazonaws\.com(?:\.cn)?/")
_READS = frozenset(
    {
        "BatchGetItem",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetItem",
        "ListTables",
        "Query",
        "Scan",
        "TransactGetItems",
    }
)
# The environment while the engine runs; None takes a variable away. Nothing of the developer's own account may be
# found, and no endpoint may lead elsewhere.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ENDPOINT_URL": None,
    "AWS_ENDPOINT_URL_DYNAMODB": None,
    "AWS_PROFILE": None,
    "AWS_SESSION_TOKEN": None,
}


class EngineError(Exception):
    """The engine cannot start, cannot do what is asked, or was asked to let a request out of this machine."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """One replaced attribute: where it is, the parameters it is known to have, and what to make of the original."""

    owner: Any
    name: str
    parameters: str | None
    make: Callable[[Any], Any]


_PATCHES = (
    # Tables whose reads cost a page; see TunedTable.
    _Patch(moto_models, "Table", None, lambda _: TunedTable),
    # A transaction copies every table it names, whole, in case it fails: the undo log copies items instead.
    _Patch(moto_models, "copy", None, lambda _: SimpleNamespace(deepcopy=moto_tuning.copied)),
    _Patch(DynamoDBBackend, "transact_write_items", "self transact_items", moto_tuning.transacted),
    # An update changes the stored item in place, behind the back of the ordered indexes, and half of it when it fails.
    _Patch(
        DynamoDBBackend,
        "update_item",
        "self table_name key update_expression expression_attribute_names expression_attribute_values attribute_updates"
        " expected condition_expression return_values_on_condition_check_failure",
        moto_tuning.updated,
    ),
    # Projecting an item takes a millisecond where it need not.
    _Patch(Item, "project", "self projection_expressions", moto_tuning.projected),
    # Making an item takes time quadratic in its attributes.
    _Patch(Item, "__init__", "self hash_key range_key attrs", lambda _: moto_tuning.built),
    # Every item ever made is kept in this list, for a dashboard of moto's server: memory would grow with every write.
    _Patch(Item, "instances_tracked", None, lambda _: deque(maxlen=0)),
    # Results are walked value by value before they are serialised: here they are dumped as they are.
    _Patch(moto_responses, "DynamoResult", "result", lambda _: ActionResult),
    # AWS takes 100 reads in a transaction since 2022.
    _Patch(moto_responses, "TRANSACTION_MAX_ITEMS", None, lambda _: 100),
)
# Methods that TunedTable overrides or calls, with the parameters they are known to have.
_RELIED_ON = {
    Table: {
        "query": "self hash_key range_comparison range_objs limit exclusive_start_key scan_index_forward"
        " projection_expressions index_name consistent_read filter_expression hash_key_conditions range_key_conditions"
        " filter_kwargs",
        "scan": "self filters limit exclusive_start_key filter_expression index_name consistent_read"
        " projection_expression segments",
        "put_item": "self item_attrs expected condition_expression expression_attribute_names"
        " expression_attribute_values overwrite return_values_on_condition_check_failure",
        "delete_item": "self hash_key range_key",
        "get_item": "self hash_key range_key projection_expression",
        "all_items": "self",
        "all_indexes": "self",
        "get_index": "self index_name error_if_not",
        "_get_last_evaluated_key": "self last_result index_name",
        "_validate_number_type": "self value",
    },
    DynamoDBBackend: {"get_keys_value": "self table keys", "get_schema": "self table_name index_name"},
}


class EmbeddedEngine:
    """One DynamoDB in this process, for every botocore client made after this module was imported.

    A context manager; `start` and `stop` do the same by hand. One engine runs at a time. Tables live in one region: the
    environment's, or us-east-1. All requests go through one lock, `lock`: hold it to see a consistent state.
    """

    _running: ClassVar[EmbeddedEngine | None] = None
    _starting: ClassVar[Lock] = Lock()

    def __init__(self) -> None:
        self.lock = RLock()
        self.region = DEFAULT_REGION
        self.writes = 0
        """How many requests that may have changed something were answered well: equal means nothing changed."""
        self._tokens: dict[str, tuple[float, bytes]] = {}
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

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
                door = _Patch(BotocoreStubber, "process_request", "self request", self._door)
                undo.enter_context(_patched((*_PATCHES, door)))
                undo.enter_context(MockAWS({"core": {"mock_credentials": False, "reset_boto3_session": True}}))
                if region not in dynamodb_backends[DEFAULT_ACCOUNT_ID]:
                    raise EngineError(f"no AWS region is called {region!r}; see AWS_DEFAULT_REGION")
                self.region = region
                self._undo = undo.pop_all()
            EmbeddedEngine._running = self

    def stop(self) -> None:
        """Forgets all tables and puts everything back; does nothing when the engine is not running."""
        with EmbeddedEngine._starting, self.lock:
            if self.running:
                EmbeddedEngine._running = None
                self._tokens.clear()
                self._undo.close()

    def tables(self) -> list[str]:
        """Names of the tables, in the order they were made."""
        with self.lock:
            return list(self._backend().tables)

    def items(self, table: str) -> list[dict[str, AttributeValue]]:
        """Every item of a table in DynamoDB JSON, binary as base64 text, in the order of a scan.

        Raises:
            EngineError: there is no such table.
        """
        with self.lock:
            return [json.loads(dynamo_json_dump(item.attrs)) for item in self._table(table).all_items()]

    def load(self, table: str, items: Iterable[dict[str, AttributeValue]]) -> int:
        """Puts items as `items` gives them into a table, all checked as PutItem does; answers how many.

        Raises:
            EngineError: there is no such table, or it does not take one of the items.
        """
        count = 0
        with self.lock:
            target = self._table(table)
            self.writes += 1
            for item in items:
                try:
                    target.put_item(_parsed(json.dumps(item)), overwrite=True)
                except JsonRESTError as error:
                    raise EngineError(f"{table} does not take this item: {error.message}") from error
                count += 1
        return count

    def clear(self) -> None:
        """Removes every item of every table, and forgets the tokens of transactions; the tables stay."""
        with self.lock:
            self.writes += 1
            self._tokens.clear()
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

    def _door(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Every request of every client, one at a time: moto loses updates otherwise.

        A request for DynamoDB goes straight to moto's handler of its action; moto's own way there imports IAM and takes
        longer than most actions.
        """

        def process_request(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:  # noqa: ANN401 -- moto's
            with self.lock:
                match = _URL.match(request.url)
                if match is not None:
                    return self._answer(match[1], request)
                answer = original(stubber, request)
            if answer is None and not _stays_here(request.url):
                raise EngineError(f"a request to {urlsplit(request.url).netloc} would leave this machine")
            return answer

        return process_request

    def _answer(self, region: str, request: AWSPreparedRequest) -> Answer:
        action = _text(request.headers.get("X-Amz-Target", "")).rpartition(".")[2]
        body = _parsed(_text(request.body or "{}"))
        handler = DynamoHandler()
        handler.body = handler.params = body
        handler.region, handler.current_account = region, DEFAULT_ACCOUNT_ID
        method = getattr(handler, camelcase_to_underscores(action), None)
        try:
            if method is None:
                raise JsonRESTError("com.amazon.coral.service#UnknownOperationException", "")
            for refusal in REFUSALS.get(action, ()):
                refusal(handler.dynamodb_backend, body)
            token = body.get("ClientRequestToken") if action == "TransactWriteItems" else None
            with self._once(token, body) as is_repeated:
                result = {} if is_repeated else method().result
        except HTTPException as error:
            return error.code or 400, _headers(), error.get_body()
        if action not in _READS:
            self.writes += 1
        return 200, _headers(), dynamo_json_dump(result or {})

    @contextmanager
    def _once(self, token: str | None, body: dict[str, Any]) -> Iterator[bool]:
        """Whether the transaction of this token was done before; remembers it when what is inside succeeds."""
        if token is None:
            yield False
            return
        now, digest = time.monotonic(), hashlib.sha256(dynamo_json_dump(body).encode()).digest()
        while self._tokens and now - next(iter(self._tokens.values()))[0] > TOKEN_SECONDS:
            del self._tokens[next(iter(self._tokens))]
        known = self._tokens.get(token)
        if known is not None and known[1] != digest:
            raise JsonRESTError(
                "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                "Another request with the same token but different parameters was made",
            )
        yield known is not None
        self._tokens.setdefault(token, (now, digest))


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


@contextmanager
def _patched(patches: Iterable[_Patch]) -> Iterator[None]:
    for owner, methods in _RELIED_ON.items():
        for name, parameters in methods.items():
            _known(owner, name, parameters)
    with ExitStack() as undo:
        for patch in patches:
            original = _known(patch.owner, patch.name, patch.parameters)
            setattr(patch.owner, patch.name, patch.make(original))
            undo.callback(setattr, patch.owner, patch.name, original)
        yield


def _known(owner: Any, name: str, parameters: str | None) -> Any:  # noqa: ANN401 -- whatever moto has there
    attribute = vars(owner).get(name)
    found = None if parameters is None or attribute is None else " ".join(inspect.signature(attribute).parameters)
    if attribute is None or found != parameters:
        raise EngineError(
            f"{owner.__name__}.{name} of moto {moto.__version__} is not as known; the engine is made for {MOTO_VERSION}"
        )
    return attribute


def _parsed(text: str) -> dict[str, Any]:
    """DynamoDB JSON with binary as bytes, as moto keeps it."""
    return json.loads(text, object_hook=_with_bytes if '"B' in text else None)  # type: ignore[no-any-return]


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) == 1:
        if isinstance(value.get("B"), str):
            return {"B": base64.b64decode(value["B"])}
        if isinstance(value.get("BS"), list):
            return {"BS": [base64.b64decode(each) for each in value["BS"]]}
    return value


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _headers() -> dict[str, str]:
    return {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": uuid.uuid4().hex.upper()}


def _stays_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
