"""Capacity of the logs as the deployment chooses it: paid by request, or provisioned with auto scaling, lane by lane.

Directory, tokens and retention stay paid by request: they are a thousandth of the bill, and bursts of them are short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pynamodb.models import Model

from chalicelib.store.dynamodb.schema import table_definition
from chalicelib.store.dynamodb.tables import AuditLogItem, ConnectionLogItem

SCALED: tuple[type[Model], ...] = (ConnectionLogItem, AuditLogItem)
"""The tables whose capacity is chosen."""

BILLING_MODES = ("PAY_PER_REQUEST", "PROVISIONED")
TABLE_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
PROVISIONS = "ProvisionsCapacity"
"""The condition of all that scales."""
TARGET_PERCENT = 70
"""The share of the capacity that auto scaling aims at: what is left takes a burst until more is there."""

_NOTHING = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True, slots=True)
class Dimension:
    """Reads or writes.

    Attributes:
        units: their name in a template, `ReadCapacityUnits`.
        metric: the metric of how much of them is used.
        name: their name in parameters and logical ids.
    """

    units: str
    metric: str
    name: str

    @property
    def least(self) -> str:
        """The parameter of the minimum."""
        return f"Min{self.name}Capacity"

    @property
    def most(self) -> str:
        """The parameter of the maximum."""
        return f"Max{self.name}Capacity"


READS = Dimension("ReadCapacityUnits", "DynamoDBReadCapacityUtilization", "Read")
WRITES = Dimension("WriteCapacityUnits", "DynamoDBWriteCapacityUtilization", "Write")
DIMENSIONS = (READS, WRITES)


def parameters() -> dict[str, Any]:
    """The parameters of a template, by name."""
    capacity: dict[str, Any] = {
        "BillingMode": {
            "Type": "String",
            "Default": BILLING_MODES[0],
            "AllowedValues": list(BILLING_MODES),
            "Description": "How the tables of both logs and their lanes are paid: by request, or as provisioned.",
        },
        "TableClass": {
            "Type": "String",
            "Default": TABLE_CLASSES[0],
            "AllowedValues": list(TABLE_CLASSES),
            "Description": "Class of the tables of both logs; for infrequent access storage costs less, calls more.",
        },
    }
    for dimension in DIMENSIONS:
        for name, what, default in ((dimension.least, "least", 5), (dimension.most, "most", 4_000)):
            capacity[name] = {
                "Type": "Number",
                "Default": default,
                "MinValue": 1,
                "Description": f"The {what} {dimension.units} of each table of the logs and each lane, as provisioned.",
            }
    return capacity


def conditions() -> dict[str, Any]:
    """The condition of all that scales, by name."""
    return {PROVISIONS: {"Fn::Equals": [{"Ref": "BillingMode"}, "PROVISIONED"]}}


def definition(table: type[Model]) -> dict[str, Any]:
    """The definition of a table with its capacity."""
    made: dict[str, Any] = table_definition(table)
    if table not in SCALED:
        return made
    begin = {"Fn::If": [PROVISIONS, {dimension.units: {"Ref": dimension.least} for dimension in DIMENSIONS}, _NOTHING]}
    lanes = [{**lane, "ProvisionedThroughput": begin} for lane in _lanes(made)]
    return {
        **made,
        "BillingMode": {"Ref": "BillingMode"},
        "TableClass": {"Ref": "TableClass"},
        "ProvisionedThroughput": begin,
        "GlobalSecondaryIndexes": lanes,
    }


def scaling(tables: Mapping[str, type[Model]]) -> dict[str, Any]:
    """The targets and policies of auto scaling, by logical id.

    Args:
        tables: by logical id.
    """
    resources: dict[str, Any] = {}
    for logical_id, table in tables.items():
        if table not in SCALED:
            continue
        places = [("", "table", f"table/${{{logical_id}}}")]
        places += [
            (_words(lane["IndexName"]), "index", f"table/${{{logical_id}}}/index/{lane['IndexName']}")
            for lane in _lanes(table_definition(table))
        ]
        for name, kind, resource in places:
            for dimension in DIMENSIONS:
                resources |= _scaled(f"{logical_id}{name}{dimension.name}", kind, resource, dimension)
    return resources


def _scaled(logical_id: str, kind: str, resource: str, dimension: Dimension) -> dict[str, Any]:
    target = f"{logical_id}Target"
    return {
        target: {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Condition": PROVISIONS,
            "Properties": {
                "ServiceNamespace": "dynamodb",
                "ResourceId": {"Fn::Sub": resource},
                "ScalableDimension": f"dynamodb:{kind}:{dimension.units}",
                "MinCapacity": {"Ref": dimension.least},
                "MaxCapacity": {"Ref": dimension.most},
            },
        },
        f"{logical_id}Scaling": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Condition": PROVISIONS,
            "Properties": {
                "PolicyName": dimension.metric,
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": target},
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": dimension.metric},
                    "TargetValue": TARGET_PERCENT,
                },
            },
        },
    }


def _lanes(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", definition["GlobalSecondaryIndexes"])


def _words(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
