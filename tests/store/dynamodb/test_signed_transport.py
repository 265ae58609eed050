"""The short way to DynamoDB sends what botocore sends, and leaves to botocore what does not go well."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import ReadTimeoutError as SlowReply

from chalicelib.store.dynamodb.connections import Reply
from chalicelib.store.dynamodb.deadline import ends_by
from chalicelib.store.dynamodb.signed_transport import OPERATIONS, SignedTransport, connect_anew, connected
from tests.store.dynamodb.conftest import HANGS_UP, Answer, Endpoint, refused

TABLE = "gatebook-connection_logs"
KEY = {"id": {"S": "1"}}
REQUESTS: dict[str, dict[str, Any]] = {
    "GetItem": {"TableName": TABLE, "Key": {"id": {"S": "ünïcode €"}}, "ConsistentRead": True},
    "PutItem": {
        "TableName": TABLE,
        "Item": {"id": {"S": "1"}, "zdoc": {"B": b"\x00\xff"}, "names": {"SS": ["a", "b"]}},
    },
    "UpdateItem": {
        "TableName": TABLE,
        "Key": KEY,
        "UpdateExpression": "SET #a = :a",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    },
    "DeleteItem": {"TableName": TABLE, "Key": KEY},
    "Query": {"TableName": TABLE, "IndexName": "all", "KeyConditionExpression": "a = :a", "Limit": 100},
    "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [KEY, {"id": {"S": "2"}}]}}},
    "BatchWriteItem": {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": KEY}}]}},
    "BatchExecuteStatement": {
        "Statements": [
            {
                "Statement": f"INSERT INTO \"{TABLE}\" VALUE {{'id': ?, 'zdoc': ?}}",
                "Parameters": [{"S": "ünïcode €"}, {"B": b"\x00\xff"}],
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        ]
    },
    "TransactWriteItems": {
        "ClientRequestToken": "0b5c",
        "TransactItems": [{"Put": {"TableName": TABLE, "Item": {"id": {"S": "1"}, "zdoc": {"B": b"\x01"}}}}],
    },
}
FINAL = [
    "ConditionalCheckFailedException",
    "RequestLimitExceeded",
    "ResourceNotFoundException",
    "TransactionCanceledException",
    "TransactionConflictException",
    "ValidationException",
]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every pause, ours and botocore's, none of which is made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.fixture
def transport(endpoint: Endpoint) -> Iterator[SignedTransport]:
    """The transport of a process that has just started; its first request finds the endpoint."""
    assert endpoint.url
    connected.cache_clear()
    yield connected()
    connected.cache_clear()


def by_botocore(endpoint: Endpoint) -> Any:
    session = botocore.session.get_session()  # type: ignore[no-untyped-call]
    return session.create_client("dynamodb", endpoint_url=endpoint.url, config=Config(parameter_validation=False))  # type: ignore[no-untyped-call]


def method(operation: str) -> str:
    return botocore.xform_name(operation)  # type: ignore[no-untyped-call,no-any-return]


def test_every_operation_has_a_case() -> None:
    assert REQUESTS.keys() == OPERATIONS


@pytest.mark.parametrize("operation", sorted(REQUESTS))
def test_it_sends_what_botocore_sends(operation: str, endpoint: Endpoint, transport: SignedTransport) -> None:
    transport.send(operation, REQUESTS[operation])
    getattr(by_botocore(endpoint), method(operation))(**REQUESTS[operation])
    short, usual = endpoint.received
    assert short.path == usual.path == "/"
    assert short.body == usual.body
    for name in ("Host", "X-Amz-Target", "Content-Type", "X-Amz-Security-Token", "Accept-Encoding"):
        assert short.headers.get(name) == usual.headers.get(name)
    assert "Botocore/" in short.headers["User-Agent"]


def test_the_signature_is_of_what_is_sent(endpoint: Endpoint, transport: SignedTransport, monkeypatch: Any) -> None:
    moment = dt.datetime(2026, 3, 1, 12, 0, 5, tzinfo=dt.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    transport.send("GetItem", REQUESTS["GetItem"])
    (got,) = endpoint.received
    signed = got.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(signed)
    headers = {name: value for name, value in got.headers.items() if name.lower() in signed}
    again = AWSRequest("POST", endpoint.url + "/", headers, got.content)  # type: ignore[no-untyped-call]
    credentials = Credentials("AKIA", "secret", "session token")  # type: ignore[no-untyped-call]
    SigV4Auth(credentials, "dynamodb", "eu-central-1").add_auth(again)  # type: ignore[no-untyped-call]
    assert again.headers["Authorization"] == got.headers["Authorization"]


def test_credentials_are_asked_for_at_every_call(endpoint: Endpoint) -> None:
    renewed = iter("ABC")

    def refresh() -> dict[str, str]:
        # Each lives no longer than the last minutes, in which botocore renews it.
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
        return {
            "access_key": f"AKI{next(renewed)}",
            "secret_key": "s",
            "token": "t",
            "expiry_time": expiry.isoformat(),
        }

    credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "test")  # type: ignore[no-untyped-call]
    headers: list[str] = []

    def post(given: Any, _body: bytes) -> Reply:
        headers.append(given["Authorization"])
        return Reply(200, b"{}")

    send = SignedTransport(by_botocore(endpoint), credentials, post).send
    for _ in range(2):
        send("GetItem", REQUESTS["GetItem"])
    assert ["Credential=AKIB/" in headers[0], "Credential=AKIC/" in headers[1]] == [True, True]


ANSWERS: dict[str, bytes] = {
    "GetItem": b'{"Item": {"zdoc": {"B": "AP8="}, "B": {"S": "B"}, "more": {"BS": ["AA==", "/w=="]}}}',
    "Query": b'{"Items": [{"zdoc": {"B": "AP8="}}, {"id": {"S": "1"}}], "Count": 2, "ScannedCount": 3,'
    b' "LastEvaluatedKey": {"id": {"S": "1"}}}',
    "BatchGetItem": b'{"Responses": {"a": [{"zdoc": {"B": "AP8="}}]}, "UnprocessedKeys": {}}',
    "BatchWriteItem": b'{"UnprocessedItems": {"a": [{"PutRequest": {"Item": {"zdoc": {"B": "AP8="}}}},'
    b' {"DeleteRequest": {"Key": {"id": {"S": "B"}}}}]}}',
    "PutItem": b'{"Attributes": {"zdoc": {"B": "AP8="}}}',
    "UpdateItem": b'{"Attributes": {"rev": {"N": "2"}, "live": {"BOOL": true}, "none": {"NULL": true}}}',
    "DeleteItem": b"{}",
    "TransactWriteItems": b"{}",
}


@pytest.mark.parametrize("operation", sorted(ANSWERS))
def test_both_ways_give_the_same_values(operation: str, endpoint: Endpoint, transport: SignedTransport) -> None:
    endpoint.answer_with(Answer(200, ANSWERS[operation]))
    short = transport.send(operation, REQUESTS[operation])
    endpoint.answer_with(Answer(500), Answer(200, ANSWERS[operation]))
    assert transport.send(operation, REQUESTS[operation]) == short
    assert len(endpoint.received) == 3


def test_both_ways_tell_the_same_of_a_refusal(endpoint: Endpoint, transport: SignedTransport) -> None:
    reasons = [
        {"Code": "ConditionalCheckFailed", "Item": {"zdoc": {"B": "AP8="}}, "Message": "no"},
        {"Code": "None", "Message": None},
    ]
    refusal = refused("TransactionCanceledException", CancellationReasons=reasons)
    responses = []
    for answers in ([refusal], [Answer(500), refusal]):
        endpoint.answer_with(*answers)
        with pytest.raises(ClientError) as caught:
            transport.send("TransactWriteItems", REQUESTS["TransactWriteItems"])
        response: Any = caught.value.response
        responses.append(
            ([reason.get("Item") for reason in response["CancellationReasons"]], response["Error"]["Code"])
        )
    assert responses == [([{"zdoc": {"B": b"\x00\xff"}}, None], "TransactionCanceledException")] * 2


@pytest.mark.parametrize("code", FINAL)
def test_a_refusal_that_botocore_would_not_send_again_is_told_at_once(
    code: str, endpoint: Endpoint, transport: SignedTransport, pauses: list[float]
) -> None:
    endpoint.answer_with(refused(code, Item={"id": {"S": "1"}}))
    with pytest.raises(ClientError) as caught:
        transport.send("PutItem", REQUESTS["PutItem"])
    assert caught.value.response["Error"] == {"Code": code, "Message": "no"}
    assert caught.value.response["Item"] == {"id": {"S": "1"}}
    assert caught.value.operation_name == "PutItem"
    assert (len(endpoint.received), pauses) == (1, [])


@pytest.mark.parametrize(
    "first",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("InternalServerError", 500),
        refused("ExpiredTokenException"),
        Answer(503, b"<html>not DynamoDB</html>"),
        Answer(500, b"[]"),
        Answer(500, b""),
        Answer(200, b'{"Count": 1'),
        HANGS_UP,
    ],
    ids=str,
)
def test_what_may_go_well_the_next_time_is_left_to_botocore(
    first: Answer, endpoint: Endpoint, transport: SignedTransport
) -> None:
    endpoint.answer_with(first, Answer(200, b'{"Count": 1}'))
    assert transport.send("Query", REQUESTS["Query"]) == {"Count": 1}
    assert len(endpoint.received) == 2
    assert "amz-sdk-request" in endpoint.received[1].headers, "the second is made by botocore"


def test_a_store_that_stays_down_is_asked_four_times(endpoint: Endpoint, transport: SignedTransport) -> None:
    endpoint.answer_with(refused("ThrottlingException"))
    with pytest.raises(ClientError, match="ThrottlingException"):
        transport.send("Query", REQUESTS["Query"])
    assert len(endpoint.received) == 4


@pytest.mark.parametrize(("seconds", "asked"), [(5.0, 1), (60.0, 4)])
def test_it_is_asked_once_where_the_deadline_leaves_no_time_for_more(
    seconds: float, asked: int, endpoint: Endpoint, transport: SignedTransport
) -> None:
    endpoint.answer_with(refused("ThrottlingException"))
    with ends_by(time.monotonic() + seconds), pytest.raises((ClientError, ReadTimeoutError)):
        transport.send("Query", REQUESTS["Query"])
    assert len(endpoint.received) == asked


def test_calls_that_fail_leave_as_many_attempts_to_the_next(endpoint: Endpoint, transport: SignedTransport) -> None:
    endpoint.answer_with(refused("ThrottlingException"))
    for number in range(1, 201):
        with pytest.raises(ClientError):
            transport.send("Query", REQUESTS["Query"])
        assert len(endpoint.received) == 4 * number


@pytest.mark.parametrize("failure", [ProtocolError("odd"), SlowReply(None, "/", "late")], ids=str)  # type: ignore[arg-type]
def test_a_connection_that_fails_is_tried_again_at_once(
    failure: Exception, endpoint: Endpoint, pauses: list[float]
) -> None:
    def post(_headers: Any, _body: bytes) -> Reply:
        raise failure

    endpoint.answer_with(Answer(200, b'{"Count": 2}'))
    credentials = Credentials("AKIA", "secret")  # type: ignore[no-untyped-call]
    sender = SignedTransport(by_botocore(endpoint), credentials, post)
    assert sender.send("Query", REQUESTS["Query"]) == {"Count": 2}
    assert pauses == []


@pytest.mark.parametrize("operation", ["DescribeTable", "Scan"])
def test_other_calls_take_botocores_way(operation: str, endpoint: Endpoint, transport: SignedTransport) -> None:
    assert transport.send(operation, {"TableName": TABLE}) == {}
    assert "amz-sdk-request" in endpoint.received[0].headers


def test_a_transaction_without_a_token_takes_botocores_way(endpoint: Endpoint, transport: SignedTransport) -> None:
    endpoint.answer_with(Answer(500), Answer(200))
    transport.send("TransactWriteItems", {"TransactItems": [{"Put": REQUESTS["PutItem"]}]})
    first, second = (request.body["ClientRequestToken"] for request in endpoint.received)
    assert first == second, "the same one at each attempt"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8001", "127.0.0.1:8001"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("https://localhost:443", "localhost"),
        ("https://localhost:80", "localhost:80"),
    ],
)
def test_the_host_is_named_as_http_names_it(url: str, host: str, endpoint: Endpoint) -> None:
    endpoint.url = url
    hosts: list[str] = []

    def post(headers: Any, _body: bytes) -> Reply:
        hosts.append(headers["Host"])
        return Reply(200, b"{}")

    credentials = Credentials("AKIA", "secret")  # type: ignore[no-untyped-call]
    SignedTransport(by_botocore(endpoint), credentials, post).send("GetItem", REQUESTS["GetItem"])
    assert hosts == [host]


@pytest.mark.parametrize(
    "meta",
    [
        {"endpoint_url": "http://127.0.0.1:8001/dynamodb"},
        {"config": SimpleNamespace(account_id_endpoint_mode="required")},
    ],
    ids=["a path", "an account of its own"],
)
def test_an_endpoint_that_only_botocore_knows_is_left_to_it(meta: dict[str, Any]) -> None:
    plain = {"endpoint_url": "http://127.0.0.1:8001", "config": SimpleNamespace(), "region_name": "eu-central-1"}
    client = SimpleNamespace(meta=SimpleNamespace(**plain | meta), query=lambda **_: {"Count": 4})
    assert SignedTransport(client, None, lambda *_: Reply(500, b"")).send("Query", REQUESTS["Query"]) == {"Count": 4}


def test_credentials_that_come_late_are_found(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    connected.cache_clear()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentialsError):
        connected()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    connected().send("GetItem", REQUESTS["GetItem"])
    assert "Credential=AKIA/" in endpoint.received[0].headers["Authorization"]
    connected.cache_clear()


def test_connected_anew_it_has_another_connection_and_the_credentials_of_now(
    endpoint: Endpoint, transport: SignedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        transport.send("GetItem", REQUESTS["GetItem"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ANEW")
    connect_anew()
    endpoint.answer_with(Answer(500), Answer(200))
    connected().send("GetItem", REQUESTS["GetItem"])
    before, after = endpoint.received[:2], endpoint.received[2:]
    assert len({one.connection for one in before}) == 1
    assert before[0].connection not in {one.connection for one in after}
    assert len(after) == 2, "the second is botocore's own"
    assert all("Credential=ANEW/" in one.headers["Authorization"] for one in after)


def test_half_a_character_is_sent_as_an_escape(endpoint: Endpoint, transport: SignedTransport) -> None:
    transport.send("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "\ud800"}}})
    assert b"\\ud800" in endpoint.received[0].content
