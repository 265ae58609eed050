"""Allow lists: which objects a token may touch, as a list of `type:id` that is exhaustive over all types.

`*:*` is every object, `workspace:*` every workspace, `workspace:<uuid>` one, `*:<uuid>` whatever has that id. What no
entry names is refused, and so an empty list refuses everything. A list that names organizations by id is bound to them
in the logs, too: a row has an id that nobody knows beforehand, and belongs to an organization. Grammar and texts are
those of Coder's clients; beyond them, UUIDs are stored in one form and an API key may be named by its id, which is not
a UUID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from chalicelib.access.policy import ACTIONS, WILDCARD
from chalicelib.access.secret import is_key_id
from chalicelib.search import values
from chalicelib.search.values import quoted

MAX_ENTRIES: Final = 128


class InvalidAllowList(ValueError):
    """An entry is not one that an allow list may hold; the message says why."""


class TooManyEntries(InvalidAllowList):
    """More entries than one list may hold, counted as they were sent."""


class Entry(NamedTuple):
    """One line of an allow list: a kind of resource and the id of an object, either of them `*`."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    def names(self, resource: str, object_id: str) -> bool:
        """Whether this entry names the object, or the entry made of the two; `*` is named by `*` alone."""
        return self.type in (resource, WILDCARD) and self.id in (object_id, WILDCARD)


ANYTHING: Final = Entry(WILDCARD, WILDCARD)
DEFAULT: Final = (ANYTHING,)
"""The allow list of a token that was requested without one."""


def _entry(resource: str, object_id: str) -> Entry:
    if resource != WILDCARD and resource not in ACTIONS:
        raise InvalidAllowList(f"unknown resource type {quoted(resource)}")
    if object_id == WILDCARD or (resource == "api_key" and is_key_id(object_id)):
        return Entry(resource, object_id)
    try:
        return Entry(resource, values.uuid(object_id))
    except values.WrongValue as error:
        raise InvalidAllowList(f"invalid {resource} ID (must be UUID): {quoted(object_id)}") from error


def parse(entry: object) -> Entry:
    """One entry as a client sends it: `"type:id"`, or an object with `type` and `id`.

    Space around a string counts for nothing, upper case in a type does. Whether the object exists is not asked.

    Raises:
        InvalidAllowList: with the text that Coder's clients know for the fault.
    """
    if isinstance(entry, str):
        text = entry.strip()
        resource, _, object_id = text.partition(":")
        if not resource or not object_id:
            raise InvalidAllowList(f"invalid allow_list entry {quoted(text)}: want <type>:<id>")
        return _entry(resource, object_id)
    if isinstance(entry, Mapping):
        resource, object_id = entry.get("type") or "", entry.get("id") or ""
        if isinstance(resource, str) and isinstance(object_id, str):
            if not resource or not object_id:
                raise InvalidAllowList("allow_list entry must include both type and id")
            return _entry(resource, object_id)
    raise InvalidAllowList("invalid allow_list entry: expected object with type/id or string")


def parse_list(entries: Iterable[object]) -> tuple[Entry, ...]:
    """A client's whole list, each entry parsed and then the list normalised.

    Raises:
        InvalidAllowList: for the first wrong entry.
        TooManyEntries: for more than 128, before doubles are taken out.
    """
    return normalise([parse(entry) for entry in entries])


def _reduced(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    distinct = frozenset(entries)
    if ANYTHING in distinct:
        return DEFAULT
    whole = {entry.type for entry in distinct if entry.id == WILDCARD}
    return tuple(sorted(entry for entry in distinct if entry.id == WILDCARD or entry.type not in whole))


def normalise(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The one way to write a list: no doubles, nothing beside `*:*`, no `T:<id>` beside `T:*`, sorted by type and id.

    Raises:
        TooManyEntries: for more than 128 entries as given, even when fewer would be left.
    """
    given = tuple(entries)
    if len(given) > MAX_ENTRIES:
        raise TooManyEntries(f"allow_list has {len(given)} entries; max allowed is {MAX_ENTRIES}")
    return _reduced(given)


def union(*lists: Iterable[Entry]) -> tuple[Entry, ...]:
    """The objects that at least one of the lists names, normalised. The cap holds for requests, and not here."""
    return _reduced(entry for entries in lists for entry in entries)


def _meet(left: Entry, right: Entry) -> Entry | None:
    parts = []
    for one, other in zip(left, right, strict=True):
        if WILDCARD not in (one, other) and one != other:
            return None
        parts.append(other if one == WILDCARD else one)
    return Entry(*parts)


def intersect(left: Iterable[Entry], right: Iterable[Entry]) -> tuple[Entry, ...]:
    """The objects that both lists name, normalised: the narrower of overlapping entries. Empty when either is."""
    others = tuple(right)
    met = (_meet(one, other) for one in left for other in others)
    return _reduced(entry for entry in met if entry is not None)


def covers(held: Iterable[Entry], requested: Entry) -> bool:
    """Whether one entry of a list names all that the requested entry names."""
    return any(entry.names(*requested) for entry in held)


def contains(entries: Iterable[Entry], resource: str, object_id: str) -> bool:
    """Whether the list names the object; an object without an id yet (`""`) is named by `type:*` and `*:*` alone."""
    return any(entry.names(resource, object_id) for entry in entries)


def ids(entries: Iterable[Entry], resource: str) -> frozenset[str] | None:
    """The ids to which a list restricts one kind of resource: None when it does not, empty when it names none."""
    named = frozenset(entry.id for entry in entries if entry.type in (resource, WILDCARD))
    return None if WILDCARD in named else named


def organizations(entries: Iterable[Entry]) -> frozenset[str] | None:
    """The organizations to whose logs a list is bound: those that it names by id; None where it names none so.

    A sender whose list is `connection_log:*` and `organization:<id>` writes the connection log of that one alone.
    """
    named = frozenset(entry.id for entry in entries if entry.type == "organization")
    return None if not named or WILDCARD in named else named


def within(entries: Iterable[Entry], others: Iterable[Entry]) -> bool:
    """Whether a list is bound to no organization's logs that another is not bound to."""
    bound, wider = organizations(entries), organizations(others)
    return wider is None or (bound is not None and bound <= wider)


UNREADABLE_BY_RELEASES: Final = frozenset(
    {
        "ai_gateway_key",
        "ai_model_price",
        "ai_provider",
        "ai_seat",
        "boundary_log",
        "chat",
        "chat_automation",
        "chat_model_config",
        "chat_project",
        "chat_project_memory",
        "mcp_server_config",
        "organization_skill",
        "user_skill",
        "workspace_build_orchestration",
    }
)
"""Types that release 2.30 of Coder's CLI does not know: one entry of them makes its `tokens list` fail altogether."""


def unreadable_by_releases(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The types in an allow list that release CLIs of Coder may not know, by name."""
    return tuple(sorted({entry.type for entry in entries} & UNREADABLE_BY_RELEASES))
