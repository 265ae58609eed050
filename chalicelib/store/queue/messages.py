"""Messages of the queue: a text that fits is the message; a longer one is an object, and the message names its key.

    {"id": ...}                 the text itself
    {"object": "queued/<id>"}   the key of the text in the bucket

An object is deleted after its text is stored and never before. The queue delivers a message more than once now and
then, so one whose object is gone is one that is done.
"""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from chalicelib.settings import current
from chalicelib.store.clients import answered, client

MAX_MESSAGE_BYTES = 262_144
"""The size that every queue takes; newer ones take four times as much."""

_OBJECT = "object"
_KEY_PREFIX = "queued/"
_QUEUE = "queue"
_BUCKET = "bucket"


class Gone(Exception):
    """The object that a message names is not there: its text was stored before."""


def is_open() -> bool:
    """Whether this deployment has a queue."""
    return bool(current().ingest_queue_url)


def send(name: str, text: str) -> None:
    """Put a text into the queue.

    Args:
        name: of its object, where it needs one; no two texts have the same.
        text: ASCII.

    Raises:
        Unavailable: the queue or the bucket did not answer. The text may be queued nevertheless.
        StoreRefused: they refuse it whenever it is sent.
    """
    message = text
    if len(text) > MAX_MESSAGE_BYTES:
        key = _KEY_PREFIX + name
        with answered(_BUCKET):
            client("s3").put_object(
                Bucket=current().ingest_bucket, Key=key, Body=text.encode(), ContentType="application/json"
            )
        message = json.dumps({_OBJECT: key})
    with answered(_QUEUE):
        client("sqs").send_message(QueueUrl=current().ingest_queue_url, MessageBody=message)


def read(message: str) -> str:
    """The text that a message holds or names.

    Raises:
        Gone: its object is deleted.
        Unavailable: the bucket did not answer.
        StoreRefused: it refuses to.
    """
    key = _key(message)
    if key is None:
        return message
    with answered(_BUCKET):
        try:
            answer = client("s3").get_object(Bucket=current().ingest_bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise Gone(key) from error
            raise
        content: bytes = answer["Body"].read()
    return content.decode()


def discard(message: str) -> None:
    """Delete the object of a message, if it has one; the text is stored.

    Raises:
        Unavailable: the bucket did not answer.
        StoreRefused: it refuses to.
    """
    key = _key(message)
    if key is not None:
        with answered(_BUCKET):
            client("s3").delete_object(Bucket=current().ingest_bucket, Key=key)


def _key(message: str) -> str | None:
    """The key that a message names; None where it is the text itself."""
    if not message.startswith(f'{{"{_OBJECT}"'):
        return None
    named = json.loads(message)[_OBJECT]
    return named if isinstance(named, str) and named.startswith(_KEY_PREFIX) else None
