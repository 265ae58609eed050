"""The rows by which an object is found by a part of its name: one for each end of it, in two lanes of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from chalicelib.platform.facts import PLACE
from chalicelib.platform.jobs import Values
from chalicelib.platform.kinds import Kind
from chalicelib.platform.name_parts import End, beginnings, ends
from chalicelib.platform.section import Section, just_after

SITE_LANE: Final = "listing"
ORGANIZATION_LANE: Final = "organization"


class Names(NamedTuple):
    """The names by which an object is found, and among which objects.

    Attributes:
        organization_id: whose it is.
        texts: field -> the name as it is compared, and the state that the object is found in.
    """

    organization_id: str
    texts: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, kind: Kind, values: Values) -> Names:
        """The names of an object; a deleted one is found by none."""
        facts = kind.facts(values)
        texts = {
            field: (facts[text], str(facts[state])) for field, (text, state) in kind.named.items() if facts.get(text)
        }
        return cls(str(values.get("organization_id") or ""), texts)


def rows(kind: Kind, object_id: str, names: Names) -> dict[str, dict[str, str]]:
    """The attributes of each row of an object, by the row's id."""
    made: dict[str, dict[str, str]] = {}
    for field, (text, state) in names.texts.items():
        for end in ends(text):
            key = _key(kind, field, state, end)
            made[_row_id(kind, object_id, field, end)] = {
                SITE_LANE: key,
                ORGANIZATION_LANE: f"{names.organization_id}:{key}",
                PLACE: f"{end.text}#{object_id}",
            }
    return made


def row_ids(kind: Kind, object_id: str, names: Mapping[str, Any]) -> set[str]:
    """The ids of the rows that an object has with these names, field by field."""
    return {_row_id(kind, object_id, field, end) for field, text in names.items() for end in ends(text)}


def sections(kind: Kind, field: str, state: str, part: str, organization_id: str | None) -> list[Section]:
    """The sections that have the objects whose field contains the part, of one organization or, for None, of any."""
    return [
        Section(
            key if organization_id is None else f"{organization_id}:{key}",
            beginning.text,
            just_after(beginning.text) if beginning.text else "",
        )
        for beginning in beginnings(part)
        for key in [_key(kind, field, state, beginning)]
    ]


def object_id_of(row_id: str) -> str:
    """The id of the object that a row is of."""
    return row_id.split("#", 3)[2]


def _key(kind: Kind, field: str, state: str, end: End) -> str:
    return f"part:{kind.name}:{field}:{state}:{end.group}"


def _row_id(kind: Kind, object_id: str, field: str, end: End) -> str:
    return f"part#{kind.name}#{object_id}#{field}#{end.text}"
