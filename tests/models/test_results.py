"""The answer to an ingest request has the same facts in any size, and never more than an answer may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import GatebookError, Invalid, StoreRefused, Unavailable, Validation
from chalicelib.models.results import MAX_LISTED_BYTES, MAX_TEXT_BYTES, Results, cut
from chalicelib.models.sending import bytes_sent, json_text

ID = "f0249951-d454-48f6-9504-e73340fa07b7"
WRONG_ID = Invalid([Validation("id", "must be a valid uuid")])


def test_results_stand_in_the_order_of_the_events_whatever_the_order_they_come_in() -> None:
    results = Results([0, 2, 5], skipped=3)
    results.failed(2, ID, Unavailable("no"))
    results.stored(0, ID, "created")
    results.rejected(1, "x", WRONG_ID)
    assert results.body(problems_only=False) == {
        "results": [
            {"index": 0, "id": ID, "status": "created"},
            {
                "index": 2,
                "id": "x",
                "status": "rejected",
                "message": "Validation failed.",
                "validations": [{"field": "id", "detail": "must be a valid uuid"}],
            },
            {"index": 5, "id": ID, "status": "failed", "message": "no"},
        ],
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "failed": 1,
        "skipped": 3,
    }
    assert results.accepted == 5


def test_who_asks_for_problems_hears_of_no_other_event() -> None:
    results = Results([0, 1, 2], skipped=0)
    results.stored(0, ID, "created")
    results.rejected(1, None, WRONG_ID)
    results.stored(2, ID, "unchanged")
    body = results.body(problems_only=True)
    assert [result["index"] for result in body["results"]] == [1]
    assert (body["created"], body["unchanged"], body["rejected"], body["unlisted"]) == (1, 1, 1, 2)


def test_wrong_events_are_all_listed_in_an_answer_that_repeats_little_of_them() -> None:
    results = Results(range(991), skipped=0)
    results.stored(0, ID, "created")
    for place in range(1, 991):
        results.rejected(place, "<" * 4_900, WRONG_ID)
    body = results.body(problems_only=False)
    assert (len(body["results"]), body["rejected"]) == (991, 990)
    assert {result["status"] for result in body["results"][1:]} == {"rejected"}
    assert bytes_sent(json_text(body)) < 200_000


@pytest.mark.parametrize("text", ["<" * 50_000, "\U0001f600" * 50_000, "\x00" * 50_000, '"' * 50_000])
def test_no_number_of_results_makes_an_answer_that_lambda_cannot_send(text: str) -> None:
    results = Results(range(20_000), skipped=0)
    for place in range(20_000):
        results.rejected(place, text[:60], Invalid([Validation(text, text)] * 2))
    body = results.body(problems_only=False)
    assert bytes_sent(json_text(body)) < 4_500_000
    assert body["rejected"] == 20_000 == len(body["results"]) + body["unlisted"]


def test_stored_events_are_counted_and_not_listed_where_the_size_asks_for_it() -> None:
    results = Results(range(20_001), skipped=0)
    for place in range(20_000):
        results.stored(place, ID, "created")
    results.rejected(20_000, None, GatebookError("no"))
    body = results.body(problems_only=False)
    assert len(json_text([{"index": 0, "id": ID, "status": "created"}])) * 20_000 > MAX_LISTED_BYTES
    assert [result["index"] for result in body["results"]] == [20_000]
    assert (body["created"], body["unlisted"]) == (20_000, 20_000)


def test_events_that_the_store_refuses_for_ever_are_counted_apart() -> None:
    results = Results([0, 1], skipped=0)
    results.failed(0, ID, Unavailable("no"))
    results.failed(1, ID, StoreRefused("never"))
    assert results.refused == 1
    assert results.body(problems_only=False)["failed"] == 2


@given(st.text(max_size=400))
def test_a_cut_text_is_the_front_of_the_text_and_as_short_as_promised(text: str) -> None:
    kept = cut(text, 100)
    size = len(json_text(text).encode()) - 2
    assert kept == text if size <= 100 else kept[:-1] == text[: len(kept) - 1]
    assert len(json_text(kept).encode()) - 2 <= 100 + len("…".encode())
    assert len(cut("x" * 1_000, MAX_TEXT_BYTES)) == MAX_TEXT_BYTES + 1
