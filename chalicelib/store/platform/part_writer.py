"""Writes the rows by which an object is found by a part of its name, and deletes those of its former names.

The item of the object says which names it has rows of, before they are written: whoever comes next knows what to
delete, and whether the rows of today's names are all there. A row too many finds an object that is then left out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from chalicelib.errors import Unavailable
from chalicelib.platform import part_rows
from chalicelib.platform.kinds import Kind
from chalicelib.platform.part_rows import Names
from chalicelib.store.dynamodb.batch_write import batch_write, deletion
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.platform.rows import TABLE

PARTS: Final = "parts"
_SECONDS: Final = 5.0


class State(NamedTuple):
    """The rows of an object, as its item tells of them.

    Attributes:
        names: those of today, or of the last time.
        former: names, by field, of which there may be rows still.
        is_written: whether all rows are there that must be, and no others.
    """

    names: Names
    former: tuple[Mapping[str, str], ...] = ()
    is_written: bool = False

    @classmethod
    def of(cls, item: Item) -> State | None:
        """The state that an item tells; None where it tells nothing."""
        if PARTS not in item:
            return None
        organization_id, texts, former, is_written = json.loads(item[PARTS]["S"])
        names = Names(organization_id, {name: (text, state) for name, (text, state) in texts.items()})
        return cls(names, tuple(former), is_written)

    def attribute(self) -> dict[str, Any]:
        """The state as the attribute `PARTS`."""
        value = [self.names.organization_id, self.names.texts, self.former, self.is_written]
        return {"S": json.dumps(value, sort_keys=True, separators=(",", ":"))}

    def renamed(self, names: Names) -> State:
        """The state while the rows of other names are written."""
        if names == self.names:
            return self
        before = self.texts()
        return State(names, (*(one for one in self.former if one != before), before))

    def texts(self) -> dict[str, str]:
        """The names by field, as `former` has them."""
        return {field: text for field, (text, _) in self.names.texts.items()}

    def written(self) -> State:
        """The state when all is done."""
        return State(self.names, (), is_written=True)


def write(kind: Kind, object_id: str, state: State, others: Iterable[Mapping[str, str]] = ()) -> None:
    """Write the rows of an object's names, and delete those that only its former ones had.

    Args:
        kind: of the object.
        object_id: of the object.
        state: the names.
        others: further names of which there may be rows.

    Raises:
        Unavailable: the store did not take all of them.
    """
    rows = part_rows.rows(kind, object_id, state.names)
    former = {row_id for names in (*state.former, *others) for row_id in part_rows.row_ids(kind, object_id, names)}
    requests: list[Mapping[str, Any]] = [
        {"PutRequest": {"Item": {name: {"S": text} for name, text in {"id": row_id, **attributes}.items()}}}
        for row_id, attributes in rows.items()
    ]
    requests += [deletion(row_id) for row_id in sorted(former - rows.keys())]
    if batch_write(TABLE, requests, give_up_at=time.monotonic() + _SECONDS) < len(requests):
        raise Unavailable("The names of an object are not written yet.")
