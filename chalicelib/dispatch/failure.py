"""The errors that an attempt to send a notification may end with."""

from __future__ import annotations


class Failed(Exception):
    """An attempt failed; the text says why, and names no secret. `for_good` is set where another one is in vain."""

    def __init__(self, problem: str, *, for_good: bool = False) -> None:
        super().__init__(problem)
        self.for_good = for_good
