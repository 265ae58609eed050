"""The parts of a route in the document that its view does not have: its request and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

JSON = "application/json"
TEXT = "text/plain"
NOTHING = None
"""The shape of an answer that has no body."""


class Text(NamedTuple):
    """The shape of a text, by its media type."""

    media_type: str = TEXT


class Body(NamedTuple):
    """The body of a request.

    Attributes:
        shape: a model, or anything else of which pydantic makes a schema.
        required: whether it may be left out.
        lines: whether lines of text do as well.
        example: one that is taken, where nothing that is named must be there already.
    """

    shape: object
    required: bool = True
    lines: bool = False
    example: Mapping[str, object] | None = None


class Link(NamedTuple):
    """Where an answer leads to: a route, and where in the answer the parameters of its path are."""

    route: str
    parameters: Mapping[str, str]


class Operation(NamedTuple):
    """The request and the answers of a route.

    Attributes:
        answers: status -> shape: a TypedDict, a list of one, a `Text`, `NOTHING`, or a tuple of those that there are.
        refusals: statuses of errors beside those that every route of its kind has.
        body: what a request carries, where it carries anything.
        query: the query parameters, by their names in `scripts.openapi.parameters`.
        headers: of the request and of its answers, by their names in `scripts.openapi.parameters`.
        links: where an answer leads to.
    """

    answers: Mapping[int, object]
    refusals: tuple[int, ...] = ()
    body: Body | None = None
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
