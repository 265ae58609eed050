"""The requirements of a start, each checked early and reported in one line when missing: a `StartError`."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib import settings
from scripts.local.data_directory import StartError
from scripts.local.server import listen

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
PROBE_SECONDS = 3.0
_SECRETS_KEY = "GATEBOOK_SECRETS_KEY"


def bound(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        StartError: the port is taken, or the address is not ours to listen on.
    """
    try:
        return listen(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not an address"
        raise StartError(f"Cannot listen on {host} port {port}: {reason}; give another --host or --port") from error


def use_endpoint(url: str) -> None:
    """Make sure that something listens at the engine's address, and that requests to it can be signed.

    Raises:
        StartError: the address is none, or nothing answers there.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host:
        raise StartError(f"{ENDPOINT}={url} is not an address; give one such as http://127.0.0.1:4567")
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise StartError(f"No DynamoDB answers at {url}; start it, or correct or unset {ENDPOINT}") from error
    if "AWS_PROFILE" not in os.environ:
        if "AWS_ACCESS_KEY_ID" not in os.environ:
            os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")  # noqa: S106 - opens nothing
        os.environ.setdefault("AWS_DEFAULT_REGION", os.environ.get("AWS_REGION", "us-east-1"))


def use_secrets_key(data: Path | None) -> None:
    """Let the service keep secrets, by a key beside the rows or in memory, as they are; another setting stays."""
    os.environ.setdefault(_SECRETS_KEY, f"file:{data.absolute() / 'secrets.key'}" if data else "memory")


def use_exports(url: str) -> None:
    """Let the service export to a bucket of the embedded engine, whose links lead to the server of the service."""
    os.environ.setdefault("GATEBOOK_EXPORT_BUCKET", "gatebook-exports")
    os.environ.setdefault("GATEBOOK_EXPORT_FUNCTION", "write_export")
    # botocore makes links of the first; by the second the engine takes requests for it.
    os.environ["AWS_ENDPOINT_URL_S3"] = os.environ["MOTO_S3_CUSTOM_ENDPOINTS"] = url


def bind_settings(url: str) -> None:
    """Read the settings of this process from its environment, once; where none says otherwise, the service is at `url`.

    Tables take their names and routes their CORS headers from them when the service is imported, which comes later.

    Raises:
        StartError: a setting has a bad value.
    """
    os.environ.setdefault("CODER_ACCESS_URL", url)
    try:
        settings.current()
    except settings.InvalidSetting as error:
        raise StartError(str(error)) from error


def asked(url: str, token: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The answer of the service to its owner, requested as any client would: proof that it answers.

    Raises:
        StartError: it does not accept the token.
    """
    address = urlsplit(url)
    client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        client.request("GET", address.path + path, headers={"Coder-Session-Token": token})
        response = client.getresponse()
        body = response.read().decode()
    finally:
        client.close()
    if response.status != http.client.OK:
        raise StartError(f"The service does not accept its owner's token: {response.status} {body}")
    return json.loads(body)
