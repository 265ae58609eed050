"""Notifications: written to oneself once a minute, counted in the inbox, switched off and on, and paused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.dispatch import enqueue as enqueueing
from chalicelib.dispatch import ways
from chalicelib.notifications.inbox_row import InboxRow
from chalicelib.notifications.templates import CUSTOM, TEST
from chalicelib.settings import Settings
from chalicelib.store.dynamodb.client import call
from chalicelib.store.notifications import inbox, outbox

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

PLACE = "/api/v2/notifications"
INBOX = f"{PLACE}/inbox"
OTHER_TEMPLATE = str(uuid4())
Trail = Callable[[], list["AuditLog"]]
CheckError = Callable[["Reply"], dict[str, Any]]


def send(client: Client, title: str = "Done", message: str = "The job has **ended**.") -> Reply:
    return client.post(f"{PLACE}/custom", {"content": {"title": title, "message": message}})


def titles(client: Client, **query: str) -> list[str]:
    reply = client.get(INBOX, query=query or None)
    assert reply.status == 200, reply.text
    return [row["title"] for row in reply.json["notifications"]]


def unread(client: Client) -> int:
    count: int = client.get(INBOX).json["unread_count"]
    return count


def put(user: User, clock: Clock, number: int, **changes: Any) -> str:
    """Put a row into an inbox."""
    clock.forward(timedelta(seconds=1))
    fields = {"template_id": CUSTOM.id, "targets": (), "icon": "DEFAULT_ICON_OTHER", **changes}
    row = InboxRow(id=str(uuid4()), user_id=user.id, title=f"#{number}", content="", created_at=clock.moment, **fields)
    call("PutItem", inbox.insertion(row).request)
    return row.id


# Writing to oneself.


def test_what_a_user_writes_is_in_their_inbox_and_in_nobody_elses(
    ann: User, as_ann: Client, owner: Client, clock: Clock
) -> None:
    reply = send(as_ann, " Done ", "The job has **ended**.")
    assert (reply.status, reply.text) == (204, "")
    (row,) = as_ann.get(INBOX).json["notifications"]
    assert (
        row.items()
        >= {
            "user_id": ann.id,
            "template_id": CUSTOM.id,
            "targets": None,
            "title": " Done ",
            "content": "The job has **ended**.",
            "icon": "DEFAULT_ICON_OTHER",
            "actions": [],
            "read_at": None,
        }.items()
    )
    assert set(row) == {
        *("id", "user_id", "template_id", "targets", "title", "content", "icon", "actions", "read_at", "created_at")
    }
    assert owner.get(INBOX).json == {"notifications": [], "unread_count": 0}
    assert clock.moment.isoformat()[:19] in row["created_at"]


EMPTY = "provide a non-empty 'content.title' and 'content.message'"
REFUSED: list[tuple[Any, str]] = [
    ({}, "content is required"),
    ({"content": None}, "content is required"),
    ({"content": {}}, EMPTY),
    ({"content": {"title": "", "message": ""}}, EMPTY),
    ({"content": {"title": "x", "message": " \t\n"}}, EMPTY),
    ({"content": {"title": "\u2003\u00a0", "message": "x"}}, EMPTY),
    ({"content": {"title": "a" * 121, "message": "x"}}, "'content.title' must be less than 120 characters"),
    ({"content": {"title": "é" * 61, "message": "x"}}, "'content.title' must be less than 120 characters"),
    ({"content": {"title": "x", "message": "a" * 2_001}}, "'content.message' must be less than 2000 characters"),
    ({"content": {"title": "x", "message": "é" * 1_001}}, "'content.message' must be less than 2000 characters"),
]


@pytest.mark.parametrize(("body", "detail"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_sent_is_refused_and_nothing_is(as_ann: Client, body: Any, detail: str) -> None:
    reply = as_ann.post(f"{PLACE}/custom", body)
    assert (reply.status, reply.json) == (400, {"message": "Invalid request body", "detail": detail})
    assert titles(as_ann) == []


def test_a_body_that_is_no_json_is_refused(as_ann: Client) -> None:
    assert as_ann.post(f"{PLACE}/custom", "{").json["message"] == "Request body must be valid JSON."


@pytest.mark.parametrize(("title", "message"), [("a" * 120, "x"), ("x", "a" * 2_000), ("é" * 60, "é" * 1_000)])
def test_the_longest_are_taken(as_ann: Client, title: str, message: str) -> None:
    assert send(as_ann, title, message).status == 204
    assert titles(as_ann) == [title]


def test_the_same_is_sent_once_a_minute_and_another_text_at_once(as_ann: Client, clock: Clock) -> None:
    clock.moment = clock.moment.replace(second=0, microsecond=0)
    for text in ("one", "one", "two"):
        assert send(as_ann, text).status == 204
        clock.forward(timedelta(seconds=10))
    assert titles(as_ann) == ["two", "one"]
    clock.forward(timedelta(minutes=1))
    assert send(as_ann, "one").status == 204
    assert titles(as_ann) == ["one", "two", "one"]


def test_a_label_is_text_and_no_template(as_ann: Client) -> None:
    send(as_ann, "{{.Labels.custom_message}}", "{{.UserName}} $1 \\1")
    (row,) = as_ann.get(INBOX).json["notifications"]
    assert (row["title"], row["content"]) == ("{{.Labels.custom_message}}", "{{.UserName}} $1 \\1")


def test_the_system_user_writes_to_nobody(house: House) -> None:
    prebuilds = house.user("prebuilds", id="c42fdf75-3097-471c-8c33-fb52454d81c0")
    reply = send(house.client(prebuilds))
    assert (reply.status, reply.json["message"]) == (403, "Forbidden")
    assert reply.json["detail"] == "System users cannot send custom notifications."


def test_a_user_is_sent_no_more_than_so_many_in_an_hour(
    as_ann: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_AN_HOUR", 2)
    assert [send(as_ann, str(number)).status for number in range(3)] == [204, 204, 429]
    assert len(titles(as_ann)) == 2
    clock.forward(timedelta(hours=1))
    assert send(as_ann, "later").status == 204


def test_an_owner_sees_whether_notifications_arrive_and_nobody_else_does(owner: Client, as_ann: Client) -> None:
    assert [owner.post(f"{PLACE}/test").status for _ in range(2)] == [204, 204]
    (first, _) = owner.get(INBOX).json["notifications"]
    assert first["template_id"] == TEST.id
    assert "root" in first["content"]
    assert as_ann.post(f"{PLACE}/test").status == 403


# The inbox.


@pytest.mark.parametrize(
    ("query", "message", "fields"),
    [
        ({"targets": "x"}, "Query parameters have invalid values.", ["targets"]),
        ({"templates": "x,y"}, "Query parameters have invalid values.", ["templates"]),
        ({"starting_before": "x"}, "Query parameters have invalid values.", ["starting_before"]),
        ({"limit": "1"}, "Query parameters have invalid values.", ["limit"]),
        (
            {"read_status": "seen"},
            "starting_before query parameter should be any of 'all', 'read', 'unread'.",
            [],
        ),
    ],
    ids=str,
)
def test_a_wrong_query_is_named(as_ann: Client, query: Mapping[str, str], message: str, fields: list[str]) -> None:
    for path in (INBOX, f"{INBOX}/watch"):
        reply = as_ann.get(path, query=query)
        assert (reply.status, reply.json["message"]) == (400, message)
        assert [one["field"] for one in reply.json.get("validations", [])] == fields


def test_pages_have_25_rows_newest_first_and_follow_each_other(ann: User, as_ann: Client, clock: Clock) -> None:
    ids = [put(ann, clock, number) for number in range(40)]
    first = as_ann.get(INBOX).json
    assert [row["title"] for row in first["notifications"]] == [f"#{number}" for number in range(39, 14, -1)]
    second = as_ann.get(INBOX, query={"starting_before": first["notifications"][-1]["id"]}).json
    assert [row["title"] for row in second["notifications"]] == [f"#{number}" for number in range(14, -1, -1)]
    assert (first["unread_count"], second["unread_count"]) == (40, 40)
    assert titles(as_ann, starting_before=ids[0]) == []
    for unknown in (str(uuid4()), ""):
        assert titles(as_ann, starting_before=unknown)[0] == "#39"


def test_rows_that_are_not_read_are_counted_up_to_a_cap(
    ann: User, as_ann: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "COUNT_CAP", 3)
    for number, count in enumerate((1, 2, 3, 3)):
        put(ann, clock, number)
        assert unread(as_ann) == count


def test_a_row_of_somebody_else_moves_no_page(ann: User, root: User, as_ann: Client, clock: Clock) -> None:
    theirs = put(root, clock, 1)
    put(ann, clock, 2)
    assert titles(as_ann, starting_before=theirs) == ["#2"]


def test_filters_pick_rows_and_not_what_is_counted(ann: User, as_ann: Client, clock: Clock) -> None:
    target, other = str(uuid4()), str(uuid4())
    for number in range(10):
        template = CUSTOM.id if number % 2 else OTHER_TEMPLATE
        targets = (target, other) if number in (1, 3) else (target,) if number in (0, 2, 4) else (other,)
        put(ann, clock, number, template_id=template, targets=targets)
    assert titles(as_ann, templates=OTHER_TEMPLATE) == ["#8", "#6", "#4", "#2", "#0"]
    assert titles(as_ann, templates=f"{OTHER_TEMPLATE},{CUSTOM.id}") == [f"#{number}" for number in range(9, -1, -1)]
    assert titles(as_ann, targets=target) == ["#4", "#3", "#2", "#1", "#0"]
    assert titles(as_ann, targets=f"{target},{other}") == ["#3", "#1"]
    assert titles(as_ann, targets=target, templates=CUSTOM.id) == ["#3", "#1"]
    assert unread(as_ann) == 10


def test_a_row_is_read_and_unread_again(ann: User, as_ann: Client, clock: Clock) -> None:
    ids = [put(ann, clock, number) for number in range(20)]
    read = as_ann.put(f"{INBOX}/{ids[3]}/read-status", {"is_read": True})
    assert read.status == 200
    assert (read.json["notification"]["title"], read.json["unread_count"]) == ("#3", 19)
    first = read.json["notification"]["read_at"]
    assert first
    assert titles(as_ann, read_status="read") == ["#3"]
    assert "#3" not in titles(as_ann, read_status="unread")
    clock.forward(timedelta(seconds=1))
    again = as_ann.put(f"{INBOX}/{ids[3]}/read-status", {"is_read": True}).json
    assert again["notification"]["read_at"] > first
    back = as_ann.put(f"{INBOX}/{ids[3]}/read-status", {"is_read": False}).json
    assert (back["notification"]["read_at"], back["unread_count"]) == (None, 20)
    assert "#3" in titles(as_ann, read_status="unread")


def test_the_status_of_a_row_that_is_not_ones_own_is_404_and_stays(
    ann: User, as_ann: Client, owner: Client, clock: Clock
) -> None:
    theirs = put(ann, clock, 1)
    assert owner.put(f"{INBOX}/{theirs}/read-status", {"is_read": True}).status == 404
    assert owner.put(f"{INBOX}/{uuid4()}/read-status", {"is_read": True}).status == 404
    assert unread(as_ann) == 1
    wrong = owner.put(f"{INBOX}/x/read-status", {"is_read": True})
    assert (wrong.status, wrong.json["message"]) == (400, 'Invalid UUID "x".')


def test_all_rows_are_marked_and_those_that_were_read_keep_their_time(ann: User, as_ann: Client, clock: Clock) -> None:
    ids = [put(ann, clock, number) for number in range(60)]
    read_at = as_ann.put(f"{INBOX}/{ids[59]}/read-status", {"is_read": True}).json["notification"]["read_at"]
    clock.forward(timedelta(minutes=1))
    assert (unread(as_ann), as_ann.put(f"{INBOX}/mark-all-as-read").status, unread(as_ann)) == (59, 204, 0)
    times = {row["title"]: row["read_at"] for row in as_ann.get(INBOX).json["notifications"]}
    assert times["#59"] == read_at < times["#58"]
    for number in range(10):
        put(ann, clock, 100 + number)
    assert (unread(as_ann), len(titles(as_ann))) == (10, 25)


def test_a_filter_that_few_rows_match_says_where_it_goes_on(
    ann: User, as_ann: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "current", lambda: Settings(max_rows_read=100))
    target = str(uuid4())
    put(ann, clock, 0, targets=(target,))
    for number in range(1, 120):
        put(ann, clock, number)
    first = as_ann.get(INBOX, query={"targets": target}).json
    assert (first["notifications"], first["partial"]) == ([], True)
    second = as_ann.get(INBOX, query={"targets": target, "starting_before": first["next_starting_before"]}).json
    assert [row["title"] for row in second["notifications"]] == ["#0"]
    assert "partial" not in second


def test_rows_past_their_retention_are_neither_shown_nor_counted(
    ann: User, as_ann: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "current", lambda: Settings(inbox_retention=3_600 * 10**9))
    row_id = put(ann, clock, 1)
    item = call("GetItem", {"TableName": inbox.table(), "Key": {"id": {"S": row_id}}})["Item"]
    end = (clock.moment + timedelta(hours=1)).timestamp()
    assert end <= int(item["forget_at"]["N"]) <= end + 1
    clock.forward(timedelta(minutes=59))
    put(ann, clock, 2)
    assert (titles(as_ann), unread(as_ann)) == (["#2", "#1"], 2)
    clock.forward(timedelta(minutes=2))
    assert (titles(as_ann), unread(as_ann)) == (["#2"], 1)


def test_a_client_that_would_wait_hears_how_often_to_ask(as_ann: Client, assert_error: CheckError) -> None:
    for query in (None, {"format": "plaintext", "read_status": "unread"}):
        reply = as_ann.get(f"{INBOX}/watch", query=query)
        assert (reply.status, reply.headers["retry-after"]) == (501, "30")
        assert "every 30 seconds" in assert_error(reply)["detail"]
    assert as_ann.get(f"{INBOX}/watch", query={"starting_before": str(uuid4())}).status == 400


def test_a_deleted_user_leaves_no_row_behind(ann: User, as_ann: Client, owner: Client, clock: Clock) -> None:
    for number in range(30):
        put(ann, clock, number)
    as_ann.put("/api/v2/users/me/notifications/preferences", {"template_disabled_map": {CUSTOM.id: False}})
    assert owner.delete(f"/api/v2/users/{ann.id}").status == 200
    assert call("Scan", {"TableName": inbox.table()})["Items"] == []


# What is chosen.


def test_a_user_switches_a_template_off_and_on(as_ann: Client, ann: User, owner: Client, clock: Clock) -> None:
    place = "/api/v2/users/me/notifications/preferences"
    assert as_ann.get(place).text == "null\n"
    reply = as_ann.put(place, {"template_disabled_map": {CUSTOM.id: True}})
    assert reply.status == 200
    (row,) = reply.json
    assert (row["id"], row["disabled"]) == (CUSTOM.id, True)
    assert as_ann.get(place).json == owner.get(place.replace("me", ann.id)).json == reply.json
    assert send(as_ann).status == 204
    assert titles(as_ann) == []
    clock.forward(timedelta(minutes=1))
    as_ann.put(place, {"template_disabled_map": {CUSTOM.id.upper(): False, TEST.id: True}})
    assert {row["id"]: row["disabled"] for row in as_ann.get(place).json} == {CUSTOM.id: False, TEST.id: True}
    assert send(as_ann).status == 204
    assert titles(as_ann) == ["Done"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": True}, "Unable to parse notification template UUID."),
        ({str(uuid4()): True}, "Unknown notification template."),
        ({CUSTOM.id: "yes"}, "Validation failed."),
    ],
    ids=["no uuid", "unknown", "no flag"],
)
def test_a_preference_for_nothing_is_refused_and_nothing_is_kept(
    as_ann: Client, given: Mapping[str, Any], message: str
) -> None:
    place = "/api/v2/users/me/notifications/preferences"
    reply = as_ann.put(place, {"template_disabled_map": {TEST.id: True, **given}})
    assert (reply.status, reply.json["message"]) == (400, message)
    assert as_ann.get(place).json is None


def test_only_the_user_and_owners_read_and_change_preferences(house: House, ann: User, owner: Client) -> None:
    place = f"/api/v2/users/{ann.id}/notifications/preferences"
    admin = house.client(house.user("admin", "user-admin"))
    assert admin.get(place).status == 404
    assert admin.put(place, {"template_disabled_map": {CUSTOM.id: True}}).status == 404
    assert owner.put(place, {"template_disabled_map": {CUSTOM.id: True}}).status == 200


def test_templates_are_listed_by_kind(as_ann: Client) -> None:
    (custom,) = as_ann.get(f"{PLACE}/templates/custom").json
    assert custom == {
        "id": "39b1e189-c857-4b0c-877a-511144c18516",
        "name": "Custom Notification",
        "title_template": "{{.Labels.custom_title}}",
        "body_template": "{{.Labels.custom_message}}",
        "actions": "[]",
        "group": "Custom Events",
        "method": "",
        "kind": "custom",
        "enabled_by_default": True,
    }
    assert [one["name"] for one in as_ann.get(f"{PLACE}/templates/system").json] == ["Test Notification"]


def test_an_owner_sets_the_method_of_a_template(owner: Client, as_ann: Client, trail: Trail) -> None:
    place = f"{PLACE}/templates/{CUSTOM.id}/method"
    assert as_ann.put(place, {"method": "webhook"}).status == 403
    assert [owner.put(place, {"method": "webhook"}).status for _ in range(2)] == [200, 304]
    assert as_ann.get(f"{PLACE}/templates/custom").json[0]["method"] == "webhook"
    reply = owner.put(place, {"method": "pigeon"})
    assert (reply.status, reply.json["message"]) == (400, "Invalid request to update notification template method")
    assert owner.put(place.replace(CUSTOM.id, OTHER_TEMPLATE), {"method": "smtp"}).status == 404
    row = trail()[-1]
    assert (row.resource_type, row.action) == ("notification_template", "write")
    assert row.diff == {"method": {"old": "", "new": "webhook", "secret": False}}


@pytest.mark.parametrize(
    ("settings", "available", "default"),
    [
        (Settings(), [], ""),
        (Settings(webhook_endpoint="https://hooks.example.com"), ["webhook"], ""),
        (Settings(email_smarthost="ses", email_from="a@example.com"), ["smtp"], "smtp"),
        (Settings(email_smarthost="mail.example.com:587"), [], ""),
    ],
    ids=["nothing", "webhook", "mail", "mail from nobody"],
)
def test_the_methods_are_those_that_are_configured(
    as_ann: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings, available: list[str], default: str
) -> None:
    monkeypatch.setattr(ways, "current", lambda: settings)
    assert as_ann.get(f"{PLACE}/dispatch-methods").json == {"available": available, "default": default}


def test_sending_is_paused_and_goes_on(as_ann: Client, owner: Client, trail: Trail) -> None:
    place = f"{PLACE}/settings"
    assert as_ann.get(place).json == {"notifier_paused": False}
    for paused in (False, True):
        assert as_ann.put(place, {"notifier_paused": paused}).status == 403
    assert owner.put(place, {"notifier_paused": False}).status == 304
    reply = owner.put(place, {"notifier_paused": True})
    assert (reply.status, reply.json) == (200, {"notifier_paused": True})
    again = owner.put(place, {"notifier_paused": True})
    assert (again.status, again.text) == (304, "")
    assert as_ann.get(place).json == {"notifier_paused": True}
    row = trail()[-1]
    assert (row.resource_type, row.action) == ("notifications_settings", "write")
    assert row.diff == {"notifier_paused": {"old": False, "new": True, "secret": False}}


def test_without_an_inbox_nothing_is_put_into_it(as_ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueueing, "current", lambda: Settings(inbox_enabled=False))
    assert send(as_ann).status == 204
    assert titles(as_ann) == []
