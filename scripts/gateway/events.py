"""Events as AWS hands them to a Lambda function: API Gateway's of a request, and EventBridge's of a schedule.

Every event in this repository is made here: those of the local server, of the tests, of the bench and of the package's
trial runs. Their shape is that of the Lambda proxy integration of a REST API (payload format 1.0).
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

Values = Mapping[str, str | Sequence[str]]
"""Query parameters or headers: each with one value or several."""

_ACCOUNT = "123456789012"


class Origin(NamedTuple):
    """The way by which a request came.

    Attributes:
        stage: the stage of the API.
        source_ip: the client's address.
        is_own_domain: the address of the API is a domain of its own, whose paths do not begin with the stage.
    """

    stage: str = "prod"
    source_ip: str = "192.0.2.1"
    is_own_domain: bool = False


def proxy_event(
    method: str,
    path: str,
    body: str | bytes | None = None,
    *,
    route: str = "",
    parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    origin: Origin | None = None,
) -> dict[str, Any]:
    """The event of a request.

    Args:
        method: in capitals.
        path: as the client asked for it, without the stage.
        body: text, or bytes that go as base64; see `passed_on`.
        route: the path as declared, where that is another.
        parameters: those of the path, still percent-encoded.
        query: decoded.
        headers: by name.
        origin: the way by which it came; None for any way to the production stage.
    """
    route, origin = route or path, origin or Origin()
    sent, asked = _lists(headers), _lists(query)
    agents = next((values for name, values in sent.items() if name.lower() == "user-agent"), [None])
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": _last(sent),
        "multiValueHeaders": sent or None,
        "queryStringParameters": _last(asked),
        "multiValueQueryStringParameters": asked or None,
        "pathParameters": dict(parameters or {}) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "path": path if origin.is_own_domain else f"/{origin.stage}{path}",
            "httpMethod": method,
            "stage": origin.stage,
            "requestId": str(uuid4()),
            "identity": {"sourceIp": origin.source_ip, "userAgent": agents[-1]},
        },
        "body": base64.b64encode(body).decode("ascii") if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def passed_on(body: bytes, content_type: str, binary_types: Collection[str]) -> str | bytes | None:
    """The body as the gateway passes it on.

    Args:
        body: as the client sent it.
        content_type: the value of that header.
        binary_types: the media types that the API declares to be binary.

    Returns:
        None where it is empty, bytes for a binary type, and text for any other, in which U+FFFD stands for what is no
        UTF-8.
    """
    if not body:
        return None
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in binary_types or "*/*" in binary_types:
        return body
    return body.decode(errors="replace")


def schedule_event(rule: str = "schedule") -> dict[str, Any]:
    """The event of a schedule whose time has come."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": _ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:{_ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def _lists(values: Values | None) -> dict[str, list[str]]:
    return {name: [given] if isinstance(given, str) else list(given) for name, given in (values or {}).items()}


def _last(values: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    return {name: given[-1] for name, given in values.items()} or None
