"""Which sets of tags the jobs of an organization have, and which its daemons.

They are few for many jobs: a query by tags reads the lanes of those sets that satisfy it, and no other job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from chalicelib.platform.jobs import contains
from chalicelib.platform.kinds import JOB, Kind
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.platform.rows import TABLE

MOST_SETS: Final = 500
"""Sets that are looked through; an organization with more of them is searched job by job."""


@lru_cache(4_096)
def note(kind: Kind, organization_id: str, tags: str) -> None:
    """Note that an object of an organization has these tags; what this process has noted it does not write again.

    Args:
        kind: of the object: a job or a daemon.
        organization_id: of the object.
        tags: as `jobs.tag_set` writes them.

    Raises:
        Unavailable: the store did not answer.
    """
    digest = blake2b(tags.encode(), digest_size=16).hexdigest()
    holder = _holder(kind, organization_id)
    item = {
        "id": {"S": f"tags#{holder}#{digest}"},
        "listing": {"S": f"tags:{holder}"},
        "place": {"S": digest},
        DOC: {"S": tags},
    }
    call("PutItem", {"TableName": TABLE, "Item": item})


def satisfying(kind: Kind, organization_id: str, wanted: Mapping[str, str]) -> list[str] | None:
    """The sets of an organization's objects that satisfy these tags; None where there are too many to look through."""
    request: dict[str, Any] = {
        "TableName": TABLE,
        "IndexName": "listing",
        "KeyConditionExpression": "listing = :listing",
        "ExpressionAttributeValues": {":listing": {"S": f"tags:{_holder(kind, organization_id)}"}},
        "Limit": MOST_SETS,
    }
    answer = call("Query", request)
    if "LastEvaluatedKey" in answer:
        return None
    texts = [item[DOC]["S"] for item in answer["Items"]]
    return [text for text in texts if contains(json.loads(text), wanted)]


def _holder(kind: Kind, organization_id: str) -> str:
    return organization_id if kind is JOB else f"{kind.name}:{organization_id}"
