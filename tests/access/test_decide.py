from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.access import decide as decide_module
from chalicelib.access import scopes
from chalicelib.access.allow_list import DEFAULT, Entry, intersect, parse_list, within
from chalicelib.access.catalogue import PUBLIC
from chalicelib.access.decide import Allowed, Denied, Object, Reach, Subject, decide, reach
from chalicelib.access.policy import ACTIONS, LOGS, permissions, vote
from chalicelib.access.roles import ORGANIZATION_ROLES, SITE_ROLES, Role

ME = "00000000-0000-4000-8000-00000000000a"
YOU = "00000000-0000-4000-8000-00000000000b"
ORG = "00000000-0000-4000-8000-0000000000f1"
ELSEWHERE = "00000000-0000-4000-8000-0000000000f2"
ROW = "00000000-0000-4000-8000-000000000001"
OTHER_ROW = "00000000-0000-4000-8000-000000000002"

ALL = ("coder:all",)
RESOURCES = ("api_key", "audit_log", "connection_log", "user", "organization", "workspace", "template", "group")


def subject(
    *roles: str,
    org: dict[str, tuple[str, ...]] | None = None,
    scope: tuple[str, ...] = ALL,
    allow: tuple[Entry, ...] = DEFAULT,
) -> Subject:
    return Subject(ME, roles, org or {}, scope, allow)


MY_KEY = Object("api_key", "WuoWs4ZsMX", owner=ME)
YOUR_KEY = Object("api_key", "aaaaaaaaaa", owner=YOU)
MYSELF = Object("user", ME, owner=ME)
YOURSELF = Object("user", YOU, owner=YOU)
LOG = Object("connection_log", ROW, organization=ORG)
LOG_ELSEWHERE = Object("connection_log", ROW, organization=ELSEWHERE)
LOG_OF_NOBODY = Object("connection_log", ROW)
MY_WORKSPACE = Object("workspace", ROW, owner=ME, organization=ORG)
YOUR_WORKSPACE = Object("workspace", ROW, owner=YOU, organization=ORG)

strangers = subject()
members = subject(org={ORG: ()})
owners = subject("owner")
auditors = subject("auditor")
org_admins = subject(org={ORG: ("organization-admin",)})
org_auditors = subject(org={ORG: ("organization-auditor",)})


