"""A user has so many exports that wait or are written, and each has one function that goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import export_limit, export_writer
from chalicelib.settings import Settings
from chalicelib.store.exports import running
from chalicelib.store.logs import page
from tests.api.test_exports import CONNECTIONS, EXPORTS, begun, objects, rows, run

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]
Trail = Callable[[], "list[AuditLog]"]
assert rows


@pytest.fixture(autouse=True)
def _two_exports_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_limit, "current", lambda: Settings(max_exports_per_user=2))


def asked(client: Client, key: str = "") -> Reply:
    return client.post(EXPORTS, {"log": "connection"}, headers={"Idempotency-Key": key} if key else {})


def test_a_user_has_so_many_that_wait_or_are_written(
    house: House, owner: Client, keeps_exports: list[str], trail: Trail, assert_error: CheckError
) -> None:
    ids = [asked(owner, key).json["id"] for key in ("one", "two")]
    refused = asked(owner)
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    error = assert_error(refused)
    assert "2 exports" in error["message"]
    assert all(f"DELETE {EXPORTS}/{one}" in error["detail"] for one in ids)
    assert asked(owner, "three").status == 429
    assert keeps_exports == ids
    assert [row.action for row in trail() if row.resource_type == "export"] == ["create", "create"]
    assert asked(owner, "one").json["id"] == ids[0], "sent again it is no new one"
    assert asked(house.client(house.user("aud", "auditor"))).status == 202, "others have their own"


@pytest.mark.usefixtures("keeps_exports")
def test_one_that_has_ended_or_is_deleted_counts_no_longer(owner: Client) -> None:
    first, second = begun(owner), begun(owner)
    run(first)
    third = begun(owner)
    assert asked(owner).status == 429
    assert owner.delete(f"{EXPORTS}/{second}").status == 204
    begun(owner)
    assert asked(owner).status == 429
    run(third)
    begun(owner)
    assert asked(owner).status == 429


def test_one_whose_function_was_lost_counts_no_longer_and_goes_on_when_there_is_room(
    owner: Client, keeps_exports: list[str], clock: Clock
) -> None:
    lost = [begun(owner), begun(owner)]
    clock.forward(timedelta(minutes=16))
    later = [begun(owner), begun(owner)]
    assert asked(owner).status == 429
    assert owner.get(f"{EXPORTS}/{lost[0]}").json["state"] == "running"
    assert keeps_exports == [*lost, *later], "it waits for one of the others to end"
    run(later[0])
    assert owner.get(f"{EXPORTS}/{lost[0]}").json["state"] == "running"
    assert keeps_exports == [*lost, *later, lost[0]]
    assert asked(owner).status == 429, "and counts again"


@pytest.mark.usefixtures("keeps_exports")
def test_a_refusal_names_few_of_many(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_limit, "current", lambda: Settings(max_exports_per_user=8))
    for _ in range(8):
        begun(owner)
    error = asked(owner).json
    assert "8 exports" in error["message"]
    assert error["detail"].count(f"DELETE {EXPORTS}/") == 5


@pytest.mark.usefixtures("keeps_exports")
def test_requests_at_once_do_not_pass_the_limit(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(owner)
    read, replies = running.read, list[int]()

    def outrun(user_id: str) -> running.Listed:
        listed = read(user_id)
        if not replies:
            replies.append(0)
            replies[0] = asked(owner).status
        return listed

    monkeypatch.setattr(running, "read", outrun)
    assert asked(owner).status == 429
    assert replies == [202]


@pytest.mark.usefixtures("keeps_exports")
def test_no_path_names_another_item_of_the_table(owner: Client, root: User) -> None:
    begun(owner)
    begun(owner)
    for name in (f"running%23{root.id}", "not-an-id", "%20"):
        for method in ("GET", "DELETE"):
            assert owner.send(method, f"{EXPORTS}/{name}").status == 400
    assert asked(owner).status == 429, "it is still known how many there are"


def test_a_request_that_is_sent_again_starts_few_functions(owner: Client, keeps_exports: list[str]) -> None:
    answers = [asked(owner, "one") for _ in range(9)]
    assert {reply.status for reply in answers} == {202}
    assert len({reply.json["id"] for reply in answers}) == 1
    assert len(keeps_exports) == 3


@pytest.mark.parametrize("happens", ["deleted", "started again"])
@pytest.mark.usefixtures("keeps_exports")
def test_a_function_whose_export_is_deleted_or_started_again_reads_no_further_page(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, happens: str
) -> None:
    assert rows
    monkeypatch.setattr(export_writer, "PART_BYTES", 10**9)
    export_id = asked(owner, "one").json["id"]
    read, pages = page.read_page, list[Any]()

    def counted(*asked_for: Any) -> Any:
        pages.append(asked_for)
        if len(pages) == 2:
            stopped = owner.delete(f"{EXPORTS}/{export_id}") if happens == "deleted" else asked(owner, "one")
            assert stopped.status < 300
        return read(*asked_for)

    monkeypatch.setattr(export_writer, "read_page", counted)
    assert run(export_id)["message"] == "The export was deleted, or another function writes it."
    assert len(pages) == 2
    assert objects(export_id) == []
    assert owner.get(CONNECTIONS).status == 200
