"""The short way to DynamoDB: one signed POST, for the calls that requests are made of.

botocore's way through its service model (endpoint rules, serialisation by shape, a user agent made twice, an e-mail
parser for headers) takes half a millisecond of CPU a call, and a page makes six calls. What DynamoDB takes is its own
JSON, a header that names the operation, and a signature. So the first attempt is made here, over botocore's own
connections, credentials and hooks; whatever does not go well is left to botocore:

    200                     the answer
    refused for good        ClientError, as botocore raises it
    anything else           botocore sends it again: throttled, timed out, unreachable, 5xx, credentials that expired
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import time
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import orjson
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name for it

CALLS = frozenset({"BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"})
"""What is sent the short way. Not transactions: botocore gives each a token, the same one at each of its retries."""

_FINAL = frozenset({"ConditionalCheckFailedException", "ResourceNotFoundException", "ValidationException"})
_SERVICE = "dynamodb"
_TARGET = "DynamoDB_20120810"
_CONTENT_TYPE = "application/x-amz-json-1.0"
_PORTS = {"http": 80, "https": 443}
_OK = 200
_FIRST_PAUSE_SECONDS = 0.05
"""At the most, before what was refused for now is sent again; botocore makes the longer pauses after that."""

Send = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def parsed(body: bytes) -> dict[str, Any]:
    """An answer as DynamoDB writes it, binary values as bytes."""
    if not body:
        return {}
    answer: dict[str, Any] = orjson.loads(body)
    if b'"B' in body:
        for item in _items(answer):
            for value in item.values():
                if "B" in value:
                    value["B"] = a2b_base64(value["B"])
                elif "BS" in value:
                    value["BS"] = [a2b_base64(each) for each in value["BS"]]
    return answer


class Direct:
    """Sends calls the short way; made of a botocore client, in the place of its own method that does it.

    Args:
        client: whose endpoint, credentials, connections and hooks are used, and whose retries.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - botocore makes its client classes at run time
        self._again: Send = client._make_api_call  # noqa: SLF001 - the client's one way for every operation
        self._credentials = client._request_signer._credentials  # noqa: SLF001 - refreshed by botocore itself
        self._connections = client._endpoint.http_session  # noqa: SLF001 - with the time-outs it is configured for
        self._events = client.meta.events
        self._region = client.meta.region_name
        self._url = client.meta.endpoint_url.rstrip("/") + "/"
        place = urlsplit(self._url)
        # As HTTP writes it: without the port that the scheme has anyway.
        self._host = place.netloc.removesuffix(f":{_PORTS.get(place.scheme)}")
        # Only botocore knows which endpoint an account has of its own, and how a path is signed.
        required = getattr(client.meta.config, "account_id_endpoint_mode", None) == "required"
        self._knows_the_way = self._credentials is not None and place.path == "/" and not required
        self._user_agent = client._user_agent_creator.to_string()  # noqa: SLF001 - the same one each time

    def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a call.

        Raises:
            ClientError: DynamoDB refused it.
            BotoCoreError: it could not be reached.
        """
        if operation not in CALLS or not self._knows_the_way:
            return self._again(operation, request)
        try:
            response = self._sent(operation, _written(request))
        except (ConnectionError, HTTPClientError):
            return self._again(operation, request)
        if response.status_code == _OK:
            try:
                return parsed(response.content)
            except ValueError:
                # Damaged on its way: what was asked for has happened, and happens to be safe to ask for again.
                return self._again(operation, request)
        refusal = _refusal(response.content)
        if refusal["Error"]["Code"] in _FINAL:
            raise ClientError(refusal, operation)  # type: ignore[no-untyped-call]
        time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS))  # noqa: S311 - jitter, not a secret
        return self._again(operation, request)

    def _sent(self, operation: str, body: bytes) -> Any:  # noqa: ANN401 - botocore's AWSResponse, which has no types
        headers = {
            "Content-Type": _CONTENT_TYPE,
            "User-Agent": self._user_agent,
            "X-Amz-Target": f"{_TARGET}.{operation}",
            "Content-Length": str(len(body)),
        }
        headers |= signature(
            self._credentials.get_frozen_credentials(), self._region, self._host, headers["X-Amz-Target"], body
        )
        request = AWSPreparedRequest("POST", self._url, HeadersDict(headers), body, stream_output=False)  # type: ignore[no-untyped-call]
        for _, answer in self._events.emit(f"before-send.{_SERVICE}.{operation}", request=request):
            if answer is not None:
                return answer
        return self._connections.send(request)


def _written(request: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(request, default=_base64)
    except TypeError:
        # Half a character, which only an escape can carry; DynamoDB says what it thinks of it.
        return json.dumps(request, default=_base64).encode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def signature(credentials: Any, region: str, host: str, target: str, body: bytes) -> dict[str, str]:  # noqa: ANN401 - botocore's
    """The headers that sign a POST to DynamoDB by Signature Version 4 at this moment.

    Args:
        credentials: frozen ones, of one moment: `access_key`, `secret_key` and `token`, which may be None.
        region: such as `eu-central-1`.
        host: as in the URL.
        target: the value of `X-Amz-Target`.
        body: as it is sent.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {"content-type": _CONTENT_TYPE, "host": host, "x-amz-date": stamp}
    added = {"X-Amz-Date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = added["X-Amz-Security-Token"] = credentials.token
    signed["x-amz-target"] = target
    names = ";".join(signed)
    canonical = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = f"POST\n/\n\n{canonical}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{_SERVICE}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    proof = hmac.new(_signing_key(credentials.secret_key, stamp[:8], region), to_sign.encode(), sha256).hexdigest()
    credential = f"{credentials.access_key}/{scope}"
    added["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={proof}"
    return added


@lru_cache(maxsize=2)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, _SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _refusal(content: bytes) -> dict[str, Any]:
    """A refusal in botocore's form; the code is empty where the body is none of DynamoDB's."""
    try:
        body = parsed(content)
        code = str(body.get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        return {"Error": {"Code": "", "Message": ""}}
    message = body.get("message") or body.get("Message") or ""
    refusal: dict[str, Any] = {"Error": {"Code": code, "Message": message}}
    return refusal | ({"Item": body["Item"]} if "Item" in body else {})


def _items(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item of an answer. Their attributes are scalars and sets, in all tables here."""
    yield from answer.get("Items", ())
    for items in answer.get("Responses", {}).values():
        yield from items
    reasons = (reason or {} for reason in answer.get("CancellationReasons") or ())
    yield from (holder[name] for holder in (answer, *reasons) for name in ("Item", "Attributes") if name in holder)
