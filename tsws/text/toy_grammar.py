"""A small language for stories: words, rules and plots, told by chance, with every choice counted.

A grammar is text (``toy_words.py``, ``toy_rules.py``, ``toy_plots.py``):

- *words*: tables from which a word is drawn. A table is a list with commas, or lines with columns apart by ``|``
  under a line of column names; the first column is the word, the others belong to it (a pronoun, a past tense).
- *rules*: one line an option; ``3: `` in front makes an option three times as likely.
- *plots*: one line a step, told one after another; ``?`` in front leaves it out half the time, ``¶`` alone
  lets the next step begin a paragraph half the time.

In a line, ``[one|two|]`` chooses, and braces refer:

============================  =======================================================================
``{toys}``                    draw a word
``{toy=toys}``                draw a word and remember it as ``toy``
``{pet=beasts.kind}``         the same, but say another of its columns
``{toy}``, ``{toy.plural}``   the remembered word, or another of its columns
``{He}``, ``{His}``...        short for a column of ``hero``; a capital makes the text begin with one
``{a toy}``, ``{a toy=toys}`` with the article that fits
``{opening}``                 tell an option of a rule, or a plot
============================  =======================================================================

A word that the story remembers already is not drawn again, so two children never share a name.

The options of a choice always end up in the text, so that a text comes from one sequence of choices only, and the
sum of -ln p over the choices is the surprisal of the text. That is a property of the tables, and a test reads stories back
to hold them to it.
"""

from __future__ import annotations

import hashlib
import math
import re
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
class _Later:
    """A reference to a rule that may not have been read yet."""

    rules: Mapping[str, Node]
    name: str

    def tell(self, teller: Teller) -> None:
        self.rules[self.name].tell(teller)


def read_grammar(words: Mapping[str, str], rules: Mapping[str, str], plots: Mapping[str, str]) -> dict[str, Node]:
    """The rules and plots of a grammar by name, ready to be told.

    Raises:
        ValueError: a reference leads nowhere, or a bracket has no partner.
    """
    tables = {name: _table(text) for name, text in words.items()}
    told: dict[str, Node] = {}
    reader = _Reader(tables, told, frozenset(rules) | frozenset(plots), drawn=set(), recalled=set())
    for name, text in rules.items():
        told[name] = reader.rule(text)
    for name, text in plots.items():
        told[name] = reader.plot(text)
    if unknown := sorted(reader.recalled - reader.drawn):
        raise ValueError(f"nothing is called {', '.join(unknown)}")
    return told


@dataclass(frozen=True)
class _Reader:
    tables: Mapping[str, tuple[Word, ...]]
    told: Mapping[str, Node]
    names: frozenset[str]
    drawn: set[str]
    """Names under which words are remembered."""
    recalled: set[str]

    def rule(self, text: str) -> Node:
        weights, options = [], []
        for line in _lines(text):
            match = re.match(r"(\d+): ", line)
            weights.append(int(match[1]) if match else 1)
            options.append(self.line(line[match.end() :] if match else line))
        return Choice(tuple(options), tuple(weights))

    def plot(self, text: str) -> Node:
        steps: list[Step] = []
        may_break = False
        for line in _lines(text):
            if line == "¶":
                may_break = True
                continue
            steps.append(Step(self.line(line.removeprefix("? ")), line.startswith("? "), may_break))
            may_break = False
        return Plot(tuple(steps))

    def line(self, text: str) -> Node:
        node, end = self._options(text, 0, nested=False)
        if end != len(text):
            raise ValueError(f"a bracket without a partner at {end}: {text}")
        return node

    def _options(self, text: str, start: int, *, nested: bool) -> tuple[Node, int]:
        """What stands up to the end, or up to the ``]`` that closes a choice."""
        options: list[Node] = []
        parts: list[Node] = []
        position = start
        while position < len(text) and not (nested and text[position] == "]"):
            if text[position] == "[":
                node, position = self._options(text, position + 1, nested=True)
                parts.append(node)
                position += 1
            elif text[position] == "{":
                end = text.index("}", position)
                parts.append(self._reference(text[position + 1 : end]))
                position = end + 1
            elif nested and text[position] == "|":
                options.append(_joined(parts))
                parts = []
                position += 1
            else:
                end = position + len(re.match(r"[^][{}|]+", text[position:])[0])  # type: ignore[index]
                parts.append(Literal(text[position:end]))
                position = end
        if nested and position == len(text):
            raise ValueError(f"a choice that does not end: {text}")
        options.append(_joined(parts))
        return (Choice(tuple(options), (1,) * len(options)) if nested else options[0]), position

    def _reference(self, text: str) -> Node:
        article = text.startswith("a ")
        text = text.removeprefix("a ")
        if text in self.names:
            return _Later(self.told, text)
        name, _, table = text.rpartition("=")
        word, _, column = table.partition(".")
        if word in self.tables:
            self.drawn.add(name)
            return Draw(self.tables[word], column, name, article)
        if word.lower() in _PRONOUNS:
            word, column = ("Hero" if word[0].isupper() else "hero"), word.lower()
        name = word[0].lower() + word[1:]
        self.recalled.add(name)
        return Recall(name, column, article, capital=word[0].isupper())


_PRONOUNS = ("he", "him", "his")


def _joined(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Line(tuple(parts))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _table(text: str) -> tuple[Word, ...]:
    if "|" not in text:
        return tuple({"": word.strip()} for word in text.strip().split(","))
    header, *rows = ([cell.strip() for cell in line.split("|")] for line in _lines(text))
    return tuple(dict(zip(["", *header[1:]], row, strict=True)) for row in rows)


def _with_article(text: str) -> str:
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"
