"""The right to send notifications through Amazon SES, as a CloudFormation resource; there where the deployment does."""

from __future__ import annotations

from typing import Any

from scripts.deployment.parameters import SENDS_BY_SES, name

SENDER_ROLE = "DispatchRole"
"""The role of the function that sends, as Chalice names it."""

USED = ("ses:SendEmail",)
"""The actions of the function with SES."""


def resources() -> dict[str, Any]:
    """The resources, by logical id."""
    identities = {"Fn::Sub": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"}
    statement = {
        "Effect": "Allow",
        "Action": list(USED),
        "Resource": identities,
        # Nobody's name but that of the deployment can be under what it sends.
        "Condition": {"StringEquals": {"ses:FromAddress": {"Ref": name("CODER_EMAIL_FROM")}}},
    }
    return {
        "MailSender": {
            "Type": "AWS::IAM::Policy",
            "Condition": SENDS_BY_SES,
            "Properties": {
                "PolicyName": "mail",
                "Roles": [{"Ref": SENDER_ROLE}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            },
        }
    }
