"""Requests in rounds: requests that do not need each other's answers are sent at once, at most sixteen at a time.

Code that reads in rounds is a generator. It yields the requests of one round, gets their answers, and returns its
result at the end. So it can be tested without a store, run beside another one, and counted in round trips.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from chalicelib.store.dynamodb.client import call

IN_FLIGHT = 16
"""Requests of one process that wait for an answer at the same time."""

T = TypeVar("T")
S = TypeVar("S")


class Request(NamedTuple):
    """One request to DynamoDB: the operation, and its parameters."""

    operation: str
    parameters: Mapping[str, Any]


Answer: TypeAlias = dict[str, Any]
Rounds: TypeAlias = Generator[Sequence[Request], Sequence[Answer], T]
"""Yields the requests of a round, is sent their answers in the same order, and returns a result."""

RoundListener: TypeAlias = Callable[[int], None]
"""Gets the number of requests of each round."""

_listener: ContextVar[RoundListener | None] = ContextVar("round_listener", default=None)


@contextmanager
def rounds_heard_by(listener: RoundListener) -> Iterator[None]:
    """Pass the size of every round that this thread runs to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def run(rounds: Rounds[T]) -> T:
    """Send the requests of every round and return the result.

    Raises:
        Unavailable: the store did not answer a request.
    """
    step = _begin(rounds)
    while isinstance(step, _Asking):
        step = _advance(rounds, send(step.requests))
    return step.result


def beside(first: Rounds[S], second: Rounds[T]) -> Rounds[tuple[S, T]]:
    """Run two generators at once: each round has the requests of both, until both have returned."""
    one, other = _begin(first), _begin(second)
    while isinstance(one, _Asking) or isinstance(other, _Asking):
        mine = one.requests if isinstance(one, _Asking) else ()
        its = other.requests if isinstance(other, _Asking) else ()
        answers = yield [*mine, *its]
        if isinstance(one, _Asking):
            one = _advance(first, answers[: len(mine)])
        if isinstance(other, _Asking):
            other = _advance(second, answers[len(mine) :])
    return one.result, other.result


def together(generators: Sequence[Rounds[T]]) -> Rounds[list[T]]:
    """Run any number of generators at once: each round has the requests of all that have not returned yet."""
    steps = [_begin(rounds) for rounds in generators]
    while any(isinstance(step, _Asking) for step in steps):
        answers = iter((yield [one for step in steps if isinstance(step, _Asking) for one in step.requests]))
        for index, (rounds, step) in enumerate(zip(generators, steps, strict=True)):
            if isinstance(step, _Asking):
                steps[index] = _advance(rounds, [*islice(answers, len(step.requests))])
    return [step.result for step in steps if isinstance(step, _Done)]


def send(requests: Sequence[Request]) -> list[Answer]:
    """Send the requests of one round at once and return their answers in the same order.

    Raises:
        Unavailable: the store did not answer one of them.
    """
    if requests and (listener := _listener.get()):
        listener(len(requests))
    if not requests:
        return []
    # The first goes out from this thread: handing one over costs as much as signing it.
    # A copy of the context for each of the others: what listens to this thread hears its requests too.
    futures = [
        _pool().submit(copy_context().run, call, request.operation, request.parameters) for request in requests[1:]
    ]
    return [call(*requests[0]), *(future.result() for future in futures)]


@dataclass(frozen=True, slots=True)
class _Asking:
    requests: Sequence[Request]


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    result: T


def _begin(rounds: Rounds[T]) -> _Asking | _Done[T]:
    try:
        return _Asking(next(rounds))
    except StopIteration as end:
        return _Done(end.value)


def _advance(rounds: Rounds[T], answers: Sequence[Answer]) -> _Asking | _Done[T]:
    try:
        return _Asking(rounds.send(answers))
    except StopIteration as end:
        return _Done(end.value)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(IN_FLIGHT - 1, thread_name_prefix="store-round")
