"""One notification for one user: what it is made of, and the id by which it is stored once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from chalicelib import times
from chalicelib.notifications.templates import TEMPLATES, USER_NAME, Template, filled

INBOX: Final = "inbox"
SMTP: Final = "smtp"
WEBHOOK: Final = "webhook"
METHODS: Final = (SMTP, WEBHOOK, INBOX)

_NAMESPACE = UUID("6d1c1d5e-0b0f-4e0e-9d0e-4b8f6f1f2a77")


@dataclass(frozen=True, slots=True)
class Message:
    """One notification.

    Attributes:
        template_id: one of `templates.TEMPLATES`.
        user_id: who gets it.
        labels: name -> text, for the places of the template.
        created_by: the id of who has sent it.
        created_at: when.
        data: what is sent along and not shown.
        targets: ids of what it is about.
    """

    template_id: str
    user_id: str
    labels: Mapping[str, str]
    created_by: str
    created_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    @property
    def template(self) -> Template:
        """The text of the message."""
        return TEMPLATES[self.template_id]

    def id_for(self, method: str) -> str:
        """The id under which it is stored for one way to the user: the same for the same on one day (UTC)."""
        content = {
            "template": self.template_id,
            "user": self.user_id,
            "method": method,
            "labels": dict(self.labels),
            "data": dict(self.data),
            "targets": list(self.targets),
            "day": self.created_at.date().isoformat(),
        }
        return str(uuid5(_NAMESPACE, json.dumps(content, sort_keys=True)))

    def title(self, user_name: str) -> str:
        """The title as Markdown."""
        return filled(self.template.title, {**self.labels, USER_NAME: user_name})

    def body(self, user_name: str) -> str:
        """The body as Markdown."""
        return filled(self.template.body, {**self.labels, USER_NAME: user_name})


def once_a_minute(moment: datetime) -> Mapping[str, str]:
    """The data that makes the same message another one in another minute."""
    return {"dedupe_bypass_ts": times.wire(moment.replace(second=0, microsecond=0))}
