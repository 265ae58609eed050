"""The logs of provisioner jobs: lines in chunks beside the job, which knows how much there is of them.

A batch is one transaction: its chunks, and the state of the log in the job, on the condition that nobody has added to
it since it was read. Lines have ids that only grow, so that a batch which is sent again is known by its ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from chalicelib.errors import NotFound, Unavailable
from chalicelib.platform.job_logs import Kept, Line, kept
from chalicelib.platform.kinds import JOB
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.client import Item, TransactionCancelled
from chalicelib.store.dynamodb.contention import back_off
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.transaction import Write, transact
from chalicelib.store.platform.rows import LOGS, TABLE, from_item, get_item, key, part

_CHUNK_BYTES: Final = 200_000
_LINES_IN_CHUNK: Final = 2_000
_CHARACTERS_IN_PIECE: Final = 50_000
_ATTEMPTS: Final = 8


class Appended(NamedTuple):
    """The result of a batch.

    Attributes:
        stored: lines that are stored now and were not before, the notice included.
        known: lines whose ids were stored already, or came after others.
        length: bytes of output that are stored.
        overflowed: whether the log is not whole.
    """

    stored: int
    known: int
    length: int
    overflowed: bool


def append(job_id: str, lines: Sequence[Line]) -> Appended:
    """Add lines to the log of a job, in the order of their ids.

    Raises:
        NotFound: there is no such job.
        Unavailable: the store did not answer, or others added lines at every attempt.
    """
    for attempt in range(_ATTEMPTS):
        item = get_item(JOB, job_id)
        if item is None or from_item(item) is None:
            raise NotFound
        log = part(item, LOGS)
        last = log.get("last_id", -1)
        new = sorted((line for line in lines if line["id"] > last), key=lambda line: int(line["id"]))
        batch = kept(new, log.get("length", 0), overflowed=log.get("overflowed", False))
        if new and (batch.lines or not log.get("overflowed")):
            try:
                transact(_writes(job_id, item, log, new, batch))
            except TransactionCancelled:
                back_off(attempt)
                continue
        return Appended(len(batch.lines), len(lines) - len(new), batch.length, batch.overflowed)
    raise Unavailable("Others were adding to the same log.")


def read(job_id: str, log: Mapping[str, Any], after: int) -> list[Line]:
    """The lines of a job with greater ids, in their order.

    Args:
        job_id: of the job.
        log: what the job's row knows of it.
        after: an id.
    """
    ends: list[int] = log.get("chunks", [])
    names = [_chunk_id(job_id, number) for number, end in enumerate(ends) if end > after]
    chunks = sorted(batch_get({TABLE: names}), key=lambda pair: str(pair[1]["id"]["S"])) if names else []
    lines: list[Line] = []
    for _, item in chunks:
        for line in unpacked(item)["lines"]:
            if lines and lines[-1]["id"] == line["id"]:
                lines[-1] = {**line, "output": lines[-1]["output"] + line["output"]}
            elif line["id"] > after:
                lines.append(line)
    return lines


def _writes(job_id: str, item: Item, log: Mapping[str, Any], new: Sequence[Line], batch: Kept) -> list[Write]:
    ends: list[int] = list(log.get("chunks", []))
    writes = []
    for lines in _chunks(batch.lines):
        chunk = {"id": {"S": _chunk_id(job_id, len(ends))}, **packed({"lines": list(lines)})}
        writes.append(Write("Put", {"TableName": TABLE, "Item": chunk}))
        ends.append(lines[-1]["id"])
    state = {"last_id": new[-1]["id"], "length": batch.length, "overflowed": batch.overflowed, "chunks": ends}
    before = item.get(LOGS)
    condition = "logs = :before" if before else "attribute_exists(id) AND attribute_not_exists(logs)"
    values = {":logs": {"S": json.dumps(state, separators=(",", ":"))}, **({":before": before} if before else {})}
    update = {
        "TableName": TABLE,
        "Key": key(JOB, job_id),
        "UpdateExpression": "SET logs = :logs",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }
    return [Write("Update", update), *writes]


def _chunks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    size = 0
    for line in (piece for whole in lines for piece in _pieces(whole)):
        length = len(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if chunk and (size + length > _CHUNK_BYTES or len(chunk) == _LINES_IN_CHUNK):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += length
    if chunk:
        yield chunk


def _pieces(line: Line) -> Iterator[Line]:
    """A line as lines that an item has room for; reading joins those of one id."""
    output = str(line["output"])
    for start in range(0, max(1, len(output)), _CHARACTERS_IN_PIECE):
        yield {**line, "output": output[start : start + _CHARACTERS_IN_PIECE]}


def _chunk_id(job_id: str, number: int) -> str:
    return f"log#{job_id}#{number:06d}"
