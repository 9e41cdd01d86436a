"""Pictures of losses."""

from __future__ import annotations

import re
import struct
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tsws.errors import UsageError
from tsws.report.figure import format_of, loss_figure
from tsws.report.run_view import RunView


def heights(svg: bytes, color: str) -> list[float]:
    """The y of each point of the thick curve of a colour; 0 is at the top."""
    style = f"stroke: {color}; stroke-width: 1.8"
    (path,) = [one for one in ET.parse(BytesIO(svg)).iter() if style in one.get("style", "") and one.get("clip-path")]
    return [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path.get("d", ""))]


def test_a_picture_shows_the_validation_losses(slow: RunView, quick: RunView) -> None:
    svg = loss_figure([slow, quick], axis="step", log=False, format="svg")
    ours, theirs = heights(svg, "#0b62c4"), heights(svg, "#c2410c")[::-1]
    losses = [4.0, 3.0, 2.0]
    unit = (ours[2] - ours[0]) / 2
    assert [round((y - ours[0]) / unit, 3) for y in ours] == [4.0 - loss for loss in losses]
    assert {round((y - ours[0]) / unit, 3) for y in theirs} == {0.5, 1.5, 2.25, 2.5}
    words = [one.text for one in ET.parse(BytesIO(svg)).iter() if one.tag.endswith("text")]
    assert {"slow", "quick", "steps", "loss, nats a token"} <= set(words)


def test_the_same_runs_give_the_same_bytes(slow: RunView) -> None:
    for kind in ("svg", "png"):
        pictures = {loss_figure([slow], axis="seconds", log=True, format=kind) for _ in range(2)}
        assert len(pictures) == 1


def test_a_logarithmic_axis_has_plain_numbers(slow: RunView) -> None:
    svg = loss_figure([slow], axis="step", log=True, format="svg")
    words = [one.text for one in ET.parse(BytesIO(svg)).iter() if one.tag.endswith("text")]
    assert words[words.index("steps") + 1 :][:2] == ["2", "3"]


def test_png_is_a_png(slow: RunView) -> None:
    picture = loss_figure([slow], axis="tokens", log=False, format="png")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (1120, 672)


@pytest.mark.parametrize("name", ["loss.gif", "loss", "png"])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="neither a PNG nor an SVG"):
        format_of(Path(name))
