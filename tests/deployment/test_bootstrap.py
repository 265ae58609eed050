"""The first owner of a deployment is made by who may write to its tables, once, and told the token once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.records import AuditLog
from chalicelib.store.directory import api_keys, people
from scripts.deployment import bootstrap
from scripts.deployment.bootstrap import Refused
from scripts.local.engine import EmbeddedEngine
from scripts.local.engine_port import served
from tests.api.conftest import Client, House

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def house(tables: EmbeddedEngine) -> House:
    assert tables.running
    return House()


@pytest.mark.usefixtures("tables")
def test_the_first_owner_is_made_with_a_token_that_opens() -> None:
    token = bootstrap.bootstrap("root", "root@example.com", again=False)
    body = Client(token).get("/api/v2/users/me").json
    assert (body["username"], body["email"]) == ("root", "root@example.com")
    assert [role["name"] for role in body["roles"]] == ["owner"]


@pytest.mark.usefixtures("tables")
def test_the_first_owner_is_a_member_of_a_default_organization_as_clients_take_their_first_one() -> None:
    owner = Client(bootstrap.bootstrap("root", "root@example.com", again=False))
    (organization,) = owner.get("/api/v2/users/me/organizations").json
    assert (organization["name"], organization["is_default"]) == ("gatebook", True)
    assert owner.get("/api/v2/users/me").json["organization_ids"] == [organization["id"]]
    assert owner.get("/api/v2/organizations/default").json == organization


def test_an_owner_joins_the_default_organization_that_is_there(house: House) -> None:
    default = house.organization(is_default=True)
    house.organization("other")
    owner = Client(bootstrap.bootstrap("root", "root@example.com", again=False))
    assert owner.get("/api/v2/users/me").json["organization_ids"] == [default.id]


def test_no_organization_is_made_beside_those_of_a_platform(house: House) -> None:
    house.organization()
    owner = Client(bootstrap.bootstrap("root", "root@example.com", again=False))
    assert owner.get("/api/v2/users/me").json["organization_ids"] == []
    assert [row["name"] for row in owner.get("/api/v2/organizations").json] == ["acme"]


@pytest.mark.usefixtures("tables")
def test_making_the_two_leaves_a_trail_without_the_secret() -> None:
    token = bootstrap.bootstrap("root", "root@example.com", again=False)
    key = api_keys.get(token.partition("-")[0])
    assert key is not None
    rows: list[AuditLog] = trail()
    assert sorted(row.resource_type for row in rows) == ["api_key", "organization", "organization_member", "user"]
    (minted,) = (row for row in rows if row.resource_type == "api_key")
    assert minted.user_agent == "scripts/bootstrap"
    assert minted.additional_fields == {"gatebook": True, "changed_api_key_id": key.id}
    assert token.partition("-")[2] not in repr(rows)


def trail() -> list[AuditLog]:
    from chalicelib.store.dynamodb import client  # noqa: PLC0415 - where these tests look and nobody else does
    from chalicelib.store.dynamodb.tables import AuditLogItem  # noqa: PLC0415 - as above
    from chalicelib.store.logs import audit_rows  # noqa: PLC0415 - where these tests look and nobody else does

    return [
        audit_rows.from_item(item) for item in client.call("Scan", {"TableName": AuditLogItem.Meta.table_name})["Items"]
    ]


def test_where_there_is_an_owner_it_is_refused(house: House) -> None:
    house.user("root", "owner")
    with pytest.raises(Refused, match=r"There is an owner, root\. Give --again"):
        bootstrap.bootstrap("eve", "eve@example.com", again=False)
    assert people.user_ids("username", "eve") == ()


@pytest.mark.parametrize("changes", [{"status": "suspended"}, {"deleted": True}])
def test_an_owner_who_cannot_sign_in_is_none(house: House, changes: dict[str, Any]) -> None:
    house.user("root", "owner", **changes)
    assert bootstrap.bootstrap("second", "second@example.com", again=False)


def test_again_renews_a_lost_token_and_makes_no_second_user(house: House) -> None:
    root = house.user("root", "owner")
    token = bootstrap.bootstrap("ROOT", "other@example.com", again=True)
    assert Client(token).get("/api/v2/users/me").json["id"] == root.id
    assert len(list(people.list_users())) == 1


def test_again_makes_another_owner(house: House) -> None:
    house.user("root", "owner")
    token = bootstrap.bootstrap("second", "second@example.com", again=True)
    assert Client(token).get("/api/v2/users/me").json["username"] == "second"


def test_nobody_becomes_an_owner_who_is_there_as_something_else(house: House) -> None:
    house.user("eve")
    with pytest.raises(Refused, match="Another user has this username"):
        bootstrap.bootstrap("eve", "new@example.com", again=False)


@pytest.fixture
def run(tables: EmbeddedEngine) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    with served(tables) as url:
        yield lambda *options, **changes: command(*options, AWS_ENDPOINT_URL_DYNAMODB=url, **changes)


def command(*options: str, **changes: str) -> subprocess.CompletedProcess[str]:
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **given, **changes}
    return subprocess.run(  # noqa: S603 - our own command
        [ROOT / "scripts" / "bootstrap", *options], env=environment, capture_output=True, text=True, check=False
    )


OWNER = ("--stage", "prod", "--username", "root", "--email", "root@example.com")
HERE = ("--table-prefix", "gatebook-")


def test_the_command_prints_the_token_alone_once(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    first = run(*OWNER, *HERE)
    assert (first.returncode, first.stderr.count("\n")) == (0, 1)
    assert Client(first.stdout.strip()).get("/api/v2/users/me").json["username"] == "root"
    second = run(*OWNER, *HERE)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        "bootstrap: There is an owner, root. Give --again to make another one, or to renew a lost token.\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (OWNER, "There are no tables called gatebook-prod-…: deploy first, or give --table-prefix."),
        (("--stage", "prod", "--username", "a b", "--email", "a@b", *HERE), "'a b' is not up to 31 letters"),
        (("--stage", "prod", "--username", "root", "--email", "nobody", *HERE), "'nobody' is not an e-mail address."),
    ],
)
def test_what_stands_in_the_way_is_told_in_one_line(
    run: Callable[..., subprocess.CompletedProcess[str]], options: tuple[str, ...], said: str
) -> None:
    result = run(*options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"bootstrap: {said}")
    assert result.stderr.count("\n") == 1


def test_an_engine_that_cannot_be_reached_is_told_in_one_line() -> None:
    result = command(*OWNER, AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9")
    assert result.returncode == 2
    assert result.stderr.startswith("bootstrap: DynamoDB cannot be reached: Could not connect to the endpoint URL")
    assert result.stderr.count("\n") == 1
