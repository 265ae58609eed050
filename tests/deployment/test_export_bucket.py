"""The bucket of exports is there where it is asked for, private, encrypted and emptied, and written by one function."""

from __future__ import annotations

import json

from chalicelib.api.export_writer import FORGOTTEN_AFTER, SECONDS
from scripts.deployment import export_resources, parameters, template
from scripts.deployment.handlers import EXPORT_WRITER, HANDLERS
from scripts.deployment.stages import STAGES

MADE = template.resources(STAGES["prod"])
OWN = export_resources.resources(STAGES["prod"])


def test_it_is_off_by_default_and_all_of_it_is_under_one_condition() -> None:
    assert MADE["Parameters"]["Exports"]["Default"] == "false"
    assert {one["Condition"] for one in OWN.values()} == {parameters.WRITES_EXPORTS}
    assert OWN.keys() <= MADE["Resources"].keys()


def test_it_is_private_encrypted_and_emptied_after_the_exports_are_forgotten() -> None:
    properties = OWN["ExportBucket"]["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert "AES256" in json.dumps(properties["BucketEncryption"])
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] > FORGOTTEN_AFTER.days
    denied, plain = OWN["ExportBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    writer = {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["WriteExportRole", "Arn"]}}}
    assert (denied["Effect"], denied["Action"], denied["Condition"]) == ("Deny", "s3:PutObject", writer)
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_each_function_may_do_its_part() -> None:
    granted = {}
    for name in ("ExportReader", "ExportWriter"):
        properties = OWN[name]["Properties"]
        statements = properties["PolicyDocument"]["Statement"]
        granted[properties["Roles"][0]["Ref"]] = {action for one in statements for action in one["Action"]}
    both = {"lambda:InvokeFunction", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket"}
    assert granted == {"ApiHandlerRole": both, "WriteExportRole": both | {"s3:PutObject"}}


def test_the_function_has_the_time_that_it_counts_on_and_does_not_name_itself() -> None:
    (writer,) = (handler for handler in HANDLERS if handler.name == EXPORT_WRITER)
    assert writer.timeout_seconds == SECONDS
    assert "GATEBOOK_EXPORT_FUNCTION" not in parameters.environment(writer)
    assert "GATEBOOK_EXPORT_BUCKET" in parameters.environment(writer)
    for handler in HANDLERS:
        named = "GATEBOOK_EXPORT_FUNCTION" in parameters.environment(handler)
        assert named is (handler is not writer)
    looping = [
        handler.name for handler in HANDLERS if "RecursiveLoop" in MADE["Resources"][handler.logical_id]["Properties"]
    ]
    assert looping == [EXPORT_WRITER], "it starts itself as often as an export takes"
    invocations = MADE["Resources"]["WriteExportInvocations"]["Properties"]
    assert invocations["MaximumRetryAttempts"] == 2, "what failed goes on"
