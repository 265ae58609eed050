"""Takes pictures of the auditors' page for the documents: `scripts/screenshots` writes docs/images/*.png.

The sample is served for it in a process of its own, so the pictures show what a newcomer sees.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"

_CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
_READY = "Gatebook is ready at "
_TOKEN = "The owner's token: "  # noqa: S105 - what the command prints before it
_WIDTH, _HEIGHT = 1_120, 640


class Picture(NamedTuple):
    """A picture.

    Attributes:
        name: of its file.
        query: of the address of the view.
        prepare: what is done before the picture is taken.
        scheme: the colours.
    """

    name: str
    query: str
    prepare: Callable[[Page], None]
    scheme: Literal["light", "dark"] = "light"


def _opened(text: str) -> Callable[[Page], None]:
    def prepare(page: Page) -> None:
        page.locator(".line").filter(has_text=text).first.get_by_role("button").click()
        page.locator(".opened").scroll_into_view_if_needed()

    return prepare


def _lines_drawn(page: Page) -> None:
    page.locator(".line, .listing, .card").first.wait_for()


PICTURES = (
    Picture("connections", "view=connections&last=3d", _lines_drawn),
    Picture("audit", "view=audit&q=resource_type:organization_member", _opened("ken"), "dark"),
    Picture("overview", "view=overview", _lines_drawn),
)


def main() -> int:
    """Take every picture; the exit status is 2 where there is no browser."""
    if not _CHROMIUM.exists():
        print(f"screenshots: no {_CHROMIUM}: apt-get install chromium", file=sys.stderr)
        return 2
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _served() as (url, token), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            locale="en-GB", timezone_id="UTC", viewport={"width": _WIDTH, "height": _HEIGHT}, reduced_motion="reduce"
        )
        page.goto(f"{url}/ui")
        page.get_by_label("Token", exact=True).fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("table", name="Results").wait_for()
        for picture in PICTURES:
            page.emulate_media(color_scheme=picture.scheme)
            page.goto(f"{url}/ui?{picture.query}")
            picture.prepare(page)
            page.wait_for_load_state("networkidle")
            path = IMAGES / f"{picture.name}.png"
            page.screenshot(path=path)
            print(f"{path}: {path.stat().st_size:,} bytes")
        browser.close()
    return 0


@contextmanager
def _served() -> Iterator[tuple[str, str]]:
    """The address and the owner's token of a served sample."""
    command = [sys.executable, "-m", "scripts.local.serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None  # noqa: S101 - asked for above
        said: dict[str, str] = {}
        for line in process.stdout:
            said |= {start: line.removeprefix(start).strip() for start in (_READY, _TOKEN) if line.startswith(start)}
            if len(said) == len((_READY, _TOKEN)):
                break
        yield said[_READY], said[_TOKEN]
        process.terminate()


if __name__ == "__main__":
    sys.exit(main())
