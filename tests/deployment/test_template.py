"""The template deploys what the code declares: tables, indexes, settings, functions, and the answers of the gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from pynamodb.models import Model

from app import app
from chalicelib.errors import GatebookError, NotFound
from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, Lane
from chalicelib.retention import metrics
from chalicelib.retention.policy import Policy
from chalicelib.retention.run import Mandate, Progress
from chalicelib.settings import declared, load
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.schema import table_definition
from chalicelib.store.dynamodb.tables import TABLES, ConnectionLogItem
from scripts.deployment import capacity, gateway_resources, parameters, template, watch
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.policies import log_group_id, policy
from scripts.deployment.stages import STAGES, Stage
from scripts.deployment.table_resources import base_name, logical_id, tables
from scripts.gateway.refusals import REFUSALS
from scripts.local.engine import EmbeddedEngine

EVERY_STAGE = pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
SETTINGS = [field.metadata for field in declared()]
TO_CLEAN_UP = ("TableId", "TableArn", "TableName", "CreationDateTime", "DeletionProtectionEnabled", "IndexArn")


@pytest.mark.parametrize("path", list(template.files()), ids=lambda path: path.name)
def test_the_committed_file_is_what_the_code_declares(path: Path) -> None:
    assert path.read_text() == template.files()[path], "run: python -m scripts.deployment.template"


def test_a_stage_differs_from_the_committed_file_by_what_stages_declare_and_by_nothing_else() -> None:
    production, trial = (dict(leaves(template.resources(STAGES[name]))) for name in ("prod", "dev"))
    assert production.keys() == trial.keys()
    assert {path[-1] for path in production if production[path] != trial[path]} <= {
        *("DeletionPolicy", "UpdateReplacePolicy", "DeletionProtectionEnabled"),
        *("Default", "Description", "Stage", "0"),
    }
    assert {path[:2] for path in production if production[path] != trial[path] and path[-1] == "Default"} == {
        ("Parameters", "TablePrefix"),
        ("Parameters", "LogRetentionDays"),
    }


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a JSON text that is neither object nor array, by the way to it."""
    if not isinstance(value, dict | list):
        yield path, value
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(inner, (*path, str(name)))


def test_nothing_else_is_in_the_directory() -> None:
    assert set(template.DIRECTORY.glob("*.json")) == set(template.files())


@EVERY_STAGE
def test_every_table_is_a_resource_encrypted_and_restorable_and_kept_in_production(stage: Stage) -> None:
    made = tables(stage)
    assert list(made) == [logical_id(table) for table in TABLES]
    for resource, table in zip(made.values(), TABLES, strict=True):
        properties = resource["Properties"]
        defined = {**table_definition(table), "TableName": {"Fn::Sub": f"${{TablePrefix}}{base_name(table)}"}}
        if table in capacity.SCALED:
            assert properties["BillingMode"] == {"Ref": "BillingMode"}
            places = [properties, *properties["GlobalSecondaryIndexes"]]
            assert all(place.pop("ProvisionedThroughput")["Fn::If"][0] == capacity.PROVISIONS for place in places)
            del defined["BillingMode"]
        assert defined.items() <= properties.items()
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["DeletionProtectionEnabled"] is (stage.name == "prod")
        kept = ("RetainExceptOnCreate", "Retain") if stage.name == "prod" else ("Delete", "Delete")
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == kept


def test_every_table_and_lane_of_the_logs_scales_within_the_bounds_of_the_deployment() -> None:
    resources = template.resources(STAGES["prod"])["Resources"]
    scaling = {name: one for name, one in resources.items() if "ApplicationAutoScaling" in one.get("Type", "")}
    assert {one["Condition"] for one in scaling.values()} == {capacity.PROVISIONS}
    targets = {name: one["Properties"] for name, one in scaling.items() if one["Type"].endswith("Target")}
    bounds = {
        (one["ResourceId"]["Fn::Sub"], one["ScalableDimension"]): (one["MinCapacity"]["Ref"], one["MaxCapacity"]["Ref"])
        for one in targets.values()
    }
    for table in capacity.SCALED:
        own = f"table/${{{logical_id(table)}}}"
        lanes = [f"{own}/index/{lane.name}" for lane in lanes_of(table)]
        for kind, places in (("table", [own]), ("index", lanes)):
            for place in places:
                assert bounds.pop((place, f"dynamodb:{kind}:ReadCapacityUnits")) == (
                    "MinReadCapacity",
                    "MaxReadCapacity",
                )
                written = bounds.pop((place, f"dynamodb:{kind}:WriteCapacityUnits"))
                assert written == ("MinWriteCapacity", "MaxWriteCapacity")
    assert bounds == {}
    policies = [one["Properties"] for one in scaling.values() if one["Type"].endswith("ScalingPolicy")]
    assert sorted(one["ScalingTargetId"]["Ref"] for one in policies) == sorted(targets)
    for one in policies:
        writes = "Write" in targets[one["ScalingTargetId"]["Ref"]]["ScalableDimension"]
        tracking = one["TargetTrackingScalingPolicyConfiguration"]
        assert tracking["TargetValue"] == 70
        assert ("Write" in tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]) is writes


