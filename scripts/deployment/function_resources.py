"""The functions as CloudFormation resources: what is added to those that Chalice declares, and their logs."""

from __future__ import annotations

from typing import Any

from scripts.deployment.handlers import API, EXPORT_WRITER, HANDLERS, QUEUE_READER, Handler
from scripts.deployment.parameters import concurrency, environment, memory
from scripts.deployment.policies import log_group_id
from scripts.deployment.stages import Stage


def functions(stage: Stage) -> dict[str, Any]:
    """Parts of the functions, and their log groups, by logical id."""
    resources: dict[str, Any] = {}
    for handler in HANDLERS:
        if handler.name not in (API, QUEUE_READER):
            # The next event of a schedule does what a failed one did not; a second run at once finds the lease taken.
            # An export has no next event, and goes on where it failed.
            retries = 2 if handler.name == EXPORT_WRITER else 0
            resources[f"{handler.logical_id}Invocations"] = {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": handler.logical_id},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": retries,
                    "MaximumEventAgeInSeconds": 600,
                },
            }
        resources[handler.logical_id] = {"Properties": _properties(handler)}
        resources[log_group_id(handler)] = {
            "Type": "AWS::Logs::LogGroup",
            **stage.policies,
            "Properties": {"RetentionInDays": {"Ref": "LogRetentionDays"}},
        }
    return resources


def _properties(handler: Handler) -> dict[str, Any]:
    reserved = concurrency(handler)
    return {
        "MemorySize": {"Ref": memory(handler)},
        "Environment": {"Variables": environment(handler)},
        "ReservedConcurrentExecutions": {
            "Fn::If": [f"Has{reserved}", {"Ref": reserved}, {"Ref": "AWS::NoValue"}],
        },
        # A log group that is there before the function lets its role be given that one group and no other. Lambda's
        # own lines about every invocation are left out: each request has one line of ours.
        "LoggingConfig": {
            "LogGroup": {"Ref": log_group_id(handler)},
            "LogFormat": "JSON",
            "ApplicationLogLevel": "INFO",
            "SystemLogLevel": "WARN",
        },
        # Lambda ends a chain of some sixteen starts otherwise, and a long export is one.
        **({"RecursiveLoop": "Allow"} if handler.name == EXPORT_WRITER else {}),
    }
