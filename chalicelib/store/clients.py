"""botocore's clients of services other than DynamoDB, made at the first use: who needs none does not wait for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, DataNotFoundError
from botocore.session import Session

from chalicelib.errors import StoreRefused, Unavailable

_FIRST_SERVER_ERROR = 500
_CONFIG = Config(  # type: ignore[no-untyped-call]
    connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"}
)
_OF_SERVICES: Final[Mapping[str, Mapping[str, Any]]] = {
    # A link signed as botocore would by itself is of the second version, which no new bucket takes, and names a host
    # that sends it on to the bucket's region, where the signature is not of the host.
    "s3": {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}},
}
"""Service -> what its client has beside the attempts and times of all."""
_TOO_MANY_REQUESTS = 429
_TRANSIENT = frozenset(
    {
        # Those of the process are renewed behind its back.
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
    }
)


@cache
def client(service: str) -> Any:  # noqa: ANN401 - botocore has no types
    """The client of a service (`kms`, `lambda`, `s3`, `sesv2`, `sqs`) of this process."""
    config = _CONFIG.merge(Config(**_OF_SERVICES.get(service, {})))  # type: ignore[no-untyped-call]
    return Session().create_client(service, config=config)  # type: ignore[no-untyped-call]


@contextmanager
def answered(place: str) -> Iterator[None]:
    """A context for a call that classifies its failures as those of DynamoDB are.

    Args:
        place: what is called, for the message.

    Raises:
        Unavailable: no answer, throttled, or a server error, after every attempt.
        StoreRefused: refused whenever it is sent.
    """
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _FIRST_SERVER_ERROR)
        code = error.response["Error"]["Code"]
        if status >= _FIRST_SERVER_ERROR or status == _TOO_MANY_REQUESTS or code in _TRANSIENT:
            raise Unavailable(f"The {place} did not answer.") from error
        raise StoreRefused(f"The {place} refuses the request: {code}.") from error
    except DataNotFoundError as error:
        raise StoreRefused(f"The package of this deployment cannot call the {place}.") from error
    except BotoCoreError as error:
        raise Unavailable(f"The {place} did not answer.") from error
