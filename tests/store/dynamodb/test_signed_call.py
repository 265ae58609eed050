"""The short way to DynamoDB sends what botocore sends, and leaves to botocore what does not go well."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import auth as botocore_auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.store.dynamodb import signed_call
from chalicelib.store.dynamodb.signed_call import Direct, parsed, signature

URL = "https://dynamodb.eu-central-1.amazonaws.com/"
TABLE = "gatebook-connection_logs"
REQUESTS: dict[str, dict[str, Any]] = {
    "GetItem": {"TableName": TABLE, "Key": {"id": {"S": "ünïcode €"}}, "ConsistentRead": True},
    "PutItem": {"TableName": TABLE, "Item": {"id": {"S": "1"}, "zdoc": {"B": b"\x00\xff"}, "some": {"SS": ["a", "b"]}}},
    "UpdateItem": {
        "TableName": TABLE,
        "Key": {"id": {"S": "1"}},
        "UpdateExpression": "SET #a = :a",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    },
    "DeleteItem": {"TableName": TABLE, "Key": {"id": {"S": "1"}}},
    "Query": {"TableName": TABLE, "IndexName": "all", "KeyConditionExpression": "a = :a", "Limit": 100},
    "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [{"id": {"S": "1"}}, {"id": {"S": "2"}}]}}},
    "BatchWriteItem": {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": {"id": {"S": "1"}}}}]}},
}

Answer = tuple[int, bytes] | Exception


class Raw(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


class Wire:
    """A botocore client that reaches nothing: it is answered from a list, and what it sends is kept."""

    def __init__(self, *answers: Answer, attempts: int = 1, endpoint: str | None = None, **options: Any) -> None:
        self.sent: list[Any] = []
        self._answers = list(answers)
        session = botocore.session.get_session()  # type: ignore[no-untyped-call]
        session.set_credentials("AKIA", "secret", "session token")
        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, parameter_validation=False, **options
        )  # type: ignore[no-untyped-call]
        self.client: Any = session.create_client("dynamodb", "eu-central-1", config=config, endpoint_url=endpoint)
        self.client.meta.events.register_first("before-send.dynamodb", self._answer)

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        self.sent.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return AWSResponse(request.url, answer[0], {}, Raw(answer[1]))  # type: ignore[no-untyped-call]


def refused(code: str, status: int = 400, **more: Any) -> Answer:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}
    return status, json.dumps(body).encode()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(signed_call, "time", SimpleNamespace(sleep=made.append))
    return made


def test_every_call_has_a_case() -> None:
    assert REQUESTS.keys() == signed_call.CALLS


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_it_sends_what_botocore_sends(operation: str) -> None:
    wire = Wire((200, b"{}"), (200, b"{}"))
    wire.client._make_api_call(operation, dict(REQUESTS[operation]))
    Direct(wire.client)(operation, REQUESTS[operation])
    usual, short = wire.sent
    assert (short.method, short.url) == (usual.method, usual.url)
    assert json.loads(short.body) == json.loads(usual.body)
    for name in ("X-Amz-Target", "Content-Type", "X-Amz-Security-Token"):
        assert short.headers[name] in (usual.headers[name], usual.headers[name].decode())
    assert short.headers["Content-Length"] == str(len(short.body))
    assert short.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")


@given(
    body=st.binary(max_size=200),
    secret=st.text(min_size=1, max_size=40),
    token=st.none() | st.from_regex(r"[A-Za-z0-9/+=]{1,80}", fullmatch=True),
    moment=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1)),  # noqa: DTZ001 - made aware below
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
)
def test_the_signature_is_botocores(body: bytes, secret: str, token: str | None, moment: datetime, region: str) -> None:
    now = moment.replace(tzinfo=UTC)
    credentials = Credentials("AKIA", secret, token).get_frozen_credentials()  # type: ignore[no-untyped-call]
    target = "DynamoDB_20120810.Query"
    request = AWSRequest("POST", URL, {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}, body)  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore_auth, "get_current_datetime", lambda: now)
        patch.setattr(signed_call, "datetime", SimpleNamespace(now=lambda _zone: now))
        botocore_auth.SigV4Auth(credentials, "dynamodb", region).add_auth(request)  # type: ignore[no-untyped-call]
        headers = signature(credentials, region, "dynamodb.eu-central-1.amazonaws.com", target, body)
    assert headers == {name: request.headers[name] for name in headers}
    assert ("X-Amz-Security-Token" in headers) is (token is not None)


def test_credentials_are_asked_for_at_every_call() -> None:
    wire = Wire((200, b"{}"), (200, b"{}"))
    send = Direct(wire.client)
    send("GetItem", REQUESTS["GetItem"])
    wire.client._request_signer._credentials.access_key = "AKIB"
    send("GetItem", REQUESTS["GetItem"])
    assert ["AKIB/" in request.headers["Authorization"] for request in wire.sent] == [False, True]


def test_binary_values_come_and_go_as_bytes() -> None:
    wire = Wire((200, b'{"Item": {"zdoc": {"B": "AP8="}, "B": {"S": "B"}, "more": {"BS": ["AA==", "/w=="]}}}'))
    answer = Direct(wire.client)("GetItem", REQUESTS["GetItem"])
    assert answer == {"Item": {"zdoc": {"B": b"\x00\xff"}, "B": {"S": "B"}, "more": {"BS": [b"\x00", b"\xff"]}}}
    assert parsed(b"") == {}


def test_half_a_character_is_sent_as_an_escape() -> None:
    wire = Wire((200, b"{}"))
    Direct(wire.client)("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "\ud800"}}})
    assert b"\\ud800" in wire.sent[0].body


@pytest.mark.parametrize(
    "code", ["ConditionalCheckFailedException", "ResourceNotFoundException", "ValidationException"]
)
def test_a_refusal_for_good_is_not_sent_again(code: str, pauses: list[float]) -> None:
    wire = Wire(refused(code, Item={"id": {"S": "1"}}), attempts=3)
    with pytest.raises(ClientError) as caught:
        Direct(wire.client)("PutItem", REQUESTS["PutItem"])
    assert caught.value.response["Error"] == {"Code": code, "Message": "no"}
    assert caught.value.response["Item"] == {"id": {"S": "1"}}
    assert caught.value.operation_name == "PutItem"
    assert len(wire.sent) == 1
    assert pauses == []


@pytest.mark.parametrize(
    "first",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("InternalServerError", 500),
        refused("ExpiredTokenException"),
        (503, b"<html>not DynamoDB</html>"),
        (500, b"[]"),
        (500, b""),
        (200, b'{"Count": 1'),
    ],
)
def test_what_may_go_well_the_next_time_is_left_to_botocore(first: Answer, pauses: list[float]) -> None:
    wire = Wire(first, (200, b'{"Count": 1}'))
    assert Direct(wire.client)("Query", REQUESTS["Query"])["Count"] == 1
    assert len(wire.sent) == 2
    assert wire.sent[1].headers["User-Agent"], "the second is made by botocore"
    assert len(pauses) == (first != (200, b'{"Count": 1'))


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionClosedError(endpoint_url=URL),  # type: ignore[no-untyped-call]
        ConnectTimeoutError(endpoint_url=URL),  # type: ignore[no-untyped-call]
        EndpointConnectionError(endpoint_url=URL),  # type: ignore[no-untyped-call]
        HTTPClientError(error="odd"),  # type: ignore[no-untyped-call]
        ProxyConnectionError(proxy_url=URL),  # type: ignore[no-untyped-call]
        ReadTimeoutError(endpoint_url=URL),  # type: ignore[no-untyped-call]
        SSLError(endpoint_url=URL, error="odd"),  # type: ignore[no-untyped-call]
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_connection_that_fails_is_tried_again_at_once(failure: Exception, pauses: list[float]) -> None:
    wire = Wire(failure, (200, b'{"Count": 2}'))
    assert Direct(wire.client)("Query", REQUESTS["Query"])["Count"] == 2
    assert pauses == []


def test_the_error_of_the_last_attempt_is_botocores() -> None:
    wire = Wire(refused("ThrottlingException"), refused("ThrottlingException"), refused("AccessDeniedException"))
    send = Direct(wire.client)
    with pytest.raises(ClientError, match="ThrottlingException"):
        send("Query", REQUESTS["Query"])
    assert len(wire.sent) == 2


@pytest.mark.parametrize("operation", ["TransactWriteItems", "DescribeTable", "Scan"])
def test_other_calls_take_botocores_way(operation: str) -> None:
    wire = Wire((200, b"{}"))
    requests: dict[str, Callable[[], dict[str, Any]]] = {
        "TransactWriteItems": lambda: {"TransactItems": [{"Put": REQUESTS["PutItem"]}]},
    }
    Direct(wire.client)(operation, requests.get(operation, lambda: {"TableName": TABLE})())
    assert len(wire.sent) == 1
    if operation == "TransactWriteItems":
        assert json.loads(wire.sent[0].body)["ClientRequestToken"], "the same one at each of its retries"


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://127.0.0.1:8001", "127.0.0.1:8001"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("https://localhost:443", "localhost"),
        ("https://localhost:80", "localhost:80"),
    ],
)
def test_the_host_is_signed_as_it_is_sent(endpoint: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: list[str] = []
    real = signature

    def noted(credentials: Any, region: str, given: str, target: str, body: bytes) -> dict[str, str]:
        hosts.append(given)
        return real(credentials, region, given, target, body)

    monkeypatch.setattr(signed_call, "signature", noted)
    Direct(Wire((200, b"{}"), endpoint=endpoint).client)("GetItem", REQUESTS["GetItem"])
    assert hosts == [host]


@pytest.mark.parametrize(
    "options",
    [{"endpoint": "http://127.0.0.1:8001/dynamodb"}, {"account_id_endpoint_mode": "required"}],
)
def test_an_endpoint_that_only_botocore_knows_is_left_to_it(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire((200, b'{"Count": 3}'), **options)
    monkeypatch.setattr(wire.client, "_make_api_call", lambda _operation, _request: {"Count": 4})
    assert Direct(wire.client)("Query", REQUESTS["Query"]) == {"Count": 4}
    assert wire.sent == []


def test_the_store_sends_the_short_way(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.store.dynamodb import client  # noqa: PLC0415 - after the engine runs

    assert sent.operations == []
    monkeypatch.undo()
    client.call("ListTables", {})
    assert isinstance(client.connection().client._make_api_call, Direct)
