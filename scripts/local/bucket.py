"""The bucket of exports on this machine: the embedded engine's S3, its files in the data directory, and its links.

A file is on disk before the bucket has it, so an export that has ended has its files, however the process ends.
"""

from __future__ import annotations

import hmac
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.session import Session

from chalicelib.errors import Forbidden, NotFound
from chalicelib.store.clients import client

UNFINISHED: Final = ".unfinished"
_SIGNATURE = "X-Amz-Signature"
_FOLDER = "exports"
"""The beginning of every key of the bucket."""


@contextmanager
def bucket(name: str, data: Path | None) -> Iterator[None]:
    """Have the bucket meanwhile, with what the data directory has of it.

    Args:
        name: of the bucket.
        data: the data directory; without one the files are gone at the end.
    """
    s3 = client("s3")
    s3.create_bucket(Bucket=name, **_place(s3.meta.region_name))
    if data is None:
        yield
        return
    for path in _kept(data):
        s3.put_object(Bucket=name, Key=path.relative_to(data).as_posix(), Body=path.read_bytes())

    def put(params: Mapping[str, Any], **_: object) -> None:
        _write(data / params["Key"], params["Body"])

    def delete(params: Mapping[str, Any], **_: object) -> None:
        _delete(data / params["Key"])

    def delete_several(params: Mapping[str, Any], **_: object) -> None:
        for one in params["Delete"]["Objects"]:
            _delete(data / one["Key"])

    handlers = {"PutObject": put, "DeleteObject": delete, "DeleteObjects": delete_several}
    for operation, handler in handlers.items():
        s3.meta.events.register(f"provide-client-params.s3.{operation}", handler)
    try:
        yield
    finally:
        for operation, handler in handlers.items():
            s3.meta.events.unregister(f"provide-client-params.s3.{operation}", handler)


def forget_but(data: Path, known: Iterable[str]) -> None:
    """Delete the files of exports that are no more, as the lifecycle of a bucket does.

    Args:
        data: the data directory.
        known: the ids of the exports that there are.
    """
    ids = frozenset(known)
    for folder in (data / _FOLDER).glob("*"):
        if folder.name not in ids:
            shutil.rmtree(folder)


class File(NamedTuple):
    """A file as a link gives it: its bytes, and the headers that say what they are and how to save them."""

    content: bytes
    media_type: str
    disposition: str


def opened(url: str, name: str, now: datetime) -> File:
    """The file that a link gives, as S3 answers who has the link.

    Args:
        url: the link.
        name: of the bucket.
        now: the time.

    Raises:
        Forbidden: the link was changed, or its time is over.
        NotFound: the file is gone.
    """
    s3 = client("s3")
    place = urlsplit(url)
    query = dict(parse_qsl(place.query, keep_blank_values=True))
    signature = query.pop(_SIGNATURE, "")
    if not hmac.compare_digest(signature.encode(), _signature(s3.meta.region_name, url, query).encode()):
        raise Forbidden("Forbidden.", "The link is none of this service.")
    begin = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if now > begin + timedelta(seconds=int(query["X-Amz-Expires"])):
        raise Forbidden("Forbidden.", "The time of the link is over: GET the export again for another one.")
    try:
        got = s3.get_object(Bucket=name, Key=place.path.removeprefix(f"/{name}/"))
    except ClientError as error:
        raise NotFound from error
    return File(got["Body"].read(), got["ContentType"], query["response-content-disposition"])


def _signature(region: str, url: str, query: Mapping[str, str]) -> str:
    """The signature that this service gives to a link with these parameters."""
    place = urlsplit(url)
    unsigned = f"{place.scheme}://{place.netloc}{place.path}?{urlencode(query, quote_via=quote)}"
    request = AWSRequest("GET", unsigned, {"host": place.netloc})  # type: ignore[no-untyped-call]
    request.context["timestamp"] = query.get("X-Amz-Date", "")
    credentials = Session().get_credentials()  # type: ignore[no-untyped-call]
    auth = S3SigV4QueryAuth(credentials, "s3", region)  # type: ignore[no-untyped-call]
    text = auth.string_to_sign(request, auth.canonical_request(request))  # type: ignore[no-untyped-call]
    made: str = auth.signature(text, request)  # type: ignore[no-untyped-call]
    return made


def _place(region: str) -> dict[str, Any]:
    """The parameters that say in which region a bucket is made; that of the first one has none."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _kept(data: Path) -> list[Path]:
    paths = sorted(path for path in (data / _FOLDER).glob("*/*") if path.is_file())
    for path in paths:
        if path.name.endswith(UNFINISHED):
            path.unlink()
    return [path for path in paths if not path.name.endswith(UNFINISHED)]


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}{UNFINISHED}")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
