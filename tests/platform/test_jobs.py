"""The fields that follow from those of a provisioner job."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.platform.jobs import UNTAGGED, contains, queue_rank, status, tag_set
from chalicelib.records.directory import PREBUILDS_USER

AT = "2026-07-08T12:00:00Z"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({}, "pending"),
        ({"started_at": AT}, "running"),
        ({"started_at": AT, "canceled_at": AT}, "canceling"),
        ({"canceled_at": AT}, "canceling"),
        ({"error": "no"}, "failed"),
        ({"completed_at": AT}, "succeeded"),
        ({"completed_at": AT, "canceled_at": AT}, "canceled"),
        ({"completed_at": AT, "canceled_at": AT, "error": "no"}, "failed"),
        ({"completed_at": AT, "error": ""}, "succeeded"),
    ],
)
def test_the_status_follows_from_times_and_error(job: dict[str, Any], expected: str) -> None:
    assert status(job) == expected


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (UNTAGGED, UNTAGGED, True),
        ({**UNTAGGED, "a": "1"}, UNTAGGED, False),
        ({**UNTAGGED, "a": "1"}, {"a": "1"}, True),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, True),
        ({"a": "1"}, {"a": "2"}, False),
        ({"a": "1"}, {"a": "1", "b": "2"}, False),
        ({"a": "1"}, {}, True),
        (UNTAGGED, {}, True),
    ],
)
def test_tags_contain_others(have: dict[str, str], want: dict[str, str], *, expected: bool) -> None:
    assert contains(have, want) is expected


def test_prebuilds_wait_for_everybody_else() -> None:
    ranks = [queue_rank({"initiator_id": "ann"}), queue_rank({"initiator_id": PREBUILDS_USER})]
    assert ranks == sorted(ranks, key=str)
    assert len({*ranks}) == 2
    assert queue_rank({"initiator_id": "ann", "started_at": AT}) is None


def test_a_set_of_tags_is_written_in_one_way() -> None:
    assert tag_set({"b": "2", "a": "1"}) == tag_set({"a": "1", "b": "2"}) == '{"a":"1","b":"2"}'
