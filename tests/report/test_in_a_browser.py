"""The report as a browser shows it: nothing lies over anything else, nothing has to be pushed aside, and the curves are the numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import DESKTOP, PHONE, Browser, find_browser
from tsws.report.page import report_page
from tsws.report.run_view import RunView

STORY = (
    "Once upon a time, there was a little girl who said:<unk>“What a very long" + "word" * 30 + "!” And so on. " * 20
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser; without one the test is skipped, but fails where everything has to be there."""
    program = find_browser()
    if program is None:
        message = "no browser is installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with Browser(program, tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def runs(slow: RunView, quick: RunView) -> list[RunView]:
    """Two runs that have much to say."""
    samples = [{"step": step, "prompt": "Once", "text": STORY} for step in (10, 20, 40)]
    facts = {"data": "stories (" + "texts/a-long-name-of-a-file/" * 8 + ")", "processor": "one"}
    return [replace(run, samples=samples, facts=facts | {"host": run.label}) for run in (slow, quick)]


@pytest.fixture
def page(runs: list[RunView], tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(report_page(runs))
    return path


OVERLAPS = """
[...document.querySelectorAll(".plot")].flatMap(plot => {
  const boxes = [...plot.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  const frame = plot.getBoundingClientRect();
  const out = boxes.filter(([, box]) => box.left < frame.left || box.right > innerWidth || box.bottom > frame.bottom + 1);
  const meet = boxes.flatMap(([one, a], number) => boxes.slice(number + 1).filter(([, b]) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).map(([other]) => one + " / " + other));
  return [...out.map(([one]) => one), ...meet];
})"""
DOTS = """
[...document.querySelectorAll(".plot[data-kind=loss] circle")].map(dot =>
  [dot.classList[1], +dot.getAttribute("cx"), +dot.getAttribute("cy")])"""
CHOOSE = "document.querySelector('input[name={}][value=\"{}\"]').click()"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_every_screen_and_no_label_lies_on_another(
    width: int, dark: bool, browser: Browser, page: Path
) -> None:
    browser.show(page, width=width, dark=dark)
    red, green, blue = browser.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red + green + blue < 200) == dark
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.run("document.documentElement.scrollWidth") == width
    sideways = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert browser.run(sideways) == 0
    for axis in ("step", "tokens", "seconds"):
        for scale in ("linear", "log"):
            browser.run(CHOOSE.format("axis", axis))
            browser.run(CHOOSE.format("scale", scale))
            assert browser.run(OVERLAPS) == [], f"{axis}, {scale}"
            assert browser.run("document.querySelectorAll('.plot path.curve').length") == 2 * (2 + 3)
    assert browser.problems == []


def test_the_curves_are_the_numbers_of_the_metrics(browser: Browser, page: Path, runs: list[RunView]) -> None:
    browser.show(page)
    expected = [
        (f"run-{number}", line["step"], line["val_loss"])
        for number, run in enumerate(runs)
        for line in run.lines
        if "val_loss" in line
    ]
    dots: list[Any] = browser.run(DOTS)
    (_, left, top), (_, right, bottom) = dots[0], dots[2]  # the slow run at 10 and 40: 4.0 and 2.0
    shown = [(run, 10 + 30 * (x - left) / (right - left), 4.0 - 2.0 * (y - top) / (bottom - top)) for run, x, y in dots]
    assert [one[0] for one in shown] == [one[0] for one in expected]
    for place in (1, 2):
        assert [one[place] for one in shown] == pytest.approx([one[place] for one in expected], abs=1e-6)


def test_the_arrow_keys_read_every_number(browser: Browser, page: Path, runs: list[RunView]) -> None:
    browser.show(page)
    plot = "document.querySelector('.plot[data-kind=loss]')"
    press = f"{plot}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'ArrowRight'}}))"
    for step in (10, 20, 30, 40):
        browser.run(press)
        rows: list[str] = browser.run(f"[...{plot}.querySelectorAll('.tip div')].map(one => one.textContent)")
        assert rows[0] == f"{step} steps"
        for run in runs:
            for key in ("train", "val"):
                losses = {line["step"]: line[f"{key}_loss"] for line in run.lines if f"{key}_loss" in line}
                words = [row for row in rows if row.startswith(f"{run.label} {key} ")]
                if step in losses:
                    assert words == [f"{run.label} {key} {losses[step]:.4f}"]
                else:
                    assert " at " in words[0]


def test_a_run_can_be_hidden(browser: Browser, page: Path) -> None:
    browser.show(page)
    browser.run(CHOOSE.format("run", 1))
    assert {dot[0] for dot in browser.run(DOTS)} == {"run-0"}