@pytest.mark.parametrize(
    ("who", "action", "what", "expected"),
    [
        # Own tokens are everybody's; other people's are the owner's alone.
        (strangers, "create", Object("api_key", owner=ME), True),
        (strangers, "delete", MY_KEY, True),
        (strangers, "read", YOUR_KEY, False),
        (auditors, "read", YOUR_KEY, False),
        (subject("user-admin"), "read", YOUR_KEY, False),
        (subject("user-admin"), "delete", YOURSELF, True),
        (org_admins, "read", YOUR_KEY, False),
        (owners, "create", Object("api_key", owner=YOU), True),
        (owners, "delete", YOUR_KEY, True),
        # Logs: owner and auditor everywhere, organization admin and auditor inside, nobody else.
        (owners, "read", LOG, True),
        (auditors, "read", LOG, True),
        (auditors, "read", LOG_OF_NOBODY, True),
        (auditors, "update", LOG, False),
        (org_admins, "read", LOG, True),
        (org_admins, "update", LOG, False),
        (org_admins, "read", LOG_ELSEWHERE, False),
        (org_admins, "read", LOG_OF_NOBODY, False),
        (org_auditors, "read", LOG, True),
        (org_auditors, "update", LOG, False),
        (org_auditors, "read", LOG_ELSEWHERE, False),
        (org_auditors, "read", LOG_OF_NOBODY, False),
        (members, "read", LOG, False),
        (subject("user-admin"), "read", LOG, False),
        (subject("template-admin"), "read", LOG, False),
        (strangers, "read", Object("audit_log", ROW, organization=ORG), False),
        (owners, "delete", LOG, False),
        # Users.
        (strangers, "read", MYSELF, True),
        (strangers, "update", MYSELF, False),
        (strangers, "read", YOURSELF, False),
        (members, "read", YOURSELF, False),
        (org_admins, "read", YOURSELF, True),
        (org_auditors, "read", YOURSELF, False),
        # Organizations and their people.
        (members, "read", Object("organization", ORG, organization=ORG), True),
        (members, "read", Object("organization", ELSEWHERE, organization=ELSEWHERE), False),
        (members, "read", Object("organization_member", YOU, owner=YOU, organization=ORG), True),
        (strangers, "read", Object("organization_member", ME, owner=ME, organization=ORG), False),
        # Own objects inside an organization.
        (members, "ssh", MY_WORKSPACE, True),
        (members, "read", YOUR_WORKSPACE, False),
        (subject(org={ORG: ("organization-workspace-access",)}), "ssh", MY_WORKSPACE, True),
        (subject(org={ORG: ("organization-workspace-access",)}), "ssh", YOUR_WORKSPACE, False),
        (subject(org={ELSEWHERE: ("organization-workspace-access",)}), "ssh", MY_WORKSPACE, False),
        (org_admins, "update", YOUR_WORKSPACE, True),
        (org_admins, "ssh", YOUR_WORKSPACE, False),
        # A refusal inside an organization wins over a grant on what one owns there, not over one that holds everywhere.
        (
            subject(org={ORG: ("organization-workspace-access", "organization-workspace-creation-ban")}),
            "create",
            Object("workspace", owner=ME, organization=ORG),
            False,
        ),
        (
            subject(org={ORG: ("organization-workspace-access", "organization-workspace-creation-ban")}),
            "ssh",
            MY_WORKSPACE,
            True,
        ),
        (
            subject(org={ORG: ("organization-admin", "organization-workspace-creation-ban")}),
            "create",
            Object("workspace", owner=ME, organization=ORG),
            False,
        ),
        (
            subject("owner", org={ORG: ("organization-workspace-creation-ban",)}),
            "create",
            Object("workspace", owner=ME, organization=ORG),
            True,
        ),
        # Names that are no role of that kind.
        (subject("my-custom-role", "organization-admin"), "read", LOG, False),
        (subject("organization-admin"), "read", YOURSELF, False),
        (subject(org={ORG: ("owner", "my-custom-role")}), "read", LOG, False),
        # What the policy does not have.
        (owners, "bogus", LOG, False),
        (owners, "*", LOG, False),
        (owners, "read", Object("nothing", ROW), False),
        (owners, "read", Object("*", ROW), False),
        (Subject("", (), {"": ()}, ALL, DEFAULT), "read", Object("user", ROW), False),
        (Subject("", (), {"": ("organization-admin",)}, ALL, DEFAULT), "read", LOG_OF_NOBODY, False),
    ],
)
def test_roles_decide(who: Subject, action: str, what: Object, expected: bool) -> None:
    assert bool(decide(who, action, what)) is expected


@pytest.mark.parametrize(
    ("scope", "action", "what", "expected"),
    [
        (("coder:all",), "read", LOG, True),
        (("connection_log:read",), "read", LOG, True),
        (("connection_log:read",), "update", LOG, False),
        (("connection_log:*",), "update", LOG, True),
        (("coder:logs.read",), "read", LOG, True),
        (("coder:logs.read",), "read", YOURSELF, True),
        (("coder:logs.read",), "read", Object("organization", ORG, organization=ORG), True),
        (("coder:logs.read",), "update", LOG, False),
        (("coder:logs.read",), "read", YOUR_KEY, False),
        (("coder:logs.ingest",), "update", LOG, True),
        (("coder:logs.ingest",), "create", Object("audit_log", organization=ORG), True),
        (("coder:logs.ingest",), "read", LOG, False),
        (("coder:logs.ingest",), "read", MYSELF, False),
        (("coder:application_connect",), "read", MYSELF, False),
        (("coder:apikeys.manage_self",), "create", MY_KEY, True),
        (("coder:apikeys.manage_self",), "read", MYSELF, False),
        (("workspace:read", "user:read"), "read", MYSELF, True),
        (("gone:scope", "user:read"), "read", MYSELF, True),
        (("gone:scope",), "read", MYSELF, False),
        (("all",), "read", MYSELF, False),
        ((), "read", MYSELF, False),
        (("no_user_data",), "read", LOG, True),
        (("no_user_data",), "read", MYSELF, False),
    ],
)
def test_scopes_narrow_an_owner(
    scope: tuple[str, ...],
    action: str,
    what: Object,
    expected: bool,
) -> None:
    assert bool(decide(subject("owner", scope=scope), action, what)) is expected