def lanes_of(table: type[Model]) -> tuple[Lane, ...]:
    return EVERY_CONNECTION_LANE if table is ConnectionLogItem else EVERY_AUDIT_LANE


def test_a_provisioned_deployment_begins_at_its_minimum_and_the_directory_stays_paid_by_request(
    engine: EmbeddedEngine,
) -> None:
    assert engine.running
    made = template.resources(STAGES["dev"])
    body = {
        "Parameters": made["Parameters"],
        "Conditions": {capacity.PROVISIONS: made["Conditions"][capacity.PROVISIONS]},
        "Resources": {
            name: one for name, one in made["Resources"].items() if one.get("Type") == "AWS::DynamoDB::Table"
        },
    }
    client: Any = boto3.client("cloudformation")  # type: ignore[no-untyped-call]
    given = {"TablePrefix": "provisioned-", "BillingMode": "PROVISIONED", "MinWriteCapacity": "40"}
    chosen = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    client.create_stack(StackName="provisioned", TemplateBody=json.dumps(body), Parameters=chosen)
    try:
        for table in TABLES:
            description = call("DescribeTable", {"TableName": f"provisioned-{base_name(table)}"})["Table"]
            by_request = description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
            assert by_request is (table not in capacity.SCALED)
            if not by_request:
                places = [description, *description["GlobalSecondaryIndexes"]]
                units = [place["ProvisionedThroughput"] for place in places]
                assert {(one["ReadCapacityUnits"], one["WriteCapacityUnits"]) for one in units} == {(5, 40)}
    finally:
        client.delete_stack(StackName="provisioned")


def test_tables_made_from_the_template_are_those_made_from_the_code(engine: EmbeddedEngine) -> None:
    assert engine.running
    made = template.resources(STAGES["dev"])
    body = {
        "Parameters": made["Parameters"],
        "Conditions": {capacity.PROVISIONS: made["Conditions"][capacity.PROVISIONS]},
        "Resources": {
            name: one for name, one in made["Resources"].items() if one.get("Type") == "AWS::DynamoDB::Table"
        },
    }
    client: Any = boto3.client("cloudformation")  # type: ignore[no-untyped-call]
    chosen = [{"ParameterKey": "TablePrefix", "ParameterValue": "from-template-"}]
    client.create_stack(StackName="tables", TemplateBody=json.dumps(body), Parameters=chosen)
    try:
        for table in TABLES:
            name = f"from-template-{base_name(table)}"
            assert described(name) == described(table.Meta.table_name)
    finally:
        client.delete_stack(StackName="tables")
    assert not [name for name in engine.tables() if name.startswith("from-template-")]


def described(table: str) -> Any:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without(part) for name, part in value.items() if name not in TO_CLEAN_UP}
        return [without(part) for part in value] if isinstance(value, list) else value

    return without(call("DescribeTable", {"TableName": table})["Table"])


def test_every_handler_of_the_application_has_its_function_policy_and_logs() -> None:
    others: list[Any] = [*app.event_sources, *app.pure_lambda_functions]
    assert {handler.name for handler in HANDLERS} == {"api_handler", *(other.name for other in others)}
    config = json.loads((template.DIRECTORY / "config.json").read_text())
    assert set(config["stages"]) == set(STAGES)
    for handler in HANDLERS:
        own = config["lambda_functions"][handler.name]
        assert own["iam_policy_file"] == handler.policy_file
        assert (own["lambda_memory_size"], own["lambda_timeout"]) == (handler.memory_mb, handler.timeout_seconds)
        made = template.resources(STAGES["prod"])["Resources"]
        logging = made[handler.logical_id]["Properties"]["LoggingConfig"]
        assert logging["LogGroup"] == {"Ref": log_group_id(handler)}
        assert made[log_group_id(handler)]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.name)
