"""The inputs of real senders that once went wrong, each by its number, and what is right for it.

The seventeenth is about what Lambda takes, and stands in `tests/local/test_server_reading.py`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.logs.go_quoting import quoted
from tests.api.test_audit_ingest import human_line
from tests.api.test_audit_list import event as audit_event
from tests.api.test_connection_ingest import service_line, statuses
from tests.transport import refusal, refusing

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, Clock, House
    from tests.transport import ObservedTransport, Send

LOG, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
BANNER = "Coder v2.31.0 - Your Self-Hosted Remote Development Platform"
TRACE = "\ngoroutine 1 [running]:\n\tmain.main()\n\t\t/src/main.go:17 +0x1d\n"
FLAG = "\U0001f3f4\U000e0067"
LARGEST_ANSWER_IN_BYTES = 200_000
Event = Callable[..., dict[str, Any]]


def row(owner: Client, made: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = owner.get(f"{AUDIT}/{made['id']}").json
    return answer


def line(made: Mapping[str, Any]) -> str:
    return json.dumps({"ts": "t", "level": "INFO", "msg": "audit_log", "fields": made})


def test_s1_a_throttled_write_of_ten_is_sent_again(
    owner: Client, transport: ObservedTransport, make_event: Event
) -> None:
    events = [make_event(connection_id=str(uuid4())) for _ in range(10)]
    transport.intercept(refusing(lambda item: events[3]["connection_id"] in str(item)))
    reply = owner.post(LOG, "\n".join(map(json.dumps, events)))
    assert (reply.status, reply.json["failed"], reply.json["created"]) == (503, 1, 9)
    assert reply.headers["retry-after"]
    transport.restore()
    assert owner.post(LOG, "\n".join(map(json.dumps, events))).status == 200
    assert owner.logs().json["count"] == len(events)


def test_s2_a_banner_alone_is_skipped(owner: Client) -> None:
    reply = owner.post(LOG, BANNER)
    assert (reply.status, reply.json["skipped"]) == (200, 1)


def test_s3_a_stack_trace_among_audit_lines_is_skipped(owner: Client) -> None:
    error = "2025-07-10 10:14:38.942 [erro]  coderd: failed ...\n    error= execute:\n               main.go:17"
    made = [audit_event(), audit_event()]
    reply = owner.post(AUDIT, f"{human_line(made[0])}\n{error}{TRACE}{human_line(made[1])}\n")
    assert (reply.status, statuses(reply)) == (200, ["created", "created"])
    assert reply.json["skipped"] > 0


def test_s4_what_a_newer_server_says_is_stored_and_found(owner: Client, make_event: Event) -> None:
    made = [audit_event(resource_type="chat_project"), audit_event(action="frobnicate")]
    assert statuses(owner.post(AUDIT, "\n".join(map(line, made)))) == ["created", "created"]
    for query, one in (("resource_type:chat_project", made[0]), ("action:frobnicate", made[1])):
        assert [one_row["id"] for one_row in owner.get(AUDIT, query={"q": query}).json["audit_logs"]] == [one["id"]]
    assert statuses(owner.post(LOG, [make_event(type=app) for app in ("cursor", "sftp")])) == ["created", "created"]
    assert [owner.logs(query).json["count"] for query in ("app:cursor", "app:sftp", "type:vscode", "type:ssh")] == [
        1
    ] * 4


def test_s5_thousands_of_lines_are_stored(owner: Client, make_event: Event) -> None:
    body = "\n".join(json.dumps(service_line(make_event(connection_id=str(uuid4())))) for _ in range(3_300))
    assert len(body) > 2_000_000
    reply = owner.post(LOG, body, query={"results": "problems"})
    assert (reply.status, reply.json["created"]) == (200, 3_300)


@pytest.mark.parametrize("text", ['x\x1by "q" z', "\x07\x0b\x7f", FLAG, "é\u2028\ufeff", "a\\b"])
def test_s6_s7_what_go_quotes_is_read_as_it_was(owner: Client, text: str) -> None:
    made = audit_event(user_agent=text, diff={"name": {"old": "", "new": text, "secret": False}})
    printed = human_line({**made, "user_agent": "{agent}", "diff": "{diff}"})
    printed = printed.replace('"{agent}"', "{agent}").replace('"{diff}"', "{diff}")
    printed = printed.replace("{agent}", quoted(text)).replace(
        "{diff}", quoted(json.dumps(made["diff"], ensure_ascii=False))
    )
    assert statuses(owner.post(AUDIT, printed)) == ["created"]
    stored = row(owner, made)
    assert (stored["user_agent"], stored["diff"]["name"]["new"]) == (text, text)


def test_s8_a_text_below_its_line_is_whole(owner: Client) -> None:
    made = audit_event(resource_target="")
    printed = human_line(made).replace('  ResourceTarget=""', "").rstrip() + " ...\n"
    body = printed + "    ResourceTarget= multi\n                    line\n" + human_line(audit_event())
    assert statuses(owner.post(AUDIT, body)) == ["created", "created"]
    assert row(owner, made)["resource_target"] == "multi\nline"


def test_s9_the_form_of_stackdriver(owner: Client) -> None:
    made = audit_event()
    entry = {
        "logging.googleapis.com/severity": "INFO",
        "severity": "INFO",
        "message": "audit_log",
        "timestampSeconds": 1_795_803_459,
        "timestampNanos": 5_000_000,
        "logging.googleapis.com/operation": {"producer": "coderd"},
        **made,
    }
    assert statuses(owner.post(AUDIT, json.dumps(entry))) == ["created"]


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda text: json.dumps({"log": text + "\n", "stream": "stderr"}),
        lambda text: json.dumps({"message": text}),
        lambda text: json.dumps({"MESSAGE": text}),
        lambda text: f"2026-11-20T10:00:00Z stderr F {text}",
        lambda text: f"<134>Nov 20 10:00:00 host coder[1]: {text}",
    ],
)
def test_s10_a_line_that_a_collector_wrapped(owner: Client, wrapped: Callable[[str], str]) -> None:
    made = [audit_event(), audit_event()]
    reply = owner.post(AUDIT, "\n".join([wrapped(BANNER), *(wrapped(line(one)) for one in made)]))
    assert (statuses(reply), reply.json["skipped"]) == (["created", "created"], 1)


@pytest.mark.parametrize(
    "body",
    [
        lambda events: {"logs": events},
        lambda events: [line(one) for one in events],
        lambda events: [{**one, "msg": "audited", "level": 30} for one in events],
    ],
)
def test_s11_batches_of_other_libraries(owner: Client, body: Callable[[list[dict[str, Any]]], object]) -> None:
    assert statuses(owner.post(AUDIT, body([audit_event(), audit_event()]))) == ["created", "created"]


@pytest.mark.parametrize("body", ["x\n" * 2_400_000, "{}\n" + "x\n" * 2_400_000])
def test_s12_millions_of_short_lines_are_answered(owner: Client, body: str) -> None:
    reply = owner.post(LOG, body)
    assert (reply.status, reply.json["skipped"]) == (200, body.count("\n"))


def test_s13_the_answer_to_long_wrong_ids_is_short(owner: Client) -> None:
    made = audit_event()
    wrong = [{**made, "id": "<" * 4_900}] * 990
    reply = owner.post(AUDIT, "\n".join(map(json.dumps, [made, *wrong])))
    assert reply.json["created"] == 1
    assert reply.json["rejected"] > 900
    assert len(reply.text.encode()) < LARGEST_ANSWER_IN_BYTES


def test_s14_head_is_answered(client: Client) -> None:
    assert client.send("HEAD", "/healthz").status == 200


def test_s15_a_token_in_basic_authentication(client: Client, owner: Client) -> None:
    basic = b64encode(f"any:{owner.token}".encode()).decode()
    assert client.post(LOG, BANNER, headers={"Authorization": f"Basic {basic}"}).status == 200


def test_s16_what_the_store_refuses_for_good_is_our_fault(
    owner: Client, transport: ObservedTransport, make_event: Event
) -> None:
    events = [make_event(connection_id=str(uuid4())) for _ in range(2)]
    refused = refusing(lambda item: events[0]["connection_id"] in str(item), "ValidationError")
    transport.intercept(refused)
    reply = owner.post(LOG, events)
    assert (reply.status, reply.json["failed"], reply.json["created"]) == (500, 1, 1)
    assert "retry-after" not in reply.headers


def test_s18_of_a_list_of_addresses_the_first(owner: Client, make_event: Event) -> None:
    assert statuses(owner.post(LOG, json.dumps(service_line(make_event(ip="192.0.2.7, 10.0.0.1"))))) == ["created"]
    assert owner.logs().json["connection_logs"][0]["ip"] == "192.0.2.7"


def test_s19_a_generated_row_is_found_by_its_build_reason(owner: Client) -> None:
    made = {"resource_type": "workspace_build", "action": "start", "build_reason": "autostart"}
    assert owner.post(f"{AUDIT}/testgenerate", made).status == 204
    assert owner.get(AUDIT, query={"q": "build_reason:autostart"}).json["count"] == 1


def sent_until_taken(owner: Client, path: str, body: Any) -> list[int]:
    """The statuses that a shipper is answered which sends a batch as it is until it is answered 200."""
    statuses = []
    for _ in range(MOST_REPEATS):
        statuses.append(owner.post(path, body).status)
        if statuses[-1] != 503:
            break
    return statuses


MOST_REPEATS = 10


@pytest.mark.parametrize(
    "form",
    [
        lambda events: "\n".join(map(json.dumps, events)),
        json.dumps,
        lambda events: json.dumps({"events": events}, indent=1)[:-3],
        lambda events: "\n".join([f"<13>Nov 20 10:00:00 host coder: {line(one)}" for one in events]),
    ],
)
def test_a_shipper_that_repeats_a_batch_of_too_many_events_gets_all_of_it_stored(
    owner: Client, monkeypatch: pytest.MonkeyPatch, form: Callable[[list[dict[str, Any]]], str]
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 3)
    events = [audit_event() for _ in range(10)]
    assert sent_until_taken(owner, AUDIT, form(events)) == [503, 503, 503, 200]
    assert all(owner.get(f"{AUDIT}/{one['id']}").status == 200 for one in events)


@pytest.mark.parametrize("path", ["/services/collector/event", "/services/collector/raw", "/v1/logs"])
def test_a_collector_that_repeats_too_much_gets_all_of_it_stored(
    owner: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 3)
    events = [audit_event() for _ in range(7)]
    records = [{"body": {"stringValue": line(one)}} for one in events]
    body = {
        "/v1/logs": {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]},
        "/services/collector/event": "".join(json.dumps({"event": one}) for one in events),
        "/services/collector/raw": "\n".join(map(line, events)),
    }[path]
    assert sent_until_taken(owner, path, body) == [503, 503, 200]
    assert all(owner.get(f"{AUDIT}/{one['id']}").status == 200 for one in events)


def test_a_body_of_too_many_bytes_and_one_of_too_many_lines_end_in_200(owner: Client) -> None:
    events = [audit_event() for _ in range(2)]
    wide = "\n".join([line(events[0]), *["{" + "x" * 99_000] * 55, line(events[1])])
    assert sent_until_taken(owner, AUDIT, wide) == [503, 200]
    many = [audit_event() for _ in range(2)]
    assert sent_until_taken(owner, AUDIT, "\n".join([line(many[0]), *["{}"] * 200_000, line(many[1])])) == [503] * 2 + [
        200
    ]
    one_long = audit_event()
    assert sent_until_taken(owner, AUDIT, "\n".join(["{}", "{" + "x" * 5_100_000, line(one_long)])) == [503, 200]
    assert all(owner.get(f"{AUDIT}/{one['id']}").status == 200 for one in (*events, *many, one_long))


def test_too_many_events_and_a_store_that_is_throttled_end_in_200(
    owner: Client, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing after a failed event is passed over, and what was stored is not stored twice."""
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 4)
    events = [audit_event() for _ in range(10)]
    body = "\n".join(map(line, events))
    throttled = ""
    transport.intercept(refusing(lambda item: item["id"]["S"] == throttled))
    for failing, accepted in ((2, 2), (5, 5), (None, 9), (9, 9)):
        throttled = "" if failing is None else events[failing]["id"]
        reply = owner.post(AUDIT, body)
        assert (reply.status, reply.json["failed"]) == (503, 0 if failing is None else 1)
        assert reply.headers["gatebook-accepted-lines"] == str(accepted)
    transport.restore()
    assert sent_until_taken(owner, AUDIT, body) == [200]
    assert all(owner.get(f"{AUDIT}/{one['id']}").status == 200 for one in events)