@pytest.mark.parametrize(
    ("allow", "action", "what", "expected"),
    [
        (["*:*"], "read", MYSELF, True),
        (["workspace:*"], "read", MYSELF, False),
        ([f"workspace:{ROW}"], "read", MY_WORKSPACE, True),
        ([f"workspace:{ROW}"], "read", Object("workspace_dormant", ROW, owner=ME, organization=ORG), False),
        ([f"workspace:{ROW}"], "read", Object("organization", ORG, organization=ORG), False),
        ([f"workspace:{ROW}"], "create", Object("workspace", owner=ME, organization=ORG), False),
        (["workspace:*"], "create", Object("workspace", owner=ME, organization=ORG), True),
        ([f"user:{ME}"], "read", MYSELF, True),
        ([f"user:{ME}"], "read", YOURSELF, False),
        ([f"*:{ME}"], "read", MYSELF, True),
        (["api_key:WuoWs4ZsMX"], "read", MY_KEY, True),
        (["api_key:WuoWs4ZsMX"], "read", YOUR_KEY, False),
        (["api_key:WuoWs4ZsMX"], "create", Object("api_key", owner=ME), False),
        (["api_key:*"], "create", Object("api_key", owner=ME), True),
        ([], "read", MYSELF, False),
    ],
)
def test_the_allow_list_narrows_an_owner(
    allow: list[str],
    action: str,
    what: Object,
    expected: bool,
) -> None:
    assert bool(decide(subject("owner", allow=parse_list(allow)), action, what)) is expected


# The least a token must hold for each token route: resolving the user comes first, then the key itself.
ROUTES = [
    ("create a key", ("user:read", "api_key:create"), ("user:*", "api_key:*"), [("create", Object("api_key", "", ME))]),
    ("read a key", ("user:read", "api_key:read"), ("user:*", "api_key:*"), [("read", MY_KEY)]),
    ("token settings", ("user:read",), (f"user:{ME}",), []),
    ("delete a key", ("user:read", "api_key:delete"), (f"user:{ME}", "api_key:*"), [("delete", MY_KEY)]),
    (
        "expire a key",
        ("user:read", "api_key:read", "api_key:update"),
        (f"user:{ME}", "api_key:*"),
        [("read", MY_KEY), ("update", MY_KEY)],
    ),
]


@pytest.mark.parametrize(("scope", "allow", "steps"), [route[1:] for route in ROUTES], ids=[row[0] for row in ROUTES])
def test_the_least_a_route_needs_is_enough_and_nothing_of_it_can_be_left_out(
    scope: tuple[str, ...], allow: tuple[str, ...], steps: list[tuple[str, Object]]
) -> None:
    def opens(held: tuple[str, ...], named: tuple[str, ...]) -> bool:
        who = subject(scope=held, allow=parse_list(named))
        return all(decide(who, action, what) for action, what in [("read", MYSELF), *steps])

    assert opens(scope, allow)
    assert not any(opens(tuple(one for one in scope if one != left), allow) for left in scope)
    assert not any(opens(scope, tuple(one for one in allow if one != left)) for left in allow)


def test_a_denial_says_which_of_the_three_refused() -> None:
    assert decide(owners, "read", LOG) == Allowed()
    assert decide(strangers, "read", LOG) == Denied("no role of the user grants connection_log:read here")
    denied = decide(subject("owner", scope=("user:read",)), "read", LOG)
    assert denied == Denied("no scope of the token grants connection_log:read")
    denied = decide(subject("owner", allow=()), "read", LOG)
    assert denied == Denied(f"the allow list of the token does not name connection_log:{ROW}")
    assert decide(owners, "frob", LOG) == Denied("the policy has no connection_log:frob")


