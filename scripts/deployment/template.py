"""Writes `.chalice/resources.json` and the policies from the tables: `python -m scripts.deployment.template`.

They are committed, so that a change of a table is seen in review, and a test fails when they are not up to date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pynamodb.models import Model

from chalicelib.settings import current
from chalicelib.store.schema import table_definition
from chalicelib.store.tables import (
    TABLES,
    TIMES_TO_LIVE,
    APIKeyItem,
    AuditLogItem,
    ConnectionLogItem,
    OrganizationItem,
    RetentionItem,
    UserItem,
)

DIRECTORY = Path(__file__).resolve().parents[2] / ".chalice"
STAGES = ("dev", "prod")

_USED: dict[type[Model], tuple[str, ...]] = {
    UserItem: ("BatchGetItem", "GetItem", "PutItem", "UpdateItem"),
    OrganizationItem: ("BatchGetItem", "GetItem", "PutItem", "UpdateItem"),
    APIKeyItem: ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"),
    AuditLogItem: ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem"),
    ConnectionLogItem: ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"),
    RetentionItem: ("DeleteItem", "GetItem", "PutItem", "UpdateItem"),
}
"""The calls that the API makes on each table itself; indexes are only ever queried."""


def resources() -> dict[str, Any]:
    """The CloudFormation fragment that `chalice package --merge-template` takes in: one resource per table."""
    return {"Resources": {_logical_id(table): _table(table) for table in TABLES}}


def policy() -> dict[str, Any]:
    """What the API's Lambda function may do: its log, its traces, and the calls it makes on the tables it has."""
    statements = [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:*:logs:*:*:log-group:/aws/lambda/gatebook-*",
        },
        {"Effect": "Allow", "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "Resource": "*"},
    ]
    for table in TABLES:
        arn = f"arn:*:dynamodb:*:*:table/{table.Meta.table_name}"
        actions = [f"dynamodb:{call}" for call in _USED[table]]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": arn})
        indexes = [f"{arn}/index/{name}" for name in _index_names(table)]
        if indexes:
            statements.append({"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": indexes})
    return {"Version": "2012-10-17", "Statement": statements}


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    made: dict[str, dict[str, Any]] = {"resources.json": resources()}
    made |= {f"policy-{stage}.json": policy() for stage in STAGES}
    return {DIRECTORY / name: json.dumps(body, indent=2) + "\n" for name, body in made.items()}


def _table(table: type[Model]) -> dict[str, Any]:
    to_live = TIMES_TO_LIVE.get(table)
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            **table_definition(table),
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
            **({"TimeToLiveSpecification": {"AttributeName": to_live, "Enabled": True}} if to_live else {}),
        },
    }


def _logical_id(table: type[Model]) -> str:
    name: str = table.Meta.table_name.removeprefix(current().table_prefix)
    return "".join(part.capitalize() for part in name.split("_")) + "Table"


def _index_names(table: type[Model]) -> list[str]:
    indexes: Any = table_definition(table).get("GlobalSecondaryIndexes", [])
    return [index["IndexName"] for index in indexes]


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text)
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
