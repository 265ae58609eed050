"""Writes what `.chalice` holds, from what the code declares: `python -m scripts.deployment.template`.

    config.json           the stages and functions, for Chalice
    policy-<handler>      what each function may do
    resources.json        everything that Chalice does not make, or makes without these properties, in production

`scripts/package` merges the resources of its stage into Chalice's own: another stage differs from production by what
`scripts.deployment.stages` declares and by nothing else. The files are committed, so that a change of a table is seen
in review, and a test fails when they are not up to date.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from chalicelib.settings import load
from scripts.deployment import (
    export_resources,
    function_resources,
    gateway_resources,
    mail_resources,
    parameters,
    queue_resources,
    secret_resources,
    snapshot,
    watch,
)
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.policies import policy
from scripts.deployment.stages import STAGES, Stage
from scripts.deployment.table_resources import scaling, tables

DIRECTORY = Path(__file__).resolve().parents[2] / ".chalice"
COMPRESS_ABOVE_BYTES = 1_024


def resources(stage: Stage) -> dict[str, Any]:
    """The resources that `chalice package --merge-template` adds."""
    return {
        "Description": f"Gatebook ({stage.name}): scoped API tokens, connection and audit logs.",
        "Parameters": parameters.parameters(stage),
        "Conditions": parameters.conditions(),
        "Resources": {
            **tables(stage),
            **scaling(),
            **function_resources.functions(stage),
            **gateway_resources.resources(stage),
            **queue_resources.resources(stage),
            **secret_resources.resources(stage),
            **mail_resources.resources(),
            **export_resources.resources(stage),
            **watch.alarms(),
            **watch.dashboard(),
        },
        "Outputs": {
            "TablePrefix": {"Value": {"Ref": "TablePrefix"}},
            **queue_resources.outputs(),
            "DomainTarget": {
                "Condition": "HasDomainName",
                "Description": "What the DNS record of DomainName points to.",
                "Value": {"Fn::GetAtt": ["ApiDomain", "RegionalDomainName"]},
            },
        },
    }


def config(stage_variables: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Chalice's configuration. What a stage gives in its `environment_variables` is kept as it is."""
    return {
        "version": "2.0",
        "app_name": "gatebook",
        "api_gateway_endpoint_type": "REGIONAL",
        "autogen_policy": False,
        "minimum_compression_size": COMPRESS_ABOVE_BYTES,
        "xray": True,
        "lambda_functions": {
            handler.name: {
                "iam_policy_file": handler.policy_file,
                "lambda_memory_size": handler.memory_mb,
                "lambda_timeout": handler.timeout_seconds,
            }
            for handler in HANDLERS
        },
        "stages": {
            name: {"api_gateway_stage": name, "environment_variables": stage_variables.get(name, {})} for name in STAGES
        },
    }


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    made: dict[str, dict[str, Any]] = {"config.json": config(_stage_variables())}
    made |= {handler.policy_file: policy(handler) for handler in HANDLERS}
    made["resources.json"] = resources(STAGES["prod"])
    return {DIRECTORY / name: text_of(body) for name, body in made.items()}


def text_of(body: dict[str, Any]) -> str:
    """A file's content as JSON text."""
    return json.dumps(body, indent=2) + "\n"


def finished(
    template: dict[str, Any],
    code: str,
    stage: str,
    architecture: str = "x86_64",
    python: str = "3.11",
    digest: str = "",
) -> dict[str, Any]:
    """A template as Chalice merged it, with what cannot be merged.

    Args:
        template: is left as it is.
        code: the zip, as seen from the template; `aws cloudformation package` puts its place in S3 there.
        stage: its name.
        architecture: of the processors that the code is compiled for.
        python: the version of Python that it is made for.
        digest: of the zip, by which a snapshot of it is known.
    """
    made = deepcopy(template)
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            runtime = {"Runtime": f"python{python}", "Architectures": [architecture]}
            resource["Properties"] |= {"CodeUri": code, **runtime}
    definition = made["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    # The API is called by this or by its `Name`; alarms and dashboard go by one name.
    definition["info"]["title"] = {"Ref": "AWS::StackName"}
    definition["x-amazon-apigateway-gateway-responses"] = gateway_resources.gateway_answers(
        load(_stage_variables()[stage])
    )
    for methods in definition["paths"].values():
        # A wrong method reaches the application, which names the right ones; the gateway would deny the path.
        known = next(iter(methods.values()))
        methods["x-amazon-apigateway-any-method"] = {
            name: known[name] for name in ("responses", "x-amazon-apigateway-integration") if name in known
        }
    if snapshot.is_there_for(python):
        snapshot.offer(made, digest)
    return made


def _stage_variables() -> dict[str, dict[str, str]]:
    path = DIRECTORY / "config.json"
    stages = json.loads(path.read_text())["stages"] if path.exists() else {}
    return {name: stage.get("environment_variables", {}) for name, stage in stages.items()}


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text)
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
