"""Conditions that no lane answers, so that each row is checked: values left out, and networks of addresses. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import assert_never

from chalicelib.records import AuditLog, ConnectionLog


class Comparison(StrEnum):
    """The ways to compare a field of a row with the values of a condition."""

    EXCLUDES = "excludes"
    """The field has none of the values."""
    WITHIN = "within"
    """The field is an address in one of the networks."""
    OUTSIDE = "outside"
    """The field is no address in any of the networks; it may be no address at all."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on rows.

    Attributes:
        field: the row field.
        comparison: how it is compared.
        values: texts, or networks in CIDR notation.
    """

    field: str
    comparison: Comparison
    values: frozenset[str]

    def match(self, row: ConnectionLog | AuditLog) -> bool:
        """Whether a row meets the condition."""
        value: str | None = getattr(row, self.field)
        match self.comparison:
            case Comparison.EXCLUDES:
                return value not in self.values
            case Comparison.WITHIN:
                return value is not None and _within(value, self.values)
            case Comparison.OUTSIDE:
                return value is None or not _within(value, self.values)
            case _:
                assert_never(self.comparison)

    def __str__(self) -> str:
        """The condition as `explain` shows it."""
        return f"{self.field} {self.comparison} {', '.join(sorted(self.values))}"


def _within(value: str, networks: frozenset[str]) -> bool:
    try:
        address = ip_address(value)
    except ValueError:
        return False
    return any(address in network for network in _parsed(networks))


@lru_cache(maxsize=64)
def _parsed(networks: frozenset[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, networks))
