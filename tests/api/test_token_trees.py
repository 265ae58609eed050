"""Whatever grows from a token, by any of its secrets: nothing reaches what the token could not, or outlives it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.access import allow_list, networks, scopes
from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import APIKey
    from tests.api.conftest import Client, Clock, House, Reply

ME = "/api/v2/users/me"
KEYS = f"{ME}/keys"
SECOND = 1_000_000_000
HOUR = timedelta(hours=1)
WORKSPACE = "5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"
MANAGE = ("user:read", "api_key:*")
ELSEWHERE = ("198.51.100.7", "192.0.2.9", "192.0.2.200")

ASKED = {
    f"{resource}:{action} {object_id}": {
        "action": action,
        "object": {"resource_type": resource, **({"resource_id": object_id} if object_id else {})},
    }
    for resource, action in (
        ("workspace", "read"),
        ("workspace", "create"),
        ("template", "read"),
        ("file", "read"),
        ("user", "read"),
        ("user", "delete"),
        ("api_key", "create"),
        ("api_key", "read"),
        ("api_key", "delete"),
        ("audit_log", "read"),
        ("connection_log", "update"),
        ("deployment_config", "update"),
    )
    for object_id in ("", WORKSPACE)
}
"""Questions to the gate, over resources that the tokens below have and have not."""

NARROWED = st.fixed_dictionaries(
    {},
    optional={
        "scopes": st.lists(
            st.sampled_from(["user:read", "api_key:*", "api_key:read", "file:read", "coder:all", "audit_log:read"]),
            min_size=1,
            max_size=3,
        ),
        "allow_list": st.lists(
            st.sampled_from(["*:*", "api_key:*", "user:*", "workspace:*", f"workspace:{WORKSPACE}"]),
            min_size=1,
            max_size=3,
        ),
        "allowed_ips": st.lists(st.sampled_from(["192.0.2.0/24", "192.0.2.1/32", "0.0.0.0/0"]), min_size=1, max_size=2),
    },
)
BODIES = st.tuples(NARROWED, st.sampled_from([{}, {"lifetime": 7_200 * SECOND}, {"lifetime": 160 * 3_600 * SECOND}]))
WHICH = st.integers(0, 30)
STEPS = st.one_of(
    st.tuples(st.just("mint"), WHICH, WHICH, BODIES.map(lambda bodies: {**bodies[0], **bodies[1]})),
    st.tuples(st.just("session"), WHICH, WHICH, st.none()),
    st.tuples(st.just("rotate"), WHICH, WHICH, st.sampled_from([{}, *({"grace": n * 3_600 * SECOND} for n in (1, 9))])),
    st.tuples(st.just("change"), WHICH, WHICH, NARROWED),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 8]), WHICH, st.none()),
)
ROOTS = st.fixed_dictionaries(
    {
        "scopes": st.sampled_from([("coder:all",), MANAGE, (*MANAGE, "file:read")]),
        "allow_list": st.sampled_from([("*:*",), ("api_key:*", "user:*"), ("api_key:*", "user:*", "workspace:*")]),
        "allowed_ips": st.sampled_from([(), ("192.0.2.0/24",), ("192.0.2.0/30", "2001:db8::/32")]),
    }
)
ENDS = st.sampled_from([2 * HOUR, 30 * HOUR, 1_000 * HOUR])


def key_of(token: str) -> APIKey:
    key = api_keys.get(token[:10])
    assert key is not None
    return key


def is_whole(key: APIKey) -> bool:
    """Whether a token stands for its user, who alone then bounds how long what it makes may live."""
    return "coder:all" in key.scopes and "*:*" in key.allow_list and not key.allowed_ips


def exceeds(key: APIKey, bound: APIKey) -> list[str]:
    """The rights of the one beyond the other, each restriction read on its own."""
    held = [allow_list.parse(entry) for entry in bound.allow_list]
    more = [name for name in key.scopes if not scopes.covers(bound.scopes, name)]
    more += [entry for entry in key.allow_list if not allow_list.covers(held, allow_list.parse(entry))]
    if bound.allowed_ips and (not key.allowed_ips or networks.within(bound.allowed_ips, key.allowed_ips)):
        more.append(f"networks {key.allowed_ips}")
    if not is_whole(bound) and key.expires_at > bound.expires_at:
        more.append("end")
    if not is_whole(bound) and key.login_type != "token":
        more.append("sliding")
    return more


@dataclass
class Tree:
    """Everything that has grown from one token.

    Attributes:
        secrets: every secret ever issued, old ones among them.
        current: id of a token -> the secret that opens it beyond any grace.
        bounds: id of a token -> its ancestors, as they were when they made it.
    """

    root: APIKey
    client: Client
    clock: Clock
    secrets: list[str] = field(default_factory=list)
    current: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, list[APIKey]] = field(default_factory=dict)

    def grow(self, what: str, by: int, of: int, body: Any) -> None:
        """Make one step, and look at what has come of it."""
        if what == "wait":
            self.clock.forward(by * HOUR)
            return
        actor = replace(self.client, token=self.secrets[by % len(self.secrets)])
        target = [*self.current][of % len(self.current)]
        before = key_of(actor.token)
        reply = self._send(actor, what, target, body)
        assert reply.status in (200, 201, 400, 401, 403, 404)
        if reply.status >= 300:
            return
        assert actor.token == self.current[before.id], f"an old secret could {what}"
        self._received(reply.json.get("key"), before)
        for key_id, bounds in self.bounds.items():
            assert [exceeds(key_of(key_id), bound) for bound in bounds] == [[]] * len(bounds)

    def _send(self, actor: Client, what: str, target: str, body: Any) -> Reply:
        match what:
            case "mint":
                return actor.post(f"{KEYS}/tokens", body)
            case "session":
                return actor.post(KEYS)
            case "rotate":
                return actor.post(f"{KEYS}/{target}/rotate", body)
            case _:
                return actor.patch(f"{KEYS}/{target}", body)

    def _received(self, secret: str | None, actor: APIKey) -> None:
        """Keep a new secret, which opens no more than the token that asked for it."""
        if secret is None:
            return
        key = key_of(secret)
        assert exceeds(key, actor) == []
        if key.id not in self.current:
            self.bounds[key.id] = [*self.bounds.get(actor.id, ()), actor]
        self.secrets.append(secret)
        self.current[key.id] = secret


def opened(client: Client) -> set[str]:
    """The rights that the gate gives a secret; none where it does not open."""
    reply = client.post("/api/v2/authcheck", {"checks": ASKED})
    assert reply.status in (200, 401, 403)
    return {name for name, yes in reply.json.items() if yes} if reply.status == 200 else set()


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROOTS, ENDS, st.lists(STEPS, min_size=3, max_size=9))
def test_no_descendant_reaches_what_its_root_could_not_nor_outlives_it(
    house: House, clock: Clock, held: dict[str, Any], end: timedelta, steps: list[tuple[str, int, int, Any]]
) -> None:
    user = house.user(f"u{uuid4().hex[:12]}", "owner")
    client = house.client(user, expires_at=clock.moment + end, **held)
    root = key_of(client.token)
    tree = Tree(root, client, clock, [client.token], {root.id: client.token}, {root.id: []})
    reach = {address: opened(replace(client, source_ip=address)) for address in (client.source_ip, *ELSEWHERE)}
    for what, by, of, body in steps:
        tree.grow(what, by, of, body)
    for token in tree.secrets:
        for address, could in reach.items():
            assert opened(replace(client, token=token, source_ip=address)) <= could
    if not is_whole(root):
        clock.moment = max(clock.moment, root.expires_at + timedelta(microseconds=1))
        assert [token for token in tree.secrets if replace(client, token=token).get(ME).status != 401] == []
