"""How many events were rejected: wrong in a way that sending them again does not help."""

from __future__ import annotations

import logging

from chalicelib import times
from chalicelib.access.decide import Object, decide
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, Unavailable
from chalicelib.models.service import RejectionsJSON
from chalicelib.store.logs import rejections

_log = logging.getLogger(__name__)


@authenticated
def list_hours(_call: Call, caller: Caller) -> Answer:
    """The hours of the last nine days in which events were rejected, oldest first."""
    if not decide(caller.subject, "read", Object("deployment_config")):
        raise Forbidden
    hours = rejections.by_hour(times.now())
    body: RejectionsJSON = {"hours": [{"hour": times.wire(hour), "events": number} for hour, number in hours]}
    return Answer(body)


def count(number: int) -> None:
    """Count events of a request that were rejected. The answer to it does not depend on that."""
    try:
        rejections.add(number, times.now())
    except Unavailable:
        _log.warning("Rejected events could not be counted")
