"""HTTP connections to DynamoDB's endpoint: a pool with time-outs, through the proxy that the environment names."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import SSLError
from botocore.httpsession import ProxyConfiguration, get_cert_path
from botocore.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, Timeout

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3
MAX_CONNECTIONS = 32

_TIMEOUT = Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
_READ_BLOCK_BYTES = 128 * 1_024


class Reply(NamedTuple):
    """The HTTP status of an answer and its body."""

    status: int
    content: bytes


class Connections:
    """The connections to one endpoint, kept open between requests and shared by all threads.

    Args:
        url: of the endpoint.
        ca_bundle: the file of the certificate authorities to trust; None means botocore's own choice.
        timeout: of connecting, and of each read.

    Raises:
        SSLError: the CA bundle cannot be read.
    """

    def __init__(self, url: str, ca_bundle: str | None, timeout: Timeout = _TIMEOUT) -> None:
        options: Any = {
            "timeout": timeout,
            "maxsize": MAX_CONNECTIONS,
            "blocksize": _READ_BLOCK_BYTES,
            "ssl_context": _tls(url, ca_bundle),
        }
        proxies = ProxyConfiguration(get_environ_proxies(url))  # type: ignore[no-untyped-call]
        proxy = proxies.proxy_url_for(url)  # type: ignore[no-untyped-call]
        self._pool: HTTPConnectionPool | ProxyManager
        if proxy:
            headers = proxies.proxy_headers_for(proxy)  # type: ignore[no-untyped-call]
            self._pool = ProxyManager(proxy, proxy_headers=headers, **options)
            self._target = url
        else:
            # Looked up once: a manager looks it up for each request.
            self._pool = PoolManager(**options).connection_from_url(url)
            self._target = urlsplit(url).path or "/"

    def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send a POST once.

        Raises:
            urllib3.exceptions.HTTPError: it did not arrive, or no answer came in time.
        """
        answer = self._pool.urlopen("POST", self._target, body=body, headers=headers, retries=False, redirect=False)
        return Reply(answer.status, answer.data)


@cache
def _tls(url: str, ca_bundle: str | None) -> ssl.SSLContext | None:
    # Read once in a process: it is three quarters of what other connections would take.
    if urlsplit(url).scheme != "https":
        return None
    try:
        return ssl.create_default_context(cafile=get_cert_path(ca_bundle or True))  # type: ignore[no-untyped-call]
    except OSError as error:
        raise SSLError(endpoint_url=url, error=error) from error  # type: ignore[no-untyped-call]
