from __future__ import annotations

import gzip
import hashlib
import json
import re

from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS
from chalicelib.ui import assets

MOST_BYTES = 60 * 1_024
LOCK = json.loads((assets.VENDOR / "lock.json").read_text())


def test_together_the_files_are_small() -> None:
    texts = [assets.document(), *(asset.text for asset in assets.assets().values())]
    compressed = sum(len(gzip.compress(text.encode(), 9, mtime=0)) for text in texts)
    assert compressed <= MOST_BYTES, f"{compressed:,} bytes"


def test_what_others_wrote_is_as_they_published_it_and_has_its_licence() -> None:
    others = {path.name for path in assets.VENDOR.iterdir() if path.suffix in assets.MEDIA_TYPES}
    assert others == LOCK.keys()
    for name, entry in LOCK.items():
        assert hashlib.sha256((assets.VENDOR / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert (assets.VENDOR / entry["licence_file"]).read_text().strip()
        assert entry["licence"] in ("BSD-3-Clause", "MIT")
        assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", entry["version"])


def test_the_page_knows_every_key_and_word_that_the_parser_reads() -> None:
    text = assets.modules()["filters.js"]
    tables = json.loads(text[text.index("{") : text.rindex(";")])
    for table in (CONNECTION_FILTERS, AUDIT_FILTERS):
        known = {entry["key"]: entry for entry in tables[table.log]}
        assert list(known) == [key.key for key in table.keys]
        for key in table.keys:
            assert known[key.key]["about"] == key.about
            assert {*key.values} <= {*known[key.key]["values"]}


def test_the_address_of_the_files_changes_with_any_of_them() -> None:
    digest = assets.version()
    assert re.fullmatch(r"[0-9a-f]{16}", digest)
    changed = {**assets.assets(), "page.css": assets.Asset("body{}", "text/css")}
    assert assets.digest(changed) != digest
    assert assets.digest(assets.assets()) == digest


def test_no_file_runs_or_styles_what_the_policy_forbids() -> None:
    own = {name: asset.text for name, asset in assets.assets().items() if name not in LOCK}
    for name, text in own.items():
        assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b", text), (
            name
        )
        assert not re.search(r"\bstyle=", text), name
        assert not re.search(r"\b(localStorage|sessionStorage|indexedDB)\b", text), name
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), name


IMPORT = re.compile(r"^import .*?;$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";$', re.DOTALL)
TOP = re.compile(r"^(export )?(?:const|let|class|function|async function) (\w+)", re.MULTILINE)


def test_what_is_joined_can_be_joined() -> None:
    modules = assets.modules()
    top: dict[str, str] = {}
    exported: dict[str, set[str]] = {}
    for name, text in modules.items():
        for export, word in TOP.findall(text):
            assert word not in top, f"{word} stands at the top of {top.get(word)} and of {name}"
            top[word] = name
            if export:
                exported.setdefault(name, set()).add(word)
        assert not re.search(r"^export (?!const |class |function |async function )", text, re.MULTILINE), name
        assert "import(" not in text, name
    for name, text in modules.items():
        for statement in IMPORT.findall(text):
            match = NAMED.match(statement)
            assert match, f"{name}: {statement}"
            words = {word.strip() for word in statement[statement.index("{") + 1 : statement.index("}")].split(",")}
            if match[1] in modules:
                assert words <= exported[match[1]], f"{name} imports of {match[1]}: {words - exported[match[1]]}"


def test_nothing_is_exported_that_nobody_imports() -> None:
    modules = assets.modules()
    statements = [
        words for text in modules.values() for words in re.findall(r"^import \{([^}]*)\}", text, re.MULTILINE)
    ]
    imported = {word.strip() for words in statements for word in words.split(",")}
    for name, text in modules.items():
        for export, word in TOP.findall(text):
            assert not export or word in imported, f"nobody imports {word} of {name}"


def test_the_joined_module_imports_what_others_wrote_and_nothing_else() -> None:
    text = assets.assets()[assets.MODULE].text
    assert [match[1] for match in map(NAMED.match, IMPORT.findall(text)) if match] == ["lit-html.js"]
    assert not re.search(r"^export ", text, re.MULTILINE)
    for own in assets.modules().values():
        for line in own.splitlines():
            if not re.match(r"import |export ", line) and not re.match(r"\s+[\w, ]+,?$|\} from ", line):
                assert line in text


def test_every_text_of_the_page_is_used_and_every_one_that_is_used_is_there() -> None:
    modules = dict(assets.modules())
    texts = {*re.findall(r"^  (\w+):", modules.pop("texts.js"), re.MULTILINE)}
    used = {*re.findall(r"\bTEXTS\.(\w+)", "\n".join(modules.values()))}
    assert texts == used
