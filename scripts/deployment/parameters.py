"""The parameters of the CloudFormation template: one for each setting, and a few more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from chalicelib.setting_kinds import Form, Pattern, WholeNumber, Word
from chalicelib.settings import declared
from scripts.deployment import capacity
from scripts.deployment.handlers import HANDLERS, Handler
from scripts.deployment.stages import Stage

_LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]

FIXED = {"GATEBOOK_REQUEST_LOG": "json"}
"""Settings that every deployment has alike."""

NOT_ON_AWS = frozenset(
    {
        "GATEBOOK_OWNER_USERNAME",
        "GATEBOOK_OWNER_EMAIL",
        "CODER_EMAIL_AUTH_USERNAME",
        "CODER_EMAIL_AUTH_PASSWORD_FILE",
    }
)
"""Settings that no function has a use for: scripts/bootstrap takes its own options, and SES takes no password."""

AT_PACKAGING = frozenset({"GATEBOOK_ALLOW_ORIGIN"})
"""Settings that decide about routes, and so are in `environment_variables` of the stage in .chalice/config.json."""

QUEUES_INGEST = "QueuesIngest"
"""The condition of the queue and of all that belongs to it."""

KEEPS_SECRETS = "KeepsSecrets"
"""The condition of the key that user secrets are encrypted by."""

SENDS_BY_SES = "SendsBySes"
"""The condition of the right to send notifications through Amazon SES."""

WRITES_EXPORTS = "WritesExports"
"""The condition of the bucket of exports, and of the rights to write and read it."""

OF_RESOURCES: Mapping[str, tuple[str, Any]] = {
    "GATEBOOK_INGEST_QUEUE_URL": (QUEUES_INGEST, {"Ref": "IngestQueue"}),
    "GATEBOOK_INGEST_BUCKET": (QUEUES_INGEST, {"Ref": "IngestBucket"}),
    "GATEBOOK_EXPORT_BUCKET": (WRITES_EXPORTS, {"Ref": "ExportBucket"}),
    "GATEBOOK_EXPORT_FUNCTION": (WRITES_EXPORTS, {"Ref": "WriteExport"}),
    "GATEBOOK_SECRETS_KEY": (KEEPS_SECRETS, {"Fn::GetAtt": ["SecretsKey", "Arn"]}),
}
"""Settings that name resources of the stack: the condition under which they are there, and the value."""

_ACCESS_URL = "CODER_ACCESS_URL"


def parameters(stage: Stage) -> dict[str, Any]:
    """The parameters of a stage's template, by name."""
    of_settings = {
        name(data["env"]): {
            "Type": "String",
            "Default": stage.table_prefix if data["env"] == "GATEBOOK_TABLE_PREFIX" else data["default"],
            "Description": f"{data['env']}: {data['about']}",
            **_constraints(data["kind"].form),
        }
        for data in _of_settings()
    }
    of_handlers = {concurrency(handler): _concurrency(handler) for handler in HANDLERS}
    of_handlers |= {memory(handler): _memory(handler) for handler in HANDLERS}
    return of_settings | _own(stage) | capacity.parameters() | of_handlers


def name(env: str) -> str:
    """The parameter of a setting: `CODER_API_KEYS_RETENTION` is `ApiKeysRetention`."""
    return "".join(part.capitalize() for part in env.split("_")[1:])


def concurrency(handler: Handler) -> str:
    """The parameter of a handler's reserved concurrency."""
    return f"{handler.logical_id}Concurrency"


def memory(handler: Handler) -> str:
    """The parameter of a handler's memory."""
    return f"{handler.logical_id}Memory"


def conditions() -> dict[str, Any]:
    """Which of the parameters that may be empty are given."""
    given = ["AccessUrl", "AlarmTopicArn", "DomainName", *(concurrency(handler) for handler in HANDLERS)]
    present: dict[str, Any] = {f"Has{one}": {"Fn::Not": [{"Fn::Equals": [{"Ref": one}, ""]}]} for one in given}
    chosen: dict[str, Any] = {
        "CreatesGatewayLogRole": {"Fn::Equals": [{"Ref": "CreateGatewayLogRole"}, "true"]},
        QUEUES_INGEST: {"Fn::Equals": [{"Ref": "QueueIngest"}, "true"]},
        SENDS_BY_SES: {"Fn::Equals": [{"Ref": name("CODER_EMAIL_SMARTHOST")}, "ses"]},
        WRITES_EXPORTS: {"Fn::Equals": [{"Ref": "Exports"}, "true"]},
        KEEPS_SECRETS: {"Fn::Equals": [{"Ref": "UserSecrets"}, "true"]},
    }
    return present | capacity.conditions() | chosen


