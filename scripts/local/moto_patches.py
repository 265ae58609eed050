"""Every part of moto that is replaced while the engine runs, each with its reason, and checked against its version.

They are not public: there is no other way to them, and another version of moto may differ.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import moto
from moto.core.responses import ActionResult
from moto.dynamodb import models as moto_models
from moto.dynamodb import responses as moto_responses
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from scripts.local import moto_items
from scripts.local.moto_table import TunedTable

MOTO_VERSION = "5.2.5"


class EngineError(Exception):
    """The engine cannot start, cannot do what is asked, or was asked to let a request out of this machine."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One replaced attribute: where it is, the parameters it is known to have, and what to make of the original."""

    owner: Any
    name: str
    parameters: str | None
    make: Callable[[Any], Any]


PATCHES = (
    # Tables whose reads cost a page; see TunedTable.
    Patch(moto_models, "Table", None, lambda _: TunedTable),
    # A transaction copies every table it names, whole, in case it fails: the undo log copies items instead.
    Patch(moto_models, "copy", None, lambda _: SimpleNamespace(deepcopy=moto_items.copied)),
    Patch(DynamoDBBackend, "transact_write_items", "self transact_items", moto_items.transacted),
    # An update changes the stored item in place, behind the back of the ordered indexes, and half of it when it fails.
    Patch(
        DynamoDBBackend,
        "update_item",
        "self table_name key update_expression expression_attribute_names expression_attribute_values attribute_updates"
        " expected condition_expression return_values_on_condition_check_failure",
        moto_items.updated,
    ),
    # Projecting an item takes a millisecond where it need not.
    Patch(Item, "project", "self projection_expressions", moto_items.projected),
    # Making an item takes time quadratic in its attributes.
    Patch(Item, "__init__", "self hash_key range_key attrs", lambda _: moto_items.built),
    # Every item ever made is kept in this list, for a dashboard of moto's server: memory would grow with every write.
    Patch(Item, "instances_tracked", None, lambda _: deque(maxlen=0)),
    # Results are walked value by value before they are serialised: here they are dumped as they are.
    Patch(moto_responses, "DynamoResult", "result", lambda _: ActionResult),
    # AWS takes 100 reads in a transaction since 2022.
    Patch(moto_responses, "TRANSACTION_MAX_ITEMS", None, lambda _: 100),
)
# Methods that TunedTable overrides or calls, with the parameters they are known to have.
RELIED_ON = {
    Table: {
        "query": "self hash_key range_comparison range_objs limit exclusive_start_key scan_index_forward"
        " projection_expressions index_name consistent_read filter_expression hash_key_conditions range_key_conditions"
        " filter_kwargs",
        "scan": "self filters limit exclusive_start_key filter_expression index_name consistent_read"
        " projection_expression segments",
        "put_item": "self item_attrs expected condition_expression expression_attribute_names"
        " expression_attribute_values overwrite return_values_on_condition_check_failure",
        "delete_item": "self hash_key range_key",
        "get_item": "self hash_key range_key projection_expression",
        "all_items": "self",
        "all_indexes": "self",
        "get_index": "self index_name error_if_not",
        "_get_last_evaluated_key": "self last_result index_name",
        "_validate_number_type": "self value",
    },
    DynamoDBBackend: {"get_keys_value": "self table keys", "get_schema": "self table_name index_name"},
}


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """Replaces the attributes for as long as the context lasts, then puts the originals back.

    Raises:
        EngineError: moto is not as it is known; nothing is replaced then.
    """
    for owner, methods in RELIED_ON.items():
        for name, parameters in methods.items():
            _known(owner, name, parameters)
    with ExitStack() as undo:
        for patch in patches:
            original = _known(patch.owner, patch.name, patch.parameters)
            setattr(patch.owner, patch.name, patch.make(original))
            undo.callback(setattr, patch.owner, patch.name, original)
        yield


def _known(owner: Any, name: str, parameters: str | None) -> Any:  # noqa: ANN401 -- whatever moto has there
    attribute = vars(owner).get(name)
    signature = None if parameters is None or attribute is None else " ".join(inspect.signature(attribute).parameters)
    if attribute is None or signature != parameters:
        raise EngineError(
            f"{owner.__name__}.{name} of moto {moto.__version__} is not as known; the engine is made for {MOTO_VERSION}"
        )
    return attribute
