"""Diffs of two states of a resource, and diffs that senders made, both in the one form that the API has.

    {"name": {"old": "dev", "new": "prod", "secret": false}, "private_key": {"old": "", "new": "", "secret": true}}

Only changed fields are in a diff. `old` and `new` are left out when null, and only then; `secret` is always there. A
secret field shows that it changed and never a value: both sides hold the zero value of their type.

The rules are those of Coder's audit log, applied to JSON objects:

* a field that one side lacks, or all of them where that side is None, has the zero value of the other side's type:
  `""`, 0, false, and null for lists and objects;
* the nil UUID is `""`; a null of a nullable UUID or text is `"null"`. JSON does not say which fields are nullable, nor
  which are moments or bytes: `tracked.KINDS` does;
* Go's wrappers of nullable values (`{"String": ..., "Valid": ...}`) are read as the value or null; those of moments
  stay, and a nullable moment sent bare is put into one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chalicelib import times
from chalicelib.casing import lowered
from chalicelib.logs.secret_names import without_secrets
from chalicelib.logs.tracked import KINDS, RESOURCES, TRACKED, Kind, is_secret

Diff = dict[str, dict[str, Any]]

_NIL_UUID = str(UUID(int=0))
_NO_TIME = times.wire(times.NEVER)
_WRAPPERS = ("String", "UUID", "Int64")
_PARTS = frozenset({"old", "new", "secret"})
_LONGEST_NAME = 100


def diff(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, resource_type: str) -> Diff:
    """The diff of two states, by the tracked fields of the resource type.

    Args:
        old: the resource before, as a JSON object by the platform's field names; None where it did not exist. Fields
            of an embedded object (`{"Group": {...}, "members": [...]}`) count as its own.
        new: the resource after; None where it exists no longer.
        resource_type: one of `vocabulary.RESOURCE_TYPES`; a type without tracked fields has an empty diff.
    """
    if resource_type not in RESOURCES:
        return {}
    struct = RESOURCES[resource_type].struct
    before, after = _flat(old, struct), _flat(new, struct)
    changes: Diff = {}
    for name, mode in TRACKED[struct].items():
        if mode == "ignore":
            continue
        kind = KINDS[struct].get(name)
        left, right = _converted(before.get(name), kind), _converted(after.get(name), kind)
        left, right = _zero(right) if left is None else left, _zero(left) if right is None else right
        if _text(left) == _text(right):
            continue
        if mode == "secret" and kind is Kind.BYTES:
            left = right = None
        changes[name] = _change(left, right, secret=mode == "secret")
    return changes


def sanitised(given: object, resource_type: str = "") -> Diff:
    """A diff that was sent, in the API's form: nothing of it is lost, except every value of a secret field.

    A field is secret where its sender says so, and where the table of tracked fields or its own name does, whatever its
    sender says and however the name is written; so is what an object in a value has under such a name.

    Args:
        given: field -> `{"old"?: any, "new"?: any, "secret"?: bool}`, the three names in any case, for Coder's own
            table spells them `Old`, `New` and `Secret`; or field -> a value that is no object, which is what is new.
        resource_type: one of `vocabulary.RESOURCE_TYPES`, where it is known.

    Raises:
        ValueError: it is no diff; the text says why.
    """
    if not isinstance(given, Mapping):
        raise ValueError("must be an object of changed fields")  # noqa: TRY004 - what a client sent is a value
    return {
        name: _sanitised_change(name, change, secret=is_secret(name, resource_type)) for name, change in given.items()
    }


def _sanitised_change(name: str, change: object, *, secret: bool) -> dict[str, Any]:
    if not isinstance(change, Mapping):
        return _change(None, change, secret=secret)
    parts = change if change.keys() <= _PARTS else _parts(name, change)
    marked = parts.get("secret")
    if not (marked is None or isinstance(marked, bool)):
        raise ValueError(f"secret in the change of {_short(name)} must be true or false")
    return _change(parts.get("old"), parts.get("new"), secret=secret or bool(marked))


def _parts(name: str, change: Mapping[str, object]) -> Mapping[str, object]:
    """The parts of a change by their names in small letters."""
    parts = {lowered(part): value for part, value in change.items()}
    if len(parts) < len(change):
        raise ValueError(f"the change of {_short(name)} has the same part twice")
    strange = next((part for part in change if lowered(part) not in _PARTS), None)
    if strange is not None:
        raise ValueError(f"the change of {_short(name)} has old, new and secret, not {_short(strange)}")
    return parts


def _short(name: str) -> str:
    """A name as an error quotes it: a sender may have sent one of any length."""
    return repr(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}...")


def _change(old: Any, new: Any, *, secret: bool) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    kept = _zero if secret else without_secrets
    sides = {"old": kept(old), "new": kept(new)}
    return {side: value for side, value in sides.items() if value is not None} | {"secret": secret}


def _flat(given: Mapping[str, Any] | None, struct: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    embedded = given.get(struct.removeprefix("Auditable"))
    return {**embedded, **given} if isinstance(embedded, Mapping) else given


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    # Python's own comparison takes true for 1.
    return json.dumps(value, sort_keys=True)


def _zero(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return next((scalar() for scalar in (bool, int, float, str) if isinstance(value, scalar)), None)


def _converted(value: Any, kind: Kind | None) -> Any:  # noqa: ANN401 - any JSON value
    bare = _unwrapped(value)
    if bare == _NIL_UUID:
        return ""
    return _CONVERSIONS[kind](bare) if kind in _CONVERSIONS else bare


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(value, Mapping):
        return value
    name = next((name for name in _WRAPPERS if value.keys() == {name, "Valid"}), None)
    if name is None:
        return value
    return value[name] if value["Valid"] else None


def _wrapped_time(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return {"Time": value or _NO_TIME, "Valid": value is not None} if value is None or isinstance(value, str) else value


def _printed_acl(acl: Any) -> Any:  # noqa: ANN401 - what is no object stays as it is
    """As Go prints a map: `map[<id>:[read use] <id>:[read]]`, in the order of the ids."""
    if acl is None:
        return "map[]"
    if not isinstance(acl, Mapping):
        return acl
    entries = (
        f"{name}:[{' '.join(map(str, actions))}]" if isinstance(actions, list) else f"{name}:{actions}"
        for name, actions in sorted(acl.items())
    )
    return f"map[{' '.join(entries)}]"


def _printed_permissions(given: Any) -> Any:  # noqa: ANN401 - what is no list stays as it is
    return [_printed_permission(permission) for permission in given] if isinstance(given, list) else given


def _printed_permission(permission: Any) -> Any:  # noqa: ANN401 - what is no permission stays as it is
    """`workspace.read`, or `-workspace.read` where it takes the action away."""
    if not isinstance(permission, Mapping) or not {"resource_type", "action"} <= permission.keys():
        return permission
    return f"{'-' if permission.get('negate') else ''}{permission['resource_type']}.{permission['action']}"


_CONVERSIONS: Mapping[Kind | None, Callable[[Any], Any]] = {
    Kind.NULLABLE: lambda value: "null" if value is None else value,
    Kind.TIME: lambda value: _NO_TIME if value is None else value,
    Kind.NULLABLE_TIME: _wrapped_time,
    Kind.ACL: _printed_acl,
    Kind.PERMISSIONS: _printed_permissions,
}
