"""A small language for stories: words, rules and plots.

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
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsws.text.toy_grammar import Choice, Draw, Later, Line, Literal, Node, Plot, Recall, Step, Word

_PRONOUNS = ("he", "him", "his")


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
            return Later(self.told, text)
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


def _joined(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Line(tuple(parts))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _table(text: str) -> tuple[Word, ...]:
    if "|" not in text:
        return tuple({"": word.strip()} for word in text.strip().split(","))
    header, *rows = ([cell.strip() for cell in line.split("|")] for line in _lines(text))
    return tuple(dict(zip(["", *header[1:]], row, strict=True)) for row in rows)