@pytest.mark.parametrize(
    ("who", "action", "resource", "expected"),
    [
        (owners, "read", "connection_log", Reach(site=True)),
        (auditors, "read", "audit_log", Reach(site=True)),
        (org_auditors, "read", "audit_log", Reach(organizations=frozenset({ORG}))),
        (
            subject(org={ORG: ("organization-admin",), ELSEWHERE: ("organization-auditor",)}),
            "read",
            "connection_log",
            Reach(organizations=frozenset({ORG, ELSEWHERE})),
        ),
        (
            subject(org={ORG: ("organization-admin",), ELSEWHERE: ("organization-auditor",)}),
            "update",
            "organization",
            Reach(organizations=frozenset({ORG})),
        ),
        (members, "read", "audit_log", Reach()),
        (strangers, "read", "user", Reach(own=True)),
        (members, "read", "api_key", Reach(own=True, own_in=frozenset({ORG}))),
        (
            subject(org={ORG: ("organization-workspace-access",), ELSEWHERE: ()}),
            "read",
            "workspace",
            Reach(own_in=frozenset({ORG, ELSEWHERE})),
        ),
        (subject("owner", scope=("user:read",)), "read", "audit_log", Reach()),
        (subject("owner", scope=("audit_log:read",)), "read", "audit_log", Reach(site=True)),
        (
            subject("owner", allow=parse_list([f"audit_log:{ROW}"])),
            "read",
            "audit_log",
            Reach(site=True, ids=frozenset({ROW})),
        ),
        (subject("owner", allow=parse_list(["user:*"])), "read", "audit_log", Reach(site=True, ids=frozenset())),
        (owners, "frob", "audit_log", Reach()),
        (
            subject(org={ORG: ("organization-workspace-access", "organization-workspace-creation-ban")}),
            "delete",
            "workspace",
            Reach(),
        ),
        (subject(org={"": ("organization-admin",)}), "read", "audit_log", Reach()),
    ],
)
def test_a_reach_says_what_a_list_may_show(who: Subject, action: str, resource: str, expected: Reach) -> None:
    assert reach(who, action, resource) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Reach(), True),
        (Reach(site=True), False),
        (Reach(own=True), False),
        (Reach(organizations=frozenset({ORG})), False),
        (Reach(own_in=frozenset({ORG})), False),
        (Reach(site=True, ids=frozenset()), True),
        (Reach(site=True, ids=frozenset({ROW})), False),
        (Reach(ids=frozenset({ROW})), True),
    ],
)
def test_a_reach_knows_when_there_is_no_need_to_look(made: Reach, expected: bool) -> None:
    assert made.nothing is expected


@pytest.mark.parametrize(
    ("made", "what", "expected"),
    [
        (Reach(site=True), LOG_OF_NOBODY, True),
        (Reach(site=True, ids=frozenset()), LOG, False),
        (Reach(site=True, ids=frozenset({ROW})), LOG, True),
        (Reach(site=True, ids=frozenset({OTHER_ROW})), LOG, False),
        (Reach(organizations=frozenset({ORG})), LOG, True),
        (Reach(organizations=frozenset({ORG})), LOG_ELSEWHERE, False),
        (Reach(organizations=frozenset({ORG})), LOG_OF_NOBODY, False),
        (Reach(own=True), MY_KEY, True),
        (Reach(own=True), YOUR_KEY, False),
        (Reach(own=True), MY_WORKSPACE, False),
        (Reach(own_in=frozenset({ORG})), MY_WORKSPACE, True),
        (Reach(own_in=frozenset({ORG})), YOUR_WORKSPACE, False),
        (Reach(own_in=frozenset({ORG})), MY_KEY, False),
        (Reach(own=True, ids=frozenset({"WuoWs4ZsMX"})), MY_KEY, True),
        (Reach(), MY_KEY, False),
    ],
)
def test_a_reach_includes_what_its_parts_name(made: Reach, what: Object, expected: bool) -> None:
    assert made.includes(ME, what) is expected


def test_a_refusal_that_holds_everywhere_wins_over_every_narrower_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Role("no-logs", "No Logs", site=permissions("connection_log:read", "user:read", negate=True))
    monkeypatch.setattr(decide_module, "SITE_ROLES", {**SITE_ROLES, refused.name: refused})
    who = subject("no-logs", "auditor", org={ORG: ("organization-admin",)})
    for what in (LOG, MYSELF):
        assert decide(replace(who, roles=("auditor",)), "read", what)
        assert not decide(who, "read", what)
        assert reach(who, "read", what.type).nothing


