"""Tries the dead letters of a deployment again: `scripts/replay --stack gatebook-prod`.

Each letter is given to the function that reads the queue, with the settings and the rights that it has there, and is
deleted when that function has stored it. A letter that is stored twice makes no second row, so the command may be
stopped at any moment and repeated. It calls SQS, Lambda and CloudFormation with the AWS credentials of whoever runs it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from chalicelib.models.queued import Queued
from scripts.deployment.advice import advised
from scripts.deployment.handlers import HANDLERS, QUEUE_READER
from scripts.deployment.queue_resources import DEAD_LETTERS_URL, READER_NAME

_READER_SECONDS = next(handler.timeout_seconds for handler in HANDLERS if handler.name == QUEUE_READER)
_HIDDEN_SECONDS = 2 * _READER_SECONDS
"""For how long a letter that was looked at is hidden from another run."""
POLL_SECONDS = 2
"""SQS asks all its servers for messages only where it may wait for them."""

Reader = Callable[[dict[str, Any]], dict[str, Any]]
"""Stores the messages of an event and answers as Lambda's `ReportBatchItemFailures` has it."""


class Refused(Exception):
    """The letters cannot be tried; the text says why, and what to do."""


class Letter(NamedTuple):
    """One dead letter."""

    message_id: str
    body: str

    @property
    def about(self) -> str:
        """The id that its sender was answered with, and what is known of it, in words."""
        try:
            queued = Queued.model_validate_json(self.body)
        except ValidationError:
            named = self.body if self.body.startswith('{"object"') else "unreadable"
            return f"{self.message_id} ({named[:80]})"
        return f"{queued.id} ({queued.log} of {queued.received_at:%Y-%m-%dT%H:%M:%SZ} by {queued.key_id})"


class DeadLetters:
    """The queue of dead letters; those that were looked at are hidden from other runs until they are released.

    Args:
        sqs: boto3's client.
        url: of the queue.
    """

    def __init__(self, sqs: Any, url: str) -> None:  # noqa: ANN401 - boto3 has no types
        self._sqs = sqs
        self._url = url
        self._receipts: dict[str, str] = {}

    def __iter__(self) -> Iterator[Letter]:
        """Each letter once, until none is left that is not hidden."""
        known: set[str] = set()
        while received := self._received():
            for message in received:
                name, receipt = message["MessageId"], message["ReceiptHandle"]
                self._receipts[name] = receipt
                # One that comes again was hidden for too short a time, and is hidden anew now.
                if name not in known:
                    known.add(name)
                    yield Letter(name, message["Body"])

    def delete(self, letter: Letter) -> None:
        """Delete a letter that is stored."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts.pop(letter.message_id))

    def release(self) -> None:
        """Let the letters that are left be received again at once."""
        while self._receipts:
            _, receipt = self._receipts.popitem()
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def _received(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=POLL_SECONDS
        )
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received


def replay(letters: DeadLetters, read: Reader) -> Iterator[tuple[Letter, bool]]:
    """Give each letter to the reader, and delete those that it stores: each with whether it is stored."""
    for letter in letters:
        answer = read({"Records": [{"messageId": letter.message_id, "body": letter.body}]})
        is_stored = answer == {"batchItemFailures": []}
        if is_stored:
            letters.delete(letter)
        yield letter, is_stored


def invoking(client: Any, name: str) -> Reader:  # noqa: ANN401 - boto3 has no types
    """The reader that is deployed under a name.

    Raises:
        Refused: by the reader it makes, when the function itself fails: its letter stays.
    """

    def read(event: dict[str, Any]) -> dict[str, Any]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Refused(f"The function {name} failed: {payload.decode(errors='replace')[:500]}")
        made: dict[str, Any] = json.loads(payload)
        return made

    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0 when no letter is left, 1 when letters are, 2 when it cannot be run."""
    parser = argparse.ArgumentParser(prog="scripts/replay", description="Try the dead letters of the queue again.")
    parser.add_argument("--stack", required=True, help="the name of the CloudFormation stack, such as gatebook-prod")
    parser.add_argument("--list", action="store_true", help="say which there are, and try none")
    given = parser.parse_args(arguments)
    try:
        return _run(given.stack, lists=given.list)
    except (Refused, BotoCoreError, ClientError) as error:
        print(f"replay: {advised(error)}", file=sys.stderr)
        return 2


def _run(stack: str, *, lists: bool) -> int:
    outputs = _outputs(stack)
    letters = DeadLetters(boto3.client("sqs"), outputs[DEAD_LETTERS_URL])  # type: ignore[no-untyped-call]
    try:
        return _list(letters) if lists else _replay(letters, outputs[READER_NAME])
    finally:
        letters.release()


def _list(letters: DeadLetters) -> int:
    listed = [letter.about for letter in letters]
    print("\n".join([*listed, f"{len(listed)} dead letters."]))
    return int(bool(listed))


def _replay(letters: DeadLetters, name: str) -> int:
    # One attempt: a second one would only begin while the first is still at work.
    config = Config(read_timeout=_READER_SECONDS + 10, retries={"total_max_attempts": 1})  # type: ignore[no-untyped-call]
    read = invoking(boto3.client("lambda", config=config), name)  # type: ignore[no-untyped-call]
    counts = {True: 0, False: 0}
    for letter, is_stored in replay(letters, read):
        counts[is_stored] += 1
        print(f"{letter.about}: {'stored' if is_stored else 'not stored'}", flush=True)
    print(f"{counts[True]} stored and deleted, {counts[False]} not stored.")
    if counts[False]:
        print(f"The log of {name} says why. They stay among the dead letters.")
    return int(counts[False] > 0)


def _outputs(stack: str) -> dict[str, str]:
    client: Any = boto3.client("cloudformation")  # type: ignore[no-untyped-call]
    (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}
    if not {DEAD_LETTERS_URL, READER_NAME} <= outputs.keys():
        raise Refused(f"The stack {stack} has no queue: its parameter QueueIngest is false.")
    return outputs


if __name__ == "__main__":
    sys.exit(main())
