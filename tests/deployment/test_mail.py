"""Mail is sent through SES where the deployment says so, by the function that sends, from its one address."""

from __future__ import annotations

from scripts.deployment import mail_resources, parameters, template
from scripts.deployment.stages import STAGES

MADE = template.resources(STAGES["prod"])


def test_the_right_is_there_where_the_mail_server_is_ses() -> None:
    condition = MADE["Conditions"][parameters.SENDS_BY_SES]
    assert condition == {"Fn::Equals": [{"Ref": "EmailSmarthost"}, "ses"]}
    assert MADE["Parameters"]["EmailSmarthost"]["Default"] == ""
    assert MADE["Resources"]["MailSender"]["Condition"] == parameters.SENDS_BY_SES


def test_only_the_function_that_sends_has_it_for_the_one_sender() -> None:
    properties = MADE["Resources"]["MailSender"]["Properties"]
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert properties["Roles"] == [{"Ref": "DispatchRole"}]
    assert statement["Action"] == list(mail_resources.USED) == ["ses:SendEmail"]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "EmailFrom"}}}
    assert "EmailFrom" in MADE["Parameters"]
