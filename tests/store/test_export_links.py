"""Links of the files of an export are those that a bucket of any region and age takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.exports import files


@pytest.fixture(autouse=True)
def new_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setattr(files, "current", lambda: Settings(export_bucket="gatebook-exports"))
    clients.client.cache_clear()
    yield
    clients.client.cache_clear()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "gatebook-exports.s3.amazonaws.com"),
        ("eu-central-1", "gatebook-exports.s3.eu-central-1.amazonaws.com"),
        ("eu-south-2", "gatebook-exports.s3.eu-south-2.amazonaws.com"),
    ],
)
def test_a_link_is_of_the_region_of_the_bucket_and_of_the_signature_that_new_buckets_take(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    place = urlsplit(files.link("an-id", "part-00001.csv.gz", timedelta(minutes=10)))
    assert (place.scheme, place.netloc, place.path) == ("https", host, "/exports/an-id/part-00001.csv.gz")
    query = parse_qs(place.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["600"]
    assert region in query["X-Amz-Credential"][0]
    assert query["response-content-disposition"] == ['attachment; filename="part-00001.csv.gz"']
