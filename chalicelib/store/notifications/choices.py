"""Choices about notifications: of owners, whether any are sent and how; of each user, which ones they get.

settings                  whether sending is paused
method#<template id>      how the notifications of a template are sent
preferences#<user id>     template id -> whether it is switched off, and since when
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib import times
from chalicelib.notifications.templates import TEMPLATES
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded, commit
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.notifications.inbox import table

_SETTINGS = "settings"


class Preference(NamedTuple):
    """Whether a user has switched a template off, and when they said so."""

    disabled: bool
    updated_at: datetime


class Chosen(NamedTuple):
    """Everything that is chosen, as far as it was asked for.

    Attributes:
        paused: whether sending is paused.
        methods: template id -> the method that was set for it.
        preferences: template id -> what the user has said.
        revisions: key of an item -> how often it was changed.
    """

    paused: bool
    methods: Mapping[str, str]
    preferences: Mapping[str, Preference]
    revisions: Mapping[str, int]

    def sends(self, template_id: str) -> bool:
        """Whether the user gets notifications of a template."""
        said = self.preferences.get(template_id)
        return TEMPLATES[template_id].is_on if said is None else not said.disabled


def read(user_id: str | None = None) -> Chosen:
    """The present choices; of a user's preferences only where one is named."""
    keys = [_SETTINGS, *map(_method, TEMPLATES), *([_preferences(user_id)] if user_id else [])]
    items = {item["id"]["S"]: item for _, item in batch_get({table(): keys}, consistent=True)}
    docs = {key: unpacked(item) for key, item in items.items()}
    methods = {name: docs[_method(name)]["method"] for name in TEMPLATES if _method(name) in docs}
    said = docs.get(_preferences(user_id), {}) if user_id else {}
    preferences = {
        template: Preference(one["disabled"], times.from_fixed(one["updated_at"])) for template, one in said.items()
    }
    revisions = {key: int(item["revision"]["N"]) for key, item in items.items()}
    return Chosen(docs.get(_SETTINGS, {}).get("paused", False), methods, preferences, revisions)


def pause(seen: Chosen, *trail: Write, paused: bool) -> None:
    """Pause sending, or go on with it, with the trail.

    Raises:
        Changed: somebody else has changed it since it was read.
    """
    commit([_saving(_SETTINGS, {"paused": paused}, seen)], trail)


def set_method(seen: Chosen, template_id: str, method: str, *trail: Write) -> None:
    """Set how notifications of a template are sent, with the trail.

    Raises:
        Changed: somebody else has changed it since it was read.
    """
    commit([_saving(_method(template_id), {"method": method}, seen)], trail)


def prefer(seen: Chosen, user_id: str, preferences: Mapping[str, Preference]) -> None:
    """Store what a user has said, all of it.

    Raises:
        Changed: somebody else has changed it since it was read.
    """
    doc = {
        template: {"disabled": one.disabled, "updated_at": times.fixed(one.updated_at)}
        for template, one in preferences.items()
    }
    commit([_saving(_preferences(user_id), doc, seen)])


def clear(user_id: str) -> None:
    """Forget what a user has said; nothing to do where that is nothing.

    Raises:
        Unavailable: the store did not answer.
    """
    call("DeleteItem", {"TableName": table(), "Key": {"id": {"S": _preferences(user_id)}}})


def _saving(key: str, doc: Mapping[str, Any], seen: Chosen) -> Guarded:
    revision = seen.revisions.get(key, 0)
    item: Item = {"id": {"S": key}, "revision": {"N": str(revision + 1)}, **packed(doc)}
    request: dict[str, Any] = {
        "TableName": table(),
        "Item": item,
        "ConditionExpression": "attribute_not_exists(id)",
    }
    if revision:
        request["ConditionExpression"] = "revision = :seen"
        request["ExpressionAttributeValues"] = {":seen": {"N": str(revision)}}
    return Guarded(Write("Put", request), Changed)


def _method(template_id: str) -> str:
    return f"method#{template_id}"


def _preferences(user_id: str | None) -> str:
    return f"preferences#{user_id}"
