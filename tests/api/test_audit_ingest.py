"""`POST /api/v2/audit`: every form an event comes in, what becomes of it, and what is never stored of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.api import answer_limits
from chalicelib.logs.secret_names import names_secret
from chalicelib.logs.tracked import RESOURCES, TRACKED
from chalicelib.models.audit_events import MAX_ADDITIONAL_BYTES, MAX_SIDE_BYTES, MAX_TARGET
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.tables import AuditLogItem
from tests.api.test_audit_list import event, rows
from tests.api.test_connection_ingest import statuses
from tests.api.test_contradictions import key_id
from tests.transport import ObservedTransport, refusing

if TYPE_CHECKING:
    from chalicelib.records import Organization
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

PATH = "/api/v2/audit"
NIL = "00000000-0000-0000-0000-000000000000"
COMPUTED = {"name": {"old": "dev", "new": "prod", "secret": False}}


def everything(client: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(PATH, query={"limit": "1000"}).json["audit_logs"]
    return rows


def service_line(made: Mapping[str, Any], *, ip_name: str = "Ip", msg: str = "audit_log") -> dict[str, Any]:
    """The event as a Coder server prints it."""
    fields = {
        "request_id": str(uuid4()),
        "ID": made["id"],
        "Time": made["time"],
        "UserID": made["user_id"],
        "OrganizationID": made.get("organization_id", NIL),
        ip_name: made.get("ip", "<nil>"),
        "UserAgent": made.get("user_agent", ""),
        "ResourceType": made["resource_type"],
        "ResourceID": made["resource_id"],
        "ResourceTarget": made["resource_target"],
        "Action": made["action"],
        "Diff": made.get("diff", {}),
        "StatusCode": made["status_code"],
        "AdditionalFields": made.get("additional_fields", {}),
        "RequestID": made.get("request_id", NIL),
        "ResourceIcon": made.get("resource_icon", ""),
        "actor": {"id": made["user_id"], "email": "doug@coder.com", "username": "coadler"},
    }
    return {
        "ts": "2025-07-10T10:14:38.942776145Z",
        "level": "INFO",
        "msg": msg,
        "caller": "audit/backends/slog.go:38",
        "func": "export",
        "logger_names": ["coderd"],
        "fields": fields,
    }


def human_line(made: Mapping[str, Any]) -> str:
    fields = service_line(made)["fields"]
    fields.pop("actor")
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    pairs = "  ".join(f"{name}={json.dumps(text)}" for name, text in texts.items())
    return f"2025-07-03 06:57:16.157 [info]  coderd: audit_log  {pairs}"


WHOLE = {
    "organization_id": str(UUID(int=3)),
    "ip": "127.0.0.1",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "resource_icon": "photo.png",
    "request_id": str(UUID(int=5)),
    "diff": {"name": {"Old": "dev", "nEW": "prod", "SECRET": False}},
    "additional_fields": {"name": "doug", "species": "cat"},
}
FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "a list": lambda events: events,
    "an object of events": lambda events: {"events": events},
    "lines": lambda events: "\n".join(map(json.dumps, events)),
    "service-log lines": lambda events: "\n".join(json.dumps(service_line(made)) for made in events),
    "newer service-log lines": lambda events: "\n".join(json.dumps(service_line(one, ip_name="IP")) for one in events),
    "human lines": lambda events: "\n".join(map(human_line, events)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_event_makes_the_same_row(owner: Client, form: str) -> None:
    events = [event(**WHOLE), event()]
    reply = owner.post(PATH, FORMS[form](events))
    assert reply.status == 200
    assert statuses(reply) == ["created", "created"]
    assert [result["id"] for result in reply.json["results"]] == [made["id"] for made in events]
    kept = {row["id"]: row for row in everything(owner)}
    whole, bare = (kept[made["id"]] for made in events)
    assert whole["diff"] == COMPUTED
    assert {name: whole[name] for name in WHOLE if name != "diff"} == {
        name: value for name, value in WHOLE.items() if name != "diff"
    }
    assert (bare["diff"], bare["additional_fields"], bare["ip"], bare["organization_id"]) == ({}, {}, "", NIL)
    assert owner.post(PATH, FORMS[form](events)).json["unchanged"] == 2


def test_a_single_event_is_a_body_too(owner: Client) -> None:
    assert statuses(owner.post(PATH, event())) == ["created"]


def test_lines_of_other_messages_are_passed_over_and_counted(owner: Client) -> None:
    lines = [service_line(event()), service_line(event(), msg="connection_log"), {"msg": "x", "fields": {}, "ts": ""}]
    reply = owner.post(PATH, "\n".join(map(json.dumps, lines)))
    assert statuses(reply) == ["created"]
    assert reply.json["skipped"] == 2


def test_the_line_of_the_reference_is_stored_with_all_it_says(owner: Client) -> None:
    made = event(
        id="01000000-0000-0000-0000-000000000000",
        time="2009-11-10T23:00:00Z",
        user_id="02000000-0000-0000-0000-000000000000",
        organization_id="03000000-0000-0000-0000-000000000000",
        ip="127.0.0.1",
        resource_type="organization",
        resource_id="04000000-0000-0000-0000-000000000000",
        resource_target="colin's organization",
        action="delete",
        status_code=204,
        diff={"1": 2},
        additional_fields={"name": "doug", "species": "cat"},
        request_id="05000000-0000-0000-0000-000000000000",
        resource_icon="photo.png",
    )
    reply = owner.post(PATH, service_line(made))
    assert statuses(reply) == ["created"]
    assert everything(owner)[0]["diff"] == {"1": {"new": 2, "secret": False}}


# One id, one event.


def test_an_event_that_comes_again_is_stored_once(owner: Client) -> None:
    made = event(**WHOLE)
    replies = [owner.post(PATH, made) for _ in range(3)]
    assert [statuses(reply) for reply in replies] == [["created"], ["unchanged"], ["unchanged"]]
    assert len(everything(owner)) == 1


def test_an_event_without_an_id_is_stored_once_too(owner: Client) -> None:
    made = event(id=None)
    first, second = owner.post(PATH, made).json["results"][0], owner.post(PATH, made).json["results"][0]
    assert (first["status"], second["status"]) == ("created", "unchanged")
    assert first["id"] == second["id"]
    assert len(everything(owner)) == 1


def test_another_event_under_a_used_id_is_kept_beside_it_and_that_is_told(owner: Client) -> None:
    made = event()
    other = {**made, "action": "delete"}
    owner.post(PATH, made)
    for status in ("created", "unchanged"):
        reply = owner.post(PATH, other)
        (result,) = reply.json["results"]
        assert (reply.status, result["status"]) == (200, status)
        assert result["message"] == f"The id {made['id']} is taken by another event."
        assert result["id"] != made["id"]
    kept = {row["id"]: row["action"] for row in everything(owner)}
    assert kept == {made["id"]: "write", result["id"]: "delete"}


def test_events_with_one_id_in_one_batch_are_all_kept(owner: Client) -> None:
    made = event()
    batch = [made, {**made, "action": "start"}, made, {**made, "action": "stop"}, {**made, "action": "start"}]
    assert sorted(statuses(owner.post(PATH, batch))) == ["created"] * 3 + ["unchanged"] * 2
    kept = {row["id"]: row["action"] for row in everything(owner)}
    assert sorted(kept.values()) == ["start", "stop", "write"]
    assert kept[made["id"]] == "write"


def test_many_senders_of_one_id_lose_nothing(owner: Client) -> None:
    made = event()
    events = [{**made, "status_code": 200 + number % 5} for number in range(20)]
    with ThreadPoolExecutor(5) as pool:
        answered = list(pool.map(lambda one: statuses(owner.post(PATH, one))[0], events))
    assert sorted(answered) == ["created"] * 5 + ["unchanged"] * 15
    assert sorted(row["status_code"] for row in everything(owner)) == [200, 201, 202, 203, 204]


# What is wrong with one event costs no other.


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "id": ({"id": "x"}, ["id"]),
    "no time": ({"time": None}, ["time"]),
    "no user": ({"user_id": None}, ["user_id"]),
    "user": ({"user_id": "ann"}, ["user_id"]),
    "resource type": ({"resource_type": 7}, ["resource_type"]),
    "the service's own type": ({"resource_type": "retention_run"}, ["resource_type"]),
    "resource": ({"resource_id": 7}, ["resource_id"]),
    "target": ({"resource_target": None}, ["resource_target"]),
    "action": ({"action": None}, ["action"]),
    "status": ({"status_code": "200"}, ["status_code"]),
    "several": ({"time": "x", "action": 7, "request_id": "x"}, ["time", "action", "request_id"]),
    "diff": ({"diff": []}, ["diff"]),
    "a change": ({"diff": {"a": {"before": 1}}}, ["diff"]),
    "a secret": ({"diff": {"a": {"secret": "yes"}}}, ["diff"]),
    "a part twice": ({"diff": {"a": {"old": 1, "Old": 2}}}, ["diff"]),
    "additional fields": ({"additional_fields": "{}"}, ["additional_fields"]),
    "old": ({"old": "x"}, ["old"]),
    "a diff of a long name": ({"diff": {"x" * 100_000: {"was": 1}}}, ["diff"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_event_is_told_and_the_others_are_stored(owner: Client, case: str) -> None:
    changes, fields = WRONG[case]
    good = [event(), event()]
    reply = owner.post(PATH, [good[0], event(**changes), good[1]])
    assert reply.status == 200
    assert statuses(reply) == ["created", "rejected", "created"]
    result = reply.json["results"][1]
    assert [problem["field"] for problem in result["validations"]] == fields
    assert all(len(problem["detail"]) < 1_000 for problem in result["validations"])
    assert {row["id"] for row in everything(owner)} == {made["id"] for made in good}
    assert statuses(owner.post(PATH, event(**changes))) == ["rejected"]


LONG: dict[str, dict[str, Any]] = {
    "a name": {"diff": {"<" * 1_500_000: {"new": 1}}},
    "names of the other side": {"diff": {f"{n:05}" * 200: {"new": 1} for n in range(400)}},
    "sent as seven times as much": {
        "diff": {"a": dict.fromkeys(("old", "new"), "<" * (MAX_SIDE_BYTES - 10))},
        "additional_fields": {"a": "<" * (MAX_ADDITIONAL_BYTES - 10)},
        "resource_target": "\U0001f600" * MAX_TARGET,
        "resource_icon": "\U0001f600" * MAX_TARGET,
    },
    "old side": {"diff": {"a": {"old": "x" * MAX_SIDE_BYTES}, "b": {"old": 1, "new": 2}}},
    "new side": {"diff": {"a": {"new": "x" * MAX_SIDE_BYTES}}},
    "new, computed": {"resource_type": "template", "new": {"name": "x" * MAX_SIDE_BYTES}},
    "a list": {"diff": {"a": {"new": [*range(100_000)]}}},
    "many fields": {"diff": {f"field {n}": {"old": "x" * 900} for n in range(400)}},
    "more fields than names have room": {"diff": {f"field {n}": {"old": 1} for n in range(60_000)}},
    "additional fields": {"additional_fields": {"a": "x" * MAX_ADDITIONAL_BYTES, "api_key_id": "gbk_1"}},
    "target": {"resource_target": "x" * (MAX_TARGET + 1)},
    "icon": {"resource_icon": "data:" + "x" * MAX_TARGET},
    "words": {"resource_type": "T" * 1_025, "action": "a" * 100_000},
}


@pytest.mark.parametrize("case", LONG)
def test_no_length_costs_an_event_and_what_is_cut_says_so(owner: Client, case: str) -> None:
    made = event(**LONG[case])
    assert statuses(owner.post(PATH, [event(), made])) == ["created", "created"]
    row = owner.get(f"{PATH}/{made['id']}").json
    assert "[cut: " in json.dumps(row)
    assert statuses(owner.post(PATH, made)) == ["unchanged"]
    nameless = {**made, "id": ""}
    assert [statuses(owner.post(PATH, nameless)) for _ in range(2)] == [["created"], ["unchanged"]]


@pytest.mark.parametrize("name", ["resource_type", "action", "user_agent", "resource_target", "resource_icon"])
def test_half_a_character_costs_no_event(owner: Client, name: str) -> None:
    made = event(**{name: "a\ud800"})
    assert statuses(owner.post(PATH, [event(), made])) == ["created", "created"]
    assert statuses(owner.post(PATH, made)) == ["unchanged"]
    assert owner.get(f"{PATH}/{made['id']}").json[name] == "a\ufffd"


@pytest.mark.parametrize("length", [8_192, 8_193, 30_000, MAX_TARGET])
def test_a_target_that_no_lane_holds_is_stored_as_it_was_sent(owner: Client, length: int) -> None:
    made = event(resource_target=secrets.token_hex(length // 2 + 1)[:length])
    assert statuses(owner.post(PATH, made)) == ["created"]
    for read in (owner.get(f"{PATH}/{made['id']}").json, *rows(owner.get(PATH, query={"q": "action:write"}))):
        assert read["resource_target"] == made["resource_target"]


DIGITS = '{"a":{"new":' + "9" * 5_000 + "}}"
DEEP = '{"a":' * 300 + "1" + "}" * 300


@pytest.mark.parametrize("field", ["diff", "additional_fields", "new"])
@pytest.mark.parametrize(
    "value", ['{"a":{"new":"\\ud800"}}', '{"\\udfff":{}}', DEEP, DIGITS], ids=["value", "key", "deep", "digits"]
)
def test_what_cannot_be_stored_and_sent_again_is_refused_and_costs_no_other(
    owner: Client, field: str, value: str
) -> None:
    text = json.dumps(event(**{field: "HERE"})).replace('"HERE"', value)
    # What is in no field of an event is not looked at.
    odd = json.dumps(event())[:-1] + ', "x": "\\ud800"}'
    reply = owner.post(PATH, f'{{"events": [{json.dumps(event())}, {text}, {odd}]}}')
    assert statuses(reply) == ["created", "rejected", "created"]
    assert [problem["field"] for problem in reply.json["results"][1]["validations"]] == [field]
    assert len(everything(owner)) == 2


@pytest.mark.parametrize("ip", ["<nil>", "", "localhost", "not an address", 7, None, "::ffff:10.0.0.1", "10.0.0.1:99"])
def test_no_address_costs_an_event(owner: Client, ip: object) -> None:
    made = {**event(), "ip": ip}
    assert statuses(owner.post(PATH, made)) == ["created"]
    assert everything(owner)[0]["ip"] in ("", "127.0.0.1", "10.0.0.1")


def test_the_largest_event_is_stored_whole_and_of_one_byte_more_the_beginning(owner: Client) -> None:
    side, fields = "é" * ((MAX_SIDE_BYTES - len('{"a":""}')) // 2), "x" * (MAX_ADDITIONAL_BYTES - len('{"a":""}'))
    diff = {"a": {"old": side, "new": side[::-1], "secret": False}}
    made = event(diff=diff, additional_fields={"a": fields})
    assert statuses(owner.post(PATH, made)) == ["created"]
    (row,) = rows(owner.get(PATH))
    assert (row["diff"], row["additional_fields"]) == (diff, {"a": fields})
    longer = event(diff={"a": {"old": side + "x"}}, additional_fields={"a": fields + "x"})
    assert statuses(owner.post(PATH, longer)) == ["created"]
    row = owner.get(f"{PATH}/{longer['id']}").json
    for value, whole in ((row["diff"]["a"]["old"], side + "x"), (row["additional_fields"]["a"], fields + "x")):
        begin, _, mark = value.partition("…")
        assert whole.startswith(begin)
        assert len(begin) > len(whole) - 200
        assert mark == f" [cut: {len(whole)} characters]"


# Diffs.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"old": {"name": "dev", "icon": "a"}, "new": {"name": "prod", "icon": "a"}}, COMPUTED),
        ({"old": None, "new": {"name": "prod"}}, {"name": {"old": "", "new": "prod", "secret": False}}),
        ({"old": {"name": "dev"}}, {"name": {"old": "dev", "new": "", "secret": False}}),
        ({"old": {"name": "dev"}, "new": {"name": "prod"}, "diff": {}}, {}),
        ({"old": {"name": "dev"}, "new": {"name": "prod"}, "status_code": 404}, {}),
        ({"old": {"updated_at": "x"}, "new": {"updated_at": "y"}}, {}),
        ({"new": {"name": "x"}, "resource_type": "workspace_agent"}, {}),
        (
            {"old": {"private_key": "hunter1"}, "new": {"private_key": "hunter2"}, "resource_type": "git_ssh_key"},
            {"private_key": {"old": "", "new": "", "secret": True}},
        ),
    ],
)
def test_an_event_may_carry_the_resource_before_and_after(
    owner: Client, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert statuses(owner.post(PATH, event(**{"resource_type": "template", **given}))) == ["created"]
    assert everything(owner)[0]["diff"] == expected


SECRETS = [
    (kind, name)
    for kind, resource in RESOURCES.items()
    for name, mode in TRACKED[resource.struct].items()
    if mode == "secret"
]


@pytest.mark.parametrize(("kind", "name"), SECRETS)
@pytest.mark.parametrize("form", ["diff", "capital diff", "old and new"])
def test_no_secret_is_ever_stored_whatever_its_sender_says_of_it(
    owner: Client, form: str, kind: str, name: str
) -> None:
    forms: dict[str, dict[str, Any]] = {
        "diff": {"diff": {name: {"old": "hunter1", "new": "hunter2", "secret": False}}},
        "capital diff": {"diff": {name.upper(): {"Old": "hunter1", "New": "hunter2"}}},
        "old and new": {"old": {name: "hunter1"}, "new": {name: "hunter2"}},
    }
    assert statuses(owner.post(PATH, event(resource_type=kind, **forms[form]))) == ["created"]
    (row,) = everything(owner)
    (change,) = row["diff"].values()
    assert change["secret"] is True
    assert "hunter" not in repr(row)
    items = store_engine.call("Scan", {"TableName": AuditLogItem.Meta.table_name})["Items"]
    assert "hunter" not in repr(items)


def test_the_key_of_an_ai_provider_is_a_secret_although_coder_tracks_it() -> None:
    assert ("ai_provider_key", "api_key") in SECRETS


def test_what_a_sender_marks_as_secret_is_not_stored(owner: Client) -> None:
    owner.post(PATH, event(diff={"x": {"old": "hunter1", "new": 7, "secret": True}}))
    assert everything(owner)[0]["diff"] == {"x": {"old": "", "new": 0, "secret": True}}


NUMBERS = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(max_size=20).filter(lambda name: not names_secret(name))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
SIDES = st.fixed_dictionaries({}, optional={"old": JSON, "new": JSON})


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    diff=st.dictionaries(NAMES, SIDES, max_size=10),
    fields=st.dictionaries(st.text(max_size=9), JSON),
)
def test_any_diff_that_goes_in_comes_out_equal(owner: Client, *, diff: dict[str, dict[str, Any]], fields: Any) -> None:
    made = event(resource_type="workspace_agent", diff=diff, additional_fields={"x": fields})
    assert statuses(owner.post(PATH, made)) == ["created"]
    (row,) = rows(owner.get(PATH, query={"q": f"resource_id:{made['resource_id']}"}))
    expected = {
        name: {side: value for side, value in change.items() if value is not None} | {"secret": False}
        for name, change in diff.items()
    }
    assert json.dumps(row["diff"], sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert json.dumps(row["additional_fields"], sort_keys=True) == json.dumps({"x": fields}, sort_keys=True)


# The store, the time and who may write.


def test_a_store_that_takes_some(owner: Client, transport: ObservedTransport) -> None:
    events = [event(), event(id=str(uuid4())), event()]

    transport.intercept(refusing(lambda item: item["id"]["S"] == events[1]["id"]))
    reply = owner.post(PATH, events)
    assert reply.status == 503
    assert statuses(reply) == ["created", "failed", "created"]
    assert owner.post(PATH, events[1]).status == 503
    transport.restore()
    assert statuses(owner.post(PATH, events)) == ["unchanged", "created", "unchanged"]


def test_events_for_which_no_time_is_left_are_to_be_sent_again(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_limits, "ANSWERING_SECONDS", 3_600)
    reply = owner.post(PATH, [event(), event()])
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert statuses(reply) == ["failed", "failed"]


@pytest.fixture
def acme(house: House) -> Organization:
    return house.organization("acme")


@pytest.mark.parametrize(
    ("site", "inside"),
    [
        ((), ()),
        ((), ("organization-auditor",)),
        ((), ("organization-admin",)),
        (("auditor",), ()),
        (("user-admin",), ()),
        (("template-admin",), ()),
    ],
)
@pytest.mark.parametrize("body", [{"events": []}, "not json", ""])
def test_others_write_nothing(
    house: House,
    acme: Organization,
    assert_error: CheckError,
    *,
    site: tuple[str, ...],
    inside: tuple[str, ...],
    body: object,
) -> None:
    reply = house.client(house.user("bob", *site, organizations={acme.id: inside})).post(PATH, body)
    assert reply.status == 403
    assert assert_error(reply) == {
        "message": "Forbidden.",
        "detail": "Your token or your roles do not let you write audit logs.",
    }


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({"scopes": ("audit_log:create",)}, 200),
        ({"scopes": ("audit_log:*",)}, 200),
        ({"scopes": ("coder:logs.ingest",)}, 200),
        ({"scopes": ("coder:logs.read",)}, 403),
        ({"scopes": ("connection_log:update",)}, 403),
        ({"allow_list": ("audit_log:*",)}, 200),
        ({"allow_list": ("workspace:*",)}, 403),
    ],
)
def test_scopes_and_allow_lists_narrow_a_writer(house: House, held: dict[str, Any], status: int) -> None:
    assert house.client(house.user("bob", "owner"), **held).post(PATH, event()).status == status


def test_no_sender_passes_for_gatebook(owner: Client, assert_error: CheckError) -> None:
    claimed = {"gatebook": True, "api_key_id": "0123456789"}
    reply = owner.post(PATH, [event(additional_fields=claimed), event(additional_fields={"Gatebook": 1})])
    assert statuses(reply) == ["rejected", "created"]
    assert [problem["field"] for problem in reply.json["results"][0]["validations"]] == ["additional_fields"]
    generated = owner.post(f"{PATH}/testgenerate", {"additional_fields": claimed})
    assert generated.status == 400
    assert [problem["field"] for problem in assert_error(generated)["validations"]] == ["additional_fields"]
    assert len(everything(owner)) == 1


@pytest.mark.parametrize(
    ("site", "inside"),
    [(("auditor",), ()), (("owner",), ()), ((), ("organization-admin",)), ((), ("organization-auditor",))],
)
def test_which_token_wrote_a_row_and_when_is_for_owners_and_auditors(
    owner: Client, house: House, site: tuple[str, ...], inside: tuple[str, ...]
) -> None:
    acme = house.organization("acme")
    owner.post(PATH, event(organization_id=acme.id))
    reader = house.client(house.user("bob", *site, organizations={acme.id: inside}))
    (row,) = reader.get(PATH, query={"q": "resource_type:template"}).json["audit_logs"]
    sourced = {name: row[name] for name in ("written_by", "received_at") if name in row}
    if not site:
        assert sourced == {}
        return
    assert sourced["written_by"] == key_id(owner)
    assert sourced["received_at"] > row["time"]


def test_an_event_that_another_token_sends_again_stays_of_the_first(owner: Client, house: House) -> None:
    made = event()
    assert statuses(owner.post(PATH, made)) == ["created"]
    (before,) = owner.get(PATH, query={"q": "resource_type:template"}).json["audit_logs"]
    assert statuses(house.client(house.user("second", "owner")).post(PATH, made)) == ["unchanged"]
    assert owner.get(PATH, query={"q": "resource_type:template"}).json["audit_logs"] == [before]


def test_a_row_of_gatebooks_own_doing_says_the_token_that_did_it(owner: Client) -> None:
    owner.post("/api/v2/users/me/keys/tokens", {"token_name": "ci"})
    row = owner.get(PATH, query={"q": "resource_type:api_key"}).json["audit_logs"][0]
    assert (row["written_by"], row["received_at"]) == (key_id(owner), row["time"])
    assert row["additional_fields"]["api_key_id"] == row["written_by"]
