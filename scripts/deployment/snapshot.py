"""SnapStart as a parameter: the API's function started once, when it is deployed, and each of its processes a copy.

Lambda makes a snapshot of a version that is published, never of `$LATEST`. A version keeps code and settings as they
were, so it is another one whenever either changes: its logical id changes with the zip, its description with the
parameters. The gateway calls it by an alias, through a variable of the stage: that one changes without the API being
deployed anew, which a parameter cannot bring about. Schedules and queues call `$LATEST`: nobody waits for them.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from scripts.deployment.handlers import API, HANDLERS, Handler
from scripts.deployment.parameters import environment, memory

PARAMETER = "SnapStart"
ALIAS = "live"
_FIRST_PYTHON = (3, 12)
_CONDITION = "StartsFromSnapshot"
_HANDLER = next(handler for handler in HANDLERS if handler.name == API)
_ALIAS_ID = f"{_HANDLER.logical_id}Live"
_PERMISSION_ID = f"{_HANDLER.logical_id}InvokePermission"
_ALIAS_PERMISSION_ID = f"{_ALIAS_ID}InvokePermission"
_CALLED = "function"
_OF_A_VERSION = ("Architectures", "Environment", "Handler", "LoggingConfig", "Runtime", "Timeout", "Tracing")
"""Properties of a function that a version keeps, as the template has them."""


def is_there_for(python: str) -> bool:
    """Whether Lambda has snapshots of this version of Python, such as 3.13."""
    return tuple(map(int, python.split("."))) >= _FIRST_PYTHON


def offer(template: dict[str, Any], digest: str) -> None:
    """Give a template the parameter, and what it decides.

    Args:
        template: is changed.
        digest: of the zip.
    """
    resources = template["Resources"]
    function = resources[_HANDLER.logical_id]["Properties"]
    # The alias is below: one that SAM makes knows nothing of parameters.
    resources[_HANDLER.logical_id]["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W2530"]}}}
    template["Parameters"][PARAMETER] = {
        "Type": "String",
        "Default": "None",
        "AllowedValues": ["None", "PublishedVersions"],
        "Description": f"Start {_HANDLER.name} from a snapshot, made at each deployment; its restores are billed.",
    }
    template["Conditions"][_CONDITION] = {"Fn::Equals": [{"Ref": PARAMETER}, "PublishedVersions"]}
    applied = {"ApplyOn": "PublishedVersions"}
    function["SnapStart"] = {"Fn::If": [_CONDITION, applied, {"Ref": "AWS::NoValue"}]}
    version = f"{_HANDLER.logical_id}Version{_fingerprint(function, digest)}"
    resources[version] = {
        "Type": "AWS::Lambda::Version",
        "Condition": _CONDITION,
        "Properties": {"FunctionName": {"Ref": _HANDLER.logical_id}, "Description": _description(_HANDLER, template)},
    }
    resources[_ALIAS_ID] = {
        "Type": "AWS::Lambda::Alias",
        "Condition": _CONDITION,
        "Properties": {
            "FunctionName": {"Ref": _HANDLER.logical_id},
            "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
            "Name": ALIAS,
        },
    }
    resources[_ALIAS_PERMISSION_ID] = {
        "Type": "AWS::Lambda::Permission",
        "Condition": _CONDITION,
        "Properties": {**resources[_PERMISSION_ID]["Properties"], "FunctionName": {"Ref": _ALIAS_ID}},
    }
    _call_by_variable(resources["RestAPI"]["Properties"])


def _fingerprint(function: dict[str, Any], digest: str) -> str:
    kept = [digest, {name: function[name] for name in _OF_A_VERSION}]
    return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def _description(handler: Handler, template: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the function of a handler is made with, as text; empty where one is as it comes.

    Lambda takes no more than 256 characters, and CloudFormation refuses a deployment with more.
    """
    values = [{"Ref": memory(handler)}, *environment(handler).values()]
    texts = [_text(value, template) for value in values]
    return {"Fn::Join": [",", [text for text in texts if text is not None]]}


def _text(value: Any, template: dict[str, Any]) -> Any:  # noqa: ANN401 - any value of a template
    match value:
        case {"Ref": parameter} if parameter in template["Parameters"]:
            return _unless_default(parameter, template)
        case {"Fn::If": [condition, chosen, other]}:
            return {"Fn::If": [condition, _text(chosen, template), _text(other, template)]}
        case {"Fn::Sub": str()}:
            return value
        case {"Ref": _} | {"Fn::GetAtt": _}:
            # A resource, which is there or not.
            return "" if value == {"Ref": "AWS::NoValue"} else "+"
        case _:
            return None


def _unless_default(parameter: str, template: dict[str, Any]) -> dict[str, Any]:
    value, default = {"Ref": parameter}, str(template["Parameters"][parameter]["Default"])
    if not default:
        return value
    template["Conditions"][f"Sets{parameter}"] = {"Fn::Not": [{"Fn::Equals": [value, default]}]}
    return {"Fn::If": [f"Sets{parameter}", value, ""]}


def _call_by_variable(api: dict[str, Any]) -> None:
    """Have the gateway call the function that a variable of the stage names."""
    name = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": _ALIAS_ID}]}]}
    by_alias = {"Fn::Join": [":", [name, ALIAS]]}
    api["Variables"] = {
        **api["Variables"],
        _CALLED: {"Fn::If": [_CONDITION, by_alias, {"Ref": _HANDLER.logical_id}]},
        # Of no use to anybody but that the gateway may call the alias before it does.
        "permission": {"Fn::If": [_CONDITION, {"Ref": _ALIAS_PERMISSION_ID}, "own"]},
    }
    direct = f"${{{_HANDLER.logical_id}.Arn}}"
    arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:${{!stageVariables.{_CALLED}}}"
    for methods in api["DefinitionBody"]["paths"].values():
        for method in methods.values():
            uri = method.get("x-amazon-apigateway-integration", {}).get("uri", {})
            if direct in uri.get("Fn::Sub", ""):
                uri["Fn::Sub"] = uri["Fn::Sub"].replace(direct, arn)
