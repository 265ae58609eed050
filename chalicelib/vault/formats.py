"""The formats that a file of secrets may have, each with its reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from chalicelib.vault import env_file, json_file, yaml_file
from chalicelib.vault.entries import LARGEST, Entry, unreadable

Format = Literal["env", "json", "yaml"]

_READERS: Final[Mapping[Format, Callable[[str], tuple[Entry, ...]]]] = {
    "env": env_file.read,
    "json": json_file.read,
    "yaml": yaml_file.read,
}


def read(written_in: Format, text: str) -> tuple[Entry, ...]:
    """The entries of a file, in its order, at least one.

    Raises:
        BadRequest: it cannot be read, or is too large; says where and why.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        raise unreadable(f"The file has more than {LARGEST} bytes.")
    return _READERS[written_in](text)
