"""The trail of retention: holds placed, changed and lifted; runs that were asked for, deleted something or failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid5

from chalicelib.api import trail
from chalicelib.api.authentication import Caller
from chalicelib.api.http import Call
from chalicelib.logs.connection import NAMESPACE
from chalicelib.retention.holds import Hold
from chalicelib.store.audit_rows import writes_of
from chalicelib.store.transaction import Write, transact

_OK = 200
_FAILED = 500


def hold_trail(call: Call, caller: Caller, status: int, before: Hold | None, after: Hold | None) -> list[Write]:
    """The trail of a hold that was placed (`before` is None), changed, or lifted (`after` is None)."""
    hold = after or before
    assert hold is not None  # noqa: S101 - something was placed, changed or lifted
    action = "create" if before is None else "delete" if after is None else "write"
    about = trail.Resource("retention_hold", str(uuid5(NAMESPACE, f"retention_hold/{hold.name}")), hold.name)
    told = {name: some.saved() for name, some in (("before", before), ("after", after)) if some is not None}
    return writes_of(trail.row(call, caller, action, status, about, more=told))


def tell_of_run(call: Call | None, caller: Caller | None, record: Mapping[str, Any]) -> None:
    """Write the trail of a run: of each that somebody asked for, and of those by schedule that did something or failed.

    Raises:
        Unavailable: the store did not answer; the run and its record are there all the same.
    """
    failed = "error" in record
    if caller is None and not failed and not any(record["purged"].values()):
        return
    about = trail.Resource("retention_run", record["id"])
    row = trail.row(call, caller, "create", _FAILED if failed else _OK, about, more={"run": record})
    transact(writes_of(row))