def test_a_policy_names_actions_tables_and_indexes_one_by_one(handler: Any) -> None:
    for statement in policy(handler)["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if statement["Action"][0].startswith("xray:"):
            assert statement["Resource"] == "*", "X-Ray knows no resources"
        else:
            assert "*" not in json.dumps(statement["Resource"])


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting["env"])
def test_every_setting_is_a_parameter_or_somebody_has_said_why_not(setting: Any) -> None:
    env = setting["env"]
    elsewhere = {
        "CODER_ACCESS_URL",
        *parameters.FIXED,
        *parameters.OF_RESOURCES,
        *parameters.NOT_ON_AWS,
        *parameters.AT_PACKAGING,
    }
    known = parameters.parameters(STAGES["prod"])
    if env in elsewhere:
        assert parameters.name(env) not in known or env == "CODER_ACCESS_URL"
        return
    parameter = known[parameters.name(env)]
    assert parameters.environment(HANDLERS[0])[env] == {"Ref": parameters.name(env)}
    assert takes(parameter, parameter["Default"])
    assert load({env: parameter["Default"]})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("TablePrefix", ["gatebook-", "a.b_c-1"], ["", "a b", "a/b", "x" * 65]),
        ("LogShards", ["1", "64"], ["0", "65"]),
        ("ConnectionLogsRetention", ["0", "90d", "1w2d", "36h", "1.5h"], ["", "90", "d", "90 d", "90d;"]),
        ("DefaultTokenLifetime", ["24h", "7d"], ["0", ""]),
        ("ConnectionLanes", ["*", "user,owner", "*,+type"], ["", "user, owner", "User", "user,"]),
        ("MaxRowsRead", ["100", "20000"], ["99", "10000001"]),
        ("ServiceLog", ["off", "json", "human"], ["JSON", ""]),
        ("DomainName", ["", "gatebook.example.com"], ["example", "https://example.com", "a b.com"]),
        ("AccessUrl", ["", "https://gatebook.example.com"], ["http://gatebook.example.com", "gatebook"]),
        ("APIHandlerConcurrency", ["", "10"], ["-1", "many"]),
        ("LogRetentionDays", ["7", "365"], ["8"]),
    ],
)
def test_a_parameter_takes_what_its_setting_takes(name: str, good: list[str], bad: list[str]) -> None:
    parameter = parameters.parameters(STAGES["prod"])[name]
    assert [text for text in good if not takes(parameter, text)] == []
    assert [text for text in bad if takes(parameter, text)] == []
    env = next((setting["env"] for setting in SETTINGS if parameters.name(setting["env"]) == name), None)
    if env and name != "AccessUrl":
        for text in good:
            assert load({env: text})


def takes(parameter: dict[str, Any], text: str) -> bool:
    """As CloudFormation checks it: a pattern is held against the whole text."""
    if "AllowedValues" in parameter:
        return text in map(str, parameter["AllowedValues"])
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", 0), parameter.get("MaxValue", float("inf"))
        return re.fullmatch("[0-9]+", text) is not None and low <= int(text) <= high
    return re.fullmatch(parameter["AllowedPattern"], text) is not None


def test_stages_do_not_share_tables_unless_they_are_told_to() -> None:
    prefixes = [parameters.parameters(stage)["TablePrefix"]["Default"] for stage in STAGES.values()]
    assert len(set(prefixes)) == len(STAGES)


@pytest.mark.parametrize("kind", REFUSALS)
def test_the_gateway_answers_in_the_one_error_shape(kind: str) -> None:
    answer = gateway_resources.gateway_answers(load({}))[kind]
    body = json.loads(answer["responseTemplates"]["application/json"])
    assert set(body) <= {"message", "detail"}
    assert body["message"]
    assert 400 <= int(answer["statusCode"]) < 600
    headers = answer["responseParameters"]
    assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"
    assert headers["gatewayresponse.header.Content-Type"] == "'application/json; charset=utf-8'"
    assert all(re.fullmatch("'[^']*'", value) for value in headers.values())


def test_whatever_else_the_gateway_refuses_keeps_its_status_and_gets_the_shape() -> None:
    answers = gateway_resources.gateway_answers(load({}))
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert "statusCode" not in answers[kind]
        assert set(json.loads(answers[kind]["responseTemplates"]["application/json"])) == {"message"}


