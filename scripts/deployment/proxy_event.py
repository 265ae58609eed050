"""Events as API Gateway's Lambda proxy integration makes them, and as a schedule does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4


def proxy_event(
    method: str,
    path: str,
    body: str | None = None,
    *,
    route: str = "",
    parameters: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A request to a REST API.

    Args:
        method: in capitals.
        path: as the client asked for it.
        body: as text.
        route: the path as declared, where that is another.
        parameters: those of the path.
        query: each with one value.
        headers: each with one value.
    """
    route = route or path
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers or {}) or None,
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()} or None,
        "queryStringParameters": dict(query or {}) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
        "pathParameters": dict(parameters or {}) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "path": f"/prod{path}",
            "httpMethod": method,
            "stage": "prod",
            "requestId": str(uuid4()),
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def schedule_event(rule: str = "schedule") -> dict[str, Any]:
    """What EventBridge sends when a schedule comes round."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2025-07-10T10:10:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:123456789012:rule/{rule}"],
        "detail": {},
    }
