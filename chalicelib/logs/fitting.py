"""Cuts what is too long to be stored, with a mark that says how long it was: no event is refused for its length.

"dddd… [cut: 9000 characters]"                  a text
"[[[[1,2,… [cut: 400000 bytes as JSON]"         another value, as the beginning of its JSON
"…": "[cut: 12 of 40000 fields]"                fields of an object whose names alone are too many
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.logs.diff import Diff

CUT_FIELDS = "…"
"""The name of the field that says how many fields were left out."""
LONGEST_NAME = 1_024
"""Characters of the name of a field."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which JSON can say and UTF-8 cannot."""
_MARK_BYTES = 64
"""At least as long as any mark."""
_FIELD_BYTES = len('"":,')
_NULL = len("null")
_SIDES = ("old", "new")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)


def cut(text: str, most: int) -> str:
    """The text, in at most so many characters."""
    if len(text) <= most:
        return text
    mark = f"… [cut: {len(text)} characters]"
    return text[: most - len(mark)] + mark


def with_fitting_texts(event: Mapping[str, Any], longest: Mapping[str, int]) -> Mapping[str, Any]:
    """An event of which each of these texts can be stored: it is not too long, and has no half of a character.

    Args:
        event: as it was sent, with whatever values.
        longest: name of a text -> how many characters are kept of it.
    """
    wrong = {}
    for name, most in longest.items():
        text = event.get(name)
        if isinstance(text, str) and (len(text) > most or not text.isascii()):
            wrong[name] = cut(_HALF.sub("\ufffd", text), most)
    return {**event, **wrong} if wrong else event


def json_bytes(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """How many bytes a value has as JSON in UTF-8."""
    return len(_ENCODER.encode(value).encode())


def fitted(values: Mapping[str, Any], most: int) -> dict[str, Any]:
    """An object in at most so many bytes as JSON: its longest values are cut, all to one length."""
    named = _with_fitting_names(values, most // 2)
    return _with_fitting_values(named, most) if json_bytes(named) > most else named


def fitted_diff(diff: Diff, most: int) -> Diff:
    """A diff of which each side, with the names of all fields, has at most so many bytes as JSON."""
    named = _with_fitting_names(diff, most // 2, {"new": "", "secret": False})
    sides = {}
    for side in _SIDES:
        # A field that has no such side has a name all the same, and null is as short as anything.
        values = {name: change.get(side) for name, change in named.items()}
        sides[side] = _with_fitting_values(values, most) if json_bytes(values) > most else values
    return {
        name: {side: values[name] for side, values in sides.items() if values[name] is not None}
        | {"secret": change["secret"]}
        for name, change in named.items()
    }


def _with_fitting_names(fields: Mapping[str, Any], most: int, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields whose names have at most so many bytes, and one that says how many have been left out.

    Args:
        fields: by name.
        most: bytes of all names, each with a value as short as any.
        about: a field as it is in a diff, where they are those of one.
    """
    kept: dict[str, Any] = {}
    left = most - _MARK_BYTES
    for number, (name, value) in enumerate(fields.items()):
        short = cut(name, LONGEST_NAME)
        if short in kept:
            short = f"{short} {number}"
        left -= json_bytes(short) + _FIELD_BYTES + _NULL
        if left < 0:
            said = f"[cut: {len(fields) - number} of {len(fields)} fields]"
            kept[CUT_FIELDS] = said if about is None else {**about, "new": said}
            break
        kept[short] = value
    return kept


def _with_fitting_values(values: Mapping[str, Any], most: int) -> dict[str, Any]:
    sizes = {name: json_bytes(value) for name, value in values.items()}
    left = most - sum(json_bytes(name) + _FIELD_BYTES for name in values)
    longest = left
    # From the shortest value on, each may have an equal part of what those before it leave.
    for number, size in enumerate(sorted(sizes.values())):
        longest = left // (len(sizes) - number)
        if size > longest:
            break
        left -= size
    return {name: value if sizes[name] <= longest else _cut_value(value, longest) for name, value in values.items()}


def _cut_value(value: Any, most: int) -> Any:  # noqa: ANN401 - any JSON value
    """The beginning of a value as a text of at most so many bytes as JSON, or null where there is no room for one."""
    room = most - _MARK_BYTES
    if room < 0:
        return None
    text = value if isinstance(value, str) else _ENCODER.encode(value)
    kept = text[:room]
    while (size := json_bytes(kept)) > room:
        kept = kept[: max(0, min(len(kept) - 1, len(kept) * room // size))]
        if not kept:
            break
    said = f"{len(text)} characters" if isinstance(value, str) else f"{json_bytes(value)} bytes as JSON"
    return f"{kept}… [cut: {said}]"
