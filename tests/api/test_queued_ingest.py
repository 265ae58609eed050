"""Events sent with `?queue=true` are stored later by the same rules, once, and none is lost on the way."""

from __future__ import annotations

import json
from base64 import b85encode
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from chalice.local import LambdaContext

import app as application
from chalicelib.models.queued import Queued, packed
from chalicelib.records import User
from chalicelib.retention import holds
from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.queue import messages
from scripts.deployment import queue_resources
from tests.api.conftest import Client, Clock, House, Reply
from tests.api.matrix import any_value
from tests.transport import ObservedTransport, Send, refusal, refusing

LOG = "/api/v2/connectionlog"
AUDIT = "/api/v2/audit"
RECEIVES = 3
Event = Callable[..., dict[str, Any]]


class Queue:
    """A queue with a bucket and dead letters in moto, and Lambda between the queue and its reader.

    Attributes:
        calls: service and operation of each call that the application has made.
    """

    def __init__(self) -> None:
        self.calls: set[tuple[str, str]] = set()
        self._sqs: Any = boto3.client("sqs")  # type: ignore[no-untyped-call]
        self._s3: Any = boto3.client("s3")  # type: ignore[no-untyped-call]
        name = uuid4().hex
        self.dead_letters: str = self._sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
        arn = self._attribute(self.dead_letters, "QueueArn")
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES})
        attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "0"}
        self.url: str = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.bucket = f"gatebook-{name}"
        self._s3.create_bucket(Bucket=self.bucket)

    def settings(self) -> Settings:
        return Settings(ingest_queue_url=self.url, ingest_bucket=self.bucket)

    def watch(self) -> None:
        for service in ("sqs", "s3"):
            clients.client(service).meta.events.register("before-call", self._note)

    def put(self, body: str) -> None:
        self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def bodies(self) -> list[str]:
        """The messages that wait, without taking them."""
        return [message["Body"] for message in self._received(self.url)]

    def deliver(self) -> list[str]:
        """Give a batch to the reader as Lambda does, and delete what it does not give back: the bodies it gave back."""
        given = self._received(self.url)
        records = [{"messageId": message["MessageId"], "body": message["Body"]} for message in given]
        answer = read({"Records": records})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in given:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in given if message["MessageId"] in failed]

    def dead(self) -> list[str]:
        return [message["Body"] for message in self._received(self.dead_letters)]

    def objects(self) -> list[str]:
        return [one["Key"] for one in self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def _received(self, url: str) -> list[dict[str, Any]]:
        received: list[dict[str, Any]] = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages", [])
        return received

    def _attribute(self, url: str, name: str) -> str:
        value: str = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
        return value

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.add((model.service_model.service_name, model.name))


def read(event: Mapping[str, Any], milliseconds: int = 120_000) -> dict[str, Any]:
    """The answer of the function that reads the queue."""
    context = LambdaContext("store_queued", memory_size=1_024, max_runtime_ms=milliseconds)
    answer: dict[str, Any] = application.store_queued(event, context)
    return answer


@pytest.fixture
def queue(owner: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    assert owner
    clients.client.cache_clear()
    made = Queue()
    monkeypatch.setattr(messages, "current", made.settings)
    made.watch()
    yield made
    clients.client.cache_clear()


def send(client: Client, *events: Mapping[str, Any], path: str = LOG, **query: str) -> Reply:
    return client.post(path, "\n".join(map(json.dumps, events)), query={"queue": "true", **query})


def stored(client: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.logs().json["connection_logs"]
    return rows


def audit_event(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "time": "2025-07-10T10:14:38Z",
        "user_id": str(uuid4()),
        "organization_id": str(uuid4()),
        "resource_type": "workspace",
        "resource_id": str(uuid4()),
        "resource_target": "dev",
        "action": "start",
        "status_code": 200,
        "request_id": str(uuid4()),
        **changes,
    }


def test_an_acknowledged_event_is_in_the_queue_and_then_in_the_log(
    owner: Client, queue: Queue, make_event: Event
) -> None:
    reply = send(owner, make_event(), make_event())
    assert (reply.status, reply.json) == (
        202,
        {"queued": True, "id": reply.json["id"], "rejected": 0, "skipped": 0, "results": []},
    )
    assert stored(owner) == []
    assert queue.deliver() == []
    assert len(stored(owner)) == 2
    assert queue.bodies() == []


def test_audit_events_go_the_same_way(owner: Client, queue: Queue) -> None:
    event = audit_event()
    assert send(owner, event, path=AUDIT).status == 202
    assert send(owner, event, path=AUDIT).status == 202
    assert queue.deliver() == []
    rows = owner.get(AUDIT, query={"q": f"resource_id:{event['resource_id']}"}).json["audit_logs"]
    assert [row["id"] for row in rows] == [event["id"]]


def test_large_audit_events_are_kept_whole_and_once(owner: Client, queue: Queue) -> None:
    old, new = (b85encode(Random(seed).randbytes(220_000)).decode() for seed in (1, 2))
    diff = {"notes": {"old": old, "new": new, "secret": False}}
    events = [audit_event(), audit_event(diff=diff), audit_event()]
    for _ in range(2):
        assert send(owner, *events, path=AUDIT).status == 202
        assert queue.deliver() == []
    rows = owner.get(AUDIT, query={"q": f"resource_id:{events[1]['resource_id']}"}).json["audit_logs"]
    assert [row["diff"] for row in rows] == [diff]


def test_an_event_that_is_past_the_retention_when_its_message_is_read_is_done(
    owner: Client, queue: Queue, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(owner, make_event())
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=10**9 * 3_600))
    assert queue.deliver() == []
    assert queue.bodies() == []


def test_an_engine_that_does_not_tell_what_is_stored_is_asked(
    owner: Client, queue: Queue, make_event: Event, transport: ObservedTransport
) -> None:
    event = make_event()
    owner.post(LOG, event)

    def silent(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        overrides = {"ReturnValuesOnConditionCheckFailure": "NONE"} if operation == "PutItem" else {}
        answer = send(operation, {**request, **overrides})
        if operation != "BatchExecuteStatement":
            return answer
        return {"Responses": [{"Error": one["Error"]} if "Error" in one else one for one in answer["Responses"]]}

    send(owner, event)
    transport.intercept(silent)
    assert queue.deliver() == []
    assert len(stored(owner)) == 1


def test_who_does_not_ask_for_the_queue_is_answered_when_it_is_stored(
    owner: Client, queue: Queue, make_event: Event
) -> None:
    assert owner.post(LOG, make_event()).json["created"] == 1
    assert (queue.bodies(), queue.calls) == ([], set())


def test_without_a_queue_it_is_stored_at_once(owner: Client, make_event: Event) -> None:
    reply = send(owner, make_event())
    assert (reply.status, reply.json["created"]) == (200, 1)


def test_what_is_wrong_is_told_at_once_and_costs_no_other_event(owner: Client, queue: Queue, make_event: Event) -> None:
    reply = send(owner, make_event(), make_event(time="never"), {"msg": "something else"})
    assert (reply.status, reply.json["rejected"], reply.json["skipped"]) == (202, 1, 1)
    assert [(result["index"], result["status"]) for result in reply.json["results"]] == [(1, "rejected")]
    assert queue.deliver() == []
    assert len(stored(owner)) == 1


@pytest.mark.parametrize("body", ['{"events": [', "a banner\n", '{"time": "never"}'])
def test_a_request_without_an_event_to_store_is_answered_as_without_a_queue(
    owner: Client, queue: Queue, body: str
) -> None:
    plain, asked = (owner.post(LOG, body, query=query) for query in (None, {"queue": "true"}))
    assert (asked.status, asked.json) == (plain.status, plain.json)
    assert queue.bodies() == []


def test_of_more_than_a_request_may_have_the_sender_hears_where_to_go_on(
    owner: Client, queue: Queue, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    reply = send(owner, *(make_event() for _ in range(3)))
    assert (reply.status, reply.headers["gatebook-accepted-lines"]) == (503, "2")
    assert (len(stored(owner)), queue.bodies()) == (2, [])


@pytest.mark.parametrize("path", [LOG, "/services/collector"])
def test_what_is_more_than_a_request_may_have_is_stored_at_once_when_it_is_sent_again(
    owner: Client, queue: Queue, make_event: Event, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Whoever reads it from the queue would begin anew each time, and never come to its end."""
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    events = [make_event() for _ in range(3)]
    lines = "\n".join(json.dumps(event if path == LOG else {"event": event}) for event in events)
    replies = [owner.post(path, lines, query={"queue": "true"}) for _ in range(2)]
    assert [reply.status for reply in replies] == [503, 200]
    assert (len(stored(owner)), queue.bodies()) == (3, [])


def test_who_may_not_write_queues_nothing(
    client: Client, as_ann: Client, house: House, root: User, queue: Queue, make_event: Event
) -> None:
    reader = house.client(root, scopes=("connection_log:read",))
    assert [send(sender, make_event()).status for sender in (client, as_ann, reader)] == [401, 403, 403]
    assert queue.bodies() == []


def test_a_sender_bound_to_an_organization_stays_bound_in_the_queue(
    owner: Client, house: House, root: User, queue: Queue, make_event: Event
) -> None:
    own = make_event()
    bound = house.client(root, allow_list=("connection_log:*", f"organization:{own['organization_id']}"))
    reply = send(bound, own, make_event(organization_id=str(uuid4())))
    assert (reply.status, reply.json["rejected"]) == (202, 1)
    assert queue.deliver() == []
    assert [row["organization"]["id"] for row in stored(owner)] == [own["organization_id"]]


def test_a_row_says_which_token_sent_it_and_when_it_was_received(
    owner: Client, queue: Queue, make_event: Event, clock: Clock
) -> None:
    received = clock.moment
    send(owner, make_event())
    clock.forward(timedelta(hours=3))
    queue.deliver()
    (row,) = stored(owner)
    key_id = owner.token.partition("-")[0]
    assert key_id in json.dumps(row)
    assert received.isoformat(timespec="seconds")[:19] in json.dumps(row)


def test_a_token_that_has_ended_meanwhile_has_been_asked_already(
    owner: Client, house: House, root: User, queue: Queue, make_event: Event
) -> None:
    sender = house.client(root)
    assert send(sender, make_event()).status == 202
    key_id = sender.token.partition("-")[0]
    assert owner.delete(f"/api/v2/users/root/keys/{key_id}").status == 204
    assert queue.deliver() == []
    assert len(stored(owner)) == 1


def test_no_message_holds_a_secret(owner: Client, queue: Queue, make_event: Event) -> None:
    send(owner, make_event())
    (body,) = queue.bodies()
    secret = owner.token.partition("-")[2]
    assert secret not in body
    assert Queued.model_validate_json(body).key_id == owner.token.partition("-")[0]


def test_the_same_message_any_number_of_times_is_one_row(owner: Client, queue: Queue, make_event: Event) -> None:
    send(owner, make_event())
    (body,) = queue.bodies()
    for _ in range(3):
        queue.put(body)
    while queue.bodies():
        assert queue.deliver() == []
    assert len(stored(owner)) == 1


def test_messages_in_any_order_give_the_same_rows(owner: Client, queue: Queue, make_event: Event) -> None:
    session = str(uuid4())
    events = [
        make_event(connection_id=session),
        make_event(connection_id=session, connection_status="disconnected", time="2025-07-10T11:00:00Z", code=0),
        make_event(connection_id=session, connection_status="disconnected", time="2025-07-10T11:00:00Z", code=0),
    ]
    for event in events:
        send(owner, event)
    waiting = queue.bodies()
    rows = set()
    for order in permutations(waiting):
        answer = read({"Records": [{"messageId": str(place), "body": body} for place, body in enumerate(order)]})
        assert answer == {"batchItemFailures": []}
        (row,) = stored(owner)
        rows.add(json.dumps(row["ssh_info"], sort_keys=True))
    assert len(rows) == 1
    assert "11:00:00" in rows.pop()


def test_of_a_batch_only_the_message_with_a_throttled_event_stays(
    owner: Client, queue: Queue, make_event: Event, transport: ObservedTransport
) -> None:
    workspace = "5f0d1c5e-7d3f-4c1b-8a4e-7d7d7d7d7d7d"
    throttled = make_event(workspace_id=workspace)
    for events in ([make_event()], [make_event(), throttled], [make_event()]):
        send(owner, *events)

    def refused(item: Item) -> bool:
        return workspace in json.dumps(item, default=str)

    transport.intercept(refusing(refused))
    given_back = queue.deliver()
    assert [workspace.encode() in Queued.model_validate_json(body).body for body in given_back] == [True]
    assert len(stored(owner)) == 3
    transport.restore()
    assert queue.deliver() == []
    assert len(stored(owner)) == 4


def test_what_the_store_refuses_for_ever_becomes_a_dead_letter_and_is_counted(
    owner: Client, queue: Queue, make_event: Event, transport: ObservedTransport
) -> None:
    send(owner, make_event())
    transport.intercept(refusing(lambda _: True, "AccessDenied"))
    for _ in range(RECEIVES):
        assert len(queue.deliver()) == 1
    assert queue.deliver() == []
    assert len(queue.dead()) == 1


@pytest.mark.parametrize(
    "poison",
    [
        "no JSON",
        "{}",
        '{"object": 5}',
        '{"object": "elsewhere/x"}',
        '{"object": "queued/',
        json.dumps({"id": "x", "log": "api_key", "packed": ""}),
    ],
)
def test_a_message_that_nobody_can_read_is_a_dead_letter_and_holds_nobody_up(
    owner: Client, queue: Queue, make_event: Event, poison: str
) -> None:
    queue.put(poison)
    send(owner, make_event())
    for _ in range(RECEIVES):
        assert queue.deliver() == [poison]
        assert len(stored(owner)) == 1
    assert queue.deliver() == []
    assert queue.dead() == [poison]


def test_a_damaged_body_is_a_dead_letter_too(owner: Client, queue: Queue, make_event: Event) -> None:
    send(owner, make_event())
    (body,) = queue.bodies()
    damaged = Queued.model_validate_json(body).model_copy(update={"packed": packed(b"x" * 99)[:-3]})
    queue.put(damaged.model_dump_json())
    assert queue.deliver() == [damaged.model_dump_json()]
    assert len(stored(owner)) == 1


def test_what_there_is_no_time_for_stays(owner: Client, queue: Queue, make_event: Event) -> None:
    send(owner, make_event())
    (body,) = queue.bodies()
    answer = read({"Records": [{"messageId": "late", "body": body}]}, milliseconds=1_000)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "late"}]}
    assert stored(owner) == []


@pytest.fixture
def oversized(make_event: Event) -> list[dict[str, Any]]:
    """Events that no compression makes fit into a message."""
    random = Random(7)
    return [make_event(user_agent=random.randbytes(4_000).hex()[:8_000]) for _ in range(80)]


def test_an_oversized_request_waits_in_the_bucket_and_is_deleted_when_it_is_stored(
    owner: Client, queue: Queue, oversized: list[dict[str, Any]]
) -> None:
    assert send(owner, *oversized).status == 202
    (body,) = queue.bodies()
    assert [json.loads(body)["object"]] == queue.objects()
    assert len(body) < 200
    assert queue.deliver() == []
    assert queue.objects() == []
    assert owner.logs(limit="100").json["count"] == len(oversized)


def test_an_object_stays_as_long_as_its_events_are_not_stored(
    owner: Client, queue: Queue, oversized: list[dict[str, Any]], transport: ObservedTransport
) -> None:
    send(owner, *oversized)
    transport.intercept(refusing(lambda _: True))
    assert len(queue.deliver()) == 1
    assert len(queue.objects()) == 1


def test_a_message_that_comes_again_after_its_object_is_deleted_is_done(
    owner: Client, queue: Queue, oversized: list[dict[str, Any]]
) -> None:
    send(owner, *oversized)
    (body,) = queue.bodies()
    queue.deliver()
    queue.put(body)
    assert queue.deliver() == []
    assert queue.bodies() == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com/"), 503),  # type: ignore[no-untyped-call]
        (refusal("ThrottlingException"), 503),
        (refusal("InternalError", ResponseMetadata={"HTTPStatusCode": 500}), 503),
        (refusal("AccessDenied", ResponseMetadata={"HTTPStatusCode": 403}), 500),
    ],
)
@pytest.mark.usefixtures("queue")
def test_what_is_not_queued_is_not_acknowledged(
    owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(clients.client("sqs"), "send_message", fail)
    reply = send(owner, make_event())
    assert reply.status == status
    assert ("retry-after" in reply.headers) is (status == 503)


def test_the_application_calls_what_its_rights_on_queue_and_bucket_allow(
    owner: Client, queue: Queue, oversized: list[dict[str, Any]]
) -> None:
    send(owner, *oversized)
    assert queue.calls == calls_of(queue_resources.API_RIGHTS)
    queue.calls.clear()
    queue.deliver()
    receiving = {("sqs", action.partition(":")[2]) for action in queue_resources.READER_RIGHTS["IngestQueue"]}
    assert queue.calls == calls_of(queue_resources.READER_RIGHTS) - receiving - {("s3", "ListBucket")}


def calls_of(rights: Mapping[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    split = (action.split(":") for actions in rights.values() for action in actions)
    return {(service, operation) for service, operation in split}


EXAMPLES: Mapping[str, Callable[[list[dict[str, Any]]], object]] = {
    "/services/collector/event": lambda events: "".join(json.dumps({"event": event}) for event in events),
    "/services/collector/raw": lambda events: "\n".join(map(json.dumps, events)),
    "/v1/logs": lambda events: {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": any_value(event)} for event in events]}]}]
    },
}


@pytest.mark.parametrize("path", EXAMPLES)
def test_a_collector_may_queue_events_of_both_logs(owner: Client, queue: Queue, make_event: Event, path: str) -> None:
    made, audited = make_event(), audit_event()
    body = EXAMPLES[path]([made, audited, audit_event(time="soon")])
    reply = owner.post(path, body, query={"queue": "true"})
    assert reply.status == 200, "their clients take nothing else for success"
    if path == "/v1/logs":
        assert reply.json["partialSuccess"]["rejectedLogRecords"] == "1"
    else:
        assert (reply.json["code"], reply.json["queued"], reply.json["rejected"]) == (0, True, 1)
    assert stored(owner) == [], "acknowledged is in the queue"
    assert len(queue.bodies()) == 1
    assert queue.deliver() == []
    assert queue.bodies() == []
    assert [row["agent_name"] for row in stored(owner)] == [made["agent_name"]]
    assert owner.get(f"{AUDIT}/{audited['id']}").status == 200


@pytest.mark.parametrize("path", EXAMPLES)
def test_a_collector_without_an_event_to_store_queues_nothing(owner: Client, queue: Queue, path: str) -> None:
    reply = owner.post(path, EXAMPLES[path]([{"msg": "hello"}]), query={"queue": "true"})
    assert (reply.status, "queued" in reply.json) == (200, False)
    assert queue.bodies() == []


def test_what_a_collector_sent_too_large_for_a_message_waits_in_the_bucket(owner: Client, queue: Queue) -> None:
    noise = Random(7)
    events = [audit_event(resource_target=b85encode(noise.randbytes(700)).decode()) for _ in range(500)]
    body = EXAMPLES["/services/collector/event"](events)
    assert owner.post("/services/collector/event", body, query={"queue": "true"}).json["queued"] is True
    (name,) = queue.objects()
    assert json.loads(queue.bodies()[0]) == {"object": name}
    assert queue.deliver() == []
    assert queue.objects() == []
    assert owner.get(AUDIT, query={"q": "resource_type:workspace"}).json["count"] == len(events)
