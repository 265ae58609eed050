"""From any deployed set of indexes to any other, one index of a table at a time, and the new code in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.store.dynamodb.client import call
from scripts.deployment import table_resources, template
from scripts.deployment.indexes import Unchangeable, changes, steps
from scripts.deployment.stages import STAGES
from scripts.local.engine import EmbeddedEngine

NAMES = "abcdef"


def table(indexes: str) -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "grown",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("id", *indexes)],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": name,
                    "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for name in indexes
            ],
        },
    }


def stack(code: str, **tables: str) -> dict[str, Any]:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": code}}
    return {"Resources": {"APIHandler": function, **{name: table(indexes) for name, indexes in tables.items()}}}


def indexes(template_: dict[str, Any], name: str = "Logs") -> str:
    return "".join(one["IndexName"] for one in template_["Resources"][name]["Properties"]["GlobalSecondaryIndexes"])


def code(template_: dict[str, Any]) -> str:
    text: str = template_["Resources"]["APIHandler"]["Properties"]["CodeUri"]
    return text


def test_without_a_change_of_indexes_there_is_one_step() -> None:
    new = stack("new", Logs="ab")
    assert steps(stack("old", Logs="ab"), new) == [new]


def test_indexes_come_under_the_old_code_and_go_after_the_new() -> None:
    templates = steps(stack("old", Logs="ab"), stack("new", Logs="acd"))
    assert [(code(step), indexes(step)) for step in templates] == [
        ("old", "abc"),
        ("old", "abcd"),
        ("new", "acdb"),
        ("new", "acd"),
    ]


def test_several_tables_go_side_by_side_and_a_new_one_comes_whole() -> None:
    templates = steps(stack("old", Logs="a", Keys="x"), stack("new", Logs="abc", Keys="xy", Runs="abc"))
    assert [(indexes(step), indexes(step, "Keys")) for step in templates] == [
        ("ab", "xy"),
        ("abc", "xy"),
        ("abc", "xy"),
    ]
    assert ["Runs" in step["Resources"] for step in templates] == [False, False, True]


def test_an_index_that_is_changed_must_be_called_something_else() -> None:
    new = stack("new", Logs="ab")
    new["Resources"]["Logs"]["Properties"]["GlobalSecondaryIndexes"][1]["Projection"] = {"ProjectionType": "ALL"}
    with pytest.raises(Unchangeable, match="Index b of Logs"):
        steps(stack("old", Logs="ab"), new)


@pytest.mark.parametrize(("new", "attributes"), [("bcdefghijklmnopqrstu", 1), ("bc", 45)])
def test_a_way_on_which_a_table_has_too_many_indexes_is_none(new: str, attributes: int) -> None:
    deployed, following = stack("old", Logs="a"), stack("new", Logs=new)
    for made in (deployed, following):
        for index in made["Resources"]["Logs"]["Properties"]["GlobalSecondaryIndexes"]:
            names = [f"{index['IndexName']}{number}" for number in range(attributes)]
            index["Projection"] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": names}
    assert steps(following, following) == [following]
    with pytest.raises(Unchangeable, match="On the way Logs would have"):
        steps(deployed, following)


def test_no_table_has_more_indexes_than_dynamodb_takes() -> None:
    for stage in STAGES.values():
        made = {"Resources": table_resources.tables(stage)}
        assert steps(made, made) == [made]


index_letters = st.lists(st.sampled_from(NAMES), unique=True, min_size=1).map("".join)


@given(old=index_letters, new=index_letters, old_keys=index_letters, new_keys=index_letters)
def test_no_step_changes_more_than_one_index_of_a_table(old: str, new: str, old_keys: str, new_keys: str) -> None:
    before, last = stack("old", Logs=old, Keys=old_keys), stack("new", Logs=new, Keys=new_keys)
    for step in steps(before, last):
        for added, removed in changes(before, step).values():
            assert len(added) + len(removed) == 1
        if code(step) != code(before):
            assert set(indexes(step)) >= {*new}
            assert set(indexes(before)) >= {*new}, "what the new code reads was there before it"
        for name in ("Logs", "Keys"):
            properties = step["Resources"][name]["Properties"]
            types = {definition["AttributeName"] for definition in properties["AttributeDefinitions"]}
            assert types == {"id", *indexes(step, name)}
        before = step
    assert before == last


def test_the_engine_takes_every_step(tables: EmbeddedEngine) -> None:
    assert tables.running
    old, new = stack("old", Logs="ab"), stack("new", Logs="bcd")
    call("CreateTable", old["Resources"]["Logs"]["Properties"])
    try:
        call("PutItem", {"TableName": "grown", "Item": {"id": {"S": "1"}, "c": {"S": "known before"}}})
        before = old
        for step in steps(old, new):
            properties = step["Resources"]["Logs"]["Properties"]
            by_name = {index["IndexName"]: index for index in properties["GlobalSecondaryIndexes"]}
            for added, removed in changes(before, step).values():
                updates = [{"Create": by_name[name]} for name in added]
                updates += [{"Delete": {"IndexName": name}} for name in removed]
                definitions = properties["AttributeDefinitions"]
                request = {"TableName": "grown", "AttributeDefinitions": definitions}
                call("UpdateTable", {**request, "GlobalSecondaryIndexUpdates": updates})
            before = step
        made = call("DescribeTable", {"TableName": "grown"})["Table"]["GlobalSecondaryIndexes"]
        assert sorted(index["IndexName"] for index in made) == ["b", "c", "d"]
        answer = call(
            "Query",
            {
                "TableName": "grown",
                "IndexName": "c",
                "KeyConditionExpression": "c = :c",
                "ExpressionAttributeValues": {":c": {"S": "known before"}},
            },
        )
        assert answer["Count"] == 1
    finally:
        call("DeleteTable", {"TableName": "grown"})


def test_a_lane_more_is_two_steps_of_the_real_template() -> None:
    new = template.resources(STAGES["prod"])
    old = template.resources(STAGES["prod"])
    logs = old["Resources"]["ConnectionLogsTable"]["Properties"]
    newest = logs["GlobalSecondaryIndexes"].pop()
    merged = {"Type": "AWS::Serverless::Function"}
    for one in (old, new):
        for resource in one["Resources"].values():
            resource.setdefault("Type", merged["Type"])
    first, last = steps(old, new)
    assert changes(old, first) == {"ConnectionLogsTable": ([newest["IndexName"]], [])}
    assert last == new
