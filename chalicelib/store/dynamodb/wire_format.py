"""DynamoDB's JSON: requests as they are sent, answers and refusals as Python values. Binary values are bytes here."""

from __future__ import annotations

import base64
import json
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from botocore.exceptions import ClientError

TARGET_PREFIX = "DynamoDB_20120810."
"""Stands before the operation in the header `X-Amz-Target`."""


def encode(request: Mapping[str, Any]) -> bytes:
    """The body of a request."""
    try:
        return orjson.dumps(request, default=_base64)
    except TypeError:
        # Half of a surrogate pair, which only an escape can carry; DynamoDB refuses it with an error of its own.
        return json.dumps(request, default=_base64).encode()


def decode(content: bytes) -> dict[str, Any]:
    """The answer that a body holds.

    botocore's parser walks its model of the service value by value, which takes a third of a page's CPU.

    Raises:
        ValueError: the body is not JSON.
    """
    if not content:
        return {}
    answer: dict[str, Any] = orjson.loads(content)
    if b'"B' in content:
        for item in _items(answer):
            for value in item.values():
                if "B" in value:
                    value["B"] = a2b_base64(value["B"])
                elif "BS" in value:
                    value["BS"] = [a2b_base64(member) for member in value["BS"]]
    return answer


def refusal(operation: str, content: bytes) -> ClientError:
    """The error that a body holds, in botocore's form; its code is empty where the body is not DynamoDB's."""
    try:
        body = decode(content)
        code = str(body.get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        body, code = {}, ""
    response: Any = {"Error": {"Code": code, "Message": body.get("message") or body.get("Message") or ""}}
    response |= {name: body[name] for name in ("Item", "CancellationReasons") if name in body}
    return ClientError(response, operation)  # type: ignore[no-untyped-call]


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _items(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item of an answer. Their attributes are scalars and sets, in all tables here."""
    yield from answer.get("Items", ())
    responses = answer.get("Responses", {})
    if isinstance(responses, list):
        # Of a batch of statements, where one item may stand in the way of another.
        yield from (response["Error"]["Item"] for response in responses if "Item" in response.get("Error", {}))
    else:
        for items in responses.values():
            yield from items
    for requests in answer.get("UnprocessedItems", {}).values():
        yield from (request["PutRequest"]["Item"] for request in requests if "PutRequest" in request)
    reasons = (reason or {} for reason in answer.get("CancellationReasons") or ())
    yield from (holder[name] for holder in (answer, *reasons) for name in ("Item", "Attributes") if name in holder)
