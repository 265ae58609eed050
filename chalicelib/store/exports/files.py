"""The files of exports in the bucket of the deployment, and the links by which they are fetched."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.errors import Unavailable
from chalicelib.settings import current
from chalicelib.store.clients import answered, client

_BUCKET = "bucket"


def are_kept() -> bool:
    """Whether this deployment has a bucket for exports, and a function that writes them."""
    return bool(current().export_bucket)


def put(export_id: str, name: str, content: bytes) -> None:
    """Write a file; one that was there is replaced.

    Raises:
        Unavailable: the bucket did not answer.
        StoreRefused: it refuses to.
    """
    with answered(_BUCKET):
        client("s3").put_object(Bucket=current().export_bucket, Key=_key(export_id, name), Body=content)


def get(export_id: str, name: str) -> bytes | None:
    """A file; None where there is none.

    Raises:
        Unavailable: the bucket did not answer.
        StoreRefused: it refuses to.
    """
    with answered(_BUCKET):
        s3 = client("s3")
        try:
            content: bytes = s3.get_object(Bucket=current().export_bucket, Key=_key(export_id, name))["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
    return content


def remove(export_id: str, name: str) -> None:
    """Delete a file, if it is there.

    Raises:
        Unavailable: the bucket did not answer.
        StoreRefused: it refuses to.
    """
    with answered(_BUCKET):
        client("s3").delete_object(Bucket=current().export_bucket, Key=_key(export_id, name))


def link(export_id: str, name: str, lives: timedelta) -> str:
    """An address that gives a file to whoever has it, from anywhere, if they ask for it while the address lives."""
    place = {
        "Bucket": current().export_bucket,
        "Key": _key(export_id, name),
        "ResponseContentDisposition": f'attachment; filename="{name}"',
    }
    with answered(_BUCKET):
        url: str = client("s3").generate_presigned_url("get_object", Params=place, ExpiresIn=int(lives.total_seconds()))
    return url


def clear(export_id: str) -> None:
    """Delete every file of an export, a thousand at once.

    Raises:
        Unavailable: the bucket did not answer; some may be there still.
        StoreRefused: it refuses to.
    """
    bucket = current().export_bucket
    while True:
        with answered(_BUCKET):
            s3 = client("s3")
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=_key(export_id, "")).get("Contents", [])
            if not listed:
                return
            named = {"Objects": [{"Key": one["Key"]} for one in listed], "Quiet": True}
            left = s3.delete_objects(Bucket=bucket, Delete=named).get("Errors", [])
        if left:
            raise Unavailable("The bucket did not delete every file.")


def _key(export_id: str, name: str) -> str:
    return f"exports/{export_id}/{name}"