def environment(handler: Handler) -> dict[str, Any]:
    """The variables of a function; none of them names itself, which CloudFormation cannot make."""
    nothing = {"Ref": "AWS::NoValue"}
    own_domain = {"Fn::If": ["HasDomainName", {"Fn::Sub": "https://${DomainName}"}, nothing]}
    return {
        _ACCESS_URL: {"Fn::If": ["HasAccessUrl", {"Ref": "AccessUrl"}, own_domain]},
        **{data["env"]: {"Ref": name(data["env"])} for data in _of_settings()},
        **{
            env: {"Fn::If": [condition, value, nothing]}
            for env, (condition, value) in OF_RESOURCES.items()
            if value != {"Ref": handler.logical_id}
        },
        **FIXED,
    }


def _of_settings() -> list[Mapping[str, Any]]:
    """The declarations of the settings that are parameters under their own name."""
    elsewhere = {_ACCESS_URL, *FIXED, *OF_RESOURCES, *NOT_ON_AWS, *AT_PACKAGING}
    return [field.metadata for field in declared() if field.metadata["env"] not in elsewhere]


def _constraints(form: Form) -> dict[str, Any]:
    """The constraints that CloudFormation checks of a parameter. The service reads the value too, and may refuse it."""
    match form:
        case WholeNumber(least, most):
            return {"Type": "Number", "MinValue": least, "MaxValue": most}
        case Word(words):
            return {"AllowedValues": list(words)}
        case Pattern(regex):
            return {"AllowedPattern": regex}
        case _:
            assert_never(form)


def _own(stage: Stage) -> dict[str, Any]:
    return {
        "AccessUrl": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": r"(https://[^\s/?#]+(/[^\s?#]*)?)?",
            "Description": f"{_ACCESS_URL}: the address clients use; empty for that of DomainName.",
        },
        "DomainName": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": r"([a-z0-9-]+(\.[a-z0-9-]+)+)?",
            "Description": "A domain of your own for the API; Coder's clients need one. Empty for none.",
        },
        "CertificateArn": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": r"(arn:[^\s]+)?",
            "Description": "The certificate of DomainName, in ACM and in this region.",
        },
        "AlarmTopicArn": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": r"(arn:[^\s]+)?",
            "Description": "The SNS topic that alarms are sent to. Empty for none.",
        },
        "LogRetentionDays": {
            "Type": "Number",
            "Default": stage.log_days,
            "AllowedValues": _LOG_DAYS,
            "Description": "How long the functions' logs and the API's access log are kept.",
        },
        "ThrottleRate": {
            "Type": "Number",
            "Default": 500,
            "MinValue": 1,
            "Description": "Requests a second that the API lets through; more are answered 429.",
        },
        "ThrottleBurst": {
            "Type": "Number",
            "Default": 1_000,
            "MinValue": 1,
            "Description": "Requests that it lets through at once.",
        },
        "QueueIngest": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["true", "false"],
            "Description": "Have a queue for events that are sent with ?queue=true and stored later.",
        },
        "Exports": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["true", "false"],
            "Description": "Have a bucket that large exports of the logs are written to, for a week each.",
        },
        "UserSecrets": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["true", "false"],
            "Description": "Keep secrets of users, encrypted by a KMS key of the stack, which costs a dollar a month.",
        },
        "CreateGatewayLogRole": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["true", "false"],
            "Description": "Make and set the role with which API Gateway logs: once per account and region.",
        },
    }


def _concurrency(handler: Handler) -> dict[str, Any]:
    return {
        "Type": "String",
        "Default": "" if handler.concurrency is None else str(handler.concurrency),
        "AllowedPattern": "[0-9]{0,5}",
        "Description": f"How many of {handler.name} may run at once, reserved; empty for as many as the account has.",
    }


def _memory(handler: Handler) -> dict[str, Any]:
    return {
        "Type": "Number",
        "Default": handler.memory_mb,
        "MinValue": 128,
        "MaxValue": 10_240,
        "Description": f"Megabytes of {handler.name}; 1,769 of them are one processor.",
    }
