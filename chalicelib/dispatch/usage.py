"""Sends usage events on to the address that the deployment names: in batches, oldest first, until one is refused.

What is refused for now, not told of or not answered waits for the next round; what is refused for good is kept with the
reason. An event is claimed before it is sent, so that two processes do not send it, and is free again after an hour.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from chalicelib import times
from chalicelib.dispatch import outgoing
from chalicelib.dispatch.outgoing import Limits, NoAnswer
from chalicelib.settings import current
from chalicelib.store.directory.claims import Changed
from chalicelib.store.platform import beside, usage
from chalicelib.store.platform.usage import Waiting

BATCH: Final = 100
EVERY: Final = timedelta(minutes=17)
_ROUND: Final = "settings#usage"
_MOST_BATCHES: Final = 20
_SUCCESS: Final = 200
_LIMITS: Final = Limits(seconds=30, most_bytes=1_000_000)
_NOT_INCLUDED: Final = "tallyman did not include the event in the response"

Post = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class NotSent(Exception):
    """The address did not take a batch; the message says why."""


def run(now: datetime) -> int:
    """Send on what waits, where a round is due and an address is named; the number of events that were taken."""
    if not current().usage_url or not _is_due(now):
        return 0
    return publish(now, post)


def publish(now: datetime, send: Post) -> int:
    """Send on what waits; the number of events that were taken."""
    taken = 0
    for _ in range(_MOST_BATCHES):
        claimed = [one for event in usage.waiting(now, BATCH) if (one := usage.claim(event, now))]
        if not claimed:
            break
        accepted = _sent(claimed, now, send)
        taken += accepted
        if accepted < BATCH:
            break
    return taken


def post(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Post a batch once.

    Raises:
        NotSent: no answer came, or one that is no success.
    """
    headers = {"Content-Type": "application/json"}
    try:
        answer = outgoing.ask("POST", current().usage_url, json.dumps(body).encode(), headers, _LIMITS)
        if answer.status != _SUCCESS:
            raise NotSent(f"the address answered with status {answer.status}")
        value = json.loads(answer.body)
    except NoAnswer as error:
        raise NotSent(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise NotSent(type(error).__name__) from error
    if not isinstance(value, dict):
        raise NotSent("the answer is no JSON object")
    return value


def _sent(claimed: Sequence[Waiting], now: datetime, send: Post) -> int:
    """Send one batch, and note of each event how that went; the number of those that were taken."""
    try:
        answer = send({"events": [one.event.body() for one in claimed]})
    except NotSent as error:
        for one in claimed:
            usage.put_back(one, f"failed to publish to tallyman: {error}")
        return 0
    accepted = {str(event.get("id")) for event in _objects(answer, "accepted_events")}
    refused = {str(event.get("id")): event for event in _objects(answer, "rejected_events")}
    for one in claimed:
        refusal = refused.get(one.event.id)
        if one.event.id in accepted:
            usage.settle(one, now)
        elif refusal is not None and refusal.get("permanent"):
            usage.settle(one, now, str(refusal.get("message") or "refused"))
        else:
            usage.put_back(one, str(refusal.get("message")) if refusal else _NOT_INCLUDED)
    return sum(one.event.id in accepted for one in claimed)


def _objects(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    values = answer.get(name)
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _is_due(now: datetime) -> bool:
    """Whether this process is the one that begins a round now."""
    before = beside.read(_ROUND)
    if before and now < times.from_fixed(before["next_at"]):
        return False
    try:
        beside.put_changed(_ROUND, {"next_at": times.fixed(now + EVERY)}, before)
    except Changed:
        return False
    return True
