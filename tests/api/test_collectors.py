"""Events by the protocols of collectors, Splunk's HEC and OTLP over HTTP: each is stored once, in its own log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.api.matrix import HEC, OTLP, any_value
from tests.transport import refusing

if TYPE_CHECKING:
    from chalicelib.records import User
    from chalicelib.store.dynamodb.client import Item
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

Make = Callable[..., dict[str, Any]]
ORGANIZATION = str(uuid4())
BANNER = "Coder v2.31.0 - Your Self-Hosted Remote Development Platform"


def audited(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "time": "2025-07-10T10:14:38Z",
        "user_id": str(uuid4()),
        "organization_id": ORGANIZATION,
        "resource_type": "template",
        "resource_id": str(uuid4()),
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
        **changes,
    }


def by_hec(client: Client, *events: object, path: str = f"{HEC}/event", **more: Any) -> Reply:
    body = "".join(json.dumps({"time": 1, "host": "coder", "event": event}) for event in events)
    return client.post(path, body, **more)


def by_otlp(client: Client, *bodies: object) -> Reply:
    records = [{"timeUnixNano": "1", "body": any_value(body)} for body in bodies]
    return client.post(OTLP, {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": records}]}]})


Send = Callable[..., "Reply"]
SENDERS: Mapping[str, Send] = {"hec": by_hec, "otlp": by_otlp}


@pytest.fixture(params=SENDERS)
def send(request: pytest.FixtureRequest) -> Send:
    return SENDERS[request.param]


def counts(owner: Client) -> tuple[int, int]:
    """How many rows the connection log and the audit log have of these events."""
    return owner.logs().json["count"], owner.get("/api/v2/audit", query={"q": "resource_type:template"}).json["count"]


def test_each_event_is_stored_once_in_its_own_log(owner: Client, make_event: Make, send: Send) -> None:
    line = json.dumps({"ts": "t", "level": "INFO", "msg": "audit_log", "fields": audited()})
    events = [make_event(), line, BANNER, audited(), {"a": "b"}]
    for _ in range(2):
        assert send(owner, *events).status == 200
        assert counts(owner) == (1, 2)


def test_what_splunks_collector_answers(owner: Client, client: Client, house: House, root: User) -> None:
    assert client.get(f"{HEC}/health").json == {"text": "HEC is healthy", "code": 17}
    event = audited()
    headers = {"Authorization": f"Splunk {owner.token}"}
    reply = by_hec(client, event, BANNER, path=HEC, headers=headers)
    assert reply.status == 200
    assert reply.json == {
        "text": "Success",
        "code": 0,
        "results": [{"index": 0, "id": event["id"], "status": "created"}],
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "failed": 0,
        "skipped": 1,
    }
    reader = house.client(root, scopes=("audit_log:read",))
    wrong = {"Authorization": f"Splunk {'a' * 10}-{'b' * 22}"}
    for status, code, text, refused in (
        (401, 2, "Token is required", by_hec(client, event)),
        (401, 3, "Invalid authorization", by_hec(client, event, headers={"Authorization": "Splunk"})),
        (403, 4, "Invalid token", by_hec(client, event, headers=wrong)),
        (403, 1, "Token disabled", by_hec(reader, event)),
        (400, 5, "No data", owner.post(HEC, "")),
        (400, 6, "Invalid data format", owner.post(HEC, "no json")),
        (400, 12, "Event field is required", owner.post(HEC, {"time": 1})),
        (413, 6, "Invalid data format", by_hec(owner, "x" * 5_000_000)),
    ):
        assert (refused.status, refused.json["code"], refused.json["text"]) == (status, code, text)


def test_what_an_exporter_of_opentelemetry_is_answered(owner: Client) -> None:
    assert owner.post(OTLP, {}).json == {"partialSuccess": {}}
    assert by_otlp(owner, BANNER, audited()).json == {"partialSuccess": {}}
    reply = by_otlp(owner, audited(), BANNER, audited(time="soon"), audited(status_code="x"))
    assert reply.status == 200
    partial = reply.json["partialSuccess"]
    assert partial["rejectedLogRecords"] == "2"
    assert partial["errorMessage"].startswith("Record 2: Validation failed.; time: ")
    assert counts(owner) == (0, 2)


def test_an_event_that_is_wrong_costs_no_other(owner: Client, make_event: Make) -> None:
    reply = by_hec(owner, make_event(time="soon"), make_event(), audited(action=""), audited())
    assert (reply.status, reply.json["text"]) == (200, "Success")
    assert [row["status"] for row in reply.json["results"]] == ["rejected", "created", "rejected", "created"]
    assert counts(owner) == (1, 1)


def test_a_store_that_throttles_one_event_has_all_sent_again(
    owner: Client, make_event: Make, transport: ObservedTransport, send: Send
) -> None:
    events = [make_event(), audited(resource_target="throttled"), audited()]

    def is_throttled(item: Item) -> bool:
        return "throttled" in json.dumps(item, default=str)

    transport.intercept(refusing(is_throttled))
    reply = send(owner, *events)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.json["code"] == (9 if send is by_hec else 14)
    assert reply.json["message"]
    transport.restore()
    assert send(owner, *events).status == 200
    assert counts(owner) == (1, 2)


def test_a_store_that_refuses_for_ever_is_no_matter_of_sending_again(
    owner: Client, transport: ObservedTransport, send: Send
) -> None:
    transport.intercept(refusing(lambda _: True, "ValidationError"))
    reply = send(owner, audited())
    assert (reply.status, "retry-after" in reply.headers) == (500, False)
    assert reply.json["code"] == (8 if send is by_hec else 13)


def test_a_sender_needs_the_right_of_the_logs_that_it_has_events_of(
    house: House, root: User, owner: Client, make_event: Make, send: Send
) -> None:
    auditor = house.client(root, scopes=("audit_log:create",))
    assert send(auditor, audited(), BANNER).status == 200
    assert send(auditor, BANNER).status == 200
    assert send(auditor, make_event()).status == 403
    assert send(auditor, make_event(), audited()).status == 403
    assert send(auditor, audited(), BANNER, {"workspace_id": 7}).status == 403
    nobody = house.client(root, scopes=("audit_log:read",))
    for event in (make_event(), audited(), BANNER):
        assert send(nobody, event).status == 403
    assert counts(owner) == (0, 1)


def test_of_events_of_both_logs_none_is_stored_where_one_log_is_closed_so_that_the_sender_keeps_all(
    house: House, root: User, owner: Client, make_event: Make, send: Send
) -> None:
    for scope, closed in (("audit_log:create", "connection logs"), ("connection_log:update", "audit logs")):
        reply = send(house.client(root, scopes=(scope,)), make_event(), audited(), BANNER)
        assert reply.status == 403
        assert reply.json["detail"] == f"Your token or your roles do not let you write {closed}."
    assert counts(owner) == (0, 0)
    assert send(owner, make_event(), audited(), BANNER).status == 200
    assert counts(owner) == (1, 1)


@pytest.mark.parametrize("path", [f"{HEC}/raw", f"{HEC}/raw/1.0"])
def test_lines_of_both_logs_are_taken_as_they_are(owner: Client, make_event: Make, path: str) -> None:
    line = json.dumps({"ts": "t", "level": "INFO", "msg": "audit_log", "fields": audited()})
    body = "\n".join(
        [BANNER, line, json.dumps(make_event()), "", '{"a": "b"}', f"2026-11-20T10:00:00Z stderr F {line}"]
    )
    headers = {"Authorization": f"Splunk {owner.token}", "X-Splunk-Request-Channel": str(uuid4())}
    reply = owner.post(path, body, query={"channel": "1", "sourcetype": "coder"}, headers=headers)
    assert (reply.status, reply.json["code"]) == (200, 0)
    assert [row["status"] for row in reply.json["results"]] == ["created", "created", "unchanged"]
    assert counts(owner) == (1, 1)


@pytest.mark.parametrize("body", ["", "\n \r\n", "\x00\x00"])
def test_a_body_without_a_line_has_no_data(owner: Client, body: str) -> None:
    reply = owner.post(f"{HEC}/raw", body)
    assert (reply.status, reply.json["code"], reply.json["text"]) == (400, 5, "No data")


def test_acknowledgements_by_id_are_refused_in_splunks_words(client: Client) -> None:
    reply = client.post(f"{HEC}/ack", {"acks": [0]})
    assert (reply.status, reply.json["code"], reply.json["text"]) == (400, 14, "ACK is disabled")
    assert client.get(f"{HEC}/health/1.0").json == {"text": "HEC is healthy", "code": 17}
