"""The work of the schedule, in the fault matrix: notifications go out by a webhook or by mail, usage events by HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib import times
from chalicelib.api import schedules
from chalicelib.dispatch import enqueue, mail, usage, ways, webhook
from chalicelib.settings import Settings
from tests.api.test_exports import Lambda
from tests.dispatch.test_sweep import Hook, MailServer
from tests.dispatch.test_usage import Address
from tests.faults.operations import NOTED, NOTIFICATIONS, USED

if TYPE_CHECKING:
    from tests.api.conftest import Client

SENDER = "gatebook@example.com"
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)
"""Soon after the events of the matrix."""
LATER = timedelta(hours=2)
"""Longer than any lease or claim lasts."""


class Clock:
    """The time as the work knows it, which goes on between two runs alone."""

    def __init__(self) -> None:
        self._now = NOON

    def __call__(self) -> datetime:
        return self._now

    def restart(self) -> None:
        self._now = NOON

    def forward(self) -> None:
        self._now += LATER


class Addresses:
    """The places that the schedule sends to: a webhook, a mail server, and the one that usage events go to."""

    def __init__(self) -> None:
        self.hook, self.usage, self.mail = Hook(), Address(), MailServer()

    def end(self) -> None:
        for place in (self.hook, self.usage, self.mail):
            place.end()


class Schedule:
    """Sends what waits by the schedule: notifications into the inbox and by one of the ways, and usage events.

    Args:
        way: `webhook`, `smtp` or `ses`.
    """

    function = "dispatch"
    impossible: tuple[str, ...] = ()

    def __init__(self, patch: pytest.MonkeyPatch, addresses: Addresses, way: str) -> None:
        settings = Settings(
            notifications_method="webhook" if way == "webhook" else "smtp",
            webhook_endpoint=addresses.hook.url if way == "webhook" else "",
            email_smarthost={"smtp": addresses.mail.place, "ses": "ses"}.get(way, ""),
            email_from=SENDER,
            usage_url=addresses.usage.url,
        )
        for module in (enqueue, ways, webhook, mail, usage):
            patch.setattr(module, "current", lambda: settings)
        self.services: tuple[str, ...] = ("http", "sesv2") if way == "ses" else ("http",)
        self._clock, self._addresses = Clock(), addresses
        patch.setattr(times, "now", self._clock)
        boto3.client("ses").verify_email_identity(EmailAddress=SENDER)  # type: ignore[no-untyped-call]

    def prepare(self, owner: Client) -> None:
        for sent in (self._addresses.hook.bodies, self._addresses.usage.bodies, self._addresses.mail.letters, by_ses()):
            sent.clear()
        self._clock.restart()
        for paused in (True, False):
            assert owner.put(f"{NOTIFICATIONS}/settings", {"notifier_paused": paused}).status in (200, 304)
            if paused:
                assert owner.post(f"{NOTIFICATIONS}/custom", NOTED).status == 204
        assert owner.post("/api/v2/usage/events", USED).status == 200
        self._addresses.mail.verbs.clear()

    def run(self) -> bool:
        self._clock.forward()
        answer = schedules.dispatch(Lambda())
        return bool(answer == {"ended": {"sent": 2}, "usage_events": 1})

    def leaves(self) -> list[str]:
        # Who gets a message twice can tell by its id.
        posted = {body["msg_id"] for body in self._addresses.hook.bodies}
        letters = {message_from_bytes(text)["Message-ID"] for text in (*self._addresses.mail.letters, *sent_by_ses())}
        used = {event["id"] for body in self._addresses.usage.bodies for event in body["events"]}
        return [f"posted {len(posted)}", f"mailed {len(letters)}", *sorted(used)]


def by_ses() -> list[Any]:
    """The letters that SES was given, as the engine keeps them."""
    kept: list[Any] = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    return kept


def sent_by_ses() -> Iterator[bytes]:
    for one in by_ses():
        yield one.raw_data if isinstance(one.raw_data, bytes) else one.raw_data.encode()
