"""The sixteen cases of which daemons a query shows and what each is called, over the API.

Ages are those of a Coder server's own tests, scaled to the ninety seconds after which a silent daemon is offline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from tests.api.platform_house import Platform, ago

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

OFFLINE = {"offline": "true"}
OLD, RECENT = 120, 60
"""Seconds: before and after the limit."""


class Daemon(NamedTuple):
    """A daemon: how many seconds ago it was seen (None: never), and its job."""

    seen: int | None = 0
    tags: Mapping[str, str] | None = None
    job: str = ""
    elsewhere: bool = False


class Case(NamedTuple):
    """Daemons, a query (names in braces are ids, by their number), and the labels that it is answered with."""

    name: str
    daemons: tuple[Daemon, ...]
    query: Mapping[str, str]
    labels: tuple[str, ...]


TWO_SILENT = (Daemon(OLD), Daemon(RECENT))
TWO_AGES = (Daemon(70), Daemon(40))
CASES = (
    Case("D1", (Daemon(elsewhere=True),), {}, ()),
    Case("D2", (Daemon(), Daemon(), Daemon()), {**OFFLINE, "ids": "{0},{1}"}, ("idle", "idle")),
    Case("D3", (Daemon(tags={"foo": "bar"}), Daemon(tags={"baz": "qux"})), {**OFFLINE, "tags": "foo"}, ("idle",)),
    Case("D4", TWO_SILENT, OFFLINE, ("idle", "offline")),
    Case("D5", TWO_SILENT, {}, ("idle",)),
    Case("D6", (Daemon(OLD), Daemon(), Daemon(RECENT)), OFFLINE, ("idle", "idle", "offline")),
    Case("D7, idle and offline", TWO_SILENT, {"status": "idle,offline"}, ("idle", "offline")),
    Case("D7, offline", TWO_SILENT, {"status": "offline"}, ("offline",)),
    Case("D7, empty", TWO_SILENT, {"status": ""}, ("idle",)),
    Case("D7, absent", TWO_SILENT, {}, ("idle",)),
    Case("D8, above both", TWO_AGES, {"max_age": "1m25s"}, ("idle", "idle")),
    Case("D8, between", TWO_AGES, {"max_age": "55s"}, ("idle",)),
    Case("D8, below both", TWO_AGES, {"max_age": "15s"}, ()),
    Case("D8, none", TWO_AGES, {}, ("idle", "idle")),
    Case("D8, nothing", TWO_AGES, {"max_age": "0s"}, ("idle", "idle")),
    Case("D9", (Daemon(),) * 53, OFFLINE, ("idle",) * 50),
    Case("D10", (Daemon(job="running"),), {"ids": "{0}"}, ("busy",)),
    Case("D11", (Daemon(3_600, job="finished"),), {**OFFLINE, "ids": "{0}"}, ("offline",)),
    Case("D12", (Daemon(),), {"ids": "{0}"}, ("idle",)),
    Case("D14", (Daemon(OLD, job="running"),), {"status": "offline"}, ("busy",)),
    Case("D14, not asked for", (Daemon(OLD, job="running"),), {"status": "busy"}, ()),
    Case("D15", (Daemon(job="running"), Daemon(OLD)), {**OFFLINE, "status": "busy"}, ("busy", "offline")),
    Case("D15, idle alone", TWO_SILENT, {"status": "idle"}, ("idle",)),
    Case("D16", (Daemon(None),), {**OFFLINE, "max_age": "1m"}, ("offline",)),
    Case("D16, not asked for", (Daemon(None),), {"max_age": "1m"}, ()),
)


@pytest.fixture
def platform(owner: Client, house: House) -> Platform:
    return Platform(owner, house.organization("acme").id)


def mirrored(platform: Platform, daemon: Daemon, place: Mapping[str, str]) -> str:
    seen = None if daemon.seen is None else ago(seconds=daemon.seen)
    tags: dict[str, Any] = {"tags": daemon.tags} if daemon.tags else {}
    daemon_id = platform.daemon("d", last_seen_at=seen, **tags, **place)
    if daemon.job:
        ended = {"completed_at": ago(minutes=1)} if daemon.job == "finished" else {}
        platform.job(started_at=ago(minutes=9), worker_id=daemon_id, **ended)
    return daemon_id


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_query_shows_the_daemons_of_its_case(platform: Platform, house: House, case: Case) -> None:
    there = {"organization_id": house.organization("elsewhere").id}
    ids = [mirrored(platform, daemon, there if daemon.elsewhere else {}) for daemon in case.daemons]
    query = {name: text.format(*ids) if name == "ids" else text for name, text in case.query.items()}
    if query.get("tags"):
        query["tags"] = json.dumps({"foo": "bar"})
    rows = platform.daemons(**query).json
    assert tuple(sorted(row["status"] for row in rows)) == case.labels
    for row in rows:
        daemon = case.daemons[ids.index(row["id"])]
        assert (row["current_job"] is not None) is (daemon.job == "running")
        assert (row["previous_job"] or {}).get("status") == ("succeeded" if daemon.job == "finished" else None)


def test_d13_a_member_is_told_that_there_is_nothing(platform: Platform, house: House) -> None:
    mirrored(platform, Daemon(), {})
    ann = house.user("ann", organizations={platform.organization_id: ()})
    assert Platform(house.client(ann), platform.organization_id).daemons(**OFFLINE).status == 404
    assert Platform(house.client(ann), str(uuid4())).daemons().status == 404
