"""Inputs that no client should send, and events that the gateway never makes, as tables.

Whatever is listed here is sent to every route: see `tests/api/test_hostile.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[dict[str, Any]], Any]

BODIES: Mapping[str, str | bytes] = {
    "nothing": b"",
    "null": "null",
    "a list": "[]",
    "a text": '"text"',
    "a number": "1e999",
    "no JSON": "{",
    "not a number": '{"lifetime": NaN, "time": NaN, "roles": [Infinity], "limit": -Infinity}',
    "keys twice": '{"username": "a", "username": {"b": []}, "time": 1, "time": "x", "name": [], "name": null}',
    "10,000 deep": "[" * 10_000 + "]" * 10_000,
    "an object 10,000 deep": '{"events":' * 10_000 + "1" + "}" * 10_000,
    "half a pair": '{"username": "\\ud800", "name": "\\udfff", "resource_target": "\\ud83d"}',
    "a key that is half a pair": '{"\\ud800": 1}',
    "a huge integer": f'{{"lifetime": {"9" * 5_000}, "status_code": 1{"0" * 400}, "code": -1{"0" * 300}}}',
    "a megabyte of text": json.dumps({"username": "u" * 1_000_000, "name": "é" * 400_000, "reason": "r" * 9}),
    "many keys": json.dumps({f"k{number}": number for number in range(20_000)}),
    "UTF-16": '{"username": "ann"}'.encode("utf-16"),
    "UTF-32": '{"username": "ann"}'.encode("utf-32"),
    "Latin-1": '{"username": "ä"}'.encode("latin-1"),
    "a mark of UTF-8": b'\xef\xbb\xbf{"username": "ann"}',
    "zeros": b"\x00" * 1_000,
    "an overlong form": b'{"username": "\xc0\xaf"}',
    "control characters": '{"username": "a\tb\x01"}',
}
VALUES: Mapping[str, str] = {
    "null": "null",
    "a boolean": "true",
    "not a number": "NaN",
    "below nothing": "-1",
    "a huge integer": "9" * 5_000,
    "past every float": "1e999",
    "half a pair": '"\\ud800"',
    "a zero": '"\\u0000"',
    "a long text": f'"{"é" * 50_000}"',
    "a list of anything": '[null, {}, [], "", 1]',
    "deep": "[" * 500 + "]" * 500,
    "huge integers within": f'{{"a": {{"old": {"9" * 5_000}, "new": [1{"0" * 4_500}], "secret": false}}}}',
    "an object": '{"": null, "\\ud800": 1}',
}
"""JSON texts for one field of a body that is right otherwise."""
CONTENT_TYPES = (
    "",
    ";;;",
    "text/xml",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=\x00",
    "é" * 300,
)
PATH_TEXTS = (
    "%2F",
    "%2e%2e%2f",
    "..",
    "%00",
    "%",
    "%zz",
    "%c0%af",
    "%ff%fe",
    "a%2Fb",
    "%F0%9F%A6%80",
    "%ED%A0%80",
    "x" * 5_000,
    "\u202e",
    "%25%32%66",
    "-1",
    "99999999999999999999",
)
QUERY_VALUES: Mapping[str, str | list[str]] = {
    "nothing": "",
    "twice": ["1", "x"],
    "a megabyte": "x" * 1_000_000,
    "a percent sign": "%",
    "a zero": "\x00",
    "half a pair": "\ud800",
    "below nothing": "-1",
    "a huge number": "9" * 5_000,
    "not a number": "NaN",
    "other digits": "\u0663",
    "quotes": '":"\\',
}
HEADERS: Mapping[str, Mapping[str, str | list[str]]] = {
    "none": {},
    "a token twice": {"Coder-Session-Token": ["a", "b"]},
    "no token": {"Coder-Session-Token": ""},
    "a token of other letters": {"Coder-Session-Token": "é\u202e"},
    "a long token": {"Coder-Session-Token": "a-" * 20_000},
    "no cookie": {"Cookie": "=;;=; coder_session_token"},
    "a cookie of other letters": {"Cookie": 'coder_session_token="é\\\x00'},
    "many cookies": {"Cookie": "coder_session_token=a; " * 500},
    "no base64": {"Authorization": "Basic !!!"},
    "base64 of no text": {"Authorization": "Basic " + base64.b64encode(b"\xff:\xfe").decode()},
    "a scheme alone": {"Authorization": "Bearer"},
    "half a pair": {"Authorization": "Splunk \ud800"},
}
"""Headers in the place of those that a client sends to be known."""
HEADERS_BESIDE: Mapping[str, Mapping[str, str | list[str]]] = {
    "a host of other letters": {"Host": "é\x00", "Origin": "null", "Referer": "//"},
    "forwarded for nobody": {"X-Forwarded-For": ",,é, 999.1.1.1", "X-Forwarded-Host": "\ud800"},
    "a long agent": {"User-Agent": "é" * 50_000, "Accept": "q=;,;/*"},
    "a key of no form": {"Idempotency-Key": '"\\', "Content-Encoding": "gzip", "If-None-Match": "W/"},
    "half a pair": {"User-Agent": "\ud800", "Idempotency-Key": "\udfff", "Accept": "\ud83d"},
}
"""Headers beside a token that opens."""


def _null(name: str) -> Change:
    return lambda event: event.__setitem__(name, None)


def _missing(name: str) -> Change:
    return lambda event: event.pop(name, None)


def _of_context(**values: Any) -> Change:
    return lambda event: event["requestContext"].update(values)


def _body(text: Any, *, is_base64: bool) -> Change:
    return lambda event: event.update(body=text, isBase64Encoded=is_base64)


EVENTS: Mapping[str, Change] = {
    "null headers": _null("headers"),
    "no headers": _missing("headers"),
    "null headers of several values": _null("multiValueHeaders"),
    "no headers at all": lambda event: (_missing("headers")(event), _missing("multiValueHeaders")(event)),
    "null query": _null("multiValueQueryStringParameters"),
    "no query": _missing("multiValueQueryStringParameters"),
    "a query of single values": lambda event: event.update(
        multiValueQueryStringParameters=None, queryStringParameters={"q": "type:ssh", "limit": "1"}
    ),
    "a query without values": lambda event: event.update(
        multiValueQueryStringParameters={"q": [], "limit": [], "format": []}
    ),
    "half a pair in the query": lambda event: event.update(
        multiValueQueryStringParameters={"q": ["\ud800"], "\udfff": ["1"]}
    ),
    "null body": _null("body"),
    "no body": _missing("body"),
    "bad base64": _body("%%%", is_base64=True),
    "short base64": _body("YWJ", is_base64=True),
    "base64 that is text": _body('{"username": "ann"}', is_base64=True),
    "text that is base64": _body(base64.b64encode(b"{}").decode(), is_base64=False),
    "base64 of no text": _body(base64.b64encode(b"\xff\xfe").decode(), is_base64=True),
    "no word on base64": _missing("isBase64Encoded"),
    "half a pair in the body": _body('{"username": "\ud800"}', is_base64=False),
    "no identity": lambda event: event["requestContext"].pop("identity", None),
    "a null identity": _of_context(identity=None),
    "a null address": _of_context(identity={"sourceIp": None}),
    "an address of no form": _of_context(identity={"sourceIp": "\ud800"}),
    "a null path": _of_context(path=None),
    "no id": lambda event: event["requestContext"].pop("requestId", None),
    "null path parameters": _null("pathParameters"),
    "no path parameters": _missing("pathParameters"),
}
"""Changes of an event that is right."""
WHOLE_EVENTS: Mapping[str, dict[str, Any]] = {
    "nothing": {},
    "a null context": {"requestContext": None},
    "no method and no path": {"requestContext": {"httpMethod": None, "resourcePath": None}},
    "a context alone": {"requestContext": {"httpMethod": "GET", "resourcePath": "/api/v2/users"}},
}
