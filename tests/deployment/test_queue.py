"""The queue is there where it is asked for and nowhere else, and takes messages from the API's function alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.deployment import parameters, queue_resources, template
from scripts.deployment.handlers import HANDLERS, QUEUE_READER
from scripts.deployment.stages import STAGES

MADE = template.resources(STAGES["prod"])
QUEUE = queue_resources.resources(STAGES["prod"])
CONDITION = parameters.QUEUES_INGEST


def unconditioned(value: Any) -> Iterator[str]:
    """The resources that a part of the template names where there is no queue."""
    match value:
        case {"Fn::If": [condition, _, otherwise]} if condition == CONDITION:
            yield from unconditioned(otherwise)
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:])
        case dict():
            for name, inner in value.items():
                yield from () if name == "DependsOn" else unconditioned(inner)
        case list():
            for inner in value:
                yield from unconditioned(inner)


def test_it_is_off_by_default() -> None:
    assert MADE["Parameters"]["QueueIngest"]["Default"] == "false"
    assert MADE["Conditions"][CONDITION] == {"Fn::Equals": [{"Ref": "QueueIngest"}, "true"]}


def test_without_it_nothing_of_it_is_there_or_named() -> None:
    there = {**MADE["Resources"], **MADE["Outputs"]}
    conditioned = {name for name, resource in there.items() if resource.get("Condition") == CONDITION}
    assert QUEUE.keys() <= conditioned
    kinds = ("AWS::SQS::", "AWS::S3::", "AWS::Lambda::EventSourceMapping")
    others = {name for name, one in MADE["Resources"].items() if one.get("Condition") == parameters.WRITES_EXPORTS}
    of_kinds = {name for name, one in MADE["Resources"].items() if one.get("Type", "").startswith(kinds)}
    assert of_kinds - others <= conditioned
    named = {name for one in there.keys() - conditioned for name in unconditioned(there[one])}
    assert named & QUEUE.keys() == set()
    assert "TablePrefix" in named, "what is looked for is found"


@pytest.mark.parametrize(
    ("policy", "action"), [("IngestQueuePolicy", "sqs:SendMessage"), ("IngestBucketPolicy", "s3:PutObject")]
)
def test_a_message_of_anybody_else_is_denied(policy: str, action: str) -> None:
    (denied, plain) = QUEUE[policy]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", action)
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["ApiHandlerRole", "Arn"]}}}
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_each_function_may_do_its_part_and_no_star_is_in_an_action() -> None:
    granted = {}
    for name in ("IngestSender", "IngestReader"):
        properties = QUEUE[name]["Properties"]
        statements = properties["PolicyDocument"]["Statement"]
        granted[properties["Roles"][0]["Ref"]] = {action for one in statements for action in one["Action"]}
        assert all(set(unconditioned(one["Resource"])) <= {"IngestQueue", "IngestBucket"} for one in statements)
    assert granted["ApiHandlerRole"] == {"sqs:SendMessage", "s3:PutObject"}
    assert not [action for action in granted["StoreQueuedRole"] if "*" in action or "Send" in action or "Put" in action]


def test_a_message_is_hidden_until_its_reader_has_surely_ended_and_only_failures_come_back() -> None:
    reader = next(handler for handler in HANDLERS if handler.name == QUEUE_READER)
    assert QUEUE["IngestQueue"]["Properties"]["VisibilityTimeout"] >= 6 * reader.timeout_seconds
    source = QUEUE["IngestSource"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["FunctionName"] == {"Ref": reader.logical_id}
    assert QUEUE["IngestSource"]["DependsOn"] == "IngestReader"


def test_dead_letters_raise_an_alarm_and_an_object_outlives_its_letter() -> None:
    redrive = QUEUE["IngestQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["IngestDeadLetters", "Arn"]}
    alarm = MADE["Resources"]["IngestDeadLettersAlarm"]
    assert '"IngestDeadLetters", "QueueName"' in json.dumps(alarm)
    assert (alarm["Condition"], alarm["Properties"]["Threshold"]) == (CONDITION, 0)
    kept = QUEUE["IngestDeadLetters"]["Properties"]["MessageRetentionPeriod"]
    (rule,) = QUEUE["IngestBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] * 86_400 > 2 * kept


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_what_waits_outlives_the_stack_in_production(stage: Any) -> None:
    made = queue_resources.resources(stage)
    kept = "RetainExceptOnCreate" if stage.keeps else "Delete"
    assert {made[name]["DeletionPolicy"] for name in ("IngestQueue", "IngestDeadLetters", "IngestBucket")} == {kept}
