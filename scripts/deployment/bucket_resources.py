"""Buckets of the stack, and policies of their objects: private, encrypted, and emptied after some days."""

from __future__ import annotations

from typing import Any


def bucket(days: int) -> dict[str, Any]:
    """The properties of a bucket whose objects are deleted after so many days."""
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": days}]},
    }


def arn(resource: str) -> dict[str, Any]:
    """The ARN of a resource."""
    return {"Fn::GetAtt": [resource, "Arn"]}


def objects(name: str) -> dict[str, Any]:
    """The ARNs of the objects of a bucket."""
    return {"Fn::Sub": f"${{{name}.Arn}}/*"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def only_by(role: str, action: str, resource: Any) -> dict[str, Any]:  # noqa: ANN401 - a reference or a text
    """The statement that denies an action to everybody but a role."""
    condition = {"ArnNotEquals": {"aws:PrincipalArn": arn(role)}}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}


def encrypted(action: str, resource: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """The statement that denies an action to who does not come by TLS."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}
