"""The clients and the house of the API's tests, for the page that is served beside it."""

from __future__ import annotations

from tests.api.conftest import ann, as_ann, assert_error, client, clock, house, owner, root, trail

__all__ = ["ann", "as_ann", "assert_error", "client", "clock", "house", "owner", "root", "trail"]
