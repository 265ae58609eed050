"""Which lanes an object is in, and what its status is."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.platform import workspaces
from chalicelib.platform.kinds import COARSE, JOB, KINDS, LANES, TEMPLATE, WORKSPACE

AT = "2026-07-08T12:00:00Z"
OBJECT = {"id": "1", "name": "Dev", "created_at": AT, "build_number": 7}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_lane_of_a_kind_is_declared_and_every_object_has_a_place_in_it(kind: Any) -> None:
    assert {*kind.lanes, *kind.joined} <= {*LANES}
    assert {*COARSE} <= {*LANES}
    places = kind.places({**OBJECT, "completed_at": AT, "worker_id": "w"}) | kind.places(OBJECT)
    assert {LANES[lane] for lane in kind.lanes} <= places.keys()


def test_a_deleted_object_is_in_lanes_of_the_deleted_alone() -> None:
    for kind in (TEMPLATE, WORKSPACE):
        values = {**OBJECT, "organization_id": "o", "owner_id": "u", "template_id": "t", "deleted": True}
        lanes = {"listing": f"{kind.name}:deleted", "by_use": f"{kind.name}:deleted"}
        owned = {"by_owner": "workspace:deleted:u"} if kind is WORKSPACE else {}
        assert kind.keys(values, kind.lanes) == lanes | owned


def test_a_job_leaves_the_queue_when_it_begins_and_its_worker_when_it_ends() -> None:
    job = {**OBJECT, "organization_id": "o", "initiator_id": "u"}
    begun = {**job, "started_at": AT, "worker_id": "w"}
    ended = {**begun, "completed_at": AT}
    assert {"queue", "by_worker"} & JOB.keys(job, JOB.lanes).keys() == {"queue"}
    assert {"queue", "by_worker"} & JOB.keys(begun, JOB.lanes).keys() == set()
    assert {"queue", "by_worker"} & JOB.keys(ended, JOB.lanes).keys() == {"by_worker"}


def test_places_are_in_the_order_of_time_whatever_the_fraction() -> None:
    texts = ["2026-07-08T12:00:00Z", "2026-07-08T12:00:00.05Z", "2026-07-08T12:00:00.5Z", "2026-07-08T12:00:01Z"]
    places = [JOB.places({**OBJECT, "created_at": text})["place"] for text in texts]
    assert places == sorted(places)


def test_the_longest_value_is_a_key_that_dynamodb_takes() -> None:
    values = {**OBJECT, "organization_id": "o", "initiator_id": "u", "tags": {"\U0001f980" * 256: "x" * 256}}
    assert all(len(key.encode()) <= 2_048 for key in JOB.keys(values, JOB.lanes).values())


@pytest.mark.parametrize(
    ("transition", "job", "expected"),
    [
        ("start", None, "pending"),
        ("start", {}, "pending"),
        ("start", {"started_at": AT}, "starting"),
        ("stop", {"started_at": AT}, "stopping"),
        ("delete", {"started_at": AT}, "deleting"),
        ("start", {"completed_at": AT}, "running"),
        ("stop", {"completed_at": AT}, "stopped"),
        ("delete", {"completed_at": AT}, "deleted"),
        ("start", {"completed_at": AT, "error": "no"}, "failed"),
        ("stop", {"started_at": AT, "canceled_at": AT}, "canceling"),
        ("stop", {"completed_at": AT, "canceled_at": AT}, "canceled"),
    ],
)
def test_the_status_of_a_workspace_is_that_of_its_latest_build(
    transition: str, job: dict[str, Any] | None, expected: str
) -> None:
    assert workspaces.status({"transition": transition}, job) == expected
