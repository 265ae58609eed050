"""The tables as CloudFormation resources, made from the models that the code uses."""

from __future__ import annotations

from typing import Any

from pynamodb.models import Model

from chalicelib.settings import current
from chalicelib.store.dynamodb.tables import TABLES, TIMES_TO_LIVE
from scripts.deployment import capacity
from scripts.deployment.stages import Stage


def tables(stage: Stage) -> dict[str, Any]:
    """One resource per table, by logical id."""
    return {logical_id(table): _resource(table, stage) for table in TABLES}


def scaling() -> dict[str, Any]:
    """The resources that scale tables whose capacity is provisioned, by logical id."""
    return capacity.scaling({logical_id(table): table for table in TABLES})


def base_name(table: type[Model]) -> str:
    """The name of a table without the prefix of its deployment."""
    name: str = table.Meta.table_name.removeprefix(current().table_prefix)
    return name


def logical_id(table: type[Model]) -> str:
    """The name of a table in the template."""
    return "".join(part.capitalize() for part in base_name(table).split("_")) + "Table"


def _resource(table: type[Model], stage: Stage) -> dict[str, Any]:
    properties: dict[str, Any] = {
        **capacity.definition(table),
        "TableName": {"Fn::Sub": f"${{TablePrefix}}{base_name(table)}"},
        "DeletionProtectionEnabled": stage.keeps,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    if table in TIMES_TO_LIVE:
        properties["TimeToLiveSpecification"] = {"AttributeName": TIMES_TO_LIVE[table], "Enabled": True}
    return {
        "Type": "AWS::DynamoDB::Table",
        **stage.policies,
        "Properties": properties,
    }
