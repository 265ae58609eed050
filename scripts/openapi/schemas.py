"""JSON schemas of models and answer shapes: pydantic makes them, and they get the names that people use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from chalicelib.models.base import LONGEST_TEXT

_PREFIX = "#/components/schemas/"
_NO_LIMITS = (("maxLength", LONGEST_TEXT), ("propertyNames", {"maxLength": LONGEST_TEXT}))
"""The limit of texts and of names that have none of their own."""
_OF_THE_WIRE = "JSON"
"""The end of the name of a shape, which the document leaves out."""


class Shapeless(TypeError):
    """Pydantic makes no schema of a shape; the text says what to do."""


def schemas(requests: Iterable[object], answers: Iterable[object]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of each shape by its `key`, and all definitions by name, in the order of the names.

    Raises:
        Shapeless: for a shape that pydantic makes no schema of.
    """
    inputs = [(key(shape), "validation", _adapter(shape)) for shape in requests]
    outputs = [(key(shape), "serialization", _adapter(shape)) for shape in answers]
    made, whole = TypeAdapter.json_schemas(
        [*{one[:2]: one for one in [*inputs, *outputs]}.values()],  # type: ignore[list-item]
        ref_template=f"{_PREFIX}{{model}}",
    )
    definitions = {_named(name): _cleaned(body) for name, body in whole.get("$defs", {}).items()}
    if len(definitions) != len(whole.get("$defs", {})):
        names = Counter(map(_named, whole["$defs"]))
        twice = ", ".join(name for name, number in names.items() if number > 1)
        raise Shapeless(f"Two shapes have the same name without JSON at its end: {twice}. Rename one of them.")
    by_key = {name: _cleaned(body) for (name, _), body in made.items()}
    return by_key, dict(sorted(definitions.items()))


def key(shape: object) -> str:
    """The name of a shape."""
    return repr(shape)


def _adapter(shape: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - whatever pydantic takes for a type
    try:
        return TypeAdapter(shape)
    except PydanticUserError as error:
        raise Shapeless(
            f"{shape} is no shape of which pydantic makes a schema: take TypedDict from typing_extensions and not from"
            f" typing, in it and in what it holds. {error.message}"
        ) from error


def _named(name: str) -> str:
    return name.removesuffix(_OF_THE_WIRE)


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A schema without the titles that pydantic makes of names, and with references to the names that people use.

    The limit that every text has, which only makes sure that each is one, is left out too.
    """
    if isinstance(value, Mapping):
        return {
            name: _named(inner) if name == "$ref" and isinstance(inner, str) else _entry(name, inner)
            for name, inner in value.items()
            if not (name == "title" and isinstance(inner, str)) and (name, inner) not in _NO_LIMITS
        }
    return [_cleaned(inner) for inner in value] if isinstance(value, list) else value


def _entry(name: str, inner: Any) -> Any:  # noqa: ANN401 - any JSON value
    if name == "properties":
        # Names of fields are no words of the schema language: a field may be called `title`.
        return {field: _cleaned(schema) for field, schema in inner.items()}
    if name == "description" and isinstance(inner, str):
        return " ".join(inner.split())
    return _cleaned(inner)
