"""Alarms and one dashboard, as CloudFormation resources."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pynamodb.models import Model

from chalicelib.embedded_metrics import NAMESPACE
from chalicelib.lanes.catalogue import ARRIVAL, EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE
from chalicelib.platform.kinds import COARSE
from chalicelib.store.dynamodb.schema import table_definition
from chalicelib.store.dynamodb.tables import TABLES, AuditLogItem, ConnectionLogItem, PlatformItem
from scripts.deployment.handlers import HANDLERS, QUEUE_READER
from scripts.deployment.parameters import QUEUES_INGEST
from scripts.deployment.table_resources import logical_id

_PERIOD_SECONDS = 300
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400
_PURGE = "purge"
_OWN = {"Deployment": {"Ref": "TablePrefix"}}
_INGEST_ROUTES = ("POST /api/v2/connectionlog", "POST /api/v2/audit", QUEUE_READER)
_WAITING_SECONDS = 3_600


def alarms() -> dict[str, Any]:
    """The alarms, by logical id."""
    by_id = {
        "ApiServerErrorsAlarm": _alarm(
            "The API answered with a 5xx status five times in five minutes.",
            [_metric("AWS/ApiGateway", "5XXError", {"ApiName": {"Ref": "AWS::StackName"}})],
            above=4,
        )
    }
    by_id["StoreRefusalsAlarm"] = _alarm(
        "The store refuses an event whenever it is sent: a table, a right or a row's layout is wrong. It is not lost as"
        " long as its sender keeps it.",
        [_metric(NAMESPACE, "StoreRefusals", {**_OWN, "Route": route}) for route in _INGEST_ROUTES],
        above=0,
    )
    by_id["LostNotificationsAlarm"] = _alarm(
        "A notification could not be sent by mail or webhook and is not tried any more; the log of dispatch says why.",
        [_metric(NAMESPACE, "LostNotifications", _OWN)],
        above=0,
    )
    for handler in HANDLERS:
        own = {"FunctionName": {"Ref": handler.logical_id}}
        by_id[f"{handler.logical_id}ErrorsAlarm"] = _alarm(
            f"{handler.name} failed or ran out of time.", [_metric("AWS/Lambda", "Errors", own)], above=0
        )
        by_id[f"{handler.logical_id}ThrottlesAlarm"] = _alarm(
            f"Lambda refused to start {handler.name}: its concurrency or the account's is used up.",
            [_metric("AWS/Lambda", "Throttles", own)],
            above=0,
        )
    for table in TABLES:
        # What an index throttles is not in the table's own figure.
        places = [{}, *({"GlobalSecondaryIndexName": name} for name in _hot_indexes(table))]
        for kind in ("Read", "Write"):
            by_id[f"{logical_id(table)}{kind}ThrottlesAlarm"] = _alarm(
                f"DynamoDB throttled {kind.lower()}s of this table or of one of its indexes that many rows share a key"
                " of; of lanes, LogShards says how many events a second they take.",
                [
                    _metric("AWS/DynamoDB", f"{kind}ThrottleEvents", {"TableName": {"Ref": logical_id(table)}, **place})
                    for place in places
                ],
                above=0,
            )
    if _is_purged():
        by_id |= _purge_alarms()
    return by_id | {name: {"Condition": QUEUES_INGEST, **alarm} for name, alarm in _queue_alarms().items()}


def dashboard() -> dict[str, Any]:
    """The dashboard: what is asked and how fast it is answered, what fails, what is refused, what is read."""
    functions = [(handler.name, f"${{{handler.logical_id}}}") for handler in HANDLERS]
    tables = [f"${{{logical_id(table)}}}" for table in TABLES]
    api = ["ApiName", "${AWS::StackName}"]
    widgets = [
        _graph("Requests", [["AWS/ApiGateway", name, *api] for name in ("Count", "4XXError", "5XXError")]),
        _graph(
            "Answered within (ms)",
            [["AWS/ApiGateway", "Latency", *api, {"stat": stat}] for stat in ("p50", "p99")],
        ),
        _graph("Milliseconds by route, p99", [[_by_route("Duration", "p99")]]),
        _graph("Rows read by route", [[_by_route("RowsRead", "Sum")]]),
        _graph("Events rejected by route", [[_by_route("RejectedEvents", "Sum")]]),
        _graph("Functions: errors", _of_functions("AWS/Lambda", ("Errors", "Throttles"), functions)),
        _graph(
            "Functions: running at once", _of_functions("AWS/Lambda", ("ConcurrentExecutions",), functions, "Maximum")
        ),
        _graph("DynamoDB: write units", _of_tables(tables, "ConsumedWriteCapacityUnits")),
        _graph("DynamoDB: read units", _of_tables(tables, "ConsumedReadCapacityUnits")),
        _graph("DynamoDB: throttled", _of_tables(tables, "ReadThrottleEvents", "WriteThrottleEvents")),
    ]
    widgets += [
        _graph(f"DynamoDB indexes: {title}", [[_by_index(name)]])
        for title, name in (
            ("write units", "ConsumedWriteCapacityUnits"),
            ("read units", "ConsumedReadCapacityUnits"),
            ("throttled writes", "WriteThrottleEvents"),
            ("throttled reads", "ReadThrottleEvents"),
        )
    ]
    if _is_purged():
        own = 'Deployment="${TablePrefix}"'
        rows = f"SEARCH('{{{NAMESPACE},Deployment,DataSet}} MetricName=\"PurgedRows\" {own}', 'Sum', {_HOUR_SECONDS})"
        lag = [NAMESPACE, "PurgeLagSeconds", "Deployment", "${TablePrefix}", {"stat": "Maximum"}]
        widgets.append(_graph("Purged rows", [[{"expression": rows}]]))
        widgets.append(_graph("Purge: seconds behind", [lag]))
    for number, widget in enumerate(widgets):
        widget |= {"type": "metric", "width": 12, "height": 6, "x": number % 2 * 12, "y": number // 2 * 6}
    body = json.dumps({"widgets": widgets}, separators=(",", ":"))
    return {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Sub": body}}}}


def _is_purged() -> bool:
    return any(handler.name == _PURGE for handler in HANDLERS)


def _purge_alarms() -> dict[str, Any]:
    return {
        "PurgeLagAlarm": _alarm(
            "Rows are kept a day longer than the policy says: the purge does not keep up.",
            [_metric(NAMESPACE, "PurgeLagSeconds", _OWN, "Maximum", _HOUR_SECONDS)],
            above=_DAY_SECONDS,
        ),
        "PurgeFailureAlarm": _alarm(
            "A run of the purge failed; its record says why.",
            [_metric(NAMESPACE, "PurgeSuccess", _OWN, "Minimum", _HOUR_SECONDS)],
            below=1,
            missing="notBreaching",
        ),
        "PurgeSilenceAlarm": _alarm(
            "For an hour no purge ended well; also in the first hour of a deployment.",
            [_metric(NAMESPACE, "PurgeSuccess", _OWN, "Sum", _HOUR_SECONDS)],
            below=1,
            missing="breaching",
        ),
    }


def _queue_alarms() -> dict[str, Any]:
    def metric(name: str, queue: str) -> dict[str, Any]:
        return _metric("AWS/SQS", name, {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}}, "Maximum")

    return {
        "IngestDeadLettersAlarm": _alarm(
            "Events that were acknowledged are not stored, however often it was tried: they are among the dead letters."
            " scripts/replay tries them again.",
            [metric("ApproximateNumberOfMessagesVisible", "IngestDeadLetters")],
            above=0,
        ),
        "IngestQueueAgeAlarm": _alarm(
            "Events wait in the queue for more than an hour.",
            [metric("ApproximateAgeOfOldestMessage", "IngestQueue")],
            above=_WAITING_SECONDS,
        ),
    }


def _metric(
    namespace: str, name: str, dimensions: dict[str, Any], stat: str = "Sum", period: int = _PERIOD_SECONDS
) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric: dict[str, Any] = {"Namespace": namespace, "MetricName": name}
    if named:
        metric["Dimensions"] = named
    return {"Metric": metric, "Stat": stat, "Period": period}


def _hot_indexes(table: type[Model]) -> list[str]:
    """The indexes in which many rows share a key; an alarm takes ten metrics, and the table itself is one."""
    if table is PlatformItem:
        return list(COARSE)
    # The lane in order of arrival takes the writes that the one of all rows takes, which is watched.
    coarse = {lane.name for lane in (*EVERY_CONNECTION_LANE, *EVERY_AUDIT_LANE) if lane.coarse} - {ARRIVAL}
    indexes: Any = table_definition(table).get("GlobalSecondaryIndexes", [])
    names = [index["IndexName"] for index in indexes]
    return [name for name in names if name in coarse or table not in (ConnectionLogItem, AuditLogItem)]


def _by_index(metric: str) -> dict[str, str]:
    where = f'{{AWS/DynamoDB,TableName,GlobalSecondaryIndexName}} MetricName="{metric}" "${{TablePrefix}}"'
    return {"expression": f"SEARCH('{where}', 'Sum', {_PERIOD_SECONDS})"}


def _alarm(
    about: str,
    metrics: list[dict[str, Any]],
    *,
    above: int = 0,
    below: int | None = None,
    missing: str = "notBreaching",
) -> dict[str, Any]:
    queries = [{"Id": f"m{index}", "MetricStat": metric, "ReturnData": False} for index, metric in enumerate(metrics)]
    # A sum of several takes what is missing of them for nothing; one alone may be missing.
    several = len(metrics) > 1
    total = " + ".join(f"FILL(m{index}, 0)" if several else f"m{index}" for index in range(len(metrics)))
    topic = [{"Fn::If": ["HasAlarmTopicArn", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": about,
            "Metrics": [*queries, {"Id": "total", "Expression": total, "ReturnData": True}],
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold" if below is None else "LessThanThreshold",
            "Threshold": above if below is None else below,
            "TreatMissingData": missing,
            "AlarmActions": topic,
            "OKActions": topic,
        },
    }


def _graph(title: str, metrics: list[Any]) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": "${AWS::Region}",
        "stat": "Sum",
        "period": _PERIOD_SECONDS,
        "metrics": metrics,
    }
    return {"properties": properties}


def _of_functions(
    namespace: str, names: Iterable[str], functions: Iterable[tuple[str, str]], stat: str = "Sum"
) -> list[list[Any]]:
    return [
        [namespace, name, "FunctionName", resource, {"label": f"{label} {name}", "stat": stat}]
        for label, resource in functions
        for name in names
    ]


def _of_tables(tables: Iterable[str], *names: str) -> list[list[Any]]:
    return [["AWS/DynamoDB", name, "TableName", table] for table in tables for name in names]


def _by_route(metric: str, stat: str) -> dict[str, str]:
    where = f'{{{NAMESPACE},Deployment,Route}} MetricName="{metric}" Deployment="${{TablePrefix}}"'
    return {"expression": f"SEARCH('{where}', '{stat}', {_PERIOD_SECONDS})"}
