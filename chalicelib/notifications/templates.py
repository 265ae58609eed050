"""The templates of notifications: what each says, and to whom it goes without being asked for. Data.

A title or a body has places for labels, `{{.Labels.custom_title}}`, and for the user, `{{.UserName}}`, in the
notation of Coder's templates; nothing else of that notation is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["system", "custom"]

_PLACE = re.compile(r"\{\{\s*\.(?:Labels\.)?(\w+)\s*\}\}")
USER_NAME: Final = "UserName"


@dataclass(frozen=True, slots=True)
class Template:
    """One template.

    Attributes:
        id: a UUID; Coder's, where Coder has the template.
        name: for people.
        title: with places for labels.
        body: the same.
        group: under which the preferences of a user show it.
        kind: `custom` for what users send themselves.
        icon: of its rows in the inbox.
        is_on: whether it goes to users who have not said that they want it.
    """

    id: str
    name: str
    title: str
    body: str
    group: str
    kind: Kind
    icon: str = "DEFAULT_ICON_OTHER"
    is_on: bool = True


CUSTOM: Final = Template(
    id="39b1e189-c857-4b0c-877a-511144c18516",
    name="Custom Notification",
    title="{{.Labels.custom_title}}",
    body="{{.Labels.custom_message}}",
    group="Custom Events",
    kind="custom",
)
TEST: Final = Template(
    id="c425f63e-716a-4bf4-ae24-78348f706c3f",
    name="Test Notification",
    title="A test notification",
    body="Hello {{.UserName}}, notifications of this deployment reach you here.",
    group="Notification Events",
    kind="system",
)

TEMPLATES: Final[Mapping[str, Template]] = {template.id: template for template in (CUSTOM, TEST)}
"""Every template by its id."""


def filled(text: str, labels: Mapping[str, str]) -> str:
    """A title or a body with its labels in their places; a label that there is not is empty.

    What a label says is not read as a place.
    """
    return _PLACE.sub(lambda place: labels.get(place[1], ""), text)
