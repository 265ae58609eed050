"""Posts a notification to the address that the deployment names, in the form of Coder's webhooks."""

from __future__ import annotations

import json
from typing import Any, Final

from chalicelib.dispatch import outgoing
from chalicelib.dispatch.failure import Failed
from chalicelib.dispatch.outgoing import Limits, NoAnswer
from chalicelib.notifications.message import Message
from chalicelib.records import User
from chalicelib.settings import current

_LIMITS: Final = Limits(seconds=10, most_bytes=0)
_FIRST_REFUSAL: Final = 300


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
        answer = outgoing.ask("POST", current().webhook_endpoint, sent, headers, _LIMITS)
    except NoAnswer as error:
        raise Failed(f"The webhook did not answer: {error}") from error
    if answer.status >= _FIRST_REFUSAL:
        raise Failed(f"The webhook answered with status {answer.status}")
