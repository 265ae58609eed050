"""Dollars from units: by hand for one case, and by what must hold whatever the prices."""

from __future__ import annotations

from datetime import date

import pytest

from bench import bill
from bench.bill import ASSUMED, PRICES

MILLION = 1_000_000


def test_prices_carry_their_date_and_say_that_they_must_be_checked() -> None:
    assert date.fromisoformat(PRICES["date"])
    assert "Check" in PRICES["note"]


def test_the_mix_is_whole() -> None:
    assert sum(ASSUMED["mix"].values()) == pytest.approx(1)


def test_a_million_events_cost_what_they_do_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        bill,
        "ASSUMED",
        {
            **ASSUMED,
            "events_a_request": 100,
            "writers": 10,
            "dynamodb_call_milliseconds": 5,
            "cpu_milliseconds_an_event": 1,
            "lambda_memory_mb": 1_024,
            "lambda_memory_mb_of_one_cpu": 2_048,
            "log_bytes_an_invocation": 1_000,
            "traced": 0.1,
        },
    )
    prices = {
        "dynamodb": {"write_units_million": 0.5, "read_units_million": 0.1},
        "api_gateway": {"requests_million": 3},
        "lambda": {"requests_million": 0.2, "gb_second": 0.00001},
        "cloudwatch": {"logs_gb": 0.5},
        "xray": {"traces_million": 5},
    }
    monkeypatch.setattr(bill, "PRICES", prices)
    one = bill.events(write_units=9, read_units=0.02, calls=1)
    assert one.writes == pytest.approx(4.5)
    assert one.reads == pytest.approx(0.002)
    assert one.gateway == pytest.approx(0.03)
    # 10,000 requests of 200 ms at half a processor and ten waits of 5 ms: a quarter of a second of 1 GB each.
    assert one.compute == pytest.approx(10_000 * 0.25 * 0.00001 + 0.01 * 0.2)
    # Each request leaves 1 KB of log, and one in ten a trace.
    assert one.logs == pytest.approx(0.01 * 0.5 + 0.001 * 5)
    assert one.total == pytest.approx(sum((one.writes, one.reads, one.gateway, one.compute, one.logs)))


def test_a_page_is_a_request_of_its_own() -> None:
    one = bill.pages(read_units=40, calls=5)
    assert one.gateway == PRICES["api_gateway"]["requests_million"]
    assert one.reads == pytest.approx(40 * PRICES["dynamodb"]["read_units_million"])
    assert one.writes == 0


def test_a_lane_saves_the_price_of_its_units() -> None:
    with_it, without = (bill.events(units, 0.02, 1.02).total for units in (9, 8))
    assert with_it - without == pytest.approx(bill.write_dollars(1)) == PRICES["dynamodb"]["write_units_million"]


def test_a_month_is_as_many_seconds_at_the_rate() -> None:
    assert bill.month(5.0, 1) == pytest.approx(5.0 * 730 * 3_600 / MILLION)
    assert bill.month(5.0, 100) == pytest.approx(100 * bill.month(5.0, 1))


def test_a_restore_is_billed_by_the_bytes_that_are_kept() -> None:
    stored = bill.storage(1_000, 2) / PRICES["dynamodb"]["storage_gb_month"]
    assert bill.restore(1_000, 2) == pytest.approx(stored * PRICES["dynamodb"]["restore_gb_month"])


def test_storage_is_of_the_rows_that_are_kept() -> None:
    seconds = ASSUMED["kept_days"] * 86_400
    assert bill.storage(1_000, 2) == pytest.approx(2 * seconds * 1_000 / 1e9 * PRICES["dynamodb"]["storage_gb_month"])


def test_the_peer_costs_the_same_when_nothing_happens() -> None:
    sizes = PRICES["peer"]["sizes"]
    assert [size["events_a_second"] for size in sizes] == [1, 100, 10_000]
    machines = [bill.peer(size)[0] for size in sizes]
    assert machines == sorted(machines)
    assert bill.peer({**sizes[0], "events_a_second": 0}) == (machines[0], 0)


def test_capacity_that_is_provisioned_is_paid_by_the_hour_with_room_above_what_is_used() -> None:
    prices = bill.PRICES["dynamodb"]
    provisioned, by_request = (
        bill.Way(provisioned=True, infrequent=False),
        bill.Way(provisioned=False, infrequent=False),
    )
    assert bill.units_month(provisioned, 70, 0) == pytest.approx(100 * 730 * prices["write_unit_hour"])
    assert bill.units_month(provisioned, 0, 7) == pytest.approx(10 * 730 * prices["read_unit_hour"])
    assert bill.units_month(by_request, 1, 0) == pytest.approx(2.628 * prices["write_units_million"])


@pytest.mark.parametrize("provisioned", [False, True])
def test_infrequent_access_stores_for_less_and_takes_more_for_each_unit(*, provisioned: bool) -> None:
    standard, infrequent = (bill.Way(provisioned, infrequently) for infrequently in (False, True))
    for units in ((1, 0), (0, 1)):
        assert bill.units_month(standard, *units) < bill.units_month(infrequent, *units)
    assert bill.storage(1_000, 1, infrequent) == pytest.approx(0.4 * bill.storage(1_000, 1, standard))
    assert {str(way) for way in bill.WAYS} >= {str(standard), str(infrequent)}
