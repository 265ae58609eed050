"""The package is small, holds what runs and nothing else, is compiled, and is the same each time it is made."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import pytest

from app import app
from chalicelib.store.dynamodb.tables import TABLES
from chalicelib.ui import assets
from scripts.deployment import package, zipped
from scripts.deployment import template as declared
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.package import MAX_ZIP_BYTES, Built, build
from scripts.deployment.table_resources import logical_id

CFN_LINT = Path(sys.executable).with_name("cfn-lint")
MAX_TEMPLATE_BYTES = 1_000_000
MAX_RESOURCES = 500


@pytest.fixture(scope="module")
def template(built: Built) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(built.template.read_text())
    return made


@pytest.fixture(scope="module")
def names(built: Built) -> list[str]:
    with zipfile.ZipFile(built.archive) as archive:
        return archive.namelist()


def test_the_zip_is_within_its_budget(built: Built) -> None:
    assert built.archive.stat().st_size <= MAX_ZIP_BYTES == 12 * 1024 * 1024


def test_for_arm_everything_that_is_compiled_is_compiled_for_arm(names: list[str], tmp_path: Path) -> None:
    built = build(tmp_path / "arm", "prod", "arm64")
    with zipfile.ZipFile(built.archive) as archive:
        archive.extractall(tmp_path / "tree")
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
        others = {name for name in archive.namelist() if not name.endswith(".so")}
    assert libraries
    assert all(zipped.is_for_arm(tmp_path / "tree" / name) for name in libraries)
    assert others == {name for name in names if not name.endswith(".so")}, "it has the same modules"
    assert built.archive.stat().st_size <= MAX_ZIP_BYTES
    functions = [
        one["Properties"]
        for one in json.loads(built.template.read_text())["Resources"].values()
        if one["Type"] == "AWS::Serverless::Function"
    ]
    assert {tuple(properties["Architectures"]) for properties in functions} == {("arm64",)}


def test_for_a_newer_python_all_that_is_compiled_is_for_that_one(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    built = build(tmp_path / "newer", "prod", "arm64", "3.14")
    assert "There is no python3.14 to compile with" in capsys.readouterr().err
    with zipfile.ZipFile(built.archive) as archive:
        made = archive.namelist()
    libraries = [name for name in made if name.endswith(".so")]
    assert libraries
    assert all(zipped.is_for(Path(name), "3.14") for name in libraries)
    assert not all(zipped.is_for(Path(name), "3.11") for name in libraries)
    assert {name for name in made if name.endswith(".py")} == {name for name in names if name.endswith(".py")}
    assert not [name for name in made if name.endswith(".pyc")], "bytecode of another Python would never be read"
    functions = [
        one["Properties"]
        for one in json.loads(built.template.read_text())["Resources"].values()
        if one["Type"] == "AWS::Serverless::Function"
    ]
    assert {(one["Runtime"], *one["Architectures"]) for one in functions} == {("python3.14", "arm64")}
    assert "SnapStart" in json.loads(built.template.read_text())["Parameters"]
    result = subprocess.run([CFN_LINT, built.template], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(("says", "usable"), [("3.13", True), ("3.12", False), ("no such version", False)])
def test_a_compiler_is_a_python_of_the_version_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, usable: bool
) -> None:
    command = tmp_path / "python3.13"
    command.write_text(f"#!/bin/sh\necho '{command} {says}'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert zipped.compiler_for("3.13") == (str(command) if usable else None)
    assert zipped.compiler_for("3.14") is None
    assert zipped.compiler_for("3.11") == sys.executable


def test_making_it_again_gives_the_same_bytes(built: Built, tmp_path: Path) -> None:
    again = build(tmp_path / "again", "prod")
    for first, second in zip(built, again, strict=True):
        assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_it_holds_what_runs_and_nothing_else(names: list[str]) -> None:
    top = {name.partition("/")[0] for name in names}
    assert top == {
        "__pycache__",
        "_cffi_backend.cpython-311-x86_64-linux-gnu.so",
        "annotated_types",
        "app.py",
        "botocore",
        "chalice",
        "chalicelib",
        "cryptography",
        "dateutil",
        "jmespath",
        "orjson",
        "pydantic",
        "pydantic_core",
        "pynamodb",
        "six.py",
        "typing_extensions.py",
        "typing_inspection",
        "urllib3",
    }
    assert not [name for name in names if name.endswith((".pyi", "py.typed", "METADATA"))]
    page = {name for name in names if name.startswith("chalicelib/ui/") and not name.endswith((".py", ".pyc"))}
    files = [assets.STATIC / assets.DOCUMENT, *assets.files()]
    assert page == {path.relative_to(package.ROOT).as_posix() for path in files}
    assert {name for name in names if name.startswith("chalice/") and name.endswith(".py")} == {
        "chalice/__init__.py",
        "chalice/app.py",
    }


def test_of_botocores_data_it_holds_only_what_the_store_needs(names: list[str]) -> None:
    data = {name.split("/")[2].removesuffix(".gz") for name in names if name.startswith("botocore/data/")}
    sources = (package.ROOT / "chalicelib").rglob("*.py")
    called = {name for path in sources for name in re.findall(r'\bclient\("([a-z0-9]+)"\)', path.read_text())}
    assert called == {"kms", "lambda", "s3", "sesv2", "sqs"}
    services = {"dynamodb", *called}
    assert data == {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json", *services}


def test_descriptions_of_services_are_whole_but_for_their_manual(tree: Path) -> None:
    installed = Path(botocore.__file__).parent / "data"
    paths = sorted((tree / "botocore" / "data").rglob("service-2.json.gz"))
    assert len(paths) == 7, "one for each service, and older ones of lambda"
    for path in paths:
        kept, whole = (
            json.loads(gzip.decompress(place.read_bytes()))
            for place in (path, installed / path.relative_to(tree / "botocore" / "data"))
        )
        assert '"documentation":"' not in json.dumps(kept, separators=(",", ":"))
        for part in ("operations", "shapes"):
            assert kept[part].keys() == whole[part].keys()
        for name, shape in whole["shapes"].items():
            assert kept["shapes"][name].get("members", {}).keys() == shape.get("members", {}).keys()


def test_every_source_has_its_bytecode_that_is_never_checked(tree: Path) -> None:
    sources = list(tree.rglob("*.py"))
    assert len(sources) > 300
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        head = compiled.read_bytes()[:8]
        assert head[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(head[4:], "little") == 0b01, "made of a hash, and not checked"


def test_bytecode_names_the_place_where_lambda_has_the_code(tree: Path) -> None:
    assert b"/var/task/app.py" in (tree / "__pycache__" / "app.cpython-311.pyc").read_bytes()


def test_the_template_is_within_the_limits_of_cloudformation(built: Built, template: dict[str, Any]) -> None:
    assert built.template.stat().st_size <= MAX_TEMPLATE_BYTES
    # The transform makes about three resources of a function or an API.
    made = [one for one in template["Resources"].values() if one["Type"].startswith("AWS::Serverless::")]
    assert len(template["Resources"]) + 3 * len(made) <= MAX_RESOURCES
    assert made


def test_cfn_lint_finds_nothing(built: Built) -> None:
    result = subprocess.run([CFN_LINT, built.template], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (result.returncode, result.stdout) == (0, "")


def test_every_function_is_lambdas_python_and_has_its_own_role_and_policy(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    functions = {name: one for name, one in resources.items() if one["Type"] == "AWS::Serverless::Function"}
    assert set(functions) == {handler.logical_id for handler in HANDLERS}
    roles = [function["Properties"]["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(HANDLERS)
    for handler in HANDLERS:
        properties = functions[handler.logical_id]["Properties"]
        assert properties["Runtime"] == "python3.11"
        assert properties["Architectures"] == ["x86_64"]
        assert properties["CodeUri"] == "deployment.zip"
        assert properties["Tracing"] == "Active"
        memory = template["Parameters"][properties["MemorySize"]["Ref"]]
        assert (memory["Default"], properties["Timeout"]) == (handler.memory_mb, handler.timeout_seconds)
        assert properties["Environment"]["Variables"]["GATEBOOK_TABLE_PREFIX"] == {"Ref": "TablePrefix"}
        role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
        (granted,) = role["Policies"]
        assert granted["PolicyDocument"] == json.loads((declared.DIRECTORY / handler.policy_file).read_text())
        assert "ManagedPolicyArns" not in role


def test_everything_that_is_declared_is_in_the_template(template: dict[str, Any]) -> None:
    assert {logical_id(table) for table in TABLES} <= template["Resources"].keys()
    fragment = json.loads((declared.DIRECTORY / "resources.json").read_text())
    assert fragment["Resources"].keys() <= template["Resources"].keys()
    assert fragment["Parameters"] == template["Parameters"]


def test_the_api_has_every_route_limits_compression_traces_and_an_access_log(template: dict[str, Any]) -> None:
    properties = template["Resources"]["RestAPI"]["Properties"]
    assert properties["MinimumCompressionSize"] == declared.COMPRESS_ABOVE_BYTES
    assert properties["TracingEnabled"] is True
    assert properties["StageName"] == "prod"
    (limits,) = properties["MethodSettings"]
    assert limits["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert properties["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}
    fields = json.loads(properties["AccessLogSetting"]["Format"])
    assert fields["request_id"] == "$context.requestId"
    assert not [value for value in fields.values() if "path" in value.lower().replace("resourcepath", "")]
    paths = properties["DefinitionBody"]["paths"]
    assert set(paths) == set(app.routes)
    for path, methods in paths.items():
        assert {method.lower() for method in app.routes[path]} < methods.keys()
        assert methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
    answers = properties["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert answers["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"


def test_what_checkov_is_told_to_pass_over_is_as_it_is_told(template: dict[str, Any]) -> None:
    """`.checkov.yaml` says why: no VPC, no cache, AWS's own keys, and no secret in a variable."""
    resources = template["Resources"]
    assert "CacheClusterEnabled" not in resources["RestAPI"]["Properties"]
    for handler in HANDLERS:
        properties = resources[handler.logical_id]["Properties"]
        assert "VpcConfig" not in properties
        variables = properties["Environment"]["Variables"]
        # Which key there is is no secret: the key never leaves KMS.
        assert variables.pop("GATEBOOK_SECRETS_KEY")["Fn::If"][1] == {"Fn::GetAtt": ["SecretsKey", "Arn"]}
        # A switch of the platform's own name, which is true or false.
        assert variables.pop("CODER_DISABLE_USER_SECRET_FILE_PATH") == {"Ref": "DisableUserSecretFilePath"}
        assert not [name for name in variables if re.search("SECRET|PASSWORD|_KEY$", name)]
    for table in TABLES:
        assert resources[logical_id(table)]["Properties"]["SSESpecification"] == {"SSEEnabled": True}


