"""Failures of the services beside DynamoDB say whether to send again, as each service words them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, DataNotFoundError, EndpointConnectionError, ReadTimeoutError

from chalicelib.errors import StoreRefused, Unavailable
from chalicelib.store.clients import answered

URL = "https://lambda.us-east-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "TooManyRequestsException"),  # Lambda and SES
        (503, "SlowDown"),  # S3
        (403, "RequestThrottled"),  # SQS
        (400, "ThrottlingException"),  # KMS
        (400, "ExpiredToken"),  # S3
        (403, "ExpiredTokenException"),
        (500, "500"),  # a page of HTML
        (502, "EC2ThrottledException"),
    ],
)
def test_what_passes_is_sent_again(status: int, code: str) -> None:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(Unavailable), answered("place"):
        raise ClientError(response, "Invoke")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", [EndpointConnectionError, ReadTimeoutError])
def test_no_answer_is_sent_again(kind: Any) -> None:
    with pytest.raises(Unavailable), answered("place"):
        raise kind(endpoint_url=URL)


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDeniedException"), (404, "ResourceNotFoundException")])
def test_what_is_refused_whenever_it_is_sent_is_not(status: int, code: str) -> None:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(StoreRefused, match=code), answered("place"):
        raise ClientError(response, "Invoke")  # type: ignore[no-untyped-call]


def test_a_service_that_is_not_in_the_package_is_a_mistake_of_the_deployment() -> None:
    with pytest.raises(StoreRefused, match="package"), answered("place"):
        raise DataNotFoundError(data_path="lambda")  # type: ignore[no-untyped-call]
