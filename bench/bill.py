"""Dollars: of a million events, of a million pages, of a month; from measured units, dated prices and assumptions.

Storage is billed by the month, so it is kept apart from what an event costs when it comes in; so is the purge. Of the
peer, backups and traffic are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from scripts.deployment import capacity

MILLION = 1_000_000
SECONDS_A_MONTH = 730 * 3_600
HOURS_A_MONTH = 730
_GB = 1_000**3

_HERE = Path(__file__).parent
PRICES: Mapping[str, Any] = json.loads((_HERE / "prices.json").read_text())
ASSUMED: Mapping[str, Any] = json.loads((_HERE / "assumptions.json").read_text())


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for a million of something, by who is paid."""

    writes: float
    reads: float
    gateway: float
    compute: float
    logs: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.writes + self.reads + self.gateway + self.compute + self.logs


def events(write_units: float, read_units: float, calls: float) -> Bill:
    """A million events, a hundred to a request.

    Args:
        write_units: of one event.
        read_units: of one event: its share of the token check.
        calls: to DynamoDB, of one event.
    """
    at_once = ASSUMED["events_a_request"]
    waits = ceil(calls * at_once / ASSUMED["writers"]) * ASSUMED["dynamodb_call_milliseconds"]
    return _bill(write_units, read_units, 1 / at_once, ASSUMED["cpu_milliseconds_an_event"] * at_once, waits)


def pages(read_units: float, calls: float) -> Bill:
    """A million pages, each a request: its read units and calls, those of the token check included."""
    return _bill(0, read_units, 1, ASSUMED["cpu_milliseconds_a_page"], calls * ASSUMED["dynamodb_call_milliseconds"])


def storage(bytes_an_event: float, events_a_second: float, way: Way | None = None) -> float:
    """Dollars a month for the rows of the time that they are kept, entries of lanes included."""
    gb = events_a_second * ASSUMED["kept_days"] * 86_400 * bytes_an_event / _GB
    return float(gb * (way or WAYS[0]).prices["storage_gb_month"])


def restore(bytes_an_event: float, events_a_second: float) -> float:
    """Dollars a month for a restore to any second of the last weeks, by the bytes of rows without their lanes."""
    gb = events_a_second * ASSUMED["kept_days"] * 86_400 * bytes_an_event / _GB
    return float(gb * PRICES["dynamodb"]["restore_gb_month"])


class Way(NamedTuple):
    """One way of paying for the tables of the logs."""

    provisioned: bool
    infrequent: bool

    def __str__(self) -> str:
        """The way in words, as a table shows it."""
        mode = "provisioned" if self.provisioned else "on demand"
        return f"{mode}, {'infrequent access' if self.infrequent else 'standard'}"

    @property
    def prices(self) -> Mapping[str, float]:
        """The prices of DynamoDB."""
        known: Mapping[str, Any] = PRICES["dynamodb"]
        return {**known, **known["infrequent"]} if self.infrequent else known


WAYS = tuple(Way(provisioned, infrequent) for provisioned in (False, True) for infrequent in (False, True))


def units_month(way: Way, written: float, read: float) -> float:
    """Dollars a month for units at a steady rate.

    Args:
        way: how they are paid. As provisioned, auto scaling keeps more than are used.
        written: write units a second.
        read: read units a second.
    """
    prices = way.prices
    if way.provisioned:
        hours = HOURS_A_MONTH * 100 / capacity.TARGET_PERCENT
        return float((written * prices["write_unit_hour"] + read * prices["read_unit_hour"]) * hours)
    millions = SECONDS_A_MONTH / MILLION
    return float((written * prices["write_units_million"] + read * prices["read_units_million"]) * millions)


def egress(pages: float) -> float:
    """Dollars for the bytes of pages that leave the region."""
    return float(pages * ASSUMED["egress_bytes_a_page"] / _GB * PRICES["egress"]["gb"])


def month(dollars_a_million: float, events_a_second: float) -> float:
    """Dollars a month at a rate."""
    return dollars_a_million * events_a_second * SECONDS_A_MONTH / MILLION


def peer(size: Mapping[str, Any]) -> tuple[float, float]:
    """Dollars a month of the peer at one of its sizes: machines that never sleep, and the storage of the same rows."""
    hourly = size["database_hour"] + size["server_hour"] * size["servers"]
    gb = _kept(size["events_a_second"]) * ASSUMED["bytes_a_row_of_the_peer"] / _GB
    return float(hourly * HOURS_A_MONTH), float(gb * PRICES["peer"]["storage_gb_month"])


def mixed(of_kinds: Mapping[str, float]) -> float:
    """The average cost of an event of the mix, given the cost of each kind."""
    return float(sum(share * of_kinds[kind] for kind, share in ASSUMED["mix"].items()))


def write_dollars(units: float) -> float:
    """Dollars for a million times so many write units."""
    return float(units * PRICES["dynamodb"]["write_units_million"])


def _kept(events_a_second: float) -> float:
    """Rows of the time that they are kept: a disconnect is an event and no row."""
    return float(events_a_second * ASSUMED["kept_days"] * 86_400 * (1 - ASSUMED["mix"]["disconnect"]))


def _bill(write_units: float, read_units: float, requests: float, cpu: float, waits: float) -> Bill:
    """Of a million; `requests` is how many there are to one, `cpu` and `waits` are milliseconds of one request."""
    memory = ASSUMED["lambda_memory_mb"]
    seconds = (cpu * ASSUMED["lambda_memory_mb_of_one_cpu"] / memory + waits) / 1_000
    gb_seconds = seconds * memory / 1_024 * requests * MILLION
    function = PRICES["lambda"]
    log_gb = requests * MILLION * ASSUMED["log_bytes_an_invocation"] / _GB
    return Bill(
        writes=write_dollars(write_units),
        reads=read_units * PRICES["dynamodb"]["read_units_million"],
        gateway=requests * PRICES["api_gateway"]["requests_million"],
        compute=gb_seconds * function["gb_second"] + requests * function["requests_million"],
        logs=log_gb * PRICES["cloudwatch"]["logs_gb"] + requests * ASSUMED["traced"] * PRICES["xray"]["traces_million"],
    )
