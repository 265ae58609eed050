"""The very zip that is deployed answers API Gateway's events under awslambdaric, and tells of each in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment.bootstrap import bootstrap
from scripts.deployment.handlers import HANDLERS, Handler
from scripts.deployment.runtime_api import Function
from scripts.gateway.events import proxy_event, schedule_event
from scripts.local.engine import EmbeddedEngine

LOG = "/api/v2/connectionlog"
KEYS = "/api/v2/users/{user}/keys/{keyid}"
EVENT = {
    "time": "2025-07-10T10:14:38.942776Z",
    "connection_status": "connected",
    "organization_id": "1a2bb67e-0117-4168-92e0-58138989a7f5",
    "workspace_owner_id": "fe8f4bab-3128-41f1-8fec-1cc0755affe5",
    "workspace_id": "05567e23-31e2-4c00-bd05-4d499d437347",
    "workspace_name": "dev",
    "agent_name": "main",
    "type": "ssh",
    "ip": "10.1.2.3",
    "connection_id": "0b5a3a64-4f3f-4ad3-9f6a-6f7a1ce4f8aa",
}


@pytest.fixture
def token(tables: EmbeddedEngine) -> str:
    assert tables.running
    return bootstrap("root", "root@example.com", again=False)


def answer(function: Function, *arguments: Any, **more: Any) -> dict[str, Any]:
    outcome = function.invoke(proxy_event(*arguments, **more))
    assert outcome.error is None
    body: dict[str, Any] = outcome.answer
    assert isinstance(body["body"], str)
    return body


def with_token(token: str) -> dict[str, str]:
    return {"Coder-Session-Token": token, "Content-Type": "application/json"}


def last_line(function: Function) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(function.output[-1])
    return line


def test_it_is_up(function: Function) -> None:
    outcome = answer(function, "GET", "/healthz")
    assert (outcome["statusCode"], outcome["body"]) == (200, "OK")


def test_scopes_are_listed(function: Function) -> None:
    outcome = answer(function, "GET", "/api/v2/auth/scopes")
    assert outcome["statusCode"] == 200
    assert "coder:logs.read" in json.loads(outcome["body"])["external"]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("headers", [{}, {"Coder-Session-Token": "a" * 10 + "-" + "b" * 22}])
def test_without_a_good_token_it_is_401(function: Function, headers: dict[str, str]) -> None:
    outcome = answer(function, "GET", LOG, headers=headers)
    assert outcome["statusCode"] == 401
    assert set(json.loads(outcome["body"])) == {"message", "detail"}
    assert outcome["headers"]["WWW-Authenticate"].startswith("Bearer ")


def test_events_go_in_and_come_out(function: Function, token: str) -> None:
    sent = answer(function, "POST", LOG, json.dumps({"events": [EVENT, EVENT]}), headers=with_token(token))
    assert (sent["statusCode"], json.loads(sent["body"])["created"]) == (200, 1)
    outcome = answer(function, "GET", LOG, query={"q": "type:ssh status:ongoing"}, headers=with_token(token))
    assert [row["workspace_name"] for row in json.loads(outcome["body"])["connection_logs"]] == ["dev"]


def test_a_secret_is_encrypted_and_opened_by_what_is_packaged(function: Function, token: str) -> None:
    def asked(method: str, end: str, body: Any, token: str, **names: str) -> Any:
        place = f"/api/v2/users/{{user}}{end}"
        path = place.format_map({"user": "me", **names})
        sent = json.dumps(body) if body else None
        parameters = {"user": "me", **names}
        more: Any = {"route": place, "parameters": parameters, "headers": with_token(token)}
        return json.loads(answer(function, method, path, sent, **more)["body"])

    made = asked("POST", "/secrets", {"name": "one", "value": "correct horse"}, token)
    narrow = {"scopes": ["user_secret:read"], "allow_list": [f"user_secret:{made['id']}"]}
    agent = asked("POST", "/keys/tokens", narrow, token)["key"]
    assert asked("GET", "/secrets/{name}/value", None, agent, name="one")["value"] == "correct horse"


def test_a_request_is_one_line_with_its_metrics_and_no_secret(function: Function, token: str) -> None:
    event = proxy_event("GET", LOG, query={"limit": "5", "access_token": token})
    before = len(function.output)
    assert function.invoke(event).answer["statusCode"] == 200
    (line,) = function.output[before:]
    record = json.loads(line)
    assert record["request_id"] == event["requestContext"]["requestId"]
    assert (record["Route"], record["status"], record["key_id"]) == (f"GET {LOG}", 200, token.partition("-")[0])
    assert record["RowsRead"] == 0
    assert record["Duration"] > 0
    (metrics,) = record["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in metrics["Metrics"]} == {"Duration", "RowsRead"}
    assert token.partition("-")[2] not in line


def test_a_stored_event_goes_out_as_a_service_log_line(function: Function, token: str) -> None:
    answer(function, "POST", LOG, json.dumps(EVENT), headers=with_token(token))
    line, request = (json.loads(line) for line in function.output[-2:])
    assert (line["msg"], line["fields"]["WorkspaceName"], line["fields"]["IP"]) == ("connection_log", "dev", "10.1.2.3")
    assert line["fields"]["request_id"] == request["request_id"]


def test_a_bad_body_is_400(function: Function, token: str) -> None:
    outcome = answer(function, "POST", "/api/v2/authcheck", "{broken", headers=with_token(token))
    assert outcome["statusCode"] == 400
    assert json.loads(outcome["body"])["message"] == "Request body must be valid JSON."


def test_an_unknown_route_is_404_and_a_wrong_method_405(function: Function) -> None:
    unknown = answer(function, "GET", "/nothing")
    assert (unknown["statusCode"], unknown["body"]) == (404, '{"message":"Route not found."}\n')
    assert last_line(function)["Route"] == "unmatched"
    wrong = answer(function, "DELETE", LOG)
    assert (wrong["statusCode"], wrong["headers"]["Allow"]) == (405, "GET, HEAD, POST")
    assert last_line(function)["Route"] == "unmatched"


def test_what_one_may_not_see_is_404(function: Function, token: str) -> None:
    path = {"user": "me", "keyid": "0123456789"}
    outcome = answer(function, "GET", KEYS.format_map(path), route=KEYS, parameters=path, headers=with_token(token))
    assert outcome["statusCode"] == 404


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", ["\ud800", "\x00", "🙂", "</script>"])
def test_odd_texts_come_back_as_json(function: Function, text: str) -> None:
    outcome = answer(function, "GET", LOG, query={"q": text}, headers={"Coder-Session-Token": f"{text}-{text}"})
    assert outcome["statusCode"] == 401
    json.loads(outcome["body"])


SURPRISE = """
from app import app
from chalicelib.api.http import Answer, Routes

