from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.store.schema import table_definition
from chalicelib.store.tables import TABLES
from scripts.deployment import template


@pytest.mark.parametrize("path", list(template.files()), ids=lambda path: path.name)
def test_the_committed_file_is_what_the_tables_declare(path: Path) -> None:
    assert path.read_text() == template.files()[path], "run: python -m scripts.deployment.template"


def test_every_table_is_a_resource_kept_encrypted_and_restorable() -> None:
    made = template.resources()["Resources"].values()
    assert [resource["Properties"]["TableName"] for resource in made] == [table.Meta.table_name for table in TABLES]
    for resource, table in zip(made, TABLES, strict=True):
        properties = resource["Properties"]
        assert table_definition(table).items() <= properties.items()
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_the_policy_names_actions_tables_and_indexes_one_by_one() -> None:
    for statement in template.policy()["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if statement["Action"][0].startswith("dynamodb:"):
            resources = statement["Resource"]
            for resource in [resources] if isinstance(resources, str) else resources:
                assert resource.startswith("arn:*:dynamodb:*:*:table/gatebook-")
                assert "*" not in resource.removeprefix("arn:*:dynamodb:*:*:")


def test_every_stage_of_the_configuration_has_its_policy() -> None:
    stages = json.loads((template.DIRECTORY / "config.json").read_text())["stages"]
    assert set(stages) == set(template.STAGES)
    assert all((template.DIRECTORY / stage["iam_policy_file"]).exists() for stage in stages.values())
