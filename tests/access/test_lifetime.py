from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access import allow_list, scopes
from chalicelib.access.allow_list import DEFAULT, Entry, parse_list
from chalicelib.access.catalogue import PUBLIC
from chalicelib.access.lifetime import (
    ExceedsCaller,
    Expiry,
    Grant,
    InvalidLifetime,
    inherit_within_caller,
    resolve,
    resolve_expiry,
    slide,
    use_is_stale,
)

NOW = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
SECOND = 1_000_000_000
HOUR = 3600 * SECOND
WEEK = 168 * HOUR
CENTURY = 876_600 * HOUR
U1 = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("requested", "default", "longest", "expected"),
    [
        (None, WEEK, CENTURY, WEEK),
        (0, WEEK, CENTURY, WEEK),
        (HOUR, WEEK, CENTURY, HOUR),
        (1, WEEK, CENTURY, 1),
        (CENTURY, WEEK, CENTURY, 3_155_760_000_000_000_000),
        (WEEK, WEEK, WEEK, WEEK),
        (0, WEEK, HOUR, HOUR),
    ],
)
def test_a_lifetime_is_the_wish_or_the_default_up_to_the_maximum(
    requested: int | None, default: int, longest: int, expected: int
) -> None:
    assert resolve(requested, default, longest) == expected


@pytest.mark.parametrize(
    ("requested", "longest", "message"),
    [
        (-1, WEEK, "lifetime must be positive number greater than 0"),
        (-WEEK, WEEK, "lifetime must be positive number greater than 0"),
        (WEEK + 1, WEEK, "lifetime must be less than 168h0m0s"),
        (CENTURY + 1, CENTURY, "lifetime must be less than 876600h0m0s"),
        (HOUR, 90 * SECOND, "lifetime must be less than 1m30s"),
    ],
)
def test_a_lifetime_out_of_bounds_is_refused_with_the_known_text(requested: int, longest: int, message: str) -> None:
    with pytest.raises(InvalidLifetime) as caught:
        resolve(requested, WEEK, longest)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("end", "lifetime", "expected"),
    [
        (None, 0, Expiry(NOW + timedelta(days=7), 604_800)),
        (None, 60, Expiry(NOW + timedelta(minutes=1), 60)),
        (NOW + timedelta(hours=2), 60, Expiry(NOW + timedelta(hours=2), 60)),
        (NOW + timedelta(hours=2), 0, Expiry(NOW + timedelta(hours=2), 7200)),
        (NOW + timedelta(seconds=2.9), 0, Expiry(NOW + timedelta(seconds=2.9), 2)),
        (NOW + timedelta(milliseconds=5), 0, Expiry(NOW + timedelta(milliseconds=5), 86_400)),
        (NOW, 0, Expiry(NOW, 86_400)),
    ],
)
def test_an_explicit_end_wins_over_a_lifetime_and_that_over_the_default(
    end: datetime | None, lifetime: int, expected: Expiry
) -> None:
    assert resolve_expiry(NOW, 604_800, expires_at=end, lifetime_seconds=lifetime) == expected


@pytest.mark.parametrize(
    ("left", "login_type", "moved"),
    [
        (timedelta(hours=24), "password", False),
        (timedelta(hours=23, seconds=1), "password", False),
        (timedelta(hours=23), "password", True),
        (timedelta(minutes=1), "oidc", True),
        (timedelta(minutes=1), "token", False),
    ],
)
def test_a_session_slides_once_an_hour_of_it_is_gone_and_a_token_never(
    left: timedelta,
    login_type: str,
    moved: bool,
) -> None:
    expected = NOW + (timedelta(hours=24) if moved else left)
    assert slide(NOW + left, NOW, 86_400, login_type) == expected


def test_a_use_is_written_when_the_last_one_is_more_than_an_hour_old() -> None:
    assert not use_is_stale(NOW - timedelta(hours=1), NOW)
    assert use_is_stale(NOW - timedelta(hours=1, microseconds=1), NOW)
    assert use_is_stale(datetime(1970, 1, 1, tzinfo=UTC), NOW)


def grant(names: str, allow: list[str] | None = None, hours: int = 24) -> Grant:
    listed = DEFAULT if allow is None else parse_list(allow)
    return Grant(tuple(names.split()), listed, NOW + timedelta(hours=hours))


def wish(names: str = "", allow: list[str] | None = None, hours: int = 1) -> Grant:
    return grant(names, allow or [], hours)


