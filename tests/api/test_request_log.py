"""One line per request, with what an operator asks for and none of what an attacker wants."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from chalice.app import Chalice

from app import app
from chalicelib.api import request_log, service_lines
from chalicelib.errors import Unavailable
from chalicelib.settings import load
from chalicelib.store.directory import people
from chalicelib.store.logs import connection_writer
from tests.transport import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport, Send

LOG = "/api/v2/connectionlog"


def use(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for module in (request_log, service_lines):
        monkeypatch.setattr(module, "current", lambda: load(environment))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    use(monkeypatch, GATEBOOK_REQUEST_LOG="json")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_nothing_is_printed_unless_the_deployment_says_so(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/healthz")
    assert capsys.readouterr().out == ""


def test_a_line_has_what_an_operator_asks_for(owner: Client, lines: Any, make_event: Any) -> None:
    owner.post(LOG, {"events": [make_event(), make_event()]})
    owner.logs("type:ssh", count="false")
    wrote, read = lines()
    assert (wrote["Route"], wrote["status"], "RowsRead" in wrote) == (f"POST {LOG}", 200, False)
    assert (read["Route"], read["status"], read["RowsRead"]) == (f"GET {LOG}", 200, 2)
    assert read["key_id"] == owner.token.partition("-")[0]
    assert read["Deployment"] == "gatebook-"
    assert len(read["request_id"]) == 36
    assert read["Duration"] > 0


def test_rows_that_are_only_counted_are_read_too_as_the_bill_has_them(
    owner: Client, lines: Any, make_event: Any
) -> None:
    owner.post(LOG, {"events": [make_event(), make_event(), make_event(type="vscode")]})
    explained = owner.logs("type:ssh", explain="true").json["explain"]
    _, read = lines()
    assert (explained["lane"], explained["rows_read"], read["RowsRead"]) == ("type", 2 + 2, 2 + 2)


def test_metrics_are_by_route_and_named_in_the_line(owner: Client, lines: Any) -> None:
    owner.logs()
    (line,) = lines()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Gatebook"
    assert directive["Dimensions"] == [["Deployment", "Route"]]
    assert [metric["Name"] for metric in directive["Metrics"]] == ["Duration", "RowsRead"]
    named = [*directive["Dimensions"][0], *(metric["Name"] for metric in directive["Metrics"])]
    assert all(name in line for name in named)


def test_every_route_is_told_by_its_pattern_and_never_by_its_path(owner: Client, lines: Any, house: House) -> None:
    bob = house.user("bob")
    owner.get(f"/api/v2/users/{bob.id}/keys/tokens")
    (line,) = lines()
    assert line["Route"] == "GET /api/v2/users/{user}/keys/tokens"
    assert bob.id not in json.dumps(line)


def test_no_part_of_a_secret_is_in_a_line(house: House, root: Any, client: Client, lines: Any) -> None:
    token = house.token(root)
    secret = token.partition("-")[2]
    for query in ({"coder_session_token": token}, {"access_token": token}, {"q": secret}):
        client.get(LOG, query=query, headers={"User-Agent": secret})
    client.get(LOG, headers={"Cookie": f"coder_session_token={token}"})
    client.get(f"/{token}")
    text = json.dumps(lines())
    assert secret not in text


def test_a_token_that_opens_nothing_is_not_named(client: Client, house: House, root: Any, lines: Any) -> None:
    key_id = house.token(root).partition("-")[0]
    assert replace(client, token=f"{key_id}-{'x' * 22}").get(LOG).status == 401
    (line,) = lines()
    assert line["status"] == 401
    assert "key_id" not in line


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", LOG)])
def test_what_no_route_takes_is_one_line_too(client: Client, lines: Any, method: str, path: str) -> None:
    reply = client.send(method, path)
    (line,) = lines()
    assert (line["Route"], line["status"]) == (request_log.UNMATCHED, reply.status)


def test_a_failure_is_counted_as_the_servers(client: Client, lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise Unavailable

    monkeypatch.setattr(people, "has_users", fails)
    assert client.get("/api/v2/users/first").status == 503
    (line,) = lines()
    assert (line["status"], line["ServerErrors"]) == (503, 1)


def test_a_request_that_ends_in_an_exception_has_its_line(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Chalice, "__call__", broken)
    event = {"requestContext": {"resourcePath": "/healthz", "httpMethod": "GET"}}
    with pytest.raises(RuntimeError):
        app(event, None)
    (line,) = lines()
    assert (line["Route"], line["status"], line["ServerErrors"]) == ("GET /healthz", 500, 1)


def test_notes_of_one_request_do_not_reach_the_next(owner: Client, client: Client, lines: Any) -> None:
    owner.logs()
    request_log.note(key_id="of no request")
    client.get("/healthz")
    assert "key_id" not in lines()[1]


def test_each_stored_event_goes_out_as_coder_prints_it(
    owner: Client, make_event: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, GATEBOOK_SERVICE_LOG="json")
    event, bad = make_event(), make_event(connection_status="nothing")
    reply = owner.post(LOG, {"events": [event, bad, event]})
    assert [result["status"] for result in reply.json["results"]] == ["created", "rejected", "unchanged"]
    out = capsys.readouterr().out
    printed = [json.loads(line) for line in out.splitlines()]
    assert [line["fields"]["ConnectionID"] for line in printed] == [event["connection_id"]] * 2
    assert {line["fields"]["ID"] for line in printed} == {reply.json["results"][0]["id"]}
    assert {line["fields"]["request_id"] for line in printed}
    # What is printed here can be sent there, and is the same event.
    again = owner.post(LOG, out)
    assert [result["status"] for result in again.json["results"]] == ["unchanged", "unchanged"]


def test_or_as_a_human_line(
    owner: Client, make_event: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, GATEBOOK_SERVICE_LOG="human")
    owner.post(LOG, make_event(disconnect_reason="not yet"))
    out = capsys.readouterr().out
    assert " [info]  coderd: connection_log  request_id=" in out
    assert [result["status"] for result in owner.post(LOG, out).json["results"]] == ["unchanged"]


def test_an_event_that_is_not_stored_is_not_printed(
    owner: Client, make_event: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, GATEBOOK_SERVICE_LOG="json")
    monkeypatch.setattr(connection_writer, "write_all", lambda *_, **__: [Unavailable()])
    assert owner.post(LOG, make_event()).status == 503
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("form", ["json", "human"])
def test_audit_events_go_out_as_well_and_are_the_same_when_they_come_back(
    owner: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    use(monkeypatch, GATEBOOK_SERVICE_LOG=form)
    event = {
        "time": "2025-07-10T10:14:38.942776Z",
        "user_id": "fe8f4bab-3128-41f1-8fec-1cc0755affe5",
        "resource_type": "workspace",
        "resource_id": "05567e23-31e2-4c00-bd05-4d499d437347",
        "resource_target": "dev box",
        "action": "write",
        "status_code": 200,
        "diff": {"name": {"old": "dev", "new": 'a "dev" box', "secret": False}},
        "additional_fields": {"build_number": "7"},
    }
    assert owner.post("/api/v2/audit", event).json["created"] == 1
    out = capsys.readouterr().out
    assert "audit_log" in out
    assert [result["status"] for result in owner.post("/api/v2/audit", out).json["results"]] == ["unchanged"]


def test_a_generated_row_goes_out_as_well(
    owner: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, GATEBOOK_SERVICE_LOG="json")
    assert owner.post("/api/v2/audit/testgenerate", {"action": "create"}).status == 204
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["msg"] == "audit_log"
    assert line["fields"]["Action"] == "create"


def test_rejected_events_are_a_metric_and_the_line_says_why(owner: Client, lines: Any, make_event: Any) -> None:
    owner.post(LOG, {"events": [make_event(code="x"), make_event(), make_event(time="<" * 5_000)]})
    owner.post(LOG, {"events": [make_event()]})
    wrote, well = lines()
    assert wrote["RejectedEvents"] == 2
    assert "RejectedEvents" in [metric["Name"] for metric in wrote["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert [problem["index"] for problem in wrote["problems"]] == [0, 2]
    assert len(json.dumps(wrote)) < 4_000
    assert not {"RejectedEvents", "StoreRefusals", "problems"} & well.keys()


def test_a_line_says_how_much_of_a_request_was_skipped(owner: Client, lines: Any, make_event: Any) -> None:
    owner.post(LOG, "\n".join(["a banner", '[{"a":1},', '{"error":"x"}', json.dumps(make_event())]))
    owner.post(LOG, make_event())
    wrote, well = lines()
    assert wrote["skipped"] == 3
    assert "skipped" not in well


def test_an_event_that_the_store_refuses_for_ever_is_a_metric(
    owner: Client, lines: Any, make_event: Any, transport: ObservedTransport
) -> None:
    def refuse(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem":
            raise refusal("ValidationException")
        return send(operation, request)

    transport.intercept(refuse)
    assert owner.post(LOG, make_event()).status == 500
    (line,) = lines()
    assert (line["StoreRefusals"], line["ServerErrors"]) == (1, 1)


def test_events_that_contradict_what_is_stored_are_a_metric(owner: Client, lines: Any, make_event: Any) -> None:
    event = make_event()
    owner.post(LOG, event)
    owner.post(LOG, [event | {"ip": "198.51.100.9"}, event, event | {"ip": "198.51.100.10"}])
    first, second = lines()
    assert "ContradictingEvents" not in first
    assert second["ContradictingEvents"] == 2
    assert "ContradictingEvents" in [metric["Name"] for metric in second["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
