"""Rows of the connection log as OCSF events: sessions, web requests and tunnels. Pure.

A session is one event with its beginning and, where it has ended, its end. Applications and ports are web requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.export.ocsf import (
    HTTP_ACTIVITY,
    OTHER,
    SSH_ACTIVITY,
    TUNNEL_ACTIVITY,
    Activity,
    event,
    filled,
    is_failure,
    milliseconds,
    organization,
    user,
)

_OPEN, _CLOSE, _FAIL = Activity(1, "Open"), Activity(2, "Close"), Activity(4, "Fail")
_REQUEST = Activity(OTHER, "Request")
_MAPPED = frozenset(
    "connect_time workspace_id workspace_name agent_name ip app_name".split()  # noqa: SIM905 - shorter than a list
)


def connection_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a row, as the API answers it."""
    if "ssh_info" in row:
        return _session(row, row["ssh_info"])
    web = row.get("web_info") or {}
    if row.get("type") == "tunnel":
        fields = {
            **_ends(row),
            "user": user(web.get("user")),
            "session": filled({"uid": row["id"]}),
            "protocol_name": "tunnel",
        }
        return event(TUNNEL_ACTIVITY, _OPEN, row, row["connect_time"], mapped=_MAPPED, fields=fields)
    status = web.get("status_code") or 0
    fields = {
        **_ends(row),
        "http_request": {
            **filled({"user_agent": web.get("user_agent")}),
            # A port or an application of the workspace: what the request was for.
            "url": {"path": f"/{web.get('slug_or_port') or ''}"},
        },
        "http_response": {"code": status},
        "status_code": str(status),
    }
    return event(
        HTTP_ACTIVITY, _REQUEST, row, row["connect_time"], mapped=_MAPPED, fields=fields, failed=is_failure(status)
    )


def _session(row: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    begin = milliseconds(row["connect_time"])
    ended = info.get("disconnect_time")
    end = milliseconds(ended) if ended else None
    code = info.get("exit_code")
    failed = bool(code)
    # What ended with an error as it began was never a session.
    activity = _OPEN if end is None else _FAIL if failed and end <= begin else _CLOSE
    fields = {
        **_ends(row),
        "start_time": begin,
        "end_time": end,
        "duration": None if end is None else max(0, end - begin),
        "connection_info": filled({"uid": info.get("connection_id"), "direction_id": 1}),
        "status_code": None if code is None else str(code),
        "status_detail": info.get("disconnect_reason"),
    }
    return event(SSH_ACTIVITY, activity, row, row["connect_time"], mapped=_MAPPED, fields=fields, failed=failed)


def _ends(row: Mapping[str, Any]) -> dict[str, Any]:
    """Who was connected with what."""
    owner = filled({"uid": row.get("workspace_owner_id"), "name": row.get("workspace_owner_username")})
    org = organization(row.get("organization"))
    return {
        "app_name": row.get("app_name"),
        "src_endpoint": {"ip": row["ip"]} if row.get("ip") else {"name": "unknown"},
        "dst_endpoint": filled(
            {
                "uid": row.get("workspace_id"),
                "name": row.get("workspace_name"),
                "instance_uid": row.get("agent_name"),
                "owner": {**owner, **({"org": org} if org else {})},
            }
        ),
    }