@pytest.mark.parametrize(
    ("caller", "requested", "expected"),
    [
        # What is left out is the caller's own.
        (grant("coder:all"), wish(), grant("coder:all", hours=1)),
        (grant("workspace:read user:read"), wish(), grant("workspace:read user:read", hours=1)),
        (grant("coder:all", ["workspace:*"]), wish(), grant("coder:all", ["workspace:*"], hours=1)),
        (grant("user:read", []), wish(), grant("user:read", [], hours=1)),
        # A subset is given as asked.
        (grant("coder:all"), wish("audit_log:read", ["user:*"]), grant("audit_log:read", ["user:*"], hours=1)),
        (grant("coder:logs.read"), wish("audit_log:read"), grant("audit_log:read", hours=1)),
        (
            grant("workspace:*", ["workspace:*", "template:*"]),
            wish("workspace:ssh", [f"workspace:{U1}"]),
            grant("workspace:ssh", [f"workspace:{U1}"], hours=1),
        ),
        # Aliases are made canonical before they are compared.
        (
            grant("coder:all"),
            wish("all coder:all application_connect"),
            grant("coder:all coder:application_connect", hours=1),
        ),
        # The end: only the caller that is all of its user may give more time than it has.
        (grant("coder:all", hours=2), wish(hours=500), grant("coder:all", hours=500)),
        (grant("user:read", hours=2), wish(hours=500), grant("user:read", hours=2)),
        (grant("coder:all", ["workspace:*"], hours=2), wish(hours=500), grant("coder:all", ["workspace:*"], hours=2)),
        (grant("coder:all user:read", hours=2), wish("user:read", hours=500), grant("user:read", hours=500)),
    ],
)
def test_a_token_gives_at_most_what_it_holds(caller: Grant, requested: Grant, expected: Grant) -> None:
    assert inherit_within_caller(caller, requested) == expected


@pytest.mark.parametrize(
    ("caller", "requested", "message"),
    [
        (
            grant("api_key:create user:read"),
            wish("coder:all"),
            (
                'exceeds the creating API key: scope "coder:all" is not among its scopes [api_key:create user:read];'
                " request a subset, or authenticate with a key that holds it"
            ),
        ),
        (
            grant("api_key:create user:read"),
            wish("user:read workspace:read template:read"),
            (
                'exceeds the creating API key: scope "workspace:read" is not among its scopes'
                " [api_key:create user:read]; request a subset, or authenticate with a key that holds it"
            ),
        ),
        (
            grant("user:read"),
            wish("all", ["workspace:*"]),
            (
                'exceeds the creating API key: scope "coder:all" is not among its scopes [user:read];'
                " request a subset, or authenticate with a key that holds it"
            ),
        ),
        (
            grant("coder:all", ["template:*", f"workspace:{U1}"]),
            wish("user:read", ["template:*", "workspace:*"]),
            (
                'exceeds the creating API key: allow list entry "workspace:*" is not covered by its allow list'
                f" [template:* workspace:{U1}]; request a subset, or authenticate with a key that allows it"
            ),
        ),
        (
            grant("coder:all", ["workspace:*"]),
            wish("", ["*:*"]),
            (
                'exceeds the creating API key: allow list entry "*:*" is not covered by its allow list'
                " [workspace:*]; request a subset, or authenticate with a key that allows it"
            ),
        ),
        (
            grant("coder:all", ["connection_log:*", f"organization:{U1}"]),
            wish("", ["connection_log:*"]),
            (
                "exceeds the creating API key: its allow list is bound to organizations"
                f" [connection_log:* organization:{U1}], and so must be that of a key it creates"
            ),
        ),
        (
            grant("coder:all", []),
            wish("", [f"workspace:{U1}"]),
            (
                f'exceeds the creating API key: allow list entry "workspace:{U1}" is not covered by its allow list'
                " []; request a subset, or authenticate with a key that allows it"
            ),
        ),
    ],
)
def test_a_wish_for_more_is_refused_with_the_known_text(caller: Grant, requested: Grant, message: str) -> None:
    with pytest.raises(ExceedsCaller) as caught:
        inherit_within_caller(caller, requested)
    assert str(caught.value) == message


def test_a_stored_scope_that_stands_for_nothing_is_the_services_fault() -> None:
    with pytest.raises(scopes.CoverageUnknown) as caught:
        inherit_within_caller(grant("gone:scope user:read"), wish("user:read"))
    assert str(caught.value) == (
        'compare scope "user:read": scope coverage could not be determined: expand allowed scope "gone:scope":'
        ' no scope named "gone:scope"'
    )


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (grant("coder:all"), True),
        (grant("user:read coder:all"), True),
        (grant("coder:all", ["workspace:*"]), False),
        (grant("workspace:* user:*"), False),
        (grant("coder:all", []), False),
    ],
)
def test_a_token_is_unrestricted_with_every_scope_and_every_object(
    held: Grant,
    expected: bool,
) -> None:
    assert held.unrestricted is expected


U2 = "00000000-0000-4000-8000-000000000002"
entries = st.builds(Entry, st.sampled_from(["*", "workspace", "user"]), st.sampled_from(["*", U1, U2]))
grants = st.builds(
    Grant,
    st.lists(st.sampled_from(PUBLIC), max_size=3).map(tuple),
    st.lists(entries, max_size=3).map(allow_list.normalise),
    st.integers(0, 500).map(lambda hours: NOW + timedelta(hours=hours)),
)


@settings(deadline=None)
@given(grants, grants)
def test_no_chain_of_tokens_widens(caller: Grant, requested: Grant) -> None:
    try:
        made = inherit_within_caller(caller, requested)
    except ExceedsCaller:
        return
    assert all(scopes.covers(caller.scopes, name) for name in made.scopes)
    assert all(allow_list.covers(caller.allow_list, entry) for entry in made.allow_list)
    assert caller.unrestricted or made.expires_at <= caller.expires_at
    assert made.expires_at <= requested.expires_at
