"""Posts a notification to the address that the deployment names, in the form of Coder's webhooks."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from chalicelib.dispatch.failure import Failed
from chalicelib.notifications.message import Message
from chalicelib.records import User
from chalicelib.settings import current

_TIMEOUT = Timeout(connect=3, read=7)
_FIRST_REFUSAL = 300


def body(message_id: str, message: Message, user: User) -> dict[str, Any]:
    """The body of the request, as a JSON object."""
    title, text = message.title(user.name or user.username), message.body(user.name or user.username)
    return {
        "_version": "1.1",
        "msg_id": message_id,
        "payload": {
            "_version": "1.2",
            "notification_name": message.template.name,
            "notification_template_id": message.template_id,
            "user_id": user.id,
            "user_email": user.email,
            "user_name": user.name or user.username,
            "user_username": user.username,
            "actions": [],
            "labels": dict(message.labels),
            "data": dict(message.data),
            "targets": list(message.targets),
        },
        "title": title,
        "title_markdown": title,
        "body": text,
        "body_markdown": text,
    }


def send(message_id: str, message: Message, user: User) -> None:
    """Post a notification once.

    Raises:
        Failed: no answer came, or one that is no success.
    """
    headers = {"Content-Type": "application/json", "X-Message-Id": message_id}
    sent = json.dumps(body(message_id, message, user)).encode()
    try:
        answer = _pool().request(
            "POST", current().webhook_endpoint, body=sent, headers=headers, redirect=False, retries=False
        )
    except HTTPError as error:
        raise Failed(f"The webhook did not answer: {type(error).__name__}") from error
    if answer.status >= _FIRST_REFUSAL:
        raise Failed(f"The webhook answered with status {answer.status}")


@cache
def _pool() -> PoolManager:
    return PoolManager(timeout=_TIMEOUT)
