"""Compressed bodies: a request's is unpacked within the gateway's limit, an answer's is packed for who accepts it."""

from __future__ import annotations

import re
import zlib

from scripts.gateway.limits import MAX_BODY_BYTES
from scripts.gateway.refusals import Misread, too_large, unsupported_coding

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def decompressed(body: bytes, coding: str) -> bytes:
    """The body without its `Content-Encoding`.

    Raises:
        UnsupportedCoding: the coding is none of gzip, deflate and identity.
        Misread: the body is not what the coding says, or is cut short.
        TooLarge: it would be more than 10 MB; no more than that is ever held.
    """
    coding = coding.strip().lower()
    if not body or coding in ("", "identity"):
        return body
    if coding not in _WINDOWS:
        raise unsupported_coding()
    plain = bytearray()
    while body:
        stream = zlib.decompressobj(_WINDOWS[coding])
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
