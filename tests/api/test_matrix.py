"""Every gated route opens for exactly the scopes and allow lists that cover what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app import app
from chalicelib import times
from chalicelib.access import scopes
from chalicelib.access.catalogue import PUBLIC
from chalicelib.access.policy import ACTIONS
from scripts.docs.access import BY_NAME, RIGHTS
from scripts.docs.callers import opens_for_old_secrets
from tests.api.matrix import CASES, UNGATED, USERS, Case, Stage, refused_status

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House

READ_USER = "user:read"


@pytest.fixture
def stage(house: House, owner: Client, root: User, keeps_secrets: None, keeps_exports: list[str]) -> Stage:
    assert keeps_secrets is None
    assert keeps_exports == []
    return Stage(house, owner, root)


def granted(names: tuple[str, ...]) -> set[str]:
    """The rights that scopes grant, each action spelled out: a reading of its own, beside the gate's."""
    grants = set()
    for name in names:
        for resource, action, _ in scopes.expand(name):
            resources = ACTIONS if resource == "*" else (resource,)
            grants |= {f"{one}:{act}" for one in resources for act in ACTIONS[one] if action in ("*", act)}
    return grants


def test_every_gated_route_says_what_it_needs() -> None:
    gated = {(method, path) for path, methods in app.routes.items() for method in methods} - UNGATED
    assert {(case.method, case.path) for case in CASES} == gated
    assert sorted(map(str, CASES)) == sorted(RIGHTS)


def test_what_routes_need_is_in_the_policy() -> None:
    for case in CASES:
        for permission in case.permissions:
            resource, action = permission.split(":")
            assert action in ACTIONS[resource]


NEEDED = frozenset[str]().union(*(case.permissions for case in CASES))
OF_NO_USE = tuple(name for name in PUBLIC if not granted((name,)) & NEEDED)
"""Scopes add up and never take away, so what all of these together do not open, none of them does."""


@pytest.mark.parametrize("names", [*((name,) for name in PUBLIC if name not in OF_NO_USE), OF_NO_USE], ids=" ".join)
def test_a_scope_opens_exactly_what_it_covers(house: House, root: User, stage: Stage, names: tuple[str, ...]) -> None:
    for with_user in (False, True):
        held = (*names, READ_USER) if with_user else names
        allowed = granted(held)
        client = house.client(root, scopes=held, allow_list=("*:*", *stage.allow_list()))
        for case in CASES:
            # Reading the user is what most routes begin with: with and without it, where it makes a difference.
            if with_user is not ("{user}" in case.path and READ_USER in case.permissions):
                continue
            should = case.permissions <= allowed
            reply = stage.call(case, client)
            assert case.opened(reply) is should, f"{case} with {held}: {reply.status} {reply.text}"
            if should:
                stage.set_up_after(case)
                if case.method in ("DELETE", "POST"):
                    client = house.client(root, scopes=held, allow_list=("*:*", *stage.allow_list()))


WITH_NEEDS = [case for case in CASES if case.permissions]


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_without_one_of_the_things_it_needs_a_route_is_closed(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    for missing in sorted(case.permissions):
        held = tuple(sorted(case.permissions - {missing})) or ("file:read",)
        reply = stage.call(case, house.client(root, scopes=held))
        assert not case.opened(reply), f"{case} without {missing}: {reply.status} {reply.text}"
        assert reply.status in (200, 403, 404)


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_with_exactly_what_it_needs_a_route_is_open(house: House, root: User, stage: Stage, case: Case) -> None:
    types = sorted({permission.split(":")[0] for permission in case.permissions})
    allow_list = (*(f"{one}:*" for one in types), *stage.allow_list(case))
    client = house.client(root, scopes=tuple(sorted(case.permissions)), allow_list=allow_list)
    reply = stage.call(case, client)
    assert case.opened(reply), f"{case}: {reply.status} {reply.text}"


@pytest.mark.parametrize("case", WITH_NEEDS, ids=str)
def test_with_the_allow_list_narrowed_away_a_route_is_closed(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    for missing in sorted({permission.split(":")[0] for permission in case.permissions}):
        others = tuple(f"{one}:*" for one in ACTIONS if one != missing)
        elsewhere = () if missing == "api_key" else (f"{missing}:{uuid4()}",)
        for allow_list in ((), ("file:*",), others, (*others, *elsewhere)):
            reply = stage.call(case, house.client(root, allow_list=allow_list))
            assert not case.opened(reply), f"{case} without {missing}: {reply.status} {reply.text}"


@pytest.mark.parametrize("case", [case for case in CASES if str(case) in BY_NAME], ids=str)
def test_what_takes_an_object_by_its_id_is_closed_to_who_may_touch_every_object(
    owner: Client, stage: Stage, case: Case
) -> None:
    assert stage.call(case, owner).status == 403


# Every route for every state in which a token or its user may be.

REFUSED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], int]] = {
    "expired": ({"expires_at": times.EPOCH}, {}, 401),
    "from elsewhere": ({"allowed_ips": ("198.51.100.0/24",)}, {}, 403),
    "of a suspended user": ({}, {"status": "suspended"}, 401),
    "from before its user": ({"created_at": times.EPOCH}, {}, 401),
}
"""State of a token -> how the token is made, how its user is, and what every route answers."""


@pytest.mark.parametrize("state", REFUSED)
def test_a_token_that_may_not_be_used_opens_no_route(house: House, stage: Stage, state: str) -> None:
    token, user, status = REFUSED[state]
    client = house.client(house.user("eve", "owner", **user), **token)
    for case in CASES:
        reply = stage.call(case, client)
        assert reply.status == refused_status(case.path, status), (
            f"{case} by a token {state}: {reply.status} {reply.text}"
        )


def test_without_a_token_no_gated_route_opens(client: Client, stage: Stage) -> None:
    for case in CASES:
        assert stage.call(case, client).status == 401, str(case)


def closed_to_old_secrets(case: Case) -> bool:
    """Whatever makes, changes, ends or deletes tokens, or decides what the tokens of a user open."""
    tokens = {"api_key:create", "api_key:update", "api_key:delete"}
    users = {"user:delete", "assign_role:assign", "assign_org_role:assign"}
    members = {"organization_member:create", "organization_member:delete"}
    others = (f"{USERS}/logout", f"{USERS}/{{user}}/status/suspend", f"{USERS}/{{user}}/status/activate")
    return bool(case.permissions & (tokens | users | members)) or case.path in others


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_secret_in_its_grace_opens_what_its_token_opens_but_for_tokens(
    house: House, root: User, stage: Stage, case: Case
) -> None:
    old = house.client(root, allow_list=("*:*", *stage.allow_list()))
    reply = old.post(f"{USERS}/me/keys/{old.token[:10]}/rotate", {"grace": 3_600 * 10**9})
    assert reply.status == 201
    reply = stage.call(case, old)
    if closed_to_old_secrets(case):
        assert reply.status == 403, f"{case}: {reply.status} {reply.text}"
        assert old.get(f"{USERS}/me").status == 200
    else:
        assert case.opened(reply), f"{case}: {reply.status} {reply.text}"
    assert opens_for_old_secrets(str(case)) is not closed_to_old_secrets(case)