routes = Routes(__name__)

@routes.view("/surprise")
def surprise(call):
    return Answer({"unserialisable": object()})

app.register_blueprint(routes)
"""


def test_an_answer_that_cannot_be_sent_is_an_error_in_the_one_shape_and_told_in_the_log(
    tree: Path, tmp_path: Path
) -> None:
    surprised = tmp_path / "tree"
    shutil.copytree(tree, surprised)
    (surprised / "surprise.py").write_text(SURPRISE)
    place = tmp_path / "run"
    place.mkdir()
    with Function(surprised, "surprise.app", place, {"GATEBOOK_REQUEST_LOG": "json"}) as function:
        outcome = answer(function, "GET", "/surprise")
        assert outcome["statusCode"] == 500
        assert json.loads(outcome["body"]) == {"message": "An internal server error occurred."}
        failure, line = (json.loads(line) for line in function.output[-2:])
    assert failure["level"] == "ERROR"
    assert failure["errorType"] == "TypeError"
    assert (line["status"], line["ServerErrors"]) == (500, 1)


def test_an_engine_out_of_reach_is_503_and_no_failure_of_the_function(tree: Path, tmp_path: Path) -> None:
    with Function(tree, "app.app", tmp_path, {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}) as function:
        outcome = answer(function, "GET", "/api/v2/users/first")
    assert outcome["statusCode"] == 503
    assert "send" in json.loads(outcome["body"])["message"].lower()


SCHEDULED = """
from app import app

@app.schedule("rate(10 minutes)")
def tick(event):
    return {"detail_type": event.detail_type, "milliseconds": event.context.get_remaining_time_in_millis()}
"""


def test_a_schedule_reaches_the_function_that_is_declared_for_it(tree: Path, tmp_path: Path) -> None:
    scheduled = tmp_path / "tree"
    shutil.copytree(tree, scheduled)
    (scheduled / "scheduled.py").write_text(SCHEDULED)
    place = tmp_path / "run"
    place.mkdir()
    with Function(scheduled, "scheduled.tick", place, {}) as function:
        outcome = function.invoke(schedule_event())
    assert outcome.error is None
    assert outcome.answer["detail_type"] == "Scheduled Event"
    assert outcome.answer["milliseconds"] > 0


OUR_SCHEDULES = {"purge"}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("handler", [handler for handler in HANDLERS if handler.name in OUR_SCHEDULES], ids=str)
def test_every_scheduled_function_of_ours_takes_its_event(
    tree: Path, tmp_path: Path, address: str, handler: Handler
) -> None:
    with Function(tree, f"app.{handler.name}", tmp_path, {"AWS_ENDPOINT_URL_DYNAMODB": address}) as function:
        assert function.invoke(schedule_event(handler.name)).error is None


def test_a_start_and_a_request_print_nothing_unless_they_are_asked_to(tree: Path, tmp_path: Path) -> None:
    with Function(tree, "app.app", tmp_path, {}) as function:
        assert answer(function, "GET", "/healthz")["statusCode"] == 200
        assert function.output == []


def test_a_bad_setting_stops_the_start_and_is_named(tree: Path, tmp_path: Path) -> None:
    with Function(tree, "app.app", tmp_path, {"GATEBOOK_LOG_SHARDS": "many"}) as function:
        outcome = function.invoke(proxy_event("GET", "/healthz"))
    assert outcome.answer is None
    assert "GATEBOOK_LOG_SHARDS='many' is not accepted" in outcome.error["errorMessage"]
