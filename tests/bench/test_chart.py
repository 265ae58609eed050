"""The chart: well-formed, every point where its numbers put it, no name on another."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from bench.chart import Panel, drawn

SVG = "{http://www.w3.org/2000/svg}"
LINES = {
    "flat & low": [(1_000, 1), (10_000, 1)],
    "steep": [(1_000, 10), (10_000, 1_000)],
    "same": [(1_000, 1), (10_000, 1)],
}


def picture() -> ET.Element:
    return ET.fromstring(drawn("Title <1>", "Sub", "rows", "read", [Panel("Left", LINES), Panel("Right", LINES)]))  # noqa: S314 - ours


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    texts = [text.text for text in picture().iter(f"{SVG}text")]
    assert {"Title <1>", "Sub", "Left", "Right", "rows", "read", "flat & low", "1,000", "10,000"} <= {*texts}


def test_points_stand_where_their_logarithms_put_them() -> None:
    lines = [line.attrib["points"] for line in picture().iter(f"{SVG}polyline")]
    assert len(lines) == 6
    (first, last) = (tuple(map(float, point.split(","))) for point in lines[1].split())
    bottom = float(lines[0].split()[0].split(",")[1])
    assert first[0] < last[0]
    # 10 is one decade above 1, and 1,000 two more.
    assert abs((bottom - last[1]) - 3 * (bottom - first[1])) < 0.5


def test_names_of_lines_that_end_together_do_not_lie_on_each_other() -> None:
    places = [
        float(text.attrib["y"]) for text in picture().iter(f"{SVG}text") if text.text in LINES and "x" in text.attrib
    ][:3]
    assert min(abs(one - other) for one in places for other in places if one != other) >= 14
    assert len({*places}) == 3


def test_every_line_has_a_colour_of_its_own_in_all_panels() -> None:
    colours = re.findall(r"<[^<]*polyline [^>]*stroke=\"([^\"]+)\"", ET.tostring(picture()).decode())
    assert colours[:3] == colours[3:]
    assert len({*colours}) == 3
