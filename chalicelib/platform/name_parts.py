"""The parts of a name as keys: an object is found by any part of its name, and is read once for it.

Each end of a name is one key, so a part is what keys begin with: of "coder" the keys are "coder", "oder", "der", "er"
and "r". Where a part is in a name twice, as "a" in "banana", several of its ends begin with it. So each end is kept by
how much of its beginning stands earlier in the name too, and a part is looked for among those ends alone of which less
than the part does: for "a" that is "anana", as the beginnings of "ana" and "a" were there before.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LONGEST: Final = 64
"""Characters of a name whose ends are kept. Longer ones are read for every part."""
LONG: Final = "long"
_MOST_REPEATED: Final = 3
"""Ends that repeat so many characters or more are kept together: a longer part may read them in vain."""


class End(NamedTuple):
    """An end of a name, as it is kept.

    Attributes:
        group: how many characters of its beginning stand earlier in the name too, or `LONG`.
        text: the end; empty where the name is too long.
    """

    group: str
    text: str


def ends(name: str) -> list[End]:
    """The ends of a name; of one that is too long a single empty one, and of an empty one none."""
    if len(name) > LONGEST:
        return [End(LONG, "")]
    return [End(str(_repeated(name, start)), name[start:]) for start in range(len(name))]


def beginnings(part: str) -> list[End]:
    """The groups in which a part is looked for, with what the ends there begin with."""
    groups = range(min(len(part), _MOST_REPEATED + 1)) if len(part) <= LONGEST else ()
    return [*(End(str(repeated), part) for repeated in groups), End(LONG, "")]


def _repeated(name: str, start: int) -> int:
    lengths = range(min(_MOST_REPEATED, len(name) - start), 0, -1)
    return next((length for length in lengths if name.index(name[start : start + length]) < start), 0)
