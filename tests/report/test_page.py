"""The report as a page: its numbers are those of ``metrics.jsonl``, it needs nothing else, and runs can not break it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from tsws.report.page import report_page
from tsws.report.run_view import RunView

VOID = {"meta", "input"}


class Page(HTMLParser):
    """What stands in a page: elements with their attributes, the text of each cell, and what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.texts[tag][-1] += data


def embedded(page: Page) -> list[dict[str, object]]:
    place = [attributes for tag, attributes in page.elements if tag == "script"]
    (number,) = [number for number, attributes in enumerate(place) if attributes.get("id") == "runs"]
    found: list[dict[str, object]] = json.loads(page.texts["script"][number])
    return found


def test_the_numbers_are_those_of_the_metrics(slow: RunView, quick: RunView) -> None:
    page = Page(report_page([slow, quick]))
    assert embedded(page) == [{"label": run.label, "lines": run.lines} for run in (slow, quick)]
    assert page.open == []


def test_the_summary_and_the_table_say_the_same(slow: RunView, quick: RunView) -> None:
    page = Page(report_page([slow, quick]))
    named = [(attributes["data-name"], attributes) for tag, attributes in page.elements if "data-name" in attributes]
    cells = [
        text
        for (tag, attributes), text in zip(
            [one for one in page.elements if one[0] == "td"], page.texts["td"], strict=True
        )
        if "data-name" in attributes
    ]
    shown = [(name, text) for (name, _), text in zip(named, cells, strict=True)]
    assert shown[:6] == [
        ("val loss", "2.0000"),
        ("best", "2.0000 at 40"),
        ("steps", "40"),
        ("tokens", "400"),
        ("time", "4s"),
        ("tokens/s", "100"),
    ]
    assert [text for name, text in shown[12:] if name == "val loss"] == [
        "4.0000",
        "3.0000",
        "2.0000",
        "3.5000",
        "2.5000",
        "1.7500",
        "1.5000",
    ]


def test_nothing_is_asked_of_a_network(slow: RunView) -> None:
    text = report_page([slow])
    page = Page(text)
    assert not [attributes for _, attributes in page.elements if {"src", "href"} & set(attributes)]
    assert re.findall(r"(?:https?:)?//[a-z]\S*", text.replace("http://www.w3.org/2000/svg", "")) == []
    assert any("default-src 'none'" in str(attributes.get("content")) for _, attributes in page.elements)


def test_what_a_run_says_is_text_and_never_markup(slow: RunView) -> None:
    evil = "</script><script>alert(1)</script>"
    run = RunView(
        evil,
        [*slow.lines, {"step": 99, evil: evil}],
        [{"step": 10, "prompt": evil, "text": f"{evil} b"}],
        {evil: evil},
        {evil: evil},
    )
    plain, page = Page(report_page([slow])), Page(report_page([run]))
    assert [tag for tag, _ in page.elements].count("script") == [tag for tag, _ in plain.elements].count("script")
    assert embedded(page)[0]["label"] == evil


def test_stories_stand_in_the_order_of_the_steps_and_some_are_folded_away(slow: RunView) -> None:
    samples = [{"step": step, "prompt": "Once", "text": f"Once {step}"} for step in range(1, 21)]
    page = Page(report_page([replace(slow, samples=samples)]))
    told = [int(text.split("Once ")[1]) for text in page.texts["li"]]
    assert sorted(told) == list(range(1, 21))
    assert told[:6] == [1, 5, 9, 12, 16, 20]


def test_settings_that_differ_stand_apart_from_those_that_are_the_same(slow: RunView, quick: RunView) -> None:
    page = Page(report_page([slow, quick]))
    *_, differing, same = (text.split() for text in page.texts["table"])
    rows = ["slowquick", "train.lrslow0.001quick0.003", "model.biasslownullquick", "extraslowquicktrue"]
    assert differing == rows
    assert same == ["model.dim16"]


def test_a_story_has_line_ends_where_the_vocabulary_has_none(slow: RunView) -> None:
    samples = [{"step": 10, "prompt": "Once", "text": "Once.<unk>Then.<unk>"}]
    (told,) = Page(report_page([replace(slow, samples=samples)])).texts["p"][1:]
    assert told == "Once.\nThen.\n"


def test_a_run_that_has_just_begun_has_a_page_too() -> None:
    assert Page(report_page([RunView("new", [])])).open == []
