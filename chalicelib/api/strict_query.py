"""Query parameters of routes that know all of theirs: each is read strictly, and one that is not known is an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from chalicelib import durations
from chalicelib.api import parameters
from chalicelib.api.authentication import TOKEN_NAME
from chalicelib.api.http import Call
from chalicelib.errors import Invalid, Validation
from chalicelib.search import values
from chalicelib.search.values import WrongValue, quoted

T = TypeVar("T")

_MESSAGE: Final = "Invalid query parameters."
_EVERYWHERE: Final = frozenset({TOKEN_NAME, "access_token"})
_MOST_VALUES: Final = 1_000


class StrictQuery:
    """The query parameters of one request; `check` raises all that is wrong with them at once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._given: Mapping[str, Sequence[str]] = call.query_values
        self._known = set(_EVERYWHERE)
        self._wrong: list[Validation] = []

    def limit(self, name: str, default: int) -> int:
        """A number of rows; 0 is what the client may say, too."""
        self._known.add(name)
        return parameters.int32(self._call, name, self._wrong) if self._texts(name) else default

    def boolean(self, name: str) -> bool:
        """A flag; false where it is not given."""
        return self._one(name, values.boolean) or False

    def uuid(self, name: str) -> str | None:
        """A UUID; None where none is given."""
        return self._one(name, values.uuid)

    def integer(self, name: str) -> int | None:
        """A whole number; None where none is given."""
        return self._one(name, _integer)

    def day(self, name: str) -> date | None:
        """A day `YYYY-MM-DD`; None where none is given."""
        moment = self._one(name, values.date)
        return moment.date() if moment else None

    def duration(self, name: str) -> timedelta | None:
        """A duration in Go's notation; None where none above zero is given."""
        return self._one(name, _duration)

    def word(self, name: str, words: Collection[str]) -> str:
        """One of several words; "" where none is given."""
        return self._one(name, lambda text: values.enum(text, words, {})) or ""

    def tags(self, name: str) -> Mapping[str, str] | None:
        """A JSON object of texts; None where none is given."""
        return self._one(name, _tags)

    def words(self, name: str, words: Collection[str]) -> frozenset[str]:
        """Words of a closed list, repeated or with commas between."""
        return frozenset(self._list(name, lambda text: _word(text, words)))

    def uuids(self, name: str) -> list[str]:
        """UUIDs, repeated or with commas between; each once, in their order."""
        return list(dict.fromkeys(self._list(name, _uuid)))

    def text(self, name: str) -> str:
        """The first text; "" where none is given."""
        return next(iter(self._texts(name)), "")

    def check(self, message: str = _MESSAGE) -> None:
        """Make sure that all is right.

        Args:
            message: what is said where something is not.

        Raises:
            Invalid: something is not; names each.
        """
        unknown = [name for name in self._given if name not in self._known]
        wrong = [*self._wrong, *(Validation(name, f"{quoted(name)} is not a valid query param") for name in unknown)]
        if wrong:
            raise Invalid(wrong, message)

    def _texts(self, name: str) -> list[str]:
        self._known.add(name)
        return [text for text in self._given.get(name, ()) if text]

    def _one(self, name: str, read: Callable[[str], T]) -> T | None:
        texts = self._texts(name)
        if not texts:
            return None
        try:
            return read(values.only(texts))
        except WrongValue as error:
            self._wrong.append(Validation(name, f"Query param {quoted(name)} {error}"))
            return None

    def _list(self, name: str, read: Callable[[str], T]) -> list[T]:
        texts = [part.strip() for text in self._texts(name) for part in text.split(",")]
        matches, problems = [], []
        for text in texts[: _MOST_VALUES + 1]:
            try:
                matches.append(read(text))
            except WrongValue as error:
                problems.append(str(error))
        if len(texts) > _MOST_VALUES:
            problems.append(f"there are more than {_MOST_VALUES}")
        if problems:
            self._wrong.append(
                Validation(name, f"Query param {quoted(name)} has invalid values: " + "\n".join(problems))
            )
        return matches


def _word(text: str, words: Collection[str]) -> str:
    if text not in words:
        raise WrongValue(f"{quoted(text)} is not a valid value")
    return text


def _uuid(text: str) -> str:
    try:
        return values.uuid(text)
    except WrongValue as error:
        raise WrongValue(f"{quoted(text)} {error}") from error


def _integer(text: str) -> int:
    try:
        return values.int64(text)
    except WrongValue as error:
        raise WrongValue("must be an integer") from error


def _duration(text: str) -> timedelta | None:
    try:
        nanoseconds = durations.parse(text)
    except durations.InvalidDuration as error:
        raise WrongValue(f"must be a valid duration (e.g., '24h', '30m', '1h30m'): {error}") from error
    return timedelta(microseconds=nanoseconds // 1_000) if nanoseconds > 0 else None


def _tags(text: str) -> Mapping[str, str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongValue(f"must be a valid JSON object: {error}") from error
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise WrongValue("must be a valid JSON object: its values must be strings")
    return value
