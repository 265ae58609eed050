"""The calls of whatever is beside the store, and their faults: S3, SQS, KMS, SES, Lambda, and addresses of HTTP.

Each is noted by its service and its name. One of them may be spoilt, and all of them may be slow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, ResponseStreamingError

from chalicelib.dispatch import outgoing, revocation
from chalicelib.dispatch.outgoing import NoAnswer, Reply
from chalicelib.store import clients
from chalicelib.store.exports import files
from tests.transport import refusal

HTTP = "http"
URL = "https://service.us-east-1.amazonaws.com/"
THROTTLED: Mapping[str, tuple[int, str]] = {
    "kms": (400, "ThrottlingException"),
    "lambda": (429, "TooManyRequestsException"),
    "s3": (503, "SlowDown"),
    "sesv2": (429, "TooManyRequestsException"),
    "sqs": (403, "RequestThrottled"),
}
"""Service -> the status and the word by which it says that there are too many requests."""
BEFORE, AFTER = "before", "after"


class ServiceFault(NamedTuple):
    """One way in which one call of a service may fail, before it is done or after.

    Attributes:
        outcome: by the name of the service: an error to raise, or an answer in the place of the service's own.
    """

    name: str
    moment: str
    outcome: Callable[[str], Any]


def service_faults(call: str) -> tuple[ServiceFault, ...]:
    """The faults that a call of this name may meet."""
    return _OF_HTTP if call.startswith(HTTP) else _OF_AWS


def _refused(status: int, code: str) -> Exception:
    return refusal(code, "Invoke", ResponseMetadata={"HTTPStatusCode": status})


_OF_AWS = (
    ServiceFault("throttled", BEFORE, lambda service: _refused(*THROTTLED[service])),
    ServiceFault("500 with JSON", BEFORE, lambda _: _refused(500, "InternalError")),
    ServiceFault("500 with HTML", BEFORE, lambda _: _refused(500, "500")),
    ServiceFault(
        "credentials expired",
        BEFORE,
        lambda service: _refused(*((400, "ExpiredToken") if service == "s3" else (403, "ExpiredTokenException"))),
    ),
    ServiceFault("dropped before it was sent", BEFORE, lambda _: EndpointConnectionError(endpoint_url=URL)),  # type: ignore[no-untyped-call]
    ServiceFault("reply lost after it was done", AFTER, lambda _: ReadTimeoutError(endpoint_url=URL)),  # type: ignore[no-untyped-call]
    ServiceFault("answer truncated", AFTER, lambda _: ResponseStreamingError(error="512 bytes read")),  # type: ignore[no-untyped-call]
)
_OF_HTTP = (
    ServiceFault("throttled", BEFORE, lambda _: Reply(429, b"")),
    ServiceFault("500 with JSON", BEFORE, lambda _: Reply(500, b'{"message": "no"}')),
    ServiceFault("500 with HTML", BEFORE, lambda _: Reply(500, b"<html>no</html>")),
    ServiceFault("dropped before it was sent", BEFORE, lambda _: NoAnswer("ConnectionRefusedError")),
    ServiceFault("reply lost after it was done", AFTER, lambda _: NoAnswer("TimeoutError")),
    ServiceFault("answer truncated", AFTER, lambda _: Reply(200, b'{"accepted_')),
)


class Services:
    """The services as the application calls them.

    Attributes:
        calls: service and operation of each call since the last reset, in order.
        started: the exports that the function was started for, each once.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.started: set[str] = set()
        self._number, self._fault = -1, _OF_AWS[0]
        self._wait: Callable[[], None] = lambda: None
        for service in THROTTLED:
            events = clients.client(service).meta.events
            events.register("before-call", self._before)
            events.register("after-call", self._after)
        sent = outgoing.ask

        def ask(method: str, url: str, *more: Any) -> Reply:
            self._begin(f"{HTTP} {method}")
            spoilt: Reply | None = self._outcome(BEFORE, HTTP)
            if spoilt is not None:
                return spoilt
            # What has TLS is no server of the tests: it takes whatever comes.
            answer = Reply(200, b"") if url.startswith("https") else sent(method, url, *more)
            lost: Reply | None = self._outcome(AFTER, HTTP)
            return lost or answer

        patch.setattr(outgoing, "ask", ask)
        # It has been given what it asks by.
        patch.setattr(revocation.revoke, "__defaults__", (ask,))

    def reset(self) -> None:
        """Forget what was called."""
        self.calls.clear()
        self.started.clear()

    @contextmanager
    def spoilt(self, number: int, fault: ServiceFault) -> Iterator[None]:
        """The call of a number fails meanwhile."""
        self.calls.clear()
        self._number, self._fault = number, fault
        try:
            yield
        finally:
            self._number = -1

    def delayed_by(self, wait: Callable[[], None]) -> None:
        """Wait before each answer from now on."""
        self._wait = wait

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        self._wait()

    def _outcome(self, moment: str, service: str) -> Any:
        if self._number != len(self.calls) - 1 or self._fault.moment != moment:
            return None
        outcome = self._fault.outcome(service)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _before(self, model: Any, params: Mapping[str, Any], **_: Any) -> Any:
        service = model.service_model.service_name
        self._begin(f"{service} {model.name}")
        self._outcome(BEFORE, service)
        if service != "lambda":
            return None
        # No function runs here: to have been started is all that becomes of it.
        self.started.add(json.loads(params["body"])["id"])
        return SimpleNamespace(status_code=202), {"StatusCode": 202}

    def _after(self, model: Any, **_: Any) -> None:
        self._outcome(AFTER, model.service_model.service_name)


def kept_files(export_id: str = "") -> list[str]:
    """The names of the files of an export in the bucket, in their order; of all exports where none is named."""
    return [key.rpartition("/")[2] for key in _keys(export_id)]


def clear_files() -> None:
    """Delete the files of all exports."""
    for key in _keys(""):
        _s3().delete_object(Bucket=_bucket(), Key=key)


def _keys(export_id: str) -> list[str]:
    listed = _s3().list_objects_v2(Bucket=_bucket(), Prefix=f"exports/{export_id}").get("Contents", [])
    return sorted(one["Key"] for one in listed)


def _bucket() -> str:
    return files.current().export_bucket  # type: ignore[attr-defined]


@cache
def _s3() -> Any:
    # A client of its own, whose calls are none of the application's.
    return boto3.client("s3")  # type: ignore[no-untyped-call]
