"""The one door of every botocore request to the engine: one at a time, checked as AWS checks, straight to moto."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from scripts.local import moto_statements
from scripts.local.moto_patches import EngineError
from scripts.local.moto_refusals import REFUSALS
from scripts.local.moto_table import Touched, TunedTable

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

TOKEN_SECONDS = 600  # how long AWS remembers a ClientRequestToken

Answer = tuple[int, dict[str, str], str]
OnWrite = Callable[[Sequence[Touched]], None]

_URL = re.compile(r"https?://(?:dynamodb|[^./]+\.ddb)\.([^./]+)\.amazonaws\.com(?:\.cn)?/")


class NotStored(Exception):
    """The changes of a request could not be stored, and are undone; the text is the reason."""


class Door:
    """Where BotocoreStubber.process_request leads while the engine runs.

    Attributes:
        lock: held around each request; hold it to see a consistent state.
        on_write: called with the items that a request has touched, before it is answered; what it raises as NotStored,
            it has undone.
        halted: why every request is refused from now on; empty while none is.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.halted = ""
        self.on_write: OnWrite | None = None
        self._tokens: dict[str, tuple[float, bytes]] = {}

    def forget_tokens(self) -> None:
        """Lets the token of every transaction be used anew."""
        self._tokens.clear()

    def in_place_of(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Every request of every client, one at a time: moto loses updates otherwise.

        A request for DynamoDB goes straight to moto's handler of its action; moto's own way there imports IAM and takes
        longer than most actions.
        """

        def process_request(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:  # noqa: ANN401 -- moto's
            with self.lock:
                match = _URL.match(request.url)
                if match is not None:
                    return self.answer(match[1], _text(request.headers.get("X-Amz-Target", "")), request.body)
                answer = original(stubber, request)
            if answer is None and not _stays_here(request.url):
                raise EngineError(f"a request to {urlsplit(request.url).netloc} would leave this machine")
            return answer

        return process_request

    def answer(self, region: str, target: str, sent: str | bytes | None) -> Answer:
        """Status, headers and body for one request; `lock` must be held.

        Args:
            region: whose tables are meant.
            target: the header X-Amz-Target.
            sent: the body.
        """
        action = target.rpartition(".")[2]
        body = parsed(_text(sent or "{}"))
        handler = DynamoHandler()
        handler.body = handler.params = body
        handler.region, handler.current_account = region, DEFAULT_ACCOUNT_ID
        method = getattr(handler, camelcase_to_underscores(action), None)
        if self.halted:
            return _not_stored(self.halted)
        try:
            if method is None:
                raise JsonRESTError("com.amazon.coral.service#UnknownOperationException", "")
            backend = handler.dynamodb_backend
            for check in REFUSALS.get(action, ()):
                check(backend, body)
            if action == "BatchExecuteStatement" and (made := moto_statements.statements(backend, body)):
                do = partial(self._do, region)
                responses = [moto_statements.done(backend, statement, do) for statement in made]
                return 200, _headers(), dynamo_json_dump({"Responses": responses})
            token = body.get("ClientRequestToken") if action == "TransactWriteItems" else None
            with self._once(token, body) as is_repeated:
                result = {} if is_repeated else self._stored(backend, method)
        except HTTPException as error:
            return error.code or 400, _headers(), error.get_body()
        except NotStored as error:
            return _not_stored(str(error))
        return 200, _headers(), dynamo_json_dump(result or {})

    def _stored(self, backend: DynamoDBBackend, method: Callable[[], ActionResult]) -> Any:  # noqa: ANN401 -- moto's
        """The result of an action; what it has changed is stored, whether it ended well or half way."""
        try:
            return method().result
        finally:
            touched = _take_touched(backend)
            if touched and self.on_write is not None:
                try:
                    self.on_write(touched)
                finally:
                    _take_touched(backend)  # what was undone has not changed

    def _do(self, region: str, operation: str, request: dict[str, Any]) -> tuple[int, str]:
        """An operation that is part of another request, with all that belongs to one."""
        status, _, text = self.answer(region, f"DynamoDB_20120810.{operation}", dynamo_json_dump(request))
        return status, text

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


def _take_touched(backend: DynamoDBBackend) -> list[Touched]:
    tables = [table for table in backend.tables.values() if isinstance(table, TunedTable)]
    return [one for table in tables for one in table.take_touched()]


def parsed(text: str) -> dict[str, Any]:
    """DynamoDB JSON with binary as bytes, as moto keeps it."""
    return json.loads(text, object_hook=_with_bytes if '"B' in text else None)  # type: ignore[no-any-return]


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) == 1:
        if isinstance(value.get("B"), str):
            return {"B": base64.b64decode(value["B"])}
        if isinstance(value.get("BS"), list):
            return {"BS": [base64.b64decode(text) for text in value["BS"]]}
    return value


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _headers() -> dict[str, str]:
    return {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": uuid.uuid4().hex.upper()}


def _not_stored(reason: str) -> Answer:
    return (
        503,
        _headers(),
        json.dumps({"__type": "com.amazonaws.dynamodb.v20120810#ServiceUnavailable", "message": reason}),
    )


def _stays_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
