from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from chalicelib.settings import InvalidSetting, Settings, declared, load

DAY = 24 * 3_600 * 1_000_000_000


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load({}) == Settings()


@pytest.mark.parametrize(
    ("env", "text", "field", "value"),
    [
        ("CODER_AUDIT_LOGS_RETENTION", "1w2d", "audit_logs_retention", 9 * DAY),
        ("CODER_CONNECTION_LOGS_RETENTION", "-1h", "connection_logs_retention", -DAY // 24),
        ("CODER_API_KEYS_RETENTION", "0", "api_keys_retention", 0),
        ("CODER_MAX_TOKEN_LIFETIME", " 30d ", "max_token_lifetime", 30 * DAY),
        ("CODER_ACCESS_URL", "https://gatebook.example.com", "access_url", "https://gatebook.example.com"),
        ("GATEBOOK_LOG_SHARDS", "64", "log_shards", 64),
        ("GATEBOOK_TABLE_PREFIX", "x", "table_prefix", "x"),
        ("GATEBOOK_ALLOW_ORIGIN", "*", "allow_origin", "*"),
        ("GATEBOOK_OWNER_USERNAME", "root-2", "owner_username", "root-2"),
    ],
)
def test_a_variable_sets_its_field_alone(env: str, text: str, field: str, value: Any) -> None:
    assert load({env: text}) == dataclasses.replace(Settings(), **{field: value})


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ("CODER_AUDIT_LOGS_RETENTION", "soon"),
        ("CODER_AUDIT_LOGS_RETENTION", ""),
        ("CODER_CONNECTION_LOGS_RETENTION", "30 days"),
        ("CODER_API_KEYS_RETENTION", "7"),
        ("CODER_DEFAULT_TOKEN_LIFETIME", "0"),
        ("CODER_MAX_TOKEN_LIFETIME", "-1h"),
        ("CODER_MAX_ADMIN_TOKEN_LIFETIME", "1y"),
        ("CODER_ACCESS_URL", "gatebook.example.com"),
        ("GATEBOOK_LOG_SHARDS", "0"),
        ("GATEBOOK_LOG_SHARDS", "65"),
        ("GATEBOOK_LOG_SHARDS", "1.5"),
        ("GATEBOOK_LOG_SHARDS", "٣"),
        ("GATEBOOK_TABLE_PREFIX", "no spaces"),
        ("GATEBOOK_TABLE_PREFIX", ""),
        ("GATEBOOK_ALLOW_ORIGIN", "example.com"),
        ("GATEBOOK_OWNER_USERNAME", "-owner"),
        ("GATEBOOK_OWNER_EMAIL", "owner"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_what_is_accepted(env: str, text: str) -> None:
    kind = next(field.metadata["kind"] for field in declared() if field.metadata["env"] == env)
    with pytest.raises(InvalidSetting) as caught:
        load({env: text})
    assert str(caught.value) == f"{env}={text!r} is not accepted: it takes {kind.accepts}."


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().log_shards = 2  # type: ignore[misc]


def test_every_setting_has_a_variable_of_its_own_and_a_sentence() -> None:
    names = [field.metadata["env"] for field in declared()]
    assert len(set(names)) == len(names)
    assert all(name.startswith(("CODER_", "GATEBOOK_")) for name in names)
    assert all(field.metadata["about"].endswith(".") for field in declared())


def test_table_names_begin_with_the_prefix() -> None:
    assert load({"GATEBOOK_TABLE_PREFIX": "prod-"}).table_name("users") == "prod-users"


def names(lanes: tuple[Any, ...]) -> list[str]:
    return [lane.name for lane in lanes]


def test_lanes_are_all_kept_unless_some_are_named_and_one_is_always() -> None:
    assert names(Settings().connection_lanes.read)[-1] == "all"
    assert Settings().connection_lanes.read == Settings().connection_lanes.written
    assert len(Settings().audit_lanes.read) > 5
    kept = load({"GATEBOOK_CONNECTION_LANES": " type , +status,workspace"}).connection_lanes
    assert names(kept.written) == ["workspace", "status", "type", "all"]
    assert names(kept.read) == ["workspace", "type", "all"]
    assert names(load({"GATEBOOK_AUDIT_LANES": "all"}).audit_lanes.written) == ["connection_event", "all"]


def test_optional_lanes_are_kept_beside_the_others_when_they_are_named() -> None:
    kept = load({"GATEBOOK_CONNECTION_LANES": "*, completed,+organization_type"}).connection_lanes
    assert {*names(kept.written)} == {*names(Settings().connection_lanes.written), "completed", "organization_type"}
    assert {*names(kept.read)} == {*names(Settings().connection_lanes.read), "completed"}


@pytest.mark.parametrize("text", ["", "workspaces", "type,,status", "type;status", "-type", "target"])
def test_a_lane_that_is_not_there_stops_the_start_and_is_named(text: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load({"GATEBOOK_CONNECTION_LANES": text})
    assert "status_type" in str(caught.value)
    assert repr(text) in str(caught.value)
