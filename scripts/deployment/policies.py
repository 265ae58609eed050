"""The rights of each handler: its calls, on its tables and indexes; its own log; its traces."""

from __future__ import annotations

from typing import Any

from scripts.deployment.handlers import Handler
from scripts.deployment.table_resources import logical_id


def policy(handler: Handler) -> dict[str, Any]:
    """The policy of a handler's role. Resources are named by reference: they are those of the same stack."""
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [log_group_id(handler), "Arn"]},
        },
        # X-Ray knows no resources: AWS takes nothing but a star here.
        {"Effect": "Allow", "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "Resource": "*"},
    ]
    for table, calls in handler.calls.items():
        if calls.own:
            actions = [f"dynamodb:{call}" for call in calls.own]
            table_arn = {"Fn::GetAtt": [logical_id(table), "Arn"]}
            statements.append({"Effect": "Allow", "Action": actions, "Resource": table_arn})
        if calls.queried:
            indexes = [{"Fn::Sub": f"${{{logical_id(table)}.Arn}}/index/{name}"} for name in calls.queried]
            statements.append({"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": indexes})
    return {"Version": "2012-10-17", "Statement": statements}


def log_group_id(handler: Handler) -> str:
    """The logical id of a handler's log group."""
    return f"{handler.logical_id}Logs"
