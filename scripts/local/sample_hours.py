"""When and from where the people of the sample work: by day, seldom at weekends, each from a few addresses."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

DAYS = 21

_AT_WEEKENDS = 0.15
_SATURDAY = 5
_EARLIEST, _LATEST, _BUSIEST = 6.5, 19.5, 10.5
_ADDRESSES_A_PERSON = 3


def working_moment(now: datetime, chance: random.Random) -> datetime:
    """A moment of work in the last three weeks, a minute ago at the latest."""
    while True:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=chance.randrange(DAYS))
        moment = midnight + timedelta(hours=chance.triangular(_EARLIEST, _LATEST, _BUSIEST))
        works = midnight.weekday() < _SATURDAY or chance.random() < _AT_WEEKENDS
        if works and moment < now - timedelta(minutes=1):
            return moment


def address_of(person: str, chance: random.Random) -> str:
    """One of the addresses that a person works from, in a network of documentation."""
    return f"192.0.2.{1 + (sum(person.encode()) * 7 + chance.randrange(_ADDRESSES_A_PERSON)) % 250}"
