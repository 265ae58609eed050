"""The trail of retention: holds placed, changed and lifted; runs that were asked for, deleted something or failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid5

from chalicelib.api import trail
from chalicelib.api.caller import Caller
from chalicelib.api.http import Call
from chalicelib.logs.connection import NAMESPACE
from chalicelib.retention.holds import Hold
from chalicelib.retention.run import Trail
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.logs.audit_rows import writes_of

_OK = 200
_FAILED = 500


def hold_trail(call: Call, caller: Caller, status: int, before: Hold | None, after: Hold | None) -> list[Write]:
    """The trail of a hold that was placed (`before` is None), changed, or lifted (`after` is None)."""
    hold = after or before
    assert hold is not None  # noqa: S101 - something was placed, changed or lifted
    action = "create" if before is None else "delete" if after is None else "write"
    about = trail.Resource("retention_hold", str(uuid5(NAMESPACE, f"retention_hold/{hold.name}")), hold.name)
    states = {name: state.saved() for name, state in (("before", before), ("after", after)) if state is not None}
    return writes_of(trail.row(call, caller, action, status, about, more=states))


def run_trail(call: Call | None, caller: Caller | None) -> Trail:
    """The trail of runs: of all that a caller started, and of scheduled ones that purged rows or failed.

    Of a run whose process died it is not known who asked for it.
    """

    def trail_of(record: Mapping[str, Any], *, own: bool) -> list[Write]:
        failed = "error" in record
        asker = caller if own else None
        if asker is None and not failed and not any(record["purged"].values()):
            return []
        about = trail.Resource("retention_run", record["id"])
        status = _FAILED if failed else _OK
        return writes_of(trail.row(call if own else None, asker, "create", status, about, more={"run": record}))

    return trail_of
