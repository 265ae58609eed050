"""SnapStart: the parameter decides who is called, and a version is another one whenever its code or settings change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest

from scripts.deployment import snapshot
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.package import Built

API = "APIHandler"
ALIAS_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:gatebook-api:live"
NOTHING = {"Ref": "AWS::NoValue"}
CHANGED = {
    "APIHandlerMemory": "2048",
    "AccessUrl": "https://gatebook.example.com",
    "ConnectionLogsRetention": "90d",
    "DomainName": "gatebook.example.com",
    "Exports": "true",
    "LogShards": "4",
    "MaxTokenLifetime": "24h",
    "QueueIngest": "true",
    "ServiceLog": "json",
    "UserSecrets": "true",
}


@pytest.fixture(scope="module")
def plain(built: Built) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(built.template.read_text())
    return made


@pytest.fixture
def template(plain: dict[str, Any]) -> dict[str, Any]:
    return offered(plain, "one")


def offered(plain: dict[str, Any], digest: str) -> dict[str, Any]:
    made = deepcopy(plain)
    snapshot.offer(made, digest)
    return made


def resolved(template: dict[str, Any], value: Any, given: Mapping[str, str]) -> Any:
    """A value of the template as CloudFormation makes it out; resources have their logical id as their name."""
    if not isinstance(value, dict):
        return value

    def of(inner: Any) -> Any:
        return resolved(template, inner, given)

    known = {name: str(one["Default"]) for name, one in template["Parameters"].items()} | dict(given)
    functions: dict[str, Callable[[Any], Any]] = {
        "Fn::Equals": lambda pair: of(pair[0]) == of(pair[1]),
        "Fn::GetAtt": lambda place: place[0],
        "Fn::If": lambda parts: of(parts[1] if of(template["Conditions"][parts[0]]) else parts[2]),
        "Fn::Join": lambda parts: parts[0].join(map(of, parts[1])),
        "Fn::Not": lambda parts: not of(parts[0]),
        "Fn::Select": lambda parts: of(parts[1])[parts[0]],
        "Fn::Split": lambda parts: of(parts[1]).split(parts[0]),
        "Fn::Sub": lambda text: text.replace("${DomainName}", known["DomainName"]),
        "Ref": lambda name: ALIAS_ARN if name == "APIHandlerLive" else known.get(name, name),
    }
    if len(value) == 1 and (name := next(iter(value))) in functions:
        return functions[name](value[name])
    return {name: of(inner) for name, inner in value.items()}


def version(template: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((name, made),) = (
        (name, one["Properties"])
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Lambda::Version"
    )
    return name, made


def description(template: dict[str, Any], given: Mapping[str, str]) -> str:
    text: str = resolved(template, version(template)[1]["Description"], given)
    return text


@pytest.mark.parametrize(("python", "there"), [("3.11", False), ("3.12", True), ("3.14", True)])
def test_there_are_snapshots_from_python_3_12_on(python: str, there: bool) -> None:
    assert snapshot.is_there_for(python) is there


def test_for_python_3_11_the_stack_has_no_such_parameter(plain: dict[str, Any]) -> None:
    assert "SnapStart" not in plain["Parameters"]
    assert not [one for one in plain["Resources"].values() if one["Type"] == "AWS::Lambda::Version"]


@pytest.mark.parametrize(
    ("given", "called", "permitted", "applied"),
    [
        ("None", API, "own", NOTHING["Ref"]),
        ("PublishedVersions", "gatebook-api:live", "APIHandlerLiveInvokePermission", {"ApplyOn": "PublishedVersions"}),
    ],
)
def test_the_parameter_decides_whom_the_gateway_calls(
    template: dict[str, Any], given: str, called: str, permitted: str, applied: Any
) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    variables = resolved(template, api["Variables"], {"SnapStart": given})
    assert (variables["function"], variables["permission"]) == (called, permitted)
    assert resolved(template, template["Resources"][API]["Properties"]["SnapStart"], {"SnapStart": given}) == applied
    uris = {
        method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for methods in api["DefinitionBody"]["paths"].values()
        for method in methods.values()
        if "uri" in method["x-amazon-apigateway-integration"]
    }
    assert len(uris) == 1
    assert uris.pop().endswith(":${AWS::AccountId}:function:${!stageVariables.function}/invocations")


def test_what_is_there_for_snapshots_is_there_with_the_parameter_alone(
    plain: dict[str, Any], template: dict[str, Any]
) -> None:
    added = template["Resources"].keys() - plain["Resources"].keys()
    assert {template["Resources"][name]["Condition"] for name in added} == {"StartsFromSnapshot"}
    assert sorted(template["Resources"][name]["Type"] for name in added) == [
        "AWS::Lambda::Alias",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
    ]
    assert template["Parameters"]["SnapStart"]["Default"] == "None"


def test_nobody_waits_for_the_other_functions_and_they_are_as_they_were(
    plain: dict[str, Any], template: dict[str, Any]
) -> None:
    for handler in HANDLERS:
        if handler.logical_id != API:
            assert template["Resources"][handler.logical_id] == plain["Resources"][handler.logical_id]


def test_other_code_is_another_version_and_the_same_code_is_the_same(plain: dict[str, Any]) -> None:
    one, again, other = (version(offered(plain, digest))[0] for digest in ("one", "one", "other"))
    assert one == again != other


def test_another_time_limit_is_another_version(plain: dict[str, Any]) -> None:
    changed = deepcopy(plain)
    changed["Resources"][API]["Properties"]["Timeout"] = 28
    assert version(offered(changed, "one"))[0] != version(offered(plain, "one"))[0]


@pytest.mark.parametrize("name", CHANGED)
def test_another_setting_is_another_version(template: dict[str, Any], name: str) -> None:
    assert description(template, {name: CHANGED[name]}) != description(template, {})


def test_every_parameter_that_reaches_the_function_is_in_the_description(template: dict[str, Any]) -> None:
    """A version would keep the old value of one that is not."""
    properties = template["Resources"][API]["Properties"]
    kept = {"Environment": properties["Environment"], "MemorySize": properties["MemorySize"]}
    reached = set()
    for name, parameter in template["Parameters"].items():
        given = {name: "true" if parameter["Default"] == "false" else "https://changed"}
        if resolved(template, kept, given) != resolved(template, kept, {}):
            reached.add(name)
            assert description(template, given) != description(template, {}), name
    assert len(reached) > 25
    assert {"AccessUrl", "APIHandlerMemory", "LogShards", "UserSecrets"} <= reached


def test_usual_settings_are_within_what_lambda_takes_as_a_description(template: dict[str, Any]) -> None:
    assert len(description(template, {})) < 60
    assert len(description(template, CHANGED)) <= 256
