"""The bucket of exports and what the two functions may do with it, as CloudFormation resources under one condition.

Only the function that writes exports may put a file there, whatever rights somebody has beside. The function behind the
API reads them for the links that it signs, and deletes them.
"""

from __future__ import annotations

from typing import Any

from chalicelib.api.export_writer import FORGOTTEN_AFTER
from scripts.deployment.bucket_resources import arn, bucket, document, encrypted, objects, only_by
from scripts.deployment.parameters import WRITES_EXPORTS
from scripts.deployment.queue_resources import API_ROLE
from scripts.deployment.stages import Stage

WRITER_ROLE = "WriteExportRole"
"""The role of the function that writes exports, as Chalice names it."""

API_RIGHTS = ("s3:DeleteObject", "s3:GetObject")
WRITER_RIGHTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
"""The rights of the functions with files. Both list the bucket, and start the function that writes."""

_BUCKET = "ExportBucket"
_FUNCTION = "WriteExport"
_DAYS = FORGOTTEN_AFTER.days + 1
"""A day more than an export is known, for its last part is younger than its first."""


def resources(stage: Stage) -> dict[str, Any]:
    """The resources, by logical id."""
    made: dict[str, Any] = {
        _BUCKET: {"Type": "AWS::S3::Bucket", **stage.policies, "Properties": bucket(_DAYS)},
        "ExportBucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": _BUCKET},
                "PolicyDocument": document(
                    only_by(WRITER_ROLE, "s3:PutObject", objects(_BUCKET)),
                    encrypted("s3:*", [arn(_BUCKET), objects(_BUCKET)]),
                ),
            },
        },
        "ExportReader": _rights(API_ROLE, API_RIGHTS),
        "ExportWriter": _rights(WRITER_ROLE, WRITER_RIGHTS),
    }
    return {name: {"Condition": WRITES_EXPORTS, **resource} for name, resource in made.items()}


def _rights(role: str, actions: tuple[str, ...]) -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": objects(_BUCKET)},
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": arn(_BUCKET)},
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": arn(_FUNCTION)},
    ]
    return {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "exports", "Roles": [{"Ref": role}], "PolicyDocument": document(*statements)},
    }
