"""Failures of AWS for people: the error in its own words, and what to do about it where that is known."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

_SIGN_IN = "Sign in to AWS, and name the profile in AWS_PROFILE."
_ON_ERRORS: Mapping[type[Exception], str] = {
    NoCredentialsError: _SIGN_IN,
    PartialCredentialsError: _SIGN_IN,
    ProfileNotFound: "`aws configure list-profiles` lists those there are.",
    NoRegionError: "Name the region of the deployment in AWS_DEFAULT_REGION.",
    EndpointConnectionError: "Look at the network, at AWS_DEFAULT_REGION and at AWS_ENDPOINT_URL.",
}
_ON_CODES: Mapping[str, str] = {
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "UnrecognizedClientException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "AccessDenied": "Take credentials that may do so.",
    "AccessDeniedException": "Take credentials that may do so.",
    "ResourceNotFoundException": "Deploy first, or set GATEBOOK_TABLE_PREFIX to what the tables are called by.",
}


def advised(error: BaseException) -> str:
    """An error in one line, with what to do about it."""
    advice = _ON_CODES.get(error.response["Error"]["Code"], "") if isinstance(error, ClientError) else ""
    advice = advice or next((text for kind, text in _ON_ERRORS.items() if isinstance(error, kind)), "")
    text = " ".join(str(error).split())
    return f"{text.removesuffix('.')}. {advice}" if advice else text
