"""The key of user secrets is there where it is asked for, and only the function behind the API may use it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.deployment import parameters, secret_resources, template
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.stages import STAGES

MADE = template.resources(STAGES["prod"])
KEY = MADE["Resources"][secret_resources.KEY]
MANAGED, USED = KEY["Properties"]["KeyPolicy"]["Statement"]


def test_it_is_off_by_default_and_named_nowhere_but_in_the_setting() -> None:
    assert MADE["Parameters"]["UserSecrets"]["Default"] == "false"
    assert KEY["Condition"] == parameters.KEEPS_SECRETS
    setting = parameters.environment(HANDLERS[0])["GATEBOOK_SECRETS_KEY"]
    arn = {"Fn::GetAtt": [secret_resources.KEY, "Arn"]}
    assert setting == {"Fn::If": [parameters.KEEPS_SECRETS, arn, {"Ref": "AWS::NoValue"}]}
    elsewhere = json.dumps(MADE).replace(json.dumps(setting), "")
    assert elsewhere.count(f'"{secret_resources.KEY}"') == 1


def test_nobody_but_the_api_opens_a_value_and_it_says_whose() -> None:
    assert USED["Principal"] == {"AWS": {"Fn::GetAtt": ["ApiHandlerRole", "Arn"]}}
    assert set(USED["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert set(USED["Condition"]["StringLike"]) == {"kms:EncryptionContext:user", "kms:EncryptionContext:secret"}


def test_who_manages_the_key_does_not_use_it_and_may_always_change_its_policy() -> None:
    assert not [action for action in MANAGED["Action"] if "crypt" in action or "DataKey" in action or "*" in action]
    assert "kms:PutKeyPolicy" in MANAGED["Action"]
    assert KEY["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_it_outlives_the_stack_in_production(stage: Any) -> None:
    key = secret_resources.resources(stage)[secret_resources.KEY]
    assert key["DeletionPolicy"] == ("RetainExceptOnCreate" if stage.keeps else "Delete")
