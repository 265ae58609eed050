"""How long each data set is kept, and the moment before which it is past its time: pure, so that a clock can be given.

The rules are Coder's. A retention of zero or less keeps for ever; a row exactly at the cut-off is kept. Connection
events in the audit log (connect, disconnect, open, close) are kept for 90 days whatever the settings say, and a token
is past its time when it has been expired for longer than the retention, however old it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chalicelib import durations, times
from chalicelib.records import API_KEYS, AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS, DATA_SETS
from chalicelib.settings import Settings

CONNECTION_EVENTS_RETENTION: Final = 90 * durations.UNITS["d"]
"""In nanoseconds; Coder's, and no setting of it or of ours."""

CutOffs = Mapping[str, datetime | None]
"""Data set -> the earliest moment that is kept; None where everything is."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of a deployment.

    Attributes:
        retention: data set -> nanoseconds; zero or less keeps for ever.
        keep_ongoing: whether a session that is still open is kept, however long ago it began.
    """

    retention: Mapping[str, int]
    keep_ongoing: bool = False

    def cut_offs(self, now: datetime) -> CutOffs:
        """The cut-offs at a moment."""
        return {name: times.cut_off(self.retention[name], now) for name in DATA_SETS}


def raised(cut_offs: CutOffs, floors: Mapping[str, datetime]) -> CutOffs:
    """The cut-offs, none earlier than its floor: what was purged stays purged where the policy keeps more by now.

    Args:
        cut_offs: of a policy.
        floors: data set -> the moment before which rows were purged.
    """
    return {name: max(filter(None, (cut_off, floors.get(name))), default=None) for name, cut_off in cut_offs.items()}


def policy(settings: Settings) -> Policy:
    """The policy that the settings give."""
    return Policy(
        {
            API_KEYS: settings.api_keys_retention,
            AUDIT_CONNECTION_EVENTS: CONNECTION_EVENTS_RETENTION,
            CONNECTION_LOGS: settings.connection_logs_retention,
            AUDIT_LOGS: settings.audit_logs_retention,
        },
        settings.keep_ongoing,
    )
