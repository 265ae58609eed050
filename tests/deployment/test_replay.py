"""Dead letters are tried again by the reader of the deployment, deleted when they are stored, and else kept."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import boto3
import pytest
from botocore import exceptions

from scripts.deployment import queue_resources, replay
from scripts.deployment.replay import DeadLetters, Refused
from scripts.local.engine import EmbeddedEngine

GOOD, BAD = '{"id": "good"}', '{"object": "queued/bad"}'


class Function:
    """Lambda with one function, which stores all messages but some."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.seen: list[str] = []
        self.fails = False

    def invoke(self, **request: Any) -> dict[str, Any]:
        assert request["FunctionName"] == "reader"
        records = json.loads(request["Payload"])["Records"]
        self.seen += [record["body"] for record in records]
        if self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "Task timed out"}')}
        failed = [{"itemIdentifier": one["messageId"]} for one in records if one["body"] in self.refused]
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failed}).encode())}


class Stack:
    """A deployment with a queue of dead letters, of the names and the outputs of the template."""

    def __init__(self, name: str, *, has_queue: bool = True) -> None:
        self.sqs: Any = boto3.client("sqs")  # type: ignore[no-untyped-call]
        outputs = {
            queue_resources.DEAD_LETTERS_URL: {"Value": {"Ref": "IngestDeadLetters"}},
            queue_resources.READER_NAME: {"Value": "reader"},
        }
        queue = {"IngestDeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 0}}}
        body = {"Resources": queue, "Outputs": outputs if has_queue else {}}
        client: Any = boto3.client("cloudformation")  # type: ignore[no-untyped-call]
        client.create_stack(StackName=name, TemplateBody=json.dumps(body))
        (described,) = client.describe_stack_resources(StackName=name)["StackResources"]
        self.url: str = described["PhysicalResourceId"]

    def put(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@pytest.fixture
def name(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    assert engine.running
    monkeypatch.setattr(replay, "POLL_SECONDS", 0)
    made = f"gatebook-{uuid4().hex}"
    yield made
    boto3.client("cloudformation").delete_stack(StackName=made)  # type: ignore[no-untyped-call]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Function:
    made: Any = Function(BAD)
    client: Any = boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda service, **more: made if service == "lambda" else client(service, **more)
    )
    return cast("Function", made)


@pytest.mark.usefixtures("function")
def test_what_is_stored_is_deleted_and_what_is_not_stays(name: str, capsys: Any) -> None:
    stack = Stack(name)
    stack.put(GOOD, BAD, GOOD)
    assert replay.main(["--stack", name]) == 1
    assert stack.waiting() == 1
    said = capsys.readouterr().out
    assert said.count(": stored") == 2
    assert said.count(f"({BAD}): not stored") == 1
    assert "2 stored and deleted, 1 not stored." in said


def test_it_may_be_repeated_until_nothing_is_left(name: str, function: Function, capsys: Any) -> None:
    stack = Stack(name)
    stack.put(BAD)
    assert replay.main(["--stack", name]) == replay.main(["--stack", name]) == 1
    function.refused = ()
    assert replay.main(["--stack", name]) == replay.main(["--stack", name]) == 0
    assert (function.seen, stack.waiting()) == ([BAD] * 3, 0)
    assert capsys.readouterr().out.endswith("0 stored and deleted, 0 not stored.\n")


def test_a_letter_that_stays_is_tried_once_in_a_run(name: str, function: Function) -> None:
    stack = Stack(name)
    stack.put(BAD)
    assert [stored for _, stored in replay.replay(DeadLetters(stack.sqs, stack.url), reader(function))] == [False]


def reader(function: Function) -> replay.Reader:
    return replay.invoking(function, "reader")


def test_a_function_that_fails_stores_nothing(name: str, function: Function, capsys: Any) -> None:
    stack = Stack(name)
    stack.put(GOOD)
    function.fails = True
    assert replay.main(["--stack", name]) == 2
    assert stack.waiting() == 1
    assert capsys.readouterr().err.startswith("replay: The function reader failed: ")
    with pytest.raises(Refused, match="Task timed out"):
        reader(function)({"Records": []})


def test_letters_are_listed_and_left_alone(name: str, function: Function, capsys: Any) -> None:
    stack = Stack(name)
    stack.put(BAD, "nonsense")
    assert replay.main(["--stack", name, "--list"]) == 1
    said = capsys.readouterr().out
    assert BAD in said
    assert "(unreadable)" in said
    assert "2 dead letters." in said
    assert replay.main(["--stack", name, "--list"]) == 1
    assert "2 dead letters." in capsys.readouterr().out
    assert (function.seen, stack.waiting()) == ([], 2)


def test_a_stack_without_a_queue_is_told_in_one_line(name: str, capsys: Any) -> None:
    Stack(name, has_queue=False)
    assert replay.main(["--stack", name]) == 2
    assert capsys.readouterr().err == f"replay: The stack {name} has no queue: its parameter QueueIngest is false.\n"


def test_a_stack_that_is_not_there_is_told_in_one_line(engine: EmbeddedEngine, capsys: Any) -> None:
    assert engine.running
    assert replay.main(["--stack", "nothing"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("replay: ")
    assert said.count("\n") == 1


def test_the_template_has_the_outputs_that_are_looked_up() -> None:
    assert queue_resources.outputs().keys() == {queue_resources.DEAD_LETTERS_URL, queue_resources.READER_NAME}


_REFUSED = {"operation_name": "Scan"}


@pytest.mark.parametrize(
    ("error", "about", "advice"),
    [
        (
            "NoCredentialsError",
            {},
            "Unable to locate credentials. Sign in to AWS, and name the profile in AWS_PROFILE.",
        ),
        ("NoRegionError", {}, "You must specify a region. Name the region of the deployment in AWS_DEFAULT_REGION."),
        ("EndpointConnectionError", {"endpoint_url": "https://x"}, "Look at the network"),
        ("ProfileNotFound", {"profile": "p"}, "`aws configure list-profiles`"),
        ("ClientError", {**_REFUSED, "error_response": {"Error": {"Code": "AccessDenied"}}}, "that may do so."),
        ("ClientError", {**_REFUSED, "error_response": {"Error": {"Code": "ExpiredToken"}}}, "Sign in to AWS"),
    ],
)
def test_a_failure_of_aws_is_told_with_what_to_do(
    error: str, about: dict[str, Any], advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_stack: str, *, lists: bool) -> int:
        assert not lists
        raise getattr(exceptions, error)(**about)

    monkeypatch.setattr(replay, "_run", failing)
    assert replay.main(["--stack", "gatebook-prod"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("replay: ")
    assert advice in said
    assert said.count("\n") == 1
