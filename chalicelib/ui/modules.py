"""Joins the page's modules into the one that is served: a page of thirty small files would be thirty calls at once.

Each of those calls could be the cold start of another instance. So the modules are put one after another, each behind
those that it imports, in one scope: their imports of each other go, and so does the word `export`. That takes what the
tests make sure of: imports by the names that were exported, and no name at the top of two modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter

# Compiled when the page is first asked for: no other cold start is to wait for it.
_IMPORT = r'(?m)^import \{([^}]*)\} from "\./([\w-]+\.js)";\n'
_EXPORT = r"(?m)^export (?=const |class |function |async function )"


def joined(modules: Mapping[str, str]) -> str:
    """One module that does what all of them do.

    Args:
        modules: name -> text. What they import and is not among them, the one module imports.

    Raises:
        graphlib.CycleError: two modules import each other.
    """
    needs: dict[str, list[str]] = {name: [] for name in sorted(modules)}
    outside: dict[str, set[str]] = {}
    for name, needed_by_it in needs.items():
        for words, needed in re.findall(_IMPORT, modules[name]):
            if needed in modules:
                needed_by_it.append(needed)
            else:
                outside.setdefault(needed, set()).update(word.strip() for word in words.split(","))
    imports = [f'import {{ {", ".join(sorted(names))} }} from "./{name}";\n' for name, names in sorted(outside.items())]
    ordered = TopologicalSorter(needs).static_order()
    return "".join([*imports, *(re.sub(_EXPORT, "", re.sub(_IMPORT, "", modules[name])) for name in ordered)])
