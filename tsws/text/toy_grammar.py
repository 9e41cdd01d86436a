"""How a story is told by chance, with every choice counted: the parts of a grammar, and who tells them.

A word that the story remembers already is not drawn again, so two children never share a name.

The options of a choice always end up in the text, so that a text comes from one sequence of choices only, and the
sum of -ln p over the choices is the surprisal of the text. That is a property of the tables, and a test reads stories back
to hold them to it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Word = Mapping[str, str]
"""A row of a table: column name to text; the word itself is under ``""``."""

_MASK = (1 << 64) - 1


class Teller:
    """Tells one story: draws its choices, keeps its words, and counts its surprisal.

    The generator is SplitMix64 (Steele, Lea and Flood, 2014) from a SHA-256 of seed and index: integers only, so a
    story is the same on every machine and with every Python.
    """

    def __init__(self, seed: int, index: int) -> None:
        self.parts: list[str] = []
        self.scene: dict[str, Word] = {}
        self.nats = 0.0
        self._state = int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:8], "little")

    def choose(self, weights: Sequence[int]) -> int:
        """The place of one of the weights, drawn in proportion: the one way in which anything is left to chance."""
        total = sum(weights)
        ticket = (self._random() * total) >> 64
        place = 0
        while ticket >= weights[place]:
            ticket -= weights[place]
            place += 1
        self.nats += math.log(total / weights[place])
        return place

    def say(self, text: str) -> None:
        """Go on with ``text``."""
        self.parts.append(text)

    def _random(self) -> int:
        """The next 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        bits = self._state
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
        return bits ^ (bits >> 31)


class Node(Protocol):
    """A part of a grammar that can be told."""

    def tell(self, teller: Teller) -> None:
        """Say it."""
        ...


@dataclass(frozen=True, slots=True)
class Literal:
    """Text as it stands."""

    text: str

    def tell(self, teller: Teller) -> None:
        """Say it."""
        teller.say(self.text)


@dataclass(frozen=True, slots=True)
class Line:
    """Parts one after another."""

    parts: tuple[Node, ...]

    def tell(self, teller: Teller) -> None:
        """Say all of them."""
        for part in self.parts:
            part.tell(teller)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]
    weights: tuple[int, ...]

    def tell(self, teller: Teller) -> None:
        """Say one of them."""
        self.options[teller.choose(self.weights)].tell(teller)


@dataclass(frozen=True, slots=True)
class Draw:
    """A word from a table, remembered under a name (``""``: forgotten)."""

    table: tuple[Word, ...]
    column: str
    name: str
    article: bool

    def tell(self, teller: Teller) -> None:
        """Draw a word that the story does not remember yet, and say it."""
        known = {word[""] for word in teller.scene.values()}
        words = [word for word in self.table if word[""] not in known]
        word = words[teller.choose([1] * len(words))]
        if self.name:
            teller.scene[self.name] = word
        text = word[self.column]
        teller.say(_with_article(text) if self.article else text)


@dataclass(frozen=True, slots=True)
class Recall:
    """A column of a remembered word."""

    name: str
    column: str
    article: bool
    capital: bool

    def tell(self, teller: Teller) -> None:
        """Say it."""
        text = teller.scene[self.name][self.column]
        text = _with_article(text) if self.article else text
        teller.say(text[0].upper() + text[1:] if self.capital else text)


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a plot."""

    node: Node
    optional: bool
    may_break: bool
    """Whether a paragraph may begin here."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Steps one after another."""

    steps: tuple[Step, ...]

    def tell(self, teller: Teller) -> None:
        """Say the steps, apart by a space or a line end."""
        for place, step in enumerate(self.steps):
            if step.optional and teller.choose((1, 1)):
                continue
            if place > 0:
                teller.say("\n" if step.may_break and teller.choose((1, 1)) else " ")
            step.node.tell(teller)


@dataclass(slots=True)
class Later:
    """A reference to a rule that may not have been read yet."""

    rules: Mapping[str, Node]
    name: str

    def tell(self, teller: Teller) -> None:
        """Say it."""
        self.rules[self.name].tell(teller)


def _with_article(text: str) -> str:
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"
