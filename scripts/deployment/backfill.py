"""Writes the lane keys that stored rows lack, after a lane was switched on: `scripts/backfill connection`.

Every row is met once, newest first, through the lane that is always kept, and gets the keys of the lanes in
`GATEBOOK_CONNECTION_LANES` or `GATEBOOK_AUDIT_LANES` that it should be in and is not. It may be stopped and started
again at any time: what is done is found done, and `--below` goes on where it said it was. A row that is changed
meanwhile is left to its writer, who writes all its keys.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.lanes.catalogue import ALL, POSITION, arrived_keys, lane_keys
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import plan
from chalicelib.settings import InvalidSetting, current
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.patience import patiently
from chalicelib.store.dynamodb.rounds import run
from chalicelib.store.logs.merge import Batch, Checkpoint, End, Merge, Spent
from chalicelib.store.logs.stamps import is_row
from chalicelib.store.logs.tables import LOG_TABLES, LogTable
from scripts.deployment.advice import advised

T = TypeVar("T")

ROWS = 1_000
"""Rows that the command looks at before it says where it is."""
SECONDS = 60.0
"""How long the command tries one call."""
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}#[0-9a-f-]{36}", re.ASCII)


class Stopped(Exception):
    """The store did not answer.

    Attributes:
        written: rows that were written before.
    """

    def __init__(self, written: int) -> None:
        super().__init__(f"stopped after {written} rows")
        self.written = written


def backfill(
    log: LogTable[Any], below: str | None = None, rows: int = ROWS, seconds: float = SECONDS
) -> tuple[int, str | None]:
    """Look at rows that stand below a position; what fails for now is tried again.

    Args:
        log: which log.
        below: the position.
        rows: how many.
        seconds: for how long one call is tried.

    Returns:
        How many of them lacked a key, and the position to go on below; None at the end.

    Raises:
        Stopped: the store did not answer, for as long as one call is tried.
    """
    written = 0

    def attempted(step: Callable[[], T]) -> T:
        try:
            return patiently(step, give_up_at=time.monotonic() + seconds)
        except Unavailable as error:
            raise Stopped(written) from error

    everything = plan(Criteria(), tuple(lane for lane in log.lanes if lane.name == ALL), current().log_shards)
    merge = Merge(log.table_name, everything.below(below), Budget(), ("id", POSITION))
    met: list[Item] = []
    state: Checkpoint | Spent | End = Checkpoint("")
    while len(met) < rows and isinstance(state, Checkpoint):
        items, state = attempted(partial(_round, merge, rows - len(met)))
        met += items
    met = met[:rows]
    ids = [item["id"]["S"] for item in met]
    for _, item in attempted(lambda: list(batch_get({log.table_name: ids}))):
        written += attempted(partial(_filled, log, item))
    return written, met[-1][POSITION]["S"] if len(met) == rows else None


def _round(merge: Merge, wanted: int) -> Batch:
    return run(merge.round(wanted))


def _filled(log: LogTable[Any], item: Item) -> bool:
    if not is_row(item):
        return False
    lanes = log.kept().written
    # A row that has no place in the order of arrival arrives now: who follows the order meets it.
    keys = {
        **lane_keys(log.read(item), lanes, current().log_shards),
        **arrived_keys(item["id"]["S"], lanes, times.now),
    }
    lacking = {name: key for name, key in keys.items() if name not in item}
    if not lacking:
        return False
    numbered = list(enumerate(lacking.items()))
    request: dict[str, Any] = {
        "TableName": log.table_name,
        "Key": {"id": item["id"]},
        "UpdateExpression": "SET " + ", ".join(f"#{index} = :{index}" for index, _ in numbered),
        # A row that is purged meanwhile stays as it is.
        "ConditionExpression": "attribute_exists(id) AND attribute_not_exists(#forget_at)",
        "ExpressionAttributeNames": {"#forget_at": FORGET_AT, **{f"#{index}": name for index, (name, _) in numbered}},
        "ExpressionAttributeValues": {f":{index}": {"S": key} for index, (_, key) in numbered},
    }
    if log.changes.revision is not None:
        request["ConditionExpression"] += " AND #revision = :seen"
        request["ExpressionAttributeNames"]["#revision"] = log.changes.revision
        request["ExpressionAttributeValues"][":seen"] = item[log.changes.revision]
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return False
    return True


def _position(text: str) -> str:
    if not _POSITION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no position such as an earlier run printed")
    return text


def _cause(stop: Stopped) -> BaseException:
    """The error that an answer of the store failed for."""
    unavailable = stop.__cause__ or stop
    return unavailable.__cause__ or unavailable


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at every row of a log."""
    parser = argparse.ArgumentParser(prog="scripts/backfill", description="Writes the lane keys that stored rows lack.")
    logs = {log.name: log for log in LOG_TABLES}
    parser.add_argument("log", choices=logs, help="which log")
    parser.add_argument(
        "--below", type=_position, metavar="POSITION", help="go on below a position that an earlier run printed"
    )
    given = parser.parse_args(arguments)
    try:
        current()
    except InvalidSetting as error:
        parser.error(str(error))
    place: str | None = given.below
    written = 0
    while True:
        again = f" with --below '{place}'" if place else ""
        try:
            newly_written, place = backfill(logs[given.log], place, ROWS, SECONDS)
        except Stopped as stop:
            total = written + stop.written
            why = advised(_cause(stop))
            text = f"{total} rows written, then the store did not answer. Run it again{again}. It said: {why}"
            raise SystemExit(text) from stop
        except ClientError as error:
            raise SystemExit(f"{written} rows written, then the store refused it: {advised(error)}") from error
        written += newly_written
        if place is None:
            break
        print(f"{written} rows written; go on with --below '{place}'", flush=True)
    print(f"{written} rows written; every row has its keys.")


if __name__ == "__main__":
    main()
