"""Scopes: from a name to the permissions it stands for, and whether one set of names covers another.

A scope only ever narrows what the user's roles grant. Every expansion holds site permissions alone: none is negative,
none is bound to an organization, an owner or an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from chalicelib.access.catalogue import ALIASES, BUNDLES, PUBLIC, sentence
from chalicelib.access.policy import ACTIONS, WILDCARD, Permission, exists
from chalicelib.search.values import quoted

DEFAULT: Final = ("coder:all",)
"""The scopes of a token that was requested without any."""

_PUBLIC: Final = frozenset(PUBLIC)


class UnknownScope(ValueError):
    """The name stands for nothing: no bundle, no such resource, no such action on it. Aliases are no scopes."""


class UnsupportedScope(ValueError):
    """A client asks for a scope that is not in the public catalogue."""


class CoverageUnknown(ValueError):
    """Two sets of scopes cannot be compared, because a name in one of them stands for nothing."""


class Description(NamedTuple):
    """A scope for people: `resource:action` of all it allows, and one line."""

    expansion: tuple[str, ...]
    text: str


def canonical(name: str) -> str:
    """The scope that a name of the first release means; every other name, known or not, as it is."""
    return ALIASES.get(name, name)


def canonical_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names made canonical, each once, in the order first seen."""
    return tuple(dict.fromkeys(map(canonical, names)))


def canonical_list(text: str) -> str:
    """The scopes among names separated by white space, as OAuth writes them; text without a name comes back as is."""
    return " ".join(canonical_names(text.split())) or text


def is_public(name: str) -> bool:
    """Whether a client may ask for the name: the public catalogue and the aliases."""
    return canonical(name) in _PUBLIC


def requested(scope: str, scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes a client asks for in its two fields, canonical; empty when it asks for none.

    Args:
        scope: the field of the first release, one name; counts only when `scopes` is empty.
        scopes: the field of today.

    Raises:
        UnsupportedScope: for the first name that is not public.
    """
    names = tuple(scopes) or ((scope,) if scope else ())
    for name in names:
        if not is_public(name):
            raise UnsupportedScope(f"invalid or unsupported API key scope: {quoted(name)}")
    return canonical_names(names)


def deprecated_scope(scopes: Iterable[str]) -> str:
    """The one word that clients of the first release read in the field `scope`, or `""` when none fits."""
    held = frozenset(scopes)
    return next((alias for alias in ("application_connect", "all") if ALIASES[alias] in held), "")


@lru_cache(maxsize=512)
def expand(name: str) -> tuple[Permission, ...]:
    """The permissions that a canonical name stands for.

    Raises:
        UnknownScope: for a name that stands for nothing, which the aliases and the empty name are.
    """
    bundle = BUNDLES.get(name)
    if bundle is not None:
        return bundle.permissions
    resource, _, action = name.partition(":")
    if exists(resource, action) or (resource in ACTIONS and action == WILDCARD):
        return (Permission(resource, action),)
    raise UnknownScope(f"no scope named {quoted(name)}")


def describe(name: str) -> Description:
    """The permissions of a canonical name, action by action, and a line that describes them.

    `resource:*` is spelled out in the actions of the resource; `*:*` stays as it is.

    Raises:
        UnknownScope: for a name that stands for nothing.
    """
    granted = expand(name)
    expansion = tuple(
        f"{permission.resource}:{action}"
        for permission in granted
        for action in (
            ACTIONS.get(permission.resource, (WILDCARD,)) if permission.action == WILDCARD else (permission.action,)
        )
    )
    bundle = BUNDLES.get(name)
    return Description(expansion, bundle.description if bundle else sentence(*granted[0][:2]))


def covers(allowed: Iterable[str], requested: str) -> bool:
    """Whether every permission of one scope is among the permissions of others, taken together.

    `*` counts on the allowed side only: all the actions of a resource one by one do not cover `resource:*`. All allowed
    names are expanded before anything is compared, so a bad one is noticed even beside `coder:all`.

    Raises:
        CoverageUnknown: when a name on either side stands for nothing.
    """
    try:
        wanted = expand(requested)
    except UnknownScope as error:
        raise CoverageUnknown(f"expand requested scope: {error}") from error
    held: list[Permission] = []
    for name in allowed:
        try:
            held += expand(name)
        except UnknownScope as error:
            raise CoverageUnknown(f"expand allowed scope {quoted(name)}: {error}") from error
    return all(any(granted.matches(*permission[:2]) for granted in held) for permission in wanted)
