"""The key that values of user secrets are encrypted by, as a CloudFormation resource; there under one condition.

The account's administrators may manage the key, and nobody but the function behind the API may use it: the policy of
the key names that function's role alone, so that no right that others have opens a value.
"""

from __future__ import annotations

from typing import Any

from scripts.deployment.parameters import KEEPS_SECRETS
from scripts.deployment.queue_resources import API_ROLE
from scripts.deployment.stages import Stage

KEY = "SecretsKey"
"""Its logical id."""

USED = ("kms:Decrypt", "kms:GenerateDataKey")
"""The actions of the function with the key."""

_MANAGED = (
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
)
_DELETION_DAYS = 30


def resources(stage: Stage) -> dict[str, Any]:
    """The resources, by logical id."""
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    # Values are bound to a user and a secret: without saying which, the key does nothing.
    bound = {"StringLike": {f"kms:EncryptionContext:{name}": "?*" for name in ("secret", "user")}}
    return {
        KEY: {
            "Type": "AWS::KMS::Key",
            "Condition": KEEPS_SECRETS,
            **stage.policies,
            "Properties": {
                "Description": {"Fn::Sub": "${AWS::StackName}: values of user secrets"},
                "EnableKeyRotation": True,
                "PendingWindowInDays": _DELETION_DAYS,
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        # In the policy of a key the star is the key itself.
                        {"Effect": "Allow", "Principal": {"AWS": account}, "Action": list(_MANAGED), "Resource": "*"},
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": {"Fn::GetAtt": [API_ROLE, "Arn"]}},
                            "Action": list(USED),
                            "Resource": "*",
                            "Condition": bound,
                        },
                    ],
                },
            },
        }
    }
