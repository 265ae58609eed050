"""A running service, as far as an export asks it: pages of a log by cursor, the holds on the log, and who asks."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from chalicelib.export.manifest import Holds
from chalicelib.export.progress import CutOffs, Page
from chalicelib.export.question import Question

PATHS: Final = {"connection": "/api/v2/connectionlog", "audit": "/api/v2/audit"}
ROWS_A_PAGE: Final = 5_000
"""The most rows that the service answers at once."""
_TRIES = 8
_LONGEST_PAUSE_SECONDS = 30.0
_ANSWER_WITHIN_SECONDS = 60.0
_MAY_PASS = frozenset({429, 500, 502, 503, 504})
_NEXT = re.compile(r'<\?([^>]*)>; rel="next"')


class ServiceError(Exception):
    """The service refuses what it is asked, or does not answer; the text says so in one line."""


class Reply(NamedTuple):
    """The answer of the service; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Get = Callable[[str, Mapping[str, str]], Reply]
"""Sends a GET for a path with parameters.

Raises OSError, or an HTTPException, where there is no whole answer."""


class Service:
    """Asks a service, again and again where that may help.

    Args:
        get: sends a request.
        pause: waits for so many seconds.
    """

    def __init__(self, get: Get, pause: Callable[[float], None] = time.sleep) -> None:
        self._get = get
        self._pause = pause

    def page(self, question: Question, cursor: str) -> Page:
        """The page of a cursor; "" is the first.

        Raises:
            ServiceError: there is no such page to be had.
        """
        asked = {"q": question.query, "format": "ndjson", "limit": str(ROWS_A_PAGE)}
        reply = self._asked(PATHS[question.log], {**asked, **({"cursor": cursor} if cursor else {})})
        following = _NEXT.search(reply.headers.get("link", ""))
        named = parse_qs(following[1])["cursor"][0] if following else ""
        # Not by splitlines: a text of a row may hold what Unicode takes for the end of a line.
        lines = [f"{line}\n" for line in reply.body.decode().split("\n") if line]
        return Page(lines, named, _cut_offs(reply.headers.get("gatebook-kept-since", "")))

    def holds(self, log: str) -> Holds:
        """The holds on a log; None where the token may not read them.

        Raises:
            ServiceError: the service does not answer.
        """
        try:
            reply = self._asked("/api/v2/retention/holds", {})
        except _Refused:
            return None
        return [hold for hold in json.loads(reply.body)["holds"] if hold["log"] == log]

    def caller(self) -> str | None:
        """The id of the user whose token it is; None where the token may not read that.

        Raises:
            ServiceError: the service does not answer.
        """
        try:
            reply = self._asked("/api/v2/users/me", {})
        except _Refused:
            return None
        caller: str = json.loads(reply.body)["id"]
        return caller

    def _asked(self, path: str, parameters: Mapping[str, str]) -> Reply:
        for number in range(_TRIES):
            try:
                reply = self._get(path, parameters)
                problem = f"status {reply.status}"
                after = reply.headers.get("retry-after", "")
            except (OSError, http.client.HTTPException) as error:
                reply, problem, after = None, f"{type(error).__name__}: {error}", ""
            if reply is not None and reply.status == http.HTTPStatus.OK:
                return reply
            if reply is not None and reply.status not in _MAY_PASS:
                raise _Refused(_words(reply))
            if number < _TRIES - 1:
                self._pause(min(_LONGEST_PAUSE_SECONDS, float(after) if after.isdigit() else 0.5 * 2**number))
        raise ServiceError(f"no answer after {_TRIES} tries ({problem})")


class _Refused(ServiceError):
    """The service answers that it will not."""


def getting(url: str, token: str) -> Get:
    """A function that sends requests to the service at an address.

    Raises:
        ServiceError: it is no address of a service.
    """
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise ServiceError(f"{url} is no address such as https://gatebook.example.com")
    kept: list[http.client.HTTPConnection] = []

    def connect() -> http.client.HTTPConnection:
        assert place.hostname  # noqa: S101 - checked above
        if place.scheme == "http":
            return http.client.HTTPConnection(place.hostname, place.port, timeout=_ANSWER_WITHIN_SECONDS)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=_ANSWER_WITHIN_SECONDS, context=context)

    def get(path: str, parameters: Mapping[str, str]) -> Reply:
        target = f"{place.path.rstrip('/')}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        connection = kept.pop() if kept else connect()
        try:
            connection.request("GET", target, headers={"Coder-Session-Token": token, "Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            body = answer.read()
        except BaseException:
            connection.close()
            raise
        kept.append(connection)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, _unpacked(body, headers.get("content-encoding", "")))

    return get


def _unpacked(body: bytes, coding: str) -> bytes:
    try:
        return zlib.decompress(body, 16 + zlib.MAX_WBITS) if coding == "gzip" else body
    except zlib.error as error:
        raise http.client.HTTPException("the answer is cut short") from error


def _cut_offs(header: str) -> CutOffs:
    return dict(pair.partition("=")[::2] for pair in header.split(", ") if pair)


def _words(reply: Reply) -> str:
    """The reason that the service gives for a refusal."""
    try:
        said: dict[str, Any] = json.loads(reply.body)
        wrong = [f"{one['field']}: {one['detail']}" for one in said.get("validations", ())]
        return " ".join(filter(None, [f"{said['message']}", said.get("detail", ""), *wrong]))
    except (ValueError, KeyError, TypeError):
        return f"the service answers with status {reply.status}"