def test_an_unknown_path_reads_the_same_from_the_gateway_and_from_the_application() -> None:
    refused = REFUSALS["MISSING_AUTHENTICATION_TOKEN"]
    assert isinstance(refused, NotFound)
    event = {"requestContext": {"resourcePath": "/nothing", "httpMethod": "GET"}}
    assert json.loads(app(event, None)["body"]) == refused.body()
    assert app(event, None)["statusCode"] == refused.status


def test_pages_of_an_allowed_origin_may_read_the_answers_of_the_gateway() -> None:
    answers = gateway_resources.gateway_answers(load({"GATEBOOK_ALLOW_ORIGIN": "https://portal.example.com"}))
    for answer in answers.values():
        name = "gatewayresponse.header.Access-Control-Allow-Origin"
        assert answer["responseParameters"][name] == "'https://portal.example.com'"


def test_a_throttled_client_is_told_when_to_come_back() -> None:
    error: GatebookError = REFUSALS["THROTTLED"]
    assert (error.status, error.headers) == (429, {"Retry-After": "1"})


@EVERY_STAGE
def test_whatever_can_fail_has_an_alarm_that_tells_the_topic(stage: Stage) -> None:
    alarms = watch.alarms()
    assert "ApiServerErrorsAlarm" in alarms
    for handler in HANDLERS:
        assert {f"{handler.logical_id}ErrorsAlarm", f"{handler.logical_id}ThrottlesAlarm"} <= alarms.keys()
    for table in TABLES:
        for kind in ("Read", "Write"):
            metrics = alarms[f"{logical_id(table)}{kind}ThrottlesAlarm"]["Properties"]["Metrics"]
            # CloudWatch takes ten metrics in an alarm, of which one is their sum.
            assert 2 <= len(metrics) <= 11
    purged = any(handler.name == "purge" for handler in HANDLERS)
    assert ({"PurgeLagAlarm", "PurgeFailureAlarm", "PurgeSilenceAlarm"} <= alarms.keys()) is purged
    assert alarms.items() <= template.resources(stage)["Resources"].items()
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmDescription"]
        assert alarm["Properties"]["AlarmActions"] == [
            {"Fn::If": ["HasAlarmTopicArn", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]}
        ]


def test_a_hot_lane_raises_the_alarm_of_its_table() -> None:
    metrics = watch.alarms()["ConnectionLogsTableWriteThrottlesAlarm"]["Properties"]["Metrics"]
    dimensions = [metric["MetricStat"]["Metric"]["Dimensions"] for metric in metrics if "MetricStat" in metric]
    indexes = {
        one["Value"]
        for metric_dimensions in dimensions
        for one in metric_dimensions
        if one["Name"] == "GlobalSecondaryIndexName"
    }
    assert indexes == {lane.name for lane in EVERY_CONNECTION_LANE if lane.coarse} - {"arrival"}


def test_alarms_of_the_purge_are_told_what_the_purge_tells(capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    metrics.emit(Mandate(Policy({}), {}, now, 0.0), Progress(), now)
    reported = set()
    for line in capsys.readouterr().out.splitlines():
        for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                reported |= {(directive["Namespace"], metric["Name"], tuple(names)) for metric in directive["Metrics"]}
    for name in ("PurgeLagAlarm", "PurgeFailureAlarm", "PurgeSilenceAlarm"):
        (stat,) = [one["MetricStat"] for one in watch.alarms()[name]["Properties"]["Metrics"] if "MetricStat" in one]
        asked = stat["Metric"]
        names = tuple(dimension["Name"] for dimension in asked["Dimensions"])
        assert (asked["Namespace"], asked["MetricName"], names) in reported
        assert asked["Dimensions"] == [{"Name": "Deployment", "Value": {"Ref": "TablePrefix"}}]


def test_the_api_has_the_one_stage_that_is_declared() -> None:
    # SAM adds an open stage named Stage where this is not set.
    assert gateway_resources.resources(STAGES["prod"])["RestAPI"]["Properties"]["OpenApiVersion"] == "2.0"


def test_the_dashboard_names_resources_that_there_are() -> None:
    body = watch.dashboard()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert json.loads(body)["widgets"]
    made = template.resources(STAGES["prod"])
    known = {*made["Resources"], *made["Parameters"], "AWS::Region", "AWS::StackName"}
    assert set(re.findall(r"\$\{([^}]+)\}", body)) <= known
