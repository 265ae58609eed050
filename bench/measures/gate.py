"""The cost of the gate: checking a token, and minting one."""

from __future__ import annotations

from collections.abc import Iterator

from bench import budgets
from bench.cost.meter import Tally
from bench.results import Result
from bench.service import Service

_REFUSED = 400


def token_check(service: Service) -> Tally:
    """The requests to the store before a view begins: a page that is refused for its limit makes no others.

    Raises:
        RuntimeError: it was not refused.
    """
    event = service.event("GET", "/api/v2/connectionlog", query={"limit": "none"})
    with service.counting() as tally:
        answer = service.send(event)
    if answer.status != _REFUSED:
        raise RuntimeError(f"a limit that is no number was answered {answer.status}")
    return tally


def measure(service: Service) -> Iterator[Result]:
    """Calls and units of a token check and of minting."""
    section = "The gate"
    tally = token_check(service)
    yield Result(section, "token check: calls to DynamoDB", tally.calls.total(), "calls", budgets.TOKEN_CALLS)
    yield Result(section, "token check: read units", tally.read, "RRU")
    with service.counting() as tally:
        service.call("POST", "/api/v2/users/{user}/keys/tokens", {"token_name": "bench"}, user="me")
    yield Result(section, "minting a token, its audit row included: write units", tally.written, "WRU")
    yield Result(section, "minting a token: read units, token check included", tally.read, "RRU")
    yield Result(section, "minting a token: calls, token check included", tally.calls.total(), "calls")
