"""The gateway of this machine, whose server also answers the links of exports, as their bucket does on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.types import WSGIEnvironment

from chalice.app import Chalice

from chalicelib import times
from chalicelib.settings import current
from scripts.gateway.application import Answer, Gateway
from scripts.local.bucket import opened


class LinkedGateway(Gateway):
    """A gateway that knows the bucket of exports.

    Args:
        app: the Chalice app.
        own_headers: headers of the answers that the gateway makes itself.
        stage: the stage that paths begin with; those of links do not.
        url: the address that links begin with.
    """

    def __init__(self, app: Chalice, own_headers: Mapping[str, str], stage: str, url: str) -> None:
        super().__init__(app, own_headers, stage)
        self._url = url
        self._folder = f"/{current().export_bucket}/"

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        target: str = environ["REQUEST_URI"]
        if environ["REQUEST_METHOD"] != "GET" or not target.startswith(self._folder):
            return super()._answer(environ)
        file = opened(self._url + target, current().export_bucket, times.now())
        headers = [("Content-Type", file.media_type), ("Content-Disposition", file.disposition)]
        return Answer(200, headers, file.content)
