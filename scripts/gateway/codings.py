"""Compressed bodies: a request's is unpacked within the gateway's limit, an answer's is packed for who accepts it."""

from __future__ import annotations

import re
import zlib

from scripts.gateway.limits import MAX_BODY_BYTES
from scripts.gateway.refusals import Misread, too_large, unsupported_coding

_GZIP = (16 + zlib.MAX_WBITS,)
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
"""Coding -> the forms in which senders write it: of deflate, some leave out the head that zlib puts before it."""
_MOST_CODINGS = 3


def decompressed(body: bytes, content_encoding: str) -> bytes:
    """The body without its `Content-Encoding`, which names codings in the order in which they were applied.

    API Gateway documents gzip, deflate and identity, one at a time; the other names and forms are those of RFC 9110.

    Raises:
        UnsupportedCoding: a coding is none of gzip, deflate and identity, or there are too many.
        Misread: the body is not what a coding says, or is cut short.
        TooLarge: it would be more than 10 MB; no more than that is ever held.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not body:
        return body
    if len(codings) > _MOST_CODINGS or not _WINDOWS.keys() >= {*codings}:
        raise unsupported_coding()
    for coding in reversed(codings):
        body = _unpacked(body, coding)
    return body


def _unpacked(body: bytes, coding: str) -> bytes:
    *others, last = _WINDOWS[coding]
    for window in others:
        try:
            return _unpacked_in(body, window, coding)
        except Misread:
            continue
    return _unpacked_in(body, last, coding)


def _unpacked_in(body: bytes, window: int, coding: str) -> bytes:
    plain = bytearray()
    while body:
        stream = zlib.decompressobj(window)
        try:
            plain += stream.decompress(body, MAX_BODY_BYTES - len(plain) + 1)
        except zlib.error as error:
            raise Misread(f"The request body is not valid {coding}.") from error
        if len(plain) > MAX_BODY_BYTES:
            raise too_large()
        if not stream.eof:
            raise Misread(f"The request body is not valid {coding}.", "It is cut short.")
        body = stream.unused_data
    return bytes(plain)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header admits gzip: named or by `*`, and not with `q=0`."""
    for entry in accept_encoding.lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() in ("gzip", "*"):
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False