def test_the_command_says_what_it_made_and_writes_the_steps_from_what_is_deployed(
    built: Built, template: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(package, "build", lambda *_: built)
    deployed = tmp_path / "deployed.json"
    indexes = template["Resources"]["AuditLogsTable"]["Properties"]["GlobalSecondaryIndexes"]
    newest = indexes.pop()
    # As `aws cloudformation get-template` prints it.
    deployed.write_text(json.dumps({"TemplateBody": template, "StagesAvailable": ["Original"]}))
    indexes.append(newest)
    assert package.main([str(tmp_path), "--deployed", str(deployed)]) == 0
    printed = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
    steps = [built.template.with_name(f"template-step-{number}.json") for number in (1, 2)]
    assert printed == [str(path) for path in [*built, *steps]]
    assert steps[1].read_text() == built.template.read_text()
    for step in steps:
        step.unlink()


@pytest.mark.parametrize("text", ["Resources:\n  Table:\n", "[]", "{}"])
def test_a_deployed_template_that_cannot_be_read_is_told_in_one_line(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, text: str
) -> None:
    monkeypatch.setattr(package, "build", lambda *_: built)
    deployed = tmp_path / "deployed.yaml"
    deployed.write_text(text)
    assert package.main([str(tmp_path), "--deployed", str(deployed)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"package: {deployed} is not a template in JSON")
    assert said.count("\n") == 1


def test_another_python_than_packages_are_made_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(zipped, "RUNTIME", (3, 99))
    assert package.main([str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("package: Packages are made with Python 3.99")
    assert not (tmp_path / "out").exists()


def test_a_zip_that_is_too_large_is_refused(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "chalice_package", lambda *_: None)
    monkeypatch.setattr(zipped, "make", lambda *_: (tmp_path / "deployment.zip").write_bytes(b"x" * 100))
    monkeypatch.setattr(package, "MAX_ZIP_BYTES", 99)
    with pytest.raises(package.PackageError, match="100 bytes, and 99 is the most"):
        package.build(tmp_path, "prod")
    assert built.archive.exists()
