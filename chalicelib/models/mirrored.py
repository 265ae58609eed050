"""The bodies of what the platform mirrors in, made the versions that are stored, and the results of storing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.errors import TooLarge, ValidationJSON
from chalicelib.models.base import checked
from chalicelib.models.mirrored_shapes import SHAPES
from chalicelib.models.sending import json_text
from chalicelib.platform.kinds import DAEMON, Kind
from chalicelib.store.platform.writer import Put

_MOST_BYTES: Final = 130_000
"""Of one object: an item has room for twice as many, in letters of three bytes."""


class MirroredJSON(TypedDict):
    """The result of one object."""

    kind: str
    id: str
    status: str


class MirrorResultJSON(TypedDict):
    """The result of one line of a batch, and its errors."""

    index: int
    status: str
    kind: NotRequired[str]
    id: NotRequired[str]
    message: NotRequired[str]
    detail: NotRequired[str]
    validations: NotRequired[list[ValidationJSON]]


class MirrorResultsJSON(TypedDict):
    """The results of a batch."""

    message: NotRequired[str]
    created: int
    updated: int
    unchanged: int
    older: int
    rejected: int
    failed: int
    results: list[MirrorResultJSON]


def version_of(kind: Kind, object_id: str, body: Mapping[str, Any], now: datetime) -> Put:
    """The version of an object that a body is.

    Raises:
        Invalid: values in the body are wrong; names each.
        TooLarge: it has more than an item holds.
    """
    shape = checked(SHAPES[kind.name], body)
    updated_at = shape.updated_at or now
    if kind is DAEMON and "last_seen_at" not in shape.model_fields_set:
        shape = shape.model_copy(update={"last_seen_at": updated_at})
    created_at = shape.created_at or updated_at
    fields = shape.model_dump(exclude={"updated_at", "created_at"})
    values = _wired({"id": object_id, "created_at": created_at, **fields})
    if len(json_text(values)) > _MOST_BYTES:
        raise TooLarge("The object is too large.", f"One object may have {_MOST_BYTES} bytes.")
    return Put(kind, values, updated_at)


def _wired(value: Any) -> Any:  # noqa: ANN401 - any JSON value, or a time
    match value:
        case datetime():
            return times.wire(value)
        case dict():
            return {name: _wired(inner) for name, inner in value.items()}
        case list():
            return [_wired(inner) for inner in value]
    return value