def test_the_same_lines_of_another_token_or_for_another_log_are_read_from_the_beginning(
    house: House, root: User, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    body = "\n".join(line(audit_event()) for _ in range(3))
    assert owner.post(AUDIT, body).json["created"] == 2
    other = house.client(root)
    assert other.post(AUDIT, body).json["unchanged"] == 2
    assert owner.post(AUDIT, body + "\n{}").json["unchanged"] == 2
    assert owner.post(AUDIT, body).json["created"] == 1


def test_how_far_a_request_was_taken_is_known_for_a_day_and_asked_of_no_other(
    owner: Client, clock: Clock, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    body = "\n".join(line(audit_event()) for _ in range(3))
    assert owner.post(AUDIT, body).status == 503
    clock.forward(timedelta(days=1))
    assert owner.post(AUDIT, body).json["unchanged"] == 2
    del transport.requests[:]
    assert owner.post(AUDIT, line(audit_event())).status == 200
    assert "taken#" not in str(transport.requests)


def test_where_it_cannot_be_noted_how_far_a_request_was_taken_it_is_answered_all_the_same(
    owner: Client, transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)

    def away(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if "taken#" in str(request):
            raise refusal("ThrottlingException")
        return send(operation, request)

    transport.intercept(away)
    body = "\n".join(line(audit_event()) for _ in range(3))
    assert [owner.post(AUDIT, body).json["created"] for _ in range(2)] == [2, 0]
    transport.restore()
    assert sent_until_taken(owner, AUDIT, body) == [503, 200]
