"""Rounds: answers come back in order, two generators share their rounds, and sixteen requests wait at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb import rounds
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, Request, Rounds, beside, rounds_heard_by, run


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(rounds, "call", lambda operation, parameters: {"said": (operation, parameters["n"])})
    return []


def ask(name: str, *sizes: int) -> Rounds[list[Any]]:
    """Ask in rounds of so many requests, and return all answers."""
    said: list[Any] = []
    for size in sizes:
        answers = yield [Request(name, {"n": number}) for number in range(size)]
        said += [answer["said"] for answer in answers]
    return said


def expected(name: str, *sizes: int) -> list[Any]:
    return [(name, number) for size in sizes for number in range(size)]


def test_answers_come_in_the_order_of_their_requests(sizes: list[int]) -> None:
    with rounds_heard_by(sizes.append):
        assert run(ask("one", 1, 40, 2)) == expected("one", 1, 40, 2)
    assert sizes == [1, 40, 2]


def test_what_asks_nothing_takes_no_round(sizes: list[int]) -> None:
    with rounds_heard_by(sizes.append):
        assert run(ask("one")) == []
    assert sizes == []


@pytest.mark.parametrize(("one", "other"), [((2, 3), (1,)), ((), (1, 1)), ((4,), ()), ((1, 1), (2, 2))])
def test_two_that_stand_beside_each_other_share_their_rounds(
    sizes: list[int], one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    with rounds_heard_by(sizes.append):
        assert run(beside(ask("one", *one), ask("other", *other))) == (expected("one", *one), expected("other", *other))
    assert len(sizes) == max(len(one), len(other))
    assert sum(sizes) == sum(one) + sum(other)


def test_no_more_than_sixteen_requests_wait_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, most = 0, 0
    lock = threading.Lock()

    def call(_operation: str, _parameters: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal waiting, most
        with lock:
            waiting += 1
            most = max(most, waiting)
        time.sleep(0.005)
        with lock:
            waiting -= 1
        return {"said": None}

    monkeypatch.setattr(rounds, "call", call)
    assert len(run(ask("one", 100))) == 100
    assert 1 < most <= IN_FLIGHT


def test_a_request_that_fails_is_the_end_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if parameters["n"] == 2:
            raise Unavailable
        return {"said": None}

    monkeypatch.setattr(rounds, "call", call)
    with pytest.raises(Unavailable):
        run(beside(ask("one", 1), ask("other", 3)))
