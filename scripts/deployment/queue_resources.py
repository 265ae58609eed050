"""The queue before the reader of events, its dead letters and its bucket, as CloudFormation resources.

All of it is there under one condition. The messages say who sent their events, and are believed: so nobody but the
function behind the API may send one or put an object, whatever rights they have beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.deployment.bucket_resources import arn, bucket, document, encrypted, objects, only_by
from scripts.deployment.handlers import HANDLERS, QUEUE_READER
from scripts.deployment.parameters import QUEUES_INGEST
from scripts.deployment.stages import Stage

RECEIVES = 10
"""How often a message is tried before it is a dead letter: an hour and a half at the least."""

API_ROLE = "ApiHandlerRole"
READER_ROLE = "StoreQueuedRole"
"""The roles of the two functions, as Chalice names them."""

API_RIGHTS = {"IngestQueue": ("sqs:SendMessage",), "IngestBucket": ("s3:PutObject",)}
"""By resource, what the function behind the API may do with the queue."""

# Without ListBucket S3 answers 403 for an object that is not there, and the reader has to know that it is not.
READER_RIGHTS = {
    "IngestQueue": ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "IngestBucket": ("s3:DeleteObject", "s3:GetObject", "s3:ListBucket"),
}
"""The rights of the reader; Lambda receives and deletes the messages with its role."""

DEAD_LETTERS_URL = "IngestDeadLettersUrl"
READER_NAME = "IngestReaderName"
"""The outputs that `scripts/replay` looks up."""

_KEPT_SECONDS = 14 * 86_400
_OBJECT_DAYS = 90
"""An object outlives its message, also one that was replayed time and again."""
_BATCH = 10
_READERS_AT_ONCE = 10
_VISIBILITY_TIMEOUTS = 6
"""Of the reader's own, as Lambda's manual wants it."""


def resources(stage: Stage) -> dict[str, Any]:
    """The resources, by logical id."""
    reader = next(handler for handler in HANDLERS if handler.name == QUEUE_READER)
    queue = {"MessageRetentionPeriod": _KEPT_SECONDS, "SqsManagedSseEnabled": True}
    redrive = {"deadLetterTargetArn": arn("IngestDeadLetters"), "maxReceiveCount": RECEIVES}
    made: dict[str, Any] = {
        "IngestDeadLetters": {"Type": "AWS::SQS::Queue", **stage.policies, "Properties": queue},
        "IngestQueue": {
            "Type": "AWS::SQS::Queue",
            **stage.policies,
            "Properties": {
                **queue,
                "VisibilityTimeout": _VISIBILITY_TIMEOUTS * reader.timeout_seconds,
                "RedrivePolicy": redrive,
            },
        },
        "IngestBucket": {"Type": "AWS::S3::Bucket", **stage.policies, "Properties": bucket(_OBJECT_DAYS)},
        "IngestQueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "IngestQueue"}],
                "PolicyDocument": document(
                    only_by(API_ROLE, "sqs:SendMessage", arn("IngestQueue")), encrypted("sqs:*", arn("IngestQueue"))
                ),
            },
        },
        "IngestBucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "IngestBucket"},
                "PolicyDocument": document(
                    only_by(API_ROLE, "s3:PutObject", objects("IngestBucket")),
                    encrypted("s3:*", [arn("IngestBucket"), objects("IngestBucket")]),
                ),
            },
        },
        "IngestSender": _rights(API_ROLE, API_RIGHTS),
        "IngestReader": _rights(READER_ROLE, READER_RIGHTS),
        "IngestSource": {
            "Type": "AWS::Lambda::EventSourceMapping",
            # Lambda refuses a queue that the function's role may not read.
            "DependsOn": "IngestReader",
            "Properties": {
                "EventSourceArn": arn("IngestQueue"),
                "FunctionName": {"Ref": reader.logical_id},
                "BatchSize": _BATCH,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": _READERS_AT_ONCE},
            },
        },
    }
    return {name: {"Condition": QUEUES_INGEST, **resource} for name, resource in made.items()}


def outputs() -> dict[str, Any]:
    """The outputs, by name."""
    reader = next(handler for handler in HANDLERS if handler.name == QUEUE_READER)
    return {
        DEAD_LETTERS_URL: {"Condition": QUEUES_INGEST, "Value": {"Ref": "IngestDeadLetters"}},
        READER_NAME: {"Condition": QUEUES_INGEST, "Value": {"Ref": reader.logical_id}},
    }


def _rights(role: str, rights: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    statements = []
    for resource, actions in rights.items():
        on_objects = [action for action in actions if action.startswith("s3:") and action != "s3:ListBucket"]
        on_itself = [action for action in actions if action not in on_objects]
        statements += [
            {"Effect": "Allow", "Action": allowed, "Resource": place}
            for allowed, place in ((on_itself, arn(resource)), (on_objects, objects("IngestBucket")))
            if allowed
        ]
    return {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "ingest-queue", "Roles": [{"Ref": role}], "PolicyDocument": document(*statements)},
    }
