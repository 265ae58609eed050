"""Where the service is on its host: every path begins with the stage of API Gateway, unless a domain hides it."""

from __future__ import annotations

from chalicelib.api.http import Call


def stage_path(call: Call) -> str:
    """The path that all paths of the service begin with, as the browser sees it: `/prod/`, or `/` on a domain.

    Args:
        call: a request of a route without parameters.
    """
    path, resource = (str(call.request.context.get(name) or "") for name in ("path", "resourcePath"))
    return f"{path.rstrip('/').removesuffix(resource.rstrip('/'))}/"
