"""The short way to DynamoDB: one signed POST, for the calls that requests are made of.

botocore's way through its service model (endpoint rules, serialisation by shape, a user agent made twice, an e-mail
parser for headers) takes half a millisecond of CPU a call, and a page makes six calls. What DynamoDB takes is its own
JSON, a header that names the operation, and a signature. So the first attempt is made here, with botocore's credentials
and its signer; whatever does not go well is left to botocore's client:

    200                                 the answer
    refused, and a repeat is no help    ClientError, as botocore raises it
    refused, and the caller repeats     ClientError: see `chalicelib.store.dynamodb.client`
    anything else                       botocore sends it again: throttled, timed out, unreachable, 5xx, expired token;
                                        not where its attempts might take longer than the deadline allows
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ReadTimeoutError
from botocore.session import Session
from urllib3.exceptions import HTTPError

from chalicelib.store.dynamodb.connections import (
    CONNECT_TIMEOUT_SECONDS,
    MAX_CONNECTIONS,
    READ_TIMEOUT_SECONDS,
    Connections,
    Reply,
)
from chalicelib.store.dynamodb.deadline import LONGEST_ATTEMPT_SECONDS, allows
from chalicelib.store.dynamodb.wire_format import TARGET_PREFIX, decode, encode, refusal

OPERATIONS = frozenset(
    {
        "BatchExecuteStatement",
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    }
)
"""The operations that are sent the short way."""

CONTENTION = frozenset({"RequestLimitExceeded", "TransactionCanceledException", "TransactionConflictException"})
"""Refusals that botocore does not repeat although they may pass: the caller does."""

_REFUSED_FOR_GOOD = frozenset({"ConditionalCheckFailedException", "ResourceNotFoundException", "ValidationException"})
_ATTEMPTS_BY_BOTOCORE = 3
_LONGEST_BY_BOTOCORE_SECONDS = _ATTEMPTS_BY_BOTOCORE * LONGEST_ATTEMPT_SECONDS + 4.0
"""Of all its attempts and the pauses between them."""
_OK = 200
_PORTS = {"http": 80, "https": 443}
_FIRST_PAUSE_SECONDS = 0.05
"""The longest pause before botocore's first attempt; botocore makes the longer pauses after that."""

Post = Callable[[Mapping[str, str], bytes], Reply]


class SignedTransport:
    """Sends the first attempt of each call by itself, and leaves the others to a client of botocore.

    Args:
        client: botocore's client of DynamoDB, whose endpoint and region are used.
        credentials: botocore's; read at each call, so that botocore can renew them.
        post: sends headers and a body to the endpoint, and raises urllib3's HTTPError where no answer comes.
    """

    def __init__(self, client: Any, credentials: Any, post: Post) -> None:  # noqa: ANN401 - botocore has no types
        self._client = client
        self._credentials = credentials
        self._post = post
        self._url = client.meta.endpoint_url.rstrip("/") + "/"
        place = urlsplit(self._url)
        # As HTTP writes it: without the port that the scheme has anyway.
        self._host = place.netloc.removesuffix(f":{_PORTS[place.scheme]}")
        # Only botocore knows the endpoint that an account has of its own, and how a path is signed.
        by_account = getattr(client.meta.config, "account_id_endpoint_mode", None) == "required"
        self._is_plain_endpoint = place.path == "/" and not by_account

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        """Send one request and return its answer; see `Transport.send`."""
        if not self._is_sent_here(operation, request):
            return self._by_botocore(operation, request)
        body = encode(request)
        headers = self._signed_headers(operation, body)
        try:
            reply = self._post(headers, body)
        except HTTPError as error:
            return self._again(operation, request, error)
        if reply.status == _OK:
            try:
                return decode(reply.content)
            except ValueError as error:
                # Damaged on its way. Every operation here may be sent twice.
                return self._again(operation, request, error)
        refused = refusal(operation, reply.content)
        if refused.response["Error"]["Code"] in _REFUSED_FOR_GOOD | CONTENTION:
            raise refused
        time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS))  # noqa: S311 - jitter, not a secret
        return self._again(operation, request, refused)

    def _is_sent_here(self, operation: str, request: Mapping[str, Any]) -> bool:
        # botocore gives a transaction without a token one that is the same at each of its own attempts alone.
        repeatable = operation != "TransactWriteItems" or "ClientRequestToken" in request
        return self._is_plain_endpoint and operation in OPERATIONS and repeatable

    def _signed_headers(self, operation: str, body: bytes) -> dict[str, str]:
        # The signer would make out host and digest itself, in half again its time.
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "Host": self._host,
            "X-Amz-Content-SHA256": sha256(body).hexdigest(),
            "X-Amz-Target": TARGET_PREFIX + operation,
        }
        signed = AWSRequest("POST", self._url, headers, body)  # type: ignore[no-untyped-call]
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, "dynamodb", self._client.meta.region_name).add_auth(signed)  # type: ignore[no-untyped-call]
        return {**signed.headers, "User-Agent": self._client.meta.config.user_agent}

    def _again(self, operation: str, request: Mapping[str, Any], error: Exception) -> dict[str, Any]:
        if not allows(_LONGEST_BY_BOTOCORE_SECONDS):
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error  # type: ignore[no-untyped-call]
        return self._by_botocore(operation, request)

    def _by_botocore(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._client, xform_name(operation))(**request)  # type: ignore[no-untyped-call]
        answer.pop("ResponseMetadata", None)
        return answer


@cache
def connected() -> SignedTransport:
    """The transport of this process, made as the environment and botocore's configuration files say.

    Raises:
        BotoCoreError: they name no region or no credentials, or something that botocore cannot use.
    """
    session = Session()  # type: ignore[no-untyped-call]
    session.register_component("data_loader", _descriptions())  # type: ignore[no-untyped-call]
    credentials = session.get_credentials()  # type: ignore[no-untyped-call]
    if credentials is None:
        # Raised and so not cached: the metadata service of a machine may answer later.
        raise NoCredentialsError
    client = session.create_client("dynamodb", config=_CONFIG)
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")  # type: ignore[no-untyped-call]
    url = client.meta.endpoint_url.rstrip("/") + "/"
    return SignedTransport(client, credentials, Connections(url, ca_bundle).post)


def connect_anew() -> None:
    """Forget the connections and the credentials of this process, and read both as a new process does."""
    connected.cache_clear()
    connected()


@cache
def _descriptions() -> Any:  # noqa: ANN401 - botocore has no types
    """The files of botocore, each read once in a process: it is nearly all that another client would take."""
    return Session().get_component("data_loader")  # type: ignore[no-untyped-call]


_CONFIG = Config(  # type: ignore[no-untyped-call]
    connect_timeout=CONNECT_TIMEOUT_SECONDS,
    read_timeout=READ_TIMEOUT_SECONDS,
    max_pool_connections=MAX_CONNECTIONS,
    # Not "standard": there all calls share one quota of retries, and those that fail leave none to the others.
    retries={"total_max_attempts": _ATTEMPTS_BY_BOTOCORE, "mode": "legacy"},
    parameter_validation=False,
)