@pytest.mark.parametrize("log", ["connection_log", "audit_log"])
def test_an_allow_list_binds_a_token_to_the_logs_of_organizations(log: str) -> None:
    action = {"connection_log": "update", "audit_log": "create"}[log]
    bound = subject("owner", allow=parse_list([f"{log}:*", f"organization:{ORG}"]))
    for done in (action, "read"):
        assert decide(bound, done, Object(log, organization=ORG))
        assert not decide(bound, done, Object(log, organization=ELSEWHERE))
        assert not decide(bound, done, Object(log))
        assert reach(bound, done, log) == Reach(organizations=frozenset({ORG}))
    anywhere = subject("owner", allow=parse_list([f"{log}:*", "organization:*"]))
    assert reach(anywhere, action, log) == Reach(site=True)
    nowhere = subject("owner", allow=parse_list([f"organization:{ORG}"]))
    assert not decide(nowhere, action, Object(log, organization=ORG))


site_roles = st.lists(st.sampled_from([*SITE_ROLES, "my-custom-role", "organization-admin"]), max_size=2).map(tuple)
organization_roles = st.dictionaries(
    st.sampled_from([ORG, ELSEWHERE]),
    st.lists(st.sampled_from([*ORGANIZATION_ROLES, "my-custom-role", "owner"]), max_size=3).map(tuple),
)
token_scopes = st.just(ALL) | st.lists(st.sampled_from([*PUBLIC, "gone:scope"]), max_size=3).map(tuple)
entries = st.one_of(
    st.just(Entry("*", "*")),
    st.builds(Entry, st.sampled_from(RESOURCES), st.sampled_from(["*", ROW, OTHER_ROW])),
    st.builds(Entry, st.just("*"), st.sampled_from([ROW, OTHER_ROW])),
    st.builds(Entry, st.just("organization"), st.sampled_from([ORG, ELSEWHERE])),
)
allow_lists = st.just(DEFAULT) | st.lists(entries, max_size=3).map(tuple)
subjects = st.builds(Subject, st.just(ME), site_roles, organization_roles, token_scopes, allow_lists)
objects = st.builds(
    Object,
    st.sampled_from(RESOURCES),
    st.sampled_from(["", ROW, OTHER_ROW]),
    st.sampled_from(["", ME, YOU]),
    st.sampled_from(["", ORG, ELSEWHERE]),
)
actions = st.sampled_from(sorted({action for resource in RESOURCES for action in ACTIONS[resource]}))
quick = settings(deadline=None, max_examples=150)


@quick
@given(subjects, actions, objects)
def test_a_token_allows_what_role_scopes_and_allow_list_each_allow(who: Subject, action: str, what: Object) -> None:
    by_role = bool(decide(replace(who, scopes=ALL, allow_list=DEFAULT), action, what))
    held = [permission for name in who.scopes if name != "gone:scope" for permission in scopes.expand(name)]
    by_scope = vote(held, what.type, action) > 0
    by_list = any(entry.type in ("*", what.type) and entry.id in ("*", what.id) for entry in who.allow_list)
    bound = {entry.id for entry in who.allow_list if entry.type == "organization"}
    if what.type in LOGS and bound and "*" not in bound:
        by_list = by_list and what.organization in bound
    assert bool(decide(who, action, what)) == (by_role and by_scope and by_list)


@quick
@given(subjects, actions, objects, st.data())
def test_a_narrower_token_never_allows_more(who: Subject, action: str, what: Object, data: st.DataObject) -> None:
    keep = data.draw(st.lists(st.booleans(), min_size=len(who.scopes), max_size=len(who.scopes)))
    fewer = tuple(name for name, kept in zip(who.scopes, keep, strict=True) if kept)
    narrower = replace(who, scopes=fewer, allow_list=intersect(who.allow_list, data.draw(allow_lists)))
    assume(within(narrower.allow_list, who.allow_list))
    assert decide(who, action, what) or not decide(narrower, action, what)


@quick
@given(subjects, actions, objects)
def test_a_reach_includes_exactly_what_is_allowed(who: Subject, action: str, what: Object) -> None:
    reached = reach(who, action, what.type)
    assert reached.includes(who.user_id, what) == bool(decide(who, action, what))
    if reached.nothing:
        assert not decide(who, action, what)


@quick
@given(subjects, actions, objects)
def test_no_role_reaches_into_an_organization_from_outside(who: Subject, action: str, what: Object) -> None:
    assume(what.organization not in ("", *who.organization_roles))
    inside = replace(who, organization_roles={})
    # Reading users is the one thing that a role in one organization grants everywhere.
    if what.type != "user":
        assert bool(decide(who, action, what)) == bool(decide(inside, action, what))
