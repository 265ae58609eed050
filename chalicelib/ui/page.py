"""The routes of the page: its one document, its files, and the ways that lead to it.

The document and the files are the same for everybody and hold nothing of any log: they are served without a token.
"""

from __future__ import annotations

from chalicelib.api.http import Answer, Call
from chalicelib.errors import NotFound
from chalicelib.ui import assets
from chalicelib.ui.stage import stage_path

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # the icons in Pico's style sheet
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "lit-html",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{directive} {value}" for directive, value in _POLICY.items())
"""The rights of the page: its own files, calls of its own API, and no HTML that is made of texts."""

_PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_HTML = "text/html"


def root(call: Call) -> Answer:
    """Leads a browser to the page; to any other client there is nothing here."""
    if _HTML not in call.header("Accept"):
        raise NotFound("Route not found.")
    return _led_to(call, "ui")


def page(_call: Call) -> Answer:
    """The document of the page."""
    return Answer(assets.document(), headers=_PAGE_HEADERS)


def file(_call: Call, version: str, asset: str) -> Answer:
    """A file of the page, which never changes at this address."""
    asset_file = assets.assets().get(asset)
    if asset_file is None or version != assets.version():
        raise NotFound
    return Answer(asset_file.text, headers={**_FOR_EVER, "Content-Type": asset_file.media_type})


def cli_auth(call: Call) -> Answer:
    """Leads whoever runs `coder login` to the view of the page that shows a token to copy."""
    return _led_to(call, "ui?view=cli-auth")


def _led_to(call: Call, path: str) -> Answer:
    return Answer(None, 303, {"Location": f"{stage_path(call)}{path}"})
