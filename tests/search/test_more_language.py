"""The language beyond Coder's: either of several values, values left out, networks, and times from now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.errors import Invalid
from chalicelib.lanes.conditions import Comparison, Condition
from chalicelib.search.criteria import criteria
from chalicelib.search.filter import EVERYTHING, Filter, UserChoice, UserReference
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable, Kind
from chalicelib.search.parser import names, parse
from chalicelib.search.term_filters import MAX_CHOICES

ME = "11111111-1111-4111-8111-111111111111"
ORGANIZATION = "22222222-2222-4222-8222-222222222222"
ROW = "4fe722f0-49bc-4a90-a3eb-4ac439bfce20"
OTHER = "c0ffee00-49bc-4a90-a3eb-4ac439bfce20"
NIL = "00000000-0000-0000-0000-000000000000"
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def parsed(query: str, table: FilterTable = CONNECTION_FILTERS) -> Filter:
    return parse(query, table, me=ME, organization={"testorg": ORGANIZATION}.get)


def any_of(field: str, *values: str) -> Filter:
    return Filter(fields=((field, frozenset(values)),))


def without(field: str, *values: str, comparison: Comparison = Comparison.EXCLUDES) -> Filter:
    return Filter(conditions=(Condition(field, comparison, frozenset(values)),))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type:ssh,vscode", any_of("type", "ssh", "vscode")),
        ("type:SSH,ssh", any_of("type", "ssh")),
        ("status:connected,completed", any_of("status", "ongoing", "completed")),
        ("-type:ssh", without("type", "ssh")),
        ("-type:ssh,tunnel", without("type", "ssh", "tunnel")),
        (f"workspace_id:{ROW},{OTHER}", any_of("workspace_id", ROW, OTHER)),
        (f"workspace_id:{ROW},{NIL}", any_of("workspace_id", ROW)),
        (f"-workspace_id:{NIL}", EVERYTHING),
        (f"organization:testorg,{OTHER}", any_of("organization_id", ORGANIZATION, OTHER)),
        ("-organization:testorg", without("organization_id", ORGANIZATION)),
        ("workspace:Dev,prod", any_of("workspace", "dev", "prod")),
        ('workspace:"dev,prod"', any_of("workspace", "dev,prod")),
        ("-agent:Main", without("agent", "main")),
        ("ip:192.0.2.1", any_of("ip", "192.0.2.1")),
        ("-ip:192.0.2.1", without("ip", "192.0.2.1")),
        ("ip:192.0.2.1/32", any_of("ip", "192.0.2.1")),
        ("ip:192.0.2.77/24", without("ip", "192.0.2.0/24", comparison=Comparison.WITHIN)),
        ("-ip:10.0.0.0/8", without("ip", "10.0.0.0/8", comparison=Comparison.OUTSIDE)),
        ("ip:10.0.0.0/8,192.0.2.1", without("ip", "10.0.0.0/8", "192.0.2.1", comparison=Comparison.WITHIN)),
        ('ip:"2001:DB8:0::1"', any_of("ip", "2001:db8::1")),
        ('ip:"2001:db8::/32"', without("ip", "2001:db8::/32", comparison=Comparison.WITHIN)),
        ('ip:"::ffff:192.0.2.1"', any_of("ip", "192.0.2.1")),
        ('ip:"::ffff:192.0.2.0/120"', without("ip", "192.0.2.0/24", comparison=Comparison.WITHIN)),
        ("username:me", any_of("user_id", ME)),
        ("-username:me", without("user_id", ME)),
        ("type:ssh,vscode type:", None),
        ("type:ssh -type:vscode", Filter((("type", frozenset({"ssh"})),)) & without("type", "vscode")),
    ],
)
def test_constraints(query: str, expected: Filter | None) -> None:
    if expected is None:
        with pytest.raises(Invalid):
            parsed(query)
    else:
        assert parsed(query) == expected


def test_users_of_whom_either_will_do_and_users_left_out() -> None:
    bob, eve = (UserReference("username", name, deleted=False) for name in ("bob", "eve"))
    assert parsed("username:bob,me,eve").users == (UserChoice("user_id", (bob, eve), frozenset({ME})),)
    assert parsed("-username:bob").users == (UserChoice("user_id", (bob,), excluded=True),)
    assert set(names("username:bob,eve -user_email:x@y.z organization:acme", CONNECTION_FILTERS)) == {
        ("username", "bob"),
        ("username", "eve"),
        ("email", "x@y.z"),
        ("name", "acme"),
    }


@pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=["connection", "audit"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("after:2026-01-02", Filter(after=datetime(2026, 1, 2, tzinfo=UTC))),
        ("before:2026-01-02", Filter(before=datetime(2026, 1, 3, tzinfo=UTC) - timedelta.resolution)),
        ('after:"2026-01-02T03:04:05Z"', Filter(after=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))),
        ('before:"2026-01-02T03:04:05+01:00"', Filter(before=datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC))),
        ("after:-24h", Filter(newer_than=DAY)),
        ("before:-7d", Filter(older_than=7 * DAY)),
        ('after:-7d after:""', Filter(newer_than=7 * DAY)),
        ('after:"" after:-7d', Filter(newer_than=7 * DAY)),
        ("after:-7d after:-3d after:-5d", Filter(newer_than=3 * DAY)),
        ("before:-7d before:-3d", Filter(older_than=7 * DAY)),
        ("after:2026-01-02 after:2026-01-03", Filter(after=datetime(2026, 1, 3, tzinfo=UTC))),
        ("before:2026-01-02 before:2026-01-03", Filter(before=datetime(2026, 1, 3, tzinfo=UTC) - timedelta.resolution)),
        ("after:2026-01-02 after:-24h", Filter(after=datetime(2026, 1, 2, tzinfo=UTC), newer_than=DAY)),
        ("after:-1h30m", Filter(newer_than=timedelta(minutes=90))),
    ],
)
def test_times(table: FilterTable, query: str, expected: Filter) -> None:
    assert parsed(query, table) == expected


def test_the_older_keys_of_connections_take_every_form_too() -> None:
    assert parsed("connected_after:-24h connected_before:2026-01-02") == Filter(
        newer_than=DAY, before=datetime(2026, 1, 3, tzinfo=UTC) - timedelta.resolution
    )


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("type:ssh,ftpx -status:gone", "type", "ftpx"),
        ("type:ssh,", "type", "empty value between its commas"),
        ("-after:-24h", "-after", "is not a valid query param"),
        ("after:-24", "after", "missing unit"),
        ("after:-x", "after", "how long ago such as -24h"),
        ("after:-1h after:yesterday", "after", "must be a valid date format"),
        ("connected_after:-1h connected_after:-2h", "connected_after", "provided more than once"),
        ("after:-7d after:", "q", "after:"),
        ("after:yesterday", "after", "must be a valid date format"),
        ("before:2026-02-30", "before", "day out of range"),
        ("ip:300.1.1.1", "ip", "is no address and no network"),
        ("ip:10.0.0.0/33", "ip", "is no address and no network"),
        ('ip:"fe80::1%eth0"', "ip", "zone"),
        ("-ip:nonsense", "-ip", "is no address"),
        ("-workspace_id:7", "-workspace_id", "must be a valid uuid"),
        ("-organization:unknown", "-organization", "you are unauthorized to view it"),
        ("-type:ssh -type:vscode", "-type", "provided more than once"),
        ("workspace:" + ",".join("abcdefghijklmnopqrstu"), "workspace", f"takes {MAX_CHOICES} at the most"),
    ],
)
def test_what_is_wrong_is_named(query: str, field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parsed(query)
    assert caught.value.validations[0].field == field
    assert words in caught.value.validations[0].detail


def test_values_that_are_asked_for_and_left_out_find_nothing() -> None:
    made = criteria(parsed("type:ssh -type:ssh"), CONNECTION_FILTERS, lambda _: [], NOW)
    assert made.fields == {"type": frozenset()}
    assert made.conditions == ()
    left = criteria(parsed("type:ssh,vscode -type:ssh"), CONNECTION_FILTERS, lambda _: [], NOW)
    assert left.fields == {"type": frozenset({"vscode"})}


def test_times_from_now_count_from_the_moment_of_the_answer() -> None:
    made = criteria(parsed("after:-24h before:-1h"), CONNECTION_FILTERS, lambda _: [], NOW)
    assert (made.after, made.before) == (NOW - DAY, NOW - timedelta(hours=1))
    both = criteria(parsed('after:-24h connected_after:"2026-03-04T00:00:00Z"'), CONNECTION_FILTERS, lambda _: [], NOW)
    assert both.after == datetime(2026, 3, 4, tzinfo=UTC)
    ages = criteria(parsed("after:-2000000h"), CONNECTION_FILTERS, lambda _: [], datetime(100, 1, 1, tzinfo=UTC))
    assert ages.after == datetime(1, 1, 1, tzinfo=UTC)


def test_users_nobody_knows_are_no_choice_and_leave_nothing_out() -> None:
    asked = parsed("-username:ghost workspace_owner:ghost,me")
    made = criteria(asked, CONNECTION_FILTERS, lambda _: [], NOW)
    assert made.fields == {"workspace_owner_id": frozenset({ME})}
    assert made.conditions == (Condition("user_id", Comparison.EXCLUDES, frozenset()),)


@pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=["connection", "audit"])
def test_rows_can_be_left_out_by_every_key_that_is_no_time(table: FilterTable) -> None:
    example = {Kind.UUID: ROW, Kind.ORGANIZATION: "testorg", Kind.NETWORK: "10.0.0.0/8", Kind.EMAIL: "a@b.c"}
    example[Kind.NUMBER] = "401"
    for key in table.keys:
        value = key.values[0] if key.values else example.get(key.kind, "x")
        if key.kind in (Kind.AFTER, Kind.BEFORE, Kind.DATE_FROM, Kind.DATE_TO):
            with pytest.raises(Invalid):
                parsed(f"-{key.key}:2026-01-01", table)
        else:
            query_filter = parsed(f"-{key.key}:{value}", table)
            assert query_filter.conditions or query_filter.users[0].excluded
