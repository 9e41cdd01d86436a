"""As much of Markdown as the pages use: headings, links, fenced blocks, generated parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^```(?P<language>[\w+-]*)(?: title=(?P<title>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_GENERATED = re.compile(r"(<!-- generated: ([\w ./-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    title: str | None
    """``title=...`` behind the language: the file that the block shows."""
    text: str
    line: int
    """Of the fence, in the page."""


@dataclass(frozen=True)
class Page:
    """One page of the documentation."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        """The page in a file."""
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks, in order."""
        return [
            Block(found["language"], found["title"], found["text"], self.text.count("\n", 0, found.start()) + 1)
            for found in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """Everything but the fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def anchors(self) -> set[str]:
        """What ``#...`` in a link to this page may say."""
        return {anchor(heading) for heading in _HEADING.findall(self.prose)}

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return _LINK.findall(self.prose)

    def part(self, heading: str) -> Page:
        """The section under a heading, up to the next of the same or a higher level."""
        level = heading.partition(" ")[0]
        begin = self.text.index(f"\n{heading}\n") + 1
        end = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(self.text, begin + len(heading))
        return Page(self.path, self.text[begin : end.start() if end else None])

    def generated(self) -> Iterator[tuple[str, str]]:
        """Its generated parts: name and text."""
        return ((name, text) for _, name, text, _ in _GENERATED.findall(self.text))

    def regenerated(self, render: Callable[[str], str]) -> str:
        """Its text, with every generated part as ``render(name)`` has it now."""
        return _GENERATED.sub(lambda found: f"{found[1]}{render(found[2])}{found[4]}", self.text)


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")
