"""Where the service is on its host: every path begins with the stage of API Gateway, unless a domain hides it."""

from __future__ import annotations

from urllib.parse import quote

from chalicelib.api.http import Call

_LEFT_AS_THEY_ARE = "/!$&'()*+,=:@%"
"""Characters of a path that say nothing in an address or a cookie; a backslash is a slash to browsers."""


def stage_path(call: Call) -> str:
    """The path that all paths of the service begin with, as the browser sees it: `/prod/`, or `/` on a domain.

    Whatever the path of the request looks like, this is no address of another host: it has one slash in front.

    Args:
        call: a request of a route without parameters.
    """
    path, resource = (str(call.request.context.get(name) or "") for name in ("path", "resourcePath"))
    base = path.rstrip("/").removesuffix(resource.rstrip("/")).strip("/")
    return f"/{quote(base, safe=_LEFT_AS_THEY_ARE)}/" if base else "/"
